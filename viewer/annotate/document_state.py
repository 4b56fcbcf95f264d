"""What the document of a case holds, to be read; ``viewer.annotate.document`` changes it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy.typing as npt

from inference import geometry
from inference.findings import Detection, Findings, Mask, ModelStamp, Segment
from viewer.annotate import edits
from viewer.annotate.change import Run
from viewer.annotate.imported import Imported
from viewer.annotate.lesion import Lesion, SegmentState
from viewer.annotate.live import Sizes
from viewer.annotate.mask import Growing

# Lesions that a reader marks before he may see the AI are numbered from here.
FIRST_BLIND_NUMBER = 101


class DocumentState:
    """Lesions and segments of one volume, and the AI runs under them.

    Parameters
    ----------
    shape_kji
        Shape of the volume.
    affine
        (4, 4), (k, j, i, 1) to LPS mm.
    voxels
        The volume (k, j, i), for mean values; None leaves them unknown.
    """

    def __init__(
        self,
        shape_kji: tuple[int, int, int],
        affine: geometry.Affine,
        voxels: npt.NDArray[Any] | None = None,
    ) -> None:
        self.shape_kji = shape_kji
        self.affine = affine
        self._sizes = Sizes(affine, voxels)
        self._voxel_ml = geometry.voxel_volume_mm3(affine) / 1000.0
        self._runs: tuple[Run, ...] = ()
        self._lesions: dict[str, Lesion] = {}
        self._segments: dict[str, SegmentState] = {}
        self._superseded_segments: frozenset[str] = frozenset()
        self._detections: dict[str, Detection] = {}
        self._anatomy: dict[str, tuple[Segment, int]] = {}
        self._outlined: dict[str, edits.AddOutlined] = {}
        self._imported: dict[str, Imported] = {}
        # Per run: id in the case -> id in that run's findings.
        self._names: dict[str, str] = {}
        self._former_names: list[dict[str, str]] = []
        # While a journal is replayed: what is to be measured, and strokes not yet in the masks.
        self._waiting: set[str] | None = None
        self._strokes: dict[str, Growing] = {}
        self._notes: dict[str, dict[str, Mapping[str, Any]]] = {}

    # ------------------------------------------------------------------ reading

    @property
    def runs(self) -> tuple[Run, ...]:
        """All AI runs, the latest last."""
        return self._runs

    @property
    def findings(self) -> Findings | None:
        """What the latest AI run said, never changed."""
        return self._runs[-1].findings if self._runs else None

    @property
    def model(self) -> ModelStamp | None:
        """Whose results are shown: the model of the latest run, else of the latest outline."""
        if self._runs:
            return self._runs[-1].findings.model
        return next((edit.model for edit in reversed(self._outlined.values())), None)

    @property
    def record(self) -> tuple[Lesion, ...]:
        """Every lesion, also deleted and superseded ones, by number."""
        return tuple(sorted(self._lesions.values(), key=lambda lesion: lesion.number))

    @property
    def lesions(self) -> tuple[Lesion, ...]:
        """The lesions that count, by number."""
        return tuple(lesion for lesion in self.record if lesion.live)

    def notes(self, topic: str) -> Mapping[str, Mapping[str, Any]]:
        """Return the notes of a topic by id, in the order in which they were first made."""
        return MappingProxyType(self._notes.get(topic, {}))

    def shown(self, threshold: float) -> tuple[Lesion, ...]:
        """Return the lesions that count and reach ``threshold`` or were touched by a reader."""
        return tuple(
            lesion
            for lesion in self.lesions
            if lesion.touched or lesion.score is None or lesion.score >= threshold
        )

    @property
    def segments(self) -> tuple[SegmentState, ...]:
        """The structures of anatomy that count."""
        return tuple(s for s in self._segments.values() if s.id not in self._superseded_segments)

    @property
    def segment_ids(self) -> frozenset[str]:
        """The ids of all structures of the record, superseded ones too."""
        return frozenset(self._segments)

    def lesion(self, lesion_id: str) -> Lesion:
        """Return one lesion of the record; KeyError when there is none."""
        return self._lesions[lesion_id]

    def segment(self, segment_id: str) -> SegmentState:
        """Return one structure; KeyError when there is none."""
        return self._segments[segment_id]

    def target(self, target_id: str) -> Lesion | SegmentState:
        """Return the lesion or segment of this id; KeyError when there is none."""
        return self._lesions.get(target_id) or self._segments[target_id]

    def ai_mask(self, target_id: str) -> Mask | None:
        """Return what the model drew; None for a human's lesion, and for what was imported."""
        if target_id in self._detections:
            return self._detections[target_id].mask
        if target_id in self._anatomy and target_id not in self._imported:
            return self._anatomy[target_id][0].mask
        return None

    def detection(self, lesion_id: str) -> Detection | None:
        """Return what the model said when it drew a lesion; None for a human's."""
        return self._detections.get(lesion_id)

    def outlined(self, lesion_id: str) -> edits.AddOutlined | None:
        """Return where a reader pointed and which model outlined; None when none did so."""
        return self._outlined.get(lesion_id)

    def made_by(self, of: Lesion | SegmentState) -> ModelStamp | None:
        """Return which version of a model drew a lesion or segment first; None when none did."""
        pointed = self.outlined(of.id)
        if pointed is not None:
            return pointed.model
        return self.runs[of.run - 1].findings.model if of.run else None

    def imported(self, target_id: str) -> Imported | None:
        """Return how a lesion or segment came from another file; None when it did not."""
        return self._imported.get(target_id)

    def detection_id(self, lesion_id: str) -> str | None:
        """Return what the latest run's findings call a lesion; None when they know it not."""
        return self._names.get(lesion_id)

    @property
    def next_number(self) -> int:
        """The number that the next new lesion is shown with."""
        known = [lesion.number for lesion in self._lesions.values()]
        # Those that were marked before the AI was seen have numbers of their own, above.
        below = 1 + max((number for number in known if number < FIRST_BLIND_NUMBER), default=0)
        return below if below < FIRST_BLIND_NUMBER else 1 + max(known)

    @property
    def next_blind_number(self) -> int:
        """The number of the next lesion that is marked before its reader may see the AI.

        A number after those of the AI would tell how many findings it has.
        """
        known = [lesion.number for lesion in self._lesions.values() if lesion.origin == "human"]
        taken = {lesion.number for lesion in self._lesions.values()}
        number = 1 + max(FIRST_BLIND_NUMBER - 1, *known) if known else FIRST_BLIND_NUMBER
        while number in taken:
            number += 1
        return number
