"""Pseudonyms follow from one secret, which lies encrypted in the data folder."""

from __future__ import annotations

import json
import os

import pytest

from resources.problem import Problem
from viewer.deid import mapping
from viewer.deid.keyed import Keys, fresh

PASSPHRASE = "seven green bottles"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Guesses that cost an attacker nothing: the tests need not wait."""
    monkeypatch.setitem(mapping._SCRYPT, "n", 1 << 10)


def test_the_same_secret_gives_the_same_and_another_gives_others():
    one, again, other = Keys(bytes(32)), Keys(bytes(32)), fresh()
    for ask in (Keys.uid, Keys.patient, Keys.reader, Keys.shift_days):
        assert ask(one, "1.2.3") == ask(again, "1.2.3")
        assert ask(one, "1.2.3") != ask(one, "1.2.4") or ask is Keys.shift_days
    assert one.uid("1.2.3") != other.uid("1.2.3")
    assert one.patient("x") != other.patient("x")
    assert "\\x" not in repr(other)


def test_uids_are_valid_and_differ():
    found = {Keys(bytes(32)).uid(str(n)) for n in range(2000)}
    assert len(found) == 2000
    assert all(uid.startswith("2.25.") and len(uid) <= 64 and uid[5] != "0" for uid in found)


def test_a_mapping_comes_back_with_its_passphrase_only():
    assert not mapping.exists()
    first = mapping.open_mapping(PASSPHRASE)
    first.remember({"P-AAAA": "ZQX-77310-B"})
    again = mapping.open_mapping(PASSPHRASE)
    assert again.keys.secret == first.keys.secret
    assert again.patient_of(" p-aaaa ") == "ZQX-77310-B"
    assert again.patient_of("P-BBBB") is None
    with pytest.raises(Problem, match="does not open"):
        mapping.open_mapping(PASSPHRASE + "!")


def test_two_programs_that_remember_lose_nothing():
    one, two = mapping.open_mapping(PASSPHRASE), mapping.open_mapping(PASSPHRASE)
    one.remember({"P-A": "a"})
    two.remember({"P-B": "b"})
    assert one.patient_of("P-A") == "a" and one.patient_of("P-B") == "b"


def test_the_file_shows_nobody_and_is_private():
    opened = mapping.open_mapping(PASSPHRASE)
    opened.remember({"P-AAAA": "ZQX-77310-B"})
    data = mapping.place().read_bytes()
    assert b"ZQX" not in data and b"P-AAAA" not in data and opened.keys.secret not in data
    if os.name == "posix":
        assert mapping.place().stat().st_mode & 0o077 == 0
    assert [path.name for path in mapping.place().parent.iterdir()] == ["mapping.json"]


def test_a_short_passphrase_begins_nothing():
    with pytest.raises(Problem, match="too short"):
        mapping.open_mapping("short")
    assert not mapping.exists()


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("token"),
        lambda d: d.pop("lock"),
        lambda d: d["lock"].update(n=1 << 40),
        lambda d: d["lock"].update(salt="%%"),
        lambda d: d.update(format="other"),
        lambda d: d.update(version=2),
        lambda d: d.update(token=d["token"][:-8] + "AAAAAAA="),
    ],
)
def test_a_damaged_mapping_is_a_problem_and_stays_as_it_is(change):
    mapping.open_mapping(PASSPHRASE)
    document = json.loads(mapping.place().read_text())
    change(document)
    mapping.place().write_text(json.dumps(document))
    before = mapping.place().read_bytes()
    with pytest.raises(Problem):
        mapping.open_mapping(PASSPHRASE)
    assert mapping.place().read_bytes() == before


@pytest.mark.parametrize(
    ("passphrase", "strength"),
    [
        ("short", "short"),
        ("1234567890123", "weak"),
        ("aaaaaaaaaaaaaa", "weak"),
        ("elevenchars", "weak"),
        ("Nervous-42-Tiger", "fair"),
        ("red cup low sky", "good"),
        ("correcthorsebatterystaple", "good"),
    ],
)
def test_advice_on_a_passphrase_looks_at_its_length(passphrase, strength):
    assert mapping.strength(passphrase) == strength


def test_a_forgotten_mapping_is_put_aside_and_not_deleted():
    assert mapping.set_aside() is None
    before = mapping.open_mapping(PASSPHRASE)
    before.remember({"P-AAAA": "ZQX-77310-B"})
    aside = mapping.set_aside()
    assert aside is not None and not mapping.exists()
    other = mapping.open_mapping("another one altogether")
    assert other.keys.secret != before.keys.secret
    second = mapping.set_aside()
    assert second != aside and aside.is_file()
    aside.rename(mapping.place())
    assert mapping.open_mapping(PASSPHRASE).patient_of("P-AAAA") == "ZQX-77310-B"
