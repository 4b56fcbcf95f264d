"""What one finding is called in every file that tells of it (PS3.3 C.8.20.4). No libraries."""

from __future__ import annotations

import hashlib
import uuid

_NAMESPACE = uuid.UUID("2f0a6d0e-6b7e-4a55-8a35-6b1f6d1c6f5e")


def tracking_uid(series_uid: str, layer_id: str) -> str:
    """Return the Tracking UID (0062,0021): the same for one lesion in every export of its case."""
    return f"2.25.{uuid.uuid5(_NAMESPACE, f'{series_uid}/{layer_id}').int}"


def tracking_id(layer_id: str) -> str:
    """Return the Tracking ID (0062,0020), at most 64 characters."""
    if len(layer_id) <= 64:
        return layer_id
    return hashlib.sha256(layer_id.encode()).hexdigest()
