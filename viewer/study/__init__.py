"""Opening studies: scan files, order slices, check their geometry, read voxels. No Qt."""
