"""One data set: what goes, what stays by an option, and what the table alone lets through."""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from tests.deid_cases import PATIENT_ID, UID_ROOT, write
from viewer.deid.dataset import Deidentifier, original_uids
from viewer.deid.keyed import Keys, shifted
from viewer.deid.options import KEEP, options
from viewer.deid.words import Identity, cleaned

KEYS = Keys(bytes(range(32)))


def done(folder: Path, *keep: str, pixels: bool = False, **tags: object) -> Dataset:
    dataset = pydicom.dcmread(write(folder / "in.dcm", **tags))
    Deidentifier(KEYS, options(keep)).apply(dataset, pixels=pixels)
    del dataset.file_meta  # is made anew by who writes it
    return dataset


def test_the_basic_profile_leaves_no_name_date_uid_or_private_element(tmp_path):
    found = done(tmp_path)
    text = str(found)
    assert not [w for w in ("Quxworthy", "Zebedee", "Brannigham", "2019", UID_ROOT) if w in text]
    assert not any(element.tag.is_private for element in found.iterall())
    assert found.PatientName == found.PatientID == KEYS.patient(PATIENT_ID)
    # A date of type 3 goes whole, one of type 2 stays as an empty tag.
    assert "SeriesDate" not in found and "AcquisitionDateTime" not in found
    assert "StudyDate" in found and not found.StudyDate
    assert not [e for e in found if 0x6000 <= e.tag.group <= 0x60FF]


def test_it_says_what_was_done_to_it(tmp_path):
    found = done(tmp_path, "dates", "device", pixels=True)
    assert found.PatientIdentityRemoved == "YES"
    assert "PS3.15" in found.DeidentificationMethod
    codes = [item.CodeValue for item in found.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113101", "113107", "113109"]
    assert all(item.CodingSchemeDesignator == "DCM" for item in found[0x00120064].value)
    assert found.LongitudinalTemporalInformationModified == "MODIFIED"
    assert found.BurnedInAnnotation == "NO"
    assert all(len(item.CodeMeaning) <= 64 for item in found[0x00120064].value)


def test_what_an_earlier_method_said_of_itself_does_not_stay(tmp_path):
    found = done(tmp_path, DeidentificationMethod="by Brannigham", PatientIdentityRemoved="NO")
    assert "Brannigham" not in str(found) and found.PatientIdentityRemoved == "YES"


def test_what_an_image_needs_stays(tmp_path):
    found = done(tmp_path)
    before = pydicom.dcmread(tmp_path / "in.dcm")
    for keyword in (
        "PixelData", "Rows", "PixelSpacing", "ImagePositionPatient", "RescaleIntercept",
        "Modality", "ImageType", "Manufacturer", "ConvolutionKernel", "SOPClassUID",
    ):  # fmt: skip
        assert found[keyword].value == before[keyword].value, keyword


def test_uids_are_replaced_alike_at_every_depth_and_fit_each_other(tmp_path):
    inside = Dataset()
    inside.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    inside.ReferencedSOPInstanceUID = f"{UID_ROOT}.3.1"
    found = done(tmp_path, SourceImageSequence=[inside])
    assert found.SourceImageSequence[0].ReferencedSOPInstanceUID == found.SOPInstanceUID
    assert found.SourceImageSequence[0].ReferencedSOPClassUID == "1.2.840.10008.5.1.4.1.1.2"
    assert found.SOPInstanceUID == KEYS.uid(f"{UID_ROOT}.3.1")
    assert all(uid.startswith("2.25.") and len(uid) <= 64 for uid in original_uids(found))


def test_dates_shift_by_one_number_of_days_and_times_stay(tmp_path):
    found = done(tmp_path, "dates")
    days = KEYS.shift_days(PATIENT_ID)
    assert found.StudyDate == found.SeriesDate == shifted("20190405", days) != "20190405"
    assert found.AcquisitionDateTime == shifted("20190405", days) + "101112.5+0100"
    assert found.AcquisitionTime == "101112"
    assert not found.PatientBirthDate  # the option does not speak of it
    assert 30 <= days < 3650


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("20200301", "20200201"), ("2020.03.01", "20200201"), ("20200301235959", "20200201235959"),
        ("2020030123-0800", "2020020123-0800"), ("202003", ""), ("20201340", ""), ("soon", ""),
        ("20200301 for John", ""), ("00010105", ""),
    ],
)  # fmt: skip
def test_a_date_that_is_none_does_not_stay(value, expected):
    assert shifted(value, 29) == expected


def test_options_keep_what_they_name_and_nothing_else(tmp_path):
    plain = done(tmp_path)
    assert "DeviceSerialNumber" not in plain and "PatientAge" not in plain and not plain.PatientSex
    assert done(tmp_path, "device").DeviceSerialNumber == "SN-4471"
    person = done(tmp_path, "characteristics")
    assert person.PatientSex == "M"
    assert person.PatientAge == "090Y"  # nobody is as old as he is
    kept = done(tmp_path, "uids")
    assert kept.SOPInstanceUID == f"{UID_ROOT}.3.1"
    assert PATIENT_ID not in str(kept)


def test_of_descriptions_known_words_stay(tmp_path):
    assert "StudyDescription" not in done(tmp_path)
    found = done(tmp_path, "descriptions")
    assert found.StudyDescription == "CT Chest w contrast for"
    assert found.SeriesDescription == "Lung 1.25mm axial"
    assert "Zebedee" not in str(found)
    assert cleaned("Thorax_Dr.Miller 20190405 5mm") == "Thorax 5mm"


def test_a_name_in_an_attribute_that_no_table_names_is_found(tmp_path):
    found = done(tmp_path, Manufacturer="Quxworthy Ltd", ConvolutionKernel="B30f zqx-77310-b")
    # Both may be required: something stays in their place.
    assert found.Manufacturer == found.ConvolutionKernel == "REMOVED"
    found = done(tmp_path, SoftwareVersions=f"of {UID_ROOT}.5;")
    assert found.SoftwareVersions == "REMOVED"
    # Free text that the table is silent about goes, whatever it says.
    assert "LUTExplanation" in done(tmp_path, LUTExplanation="linear")
    assert "MetaboliteMapDescription" not in done(tmp_path, MetaboliteMapDescription="of a man")


def test_a_code_that_is_no_code_goes(tmp_path):
    write(tmp_path / "in.dcm")
    dataset = pydicom.dcmread(tmp_path / "in.dcm")
    with pydicom.config.disable_value_validation():
        dataset.BodyPartExamined = "chest of somebody's uncle"
        Deidentifier(KEYS, options([])).apply(dataset)
    assert dataset.BodyPartExamined == "REMOVED"


def test_what_the_dictionary_does_not_know_and_what_cannot_be_read_goes(tmp_path):
    dataset = pydicom.dcmread(write(tmp_path / "in.dcm"))
    dataset.add_new(0x00090002, "UN", b"Zebedee")
    dataset.add_new(0x0018FFF2, "UN", b"Zebedee")
    Deidentifier(KEYS, options(KEEP)).apply(dataset)
    assert 0x0018FFF2 not in dataset and 0x00090002 not in dataset


def test_content_of_a_report_stays_only_by_its_option(tmp_path):
    def item(**values: object) -> Dataset:
        found = Dataset()
        for key, value in values.items():
            setattr(found, key, value)
        return found

    content = [
        item(ValueType="TEXT", RelationshipType="CONTAINS", TextValue="Lung of Zebedee, left"),
        item(ValueType="PNAME", RelationshipType="CONTAINS", PersonName="Brannigham^Ada"),
        item(ValueType="UIDREF", RelationshipType="CONTAINS", UID=f"{UID_ROOT}.3.1"),
    ]
    text, person, uid = done(tmp_path, "structure", ContentSequence=content).ContentSequence
    assert text.TextValue == "Lung of left"
    assert person.PersonName == "REMOVED"
    assert KEYS.uid(f"{UID_ROOT}.3.1") == uid.UID
    assert [one.ValueType for one in (text, person, uid)] == ["TEXT", "PNAME", "UIDREF"]


def test_the_record_tells_of_every_element_and_quotes_none(tmp_path):
    dataset = pydicom.dcmread(write(tmp_path / "in.dcm"))
    outcome = Deidentifier(KEYS, options([])).apply(dataset)
    entries = outcome.record.entries
    assert entries[("(0010,0030)", "emptied", "profile")] == 1
    assert (
        entries[("(0029,GGGG)", "removed", "private")]
        or entries[("(0029,gggg)", "removed", "private")]
    )
    assert not [e for e in entries if "Quxworthy" in "".join(e) or UID_ROOT in "".join(e)]
    assert "Quxworthy" not in repr(outcome) and PATIENT_ID not in repr(outcome)


def test_words_of_identity_leave_common_words_alone():
    dataset = Dataset()
    dataset.PatientName = "Li^Chest^Anonymous"
    dataset.PatientID = "0042"
    identity = Identity(dataset)
    assert not identity.in_text("CT CHEST, anonymous")
    assert identity.in_text("case 0042") and not identity.in_text("1.20042.7")
