"""What left the list stays in the findings; each mask names the model that drew it."""

from __future__ import annotations

import json
from dataclasses import replace

import pydicom

from inference.findings import ModelStamp
from tests.export_cases import STAMP, ai_case
from viewer.export import export_case


def test_deleted_lesions_and_earlier_models_are_told(tmp_path):
    case = ai_case(tmp_path / "study")
    first, second = case.lesions
    earlier = ModelStamp("earlier", "0.9", "ef" * 32)
    case = replace(
        case,
        lesions=(replace(second, model=earlier, verdict="accepted"),),
        unlisted=(("deleted", first),),
    )
    export_case(case, tmp_path / "out")
    document = json.loads((tmp_path / "out" / "findings.json").read_text("utf-8"))
    (gone,) = document["unlisted"]
    assert (gone["id"], gone["why"], gone["label_value"]) == ("d1", "deleted", None)
    assert document["model"]["id"] == STAMP.id
    assert document["lesions"][0]["model"]["id"] == "earlier"
    segments = pydicom.dcmread(tmp_path / "out" / "seg.dcm").SegmentSequence
    names = [s.SegmentationAlgorithmIdentificationSequence[0].AlgorithmName for s in segments]
    assert names == [STAMP.id, STAMP.id, "earlier"]
