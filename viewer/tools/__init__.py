"""Tools that turn a pointer's path into voxels."""
