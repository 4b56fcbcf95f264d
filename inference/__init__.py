"""The model side: arrays, affines, models and findings. No Qt, no DICOM, no patient data."""
