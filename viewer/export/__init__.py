"""Writing one case for others: DICOM SEG, NIfTI, findings, manifest, each checked. No Qt."""
