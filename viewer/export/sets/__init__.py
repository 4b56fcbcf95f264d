"""Training sets: reviewed cases, without identity, in the formats that training programs read.

A set is a folder that grows by versions. A version is a folder of its own that appears whole and
never changes; what it shares with the one before is linked, not copied, where the disk can.
"""
