"""Taking the identity out of DICOM data sets: PS3.15 Annex E, Basic Profile with options. No Qt.

``dataset.Deidentifier`` changes one data set, ``folder.deidentify`` whole folders, each file
read again and checked before any gets its final name. What stands for what follows from one
secret of the site, ``keyed.Keys``, which ``mapping`` keeps encrypted, apart from what leaves.
"""
