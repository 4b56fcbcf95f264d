"""The label schema: what a site's file may say, what a wrong one is told, what a case remembers."""

import json

import pytest

import resources
from resources import labels
from resources.problem import Problem
from tests.annotate_cases import findings, open_case, volume
from viewer import site_labels
from viewer.annotate import attributes
from viewer.annotate.attributes import Attributes
from viewer.export.layers import layers

MASS = {
    "name": "Mass",
    "kind": "lesion",
    "colour": "#cc79a7",
    "category": ["49755003", "SCT", "Morphologically Abnormal Structure"],
    "type": ["4147007", "SCT", "Mass"],
    "region": ["39607008", "SCT", "Lung"],
    "attributes": {"texture": "required", "malignancy": "optional"},
}


def written(**changes):
    return json.dumps({"format": "overread-labels", "labels": {"mass": {**MASS, **changes}}})


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("OVERREAD_HOME", str(tmp_path / "home"))
    yield
    labels.forget()


def test_a_site_adds_a_label_and_changes_one(tmp_path):
    terms = labels.parse(written())
    labels.install(terms)
    assert resources.table("labels")["mass"]["name"] == "Mass"
    assert resources.table("labels")["mass"]["colour"] == "#CC79A7"
    assert resources.table("labels")["nodule"]["name"] == "Nodule"
    assert labels.offered("lesion") == ("nodule", "mass")
    assert labels.required("mass") == ("texture",)
    assert labels.required("nodule") == labels.required("lung_left") == ()
    changed = {"nodule": {**resources.bundled_table("labels")["nodule"], "name": "Knot"}}
    labels.install(labels.parse(json.dumps({"format": "overread-labels", "labels": changed})))
    assert resources.table("labels")["nodule"]["name"] == "Knot"
    assert not labels.is_bundled("nodule")
    assert "mass" not in resources.table("labels")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "no JSON: see line 1"),
        ("[]", "does not begin with"),
        ('{"format": "overread-labels"}', "names no labels"),
        (written().replace('"mass"', '"Big Mass"', 1), "“Big Mass” is no key"),
        ('{"format": "overread-labels", "labels": {"mass": 3}}', "is no object"),
        (written().replace('"name": "Mass", ', ""), "has no “name”"),
        (written(size=3), "“size” that is not known"),
        (written(name=" "), "needs a name"),
        (written(name="A\nB"), "needs a name"),
        (written(kind="organ"), "lesion / anatomy"),
        (written(colour="red"), "like #E69F00"),
        (written(type=["4147007", "SCT"]), "a code, its scheme and its meaning"),
        (written(type=["4147008", "SCT", "Mass"]), "check digit is wrong"),
        (written(type=["1", "HOME", "Mass"]), "“HOME”"),
        (written(type=["12345678901234567", "99X", "Mass"]), "longer than 16"),
        (written(attributes={"shape": "required"}), "attributes of the label “mass”"),
        (written(attributes={"texture": "always"}), "attributes of the label “mass”"),
        (written(name="nodule"), "same name or code"),
        (written(type=["27925004", "SCT", "Nodule"]), "same name or code"),
        (written().replace('"kind"', '"name": "x", "kind"', 1), "stands twice"),
        ("[" * 100_000, "nested too deeply"),
        (" " * (1 << 20) + "{}", "too large"),
    ],
)
def test_a_wrong_file_is_told_in_a_sentence(text, said):
    with pytest.raises(Problem) as caught:
        labels.parse(text)
    assert said in caught.value.sentence
    assert caught.value.remedy
    assert "mass" not in resources.table("labels")


def test_a_bundled_label_stays_of_its_kind():
    lung = {**resources.bundled_table("labels")["lung_left"], "kind": "lesion"}
    with pytest.raises(Problem, match="anatomy"):
        labels.parse(json.dumps({"format": "overread-labels", "labels": {"lung_left": lung}}))


def test_check_digits_are_those_of_snomed_ct():
    for term in resources.bundled_table("labels").values():
        for field in ("category", "type", "region"):
            assert field not in term or labels.is_snomed_concept(term[field][0])
    assert labels.is_snomed_concept("4147007")
    # Each other last digit, each swap of neighbours, and other partitions are wrong.
    for digit in "012345689":
        assert not labels.is_snomed_concept(f"414700{digit}")
    assert not labels.is_snomed_concept("1447007")
    assert not labels.is_snomed_concept("04147007")
    assert not labels.is_snomed_concept("٤١٤٧٠٠٧")


def test_what_is_written_as_a_file_is_one(tmp_path):
    labels.install(labels.parse(written()))
    again = labels.parse(labels.as_file())
    assert set(again) == {"nodule", "lung_right", "lung_left", "mass"}
    assert again["mass"]["type"] == MASS["type"]
    assert again["mass"]["attributes"]["texture"] == "required"


def test_the_file_of_a_site_is_read_taken_and_taken_away(tmp_path):
    assert site_labels.load() is None
    chosen = tmp_path / "ours.json"
    chosen.write_text(written(), encoding="utf-8")
    site_labels.use(chosen)
    assert "mass" in resources.table("labels")
    labels.install({})
    assert site_labels.load() is None
    assert "mass" in resources.table("labels")
    chosen.write_text("rubbish", encoding="utf-8")
    with pytest.raises(Problem, match="no JSON"):
        site_labels.use(chosen)
    assert "mass" in resources.table("labels")
    site_labels.take_away()
    assert "mass" not in resources.table("labels")
    assert site_labels.load() is None
    site_labels.take_away()  # again


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"{", b""])
def test_a_damaged_file_of_the_site_leaves_the_labels_that_came_along(data):
    site_labels.file().write_bytes(data)
    problem = site_labels.load()
    assert problem is not None
    assert "label file" in problem.sentence
    assert set(resources.table("labels")) == {"nodule", "lung_right", "lung_left"}


@pytest.fixture
def case(tmp_path):
    made = open_case(folder=tmp_path / "cases")
    made.add_findings(findings(volume()))
    yield made
    made.close()


def test_a_case_keeps_the_term_of_a_label_that_a_site_made(tmp_path, case):
    labels.install(labels.parse(written()))
    case.set_label("d1", "mass")
    assert case.undo_name == "Relabel mass 1"
    assert len(case.steps[0]) == 2
    snapshot = case.snapshot()
    assert snapshot.terms["mass"]["type"] == MASS["type"]
    # A program without that file.
    labels.forget()
    assert labels.remember(case.document.notes(attributes.TERMS)) == ()
    assert resources.table("labels")["mass"]["name"] == "Mass"
    assert "mass" not in labels.offered("lesion")
    assert {layer.term["type"][0] for layer in layers(case.snapshot())} >= {"4147007"}
    # One that calls something else so.
    other = {"mass": {**MASS, "name": "Other", "type": ["10200004", "SCT", "Liver"]}}
    labels.install(labels.parse(json.dumps({"format": "overread-labels", "labels": other})))
    assert labels.remember(case.document.notes(attributes.TERMS)) == ("mass",)
    assert resources.table("labels")["mass"]["name"] == "Other"
    case.undo()
    assert case.document.lesion("d1").label == "nodule"
    assert not case.document.notes(attributes.TERMS)


def test_a_label_that_nobody_knows_is_called_by_its_key():
    labels.install({})
    term = resources.table("labels")["spaceship"]
    assert term["name"] == "spaceship"
    assert labels.is_snomed_concept(term["type"][0])
    assert labels.unknown(["nodule", "spaceship"]) == ("spaceship",)


def test_a_lock_holds_against_a_label_of_a_site(case):
    labels.install(labels.parse(written()))
    case.set_lock("d1", True)
    with pytest.raises(Problem, match="locked"):
        case.set_label("d1", "mass")


def test_what_is_required_is_missing_until_it_is_said(case):
    labels.install(labels.parse(written(attributes=dict.fromkeys(labels.ATTRIBUTES, "required"))))

    def missing():
        return attributes.missing(case.document, case.document.lesion("d1"))

    case.set_label("d1", "mass")
    assert missing() == ()  # nobody has said that it is one
    case.set_verdict("d1", "accepted")
    assert missing() == ("texture", "malignancy", "comment")
    case.set_note(attributes.TOPIC, "d1", Attributes("solid", 4).note())
    assert missing() == ("comment",)
    assert attributes.missing_text(missing()) == "comment missing"
    case.set_note("comment", "d1", {"text": "spiculated"})
    assert missing() == ()
    assert attributes.said_text(attributes.of(case.document, "d1")) == "solid, malignancy 4 of 5"
    told = next(x for x in case.snapshot().lesions if x.id == "d1")
    assert (told.texture, told.malignancy) == ("solid", 4)
    case.set_verdict("d1", "rejected")
    case.set_note(attributes.TOPIC, "d1", None)
    assert missing() == ()


def test_attributes_of_another_version_are_left_out(case):
    case.set_note(attributes.TOPIC, "d1", {"texture": "crystal", "malignancy": 9, "x": 1})
    assert attributes.of(case.document, "d1") == Attributes()
    assert Attributes().note() is None


def test_who_only_opens_a_case_knows_its_labels(tmp_path, case):
    labels.install(labels.parse(written()))
    case.set_label("d1", "mass")
    assert case.close() == 0
    labels.forget()
    again = open_case(folder=tmp_path / "cases")
    assert resources.table("labels")["mass"]["name"] == "Mass"
    assert again.snapshot().terms["mass"]["colour"] == "#CC79A7"
    again.close()


def test_nothing_is_written_without_a_terminal_while_the_file_is_wrong():
    site_labels.check()
    site_labels.file().write_text("{", encoding="utf-8")
    with pytest.raises(Problem, match="no JSON"):
        site_labels.check()
