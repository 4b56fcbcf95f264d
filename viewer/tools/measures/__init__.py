"""Measuring by points in patient space: lines, angles, and regions with their voxels."""
