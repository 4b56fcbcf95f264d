"""What a reader reads of labels and undo steps, translated."""

from __future__ import annotations

import resources
from resources.text import translate
from viewer.annotate import attributes, boxes, edits, locks, measurement_words, refined
from viewer.annotate.document import AnnotationDocument
from viewer.annotate.lesion import COMMENT
from viewer.annotate.measurements import KINDS
from viewer.annotate.tool_words import reshaped_text, rule_text


def label_text(label: str) -> str:
    """Return a label as it stands inside a sentence, such as ``"nodule"``."""
    known = {
        "nodule": translate("labels", "nodule"),
        "lung_right": translate("labels", "right lung"),
        "lung_left": translate("labels", "left lung"),
    }
    if label in known:
        return known[label]
    return str(resources.table("labels").get(label, {}).get("name", label)).lower()


def target_text(document: AnnotationDocument, target_id: str) -> str:
    """Return what a lesion or segment is called, such as ``"nodule 3"`` or ``"right lung"``."""
    try:
        lesion = document.lesion(target_id)
    except KeyError:
        pass
    else:
        return _numbered(lesion.label, lesion.number)
    return label_text(document.segment(target_id).label)


def edit_text(document: AnnotationDocument, edit: edits.Edit) -> str:
    """Return the name of an undo step, such as ``"Brush on nodule 3"``."""
    match edit:
        case edits.AddFindings() | edits.RemoveFindings():
            return translate("annotate", "AI run")
        case edits.AddLesion(label=label, number=number):
            return translate("annotate", "Add {what}").format(what=_numbered(label, number))
        case edits.RemoveLesion(added=added):
            return translate("annotate", "Take away {what}").format(
                what=_numbered(added.label, added.number)
            )
        case edits.SetNote():
            return _note_text(edit)
        case edits.SetVerdict(lesion_id=lesion_id):
            return _verdict_text(edit).format(what=target_text(document, lesion_id))
        case edits.AddOutlined(outlined=outlined, number=number):
            return translate("annotate", "Outline {what}").format(
                what=_numbered(outlined.label, number)
            )
        case (
            edits.AddImported(outlines=outlines)
            | edits.RemoveImported(added=edits.AddImported(outlines=outlines))
        ):
            if len(outlines) == 1:
                return translate("annotate", "Import an outline")
            return translate("annotate", "Import {count} outlines").format(count=len(outlines))
        case edits.CallUp(lesion_id=lesion_id):
            pattern = translate("annotate", "List {what}")
        case edits.DeleteLesion(lesion_id=lesion_id, deleted=True):
            pattern = translate("annotate", "Delete {what}")
        case edits.DeleteLesion(lesion_id=lesion_id):
            pattern = translate("annotate", "Restore {what}")
        case edits.MoveLesion(lesion_id=lesion_id):
            pattern = translate("annotate", "Move {what}")
        case edits.SetLabel(lesion_id=lesion_id):
            pattern = translate("annotate", "Relabel {what}")
        case edits.PaintStroke(target_id=lesion_id):
            pattern = _stroke_text(edit)
        case edits.Reshape(target_id=lesion_id, made_by=made_by):
            pattern = reshaped_text(made_by)
        case edits.Together(made_by=made_by, parts=parts) if new := _added(parts):
            return reshaped_text(made_by).format(what=new)
        case edits.Together(parts=(edits.SetNote(), edits.SetLabel(lesion_id=lesion_id))):
            pattern = translate("annotate", "Relabel {what}")
        case edits.Together(made_by=made_by, parts=(edits.SetNote(topic="adjudication"), *_)):
            return reshaped_text(made_by).format(what=_settled(document, edit))
        case edits.Together(made_by=made_by, parts=parts):
            reshaped = (part.target_id for part in parts if isinstance(part, edits.Reshape))
            lesion_id = next(reshaped, "")
            if not lesion_id:
                return reshaped_text(made_by).format(what=translate("annotate", "outlines"))
            pattern = reshaped_text(made_by)
        case _:
            return edit.kind
    return pattern.format(what=target_text(document, lesion_id))


def _settled(document: AnnotationDocument, edit: edits.Together) -> str:
    """Return what is called on which two readings were settled."""
    note = next((part.after for part in edit.parts if isinstance(part, edits.SetNote)), None)
    try:
        return target_text(document, str((note or {})["lesion"]))
    except KeyError:
        return translate("annotate", "a finding")


def _added(parts: tuple[edits.Edit, ...]) -> str:
    """Return what the only finding is called that several edits add; empty for none or many."""
    named = [
        _numbered(
            one.outlined.label if isinstance(one, edits.AddOutlined) else one.label, one.number
        )
        for one in parts
        if isinstance(one, (edits.AddLesion, edits.AddOutlined))
    ]
    changed = {one.target_id for one in parts if isinstance(one, edits.Reshape)}
    return named[0] if len(named) == 1 and len(changed) < 2 else ""


def _numbered(label: str, number: int) -> str:
    return translate("annotate", "{label} {number}").format(label=label_text(label), number=number)


def _verdict_text(edit: edits.SetVerdict) -> str:
    match edit.after.verdict:
        case "accepted":
            return translate("annotate", "Accept {what}")
        case "rejected":
            return translate("annotate", "Reject {what}")
        case "unsure":
            return translate("annotate", "Mark {what} unsure")
        case None:
            return translate("annotate", "Clear the verdict on {what}")


def _note_text(edit: edits.SetNote) -> str:
    topic, taken_away = edit.topic, edit.after is None
    kind = (edit.after or edit.before or {}).get("kind")
    if topic == "measurement" and kind in KINDS:
        what = measurement_words.kind_text(kind)
        if taken_away:
            return translate("annotate", "Delete {what}").format(what=what.lower())
        if edit.before is not None:
            return translate("annotate", "Change {what}").format(what=what.lower())
        return what
    names = {
        "measurement": (
            translate("annotate", "Measurement"),
            translate("annotate", "Delete the measurement"),
        ),
        COMMENT: (
            translate("annotate", "Comment"),
            translate("annotate", "Delete the comment"),
        ),
        locks.TOPIC: (
            translate("annotate", "Lock an outline"),
            translate("annotate", "Unlock an outline"),
        ),
        boxes.TOPIC: (
            translate("annotate", "Box"),
            translate("annotate", "Take away the box"),
        ),
        refined.TOPIC: (
            translate("annotate", "Points of an outline"),
            translate("annotate", "Points of an outline"),
        ),
        attributes.TOPIC: (
            translate("annotate", "Texture and malignancy"),
            translate("annotate", "Take away texture and malignancy"),
        ),
        "key-image": (
            translate("annotate", "Key image"),
            translate("annotate", "Take away the key image"),
        ),
        "threshold": (
            translate("annotate", "Score threshold"),
            translate("annotate", "Score threshold of the model"),
        ),
        "colours": (
            translate("annotate", "Colour of a label"),
            translate("annotate", "Colour of a label"),
        ),
        "first-impression": (
            translate("annotate", "First impression"),
            translate("annotate", "Take back the first impression"),
        ),
    }
    made, gone = names.get(topic, (topic, topic))
    return gone if taken_away else made


def _stroke_text(edit: edits.PaintStroke) -> str:
    if edit.rule:
        return rule_text(edit.rule, edit.mode)
    if edit.shape == "ball":
        if edit.mode == "erase":
            return translate("annotate", "3-D eraser on {what}")
        return translate("annotate", "3-D brush on {what}")
    if edit.mode == "erase":
        return translate("annotate", "Eraser on {what}")
    return translate("annotate", "Brush on {what}")
