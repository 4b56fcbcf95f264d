"""Outlines of this and other systems, brought onto the series that is open.

Files come from anywhere: ``apart`` reads them in a process of its own (``apart_child``), and
``reading`` tells them apart by what they hold. What a file holds is a ``held.HeldFile``, its masks
on the voxels of the open series; ``taking`` makes one edit of what a reader chose of it.
"""
