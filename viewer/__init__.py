"""The workstation. Only ``viewer.ui`` knows Qt; no room here reaches torch."""
