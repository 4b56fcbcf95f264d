"""The label schema: what findings and structures may be called, with codes, colours, attributes.

Overread brings labels along; a site may add its own, and change name, codes and colour of these,
in one file. What a case holds that neither knows keeps the term that the case was written with.
``resources.table("labels")`` is all of them together.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

import resources
from resources.problem import Problem
from resources.text import translate

Term = dict[str, Any]

KINDS = ("lesion", "anatomy")
ATTRIBUTES = ("texture", "malignancy", "comment")
TEXTURES = ("ground-glass", "part-solid", "solid")
MALIGNANCIES = (1, 2, 3, 4, 5)
SCHEMES = ("SCT", "DCM", "RADLEX", "UMLS", "NCIt", "FMA", "LN")
_OPTIONAL, _REQUIRED = "optional", "required"
_FORMAT = "overread-labels"
_NEEDED = ("name", "kind", "colour", "category", "type")
_MAY = (*_NEEDED, "region", "attributes")
_MOST_BYTES = 1 << 20
_MOST_LABELS = 200
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
# Of what nobody knows any more: it stays what it is, and says so.
_UNKNOWN: Term = {
    "kind": "lesion",
    "colour": "#CC79A7",
    "category": ["49755003", "SCT", "Morphologically Abnormal Structure"],
    "type": ["49755003", "SCT", "Morphologically Abnormal Structure"],
}


class _Table(dict[str, Term]):
    """All labels; one that nobody knows is an abnormal structure called by its key."""

    def __missing__(self, key: str) -> Term:
        return {"name": key, **_UNKNOWN}


_site: dict[str, Term] = {}
_foreign: dict[str, Term] = {}


def parse(text: str) -> dict[str, Term]:
    """Return the labels of a site's file.

    Raises
    ------
    Problem
        When it cannot be used; the sentence says why and where.
    """
    if len(text.encode("utf-8", "replace")) > _MOST_BYTES:
        _refuse(translate("labels", "The label file is too large."))
    try:
        found = json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        _refuse(
            translate("labels", "The label file is no JSON: see line {line}.").format(
                line=error.lineno
            )
        )
    except RecursionError:
        _refuse(translate("labels", "The label file is nested too deeply."))
    if not isinstance(found, dict) or found.get("format") != _FORMAT:
        _refuse(
            translate("labels", "The label file does not begin with “format”: “{format}”.").format(
                format=_FORMAT
            )
        )
    labels = found.get("labels")
    if not isinstance(labels, dict) or not labels:
        _refuse(translate("labels", "The label file names no labels."))
    if len(labels) > _MOST_LABELS:
        _refuse(translate("labels", "The label file names too many labels."))
    terms = {key: _term(key, value) for key, value in labels.items()}
    _check_apart({**resources.bundled_table("labels"), **terms})
    return terms


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            _refuse(translate("labels", "“{key}” stands twice in the label file.").format(key=key))
        found[key] = value
    return found


def _term(key: str, value: Any) -> Term:
    if not _KEY.fullmatch(key):
        _refuse(
            translate(
                "labels", "“{key}” is no key of a label: small letters, digits and _ make one."
            ).format(key=key)
        )
    if not isinstance(value, dict):
        _refuse(translate("labels", "The label “{key}” is no object.").format(key=key))
    for field in _NEEDED:
        if field not in value:
            _refuse(
                translate("labels", "The label “{key}” has no “{field}”.").format(
                    key=key, field=field
                )
            )
    for field in value:
        if field not in _MAY:
            _refuse(
                translate("labels", "The label “{key}” has a “{field}” that is not known.").format(
                    key=key, field=field
                )
            )
    name, kind, colour = value["name"], value["kind"], value["colour"]
    if not (isinstance(name, str) and name.strip() and len(name) <= 64 and name.isprintable()):
        _refuse(
            translate("labels", "The label “{key}” needs a name of 1 to 64 letters.").format(
                key=key
            )
        )
    bundled = resources.bundled_table("labels").get(key)
    if kind not in KINDS or (bundled is not None and kind != bundled["kind"]):
        kinds = KINDS if bundled is None else (bundled["kind"],)
        _refuse(
            translate("labels", "The kind of the label “{key}” is to be {kinds}.").format(
                key=key, kinds=" / ".join(kinds)
            )
        )
    if not (isinstance(colour, str) and _COLOUR.fullmatch(colour)):
        _refuse(
            translate("labels", "The colour of the label “{key}” is to be like #E69F00.").format(
                key=key
            )
        )
    codes = {
        field: _code(key, field, value[field])
        for field in ("category", "type", "region")
        if field in value
    }
    term = {"name": name.strip(), "kind": kind, "colour": colour.upper(), **codes}
    if "attributes" in value:
        term["attributes"] = _attributes(key, value["attributes"])
    return term


def _code(key: str, field: str, value: Any) -> list[str]:
    """Return a coded concept: value, scheme, meaning (PS3.3 section 8)."""
    texts = isinstance(value, list) and len(value) == 3 and all(
        isinstance(text, str) and text.strip() and len(text) <= 64 for text in value
    )  # fmt: skip
    if not texts:
        _refuse(
            translate(
                "labels",
                "The {field} of the label “{key}” is to be a code, its scheme and its meaning.",
            ).format(field=field, key=key)
        )
    code, scheme, meaning = (text.strip() for text in value)
    if scheme not in SCHEMES and not scheme.startswith("99"):
        _refuse(
            translate(
                "labels",
                "The scheme “{scheme}” of the label “{key}” is none of {known}, nor private (99…).",
            ).format(scheme=scheme, key=key, known=", ".join(SCHEMES))
        )
    if len(code) > 16:
        _refuse(
            translate(
                "labels", "The code {code} of the label “{key}” is longer than 16 letters."
            ).format(code=code, key=key)
        )
    if scheme == "SCT" and not is_snomed_concept(code):
        _refuse(
            translate(
                "labels",
                "The code {code} of the label “{key}” is no concept of SNOMED CT:"
                " its check digit is wrong.",
            ).format(code=code, key=key)
        )
    return [code, scheme, meaning]


def _attributes(key: str, value: Any) -> dict[str, str]:
    known = isinstance(value, dict) and all(
        name in ATTRIBUTES and state in (_OPTIONAL, _REQUIRED) for name, state in value.items()
    )
    if not known:
        _refuse(
            translate(
                "labels",
                "The attributes of the label “{key}” are {known}, each “optional” or “required”.",
            ).format(key=key, known=", ".join(ATTRIBUTES))
        )
    return dict(value)


def _check_apart(terms: Mapping[str, Term]) -> None:
    """See that no two labels could be taken for one another."""
    names: dict[str, str] = {}
    codes: dict[tuple[str, ...], str] = {}
    for key, term in terms.items():
        name = str(term["name"]).casefold()
        code = (*term["type"][:2], *term.get("region", ())[:2])
        for other in (names.get(name), codes.get(code)):
            if other is not None:
                _refuse(
                    translate(
                        "labels", "The labels “{key}” and “{other}” have the same name or code."
                    ).format(key=key, other=other)
                )
        names[name] = codes[code] = key


def _refuse(sentence: str) -> NoReturn:
    raise Problem(
        sentence,
        translate("labels", "Mend the file; until then the labels stay as they were."),
    )


# Verhoeff's dihedral check digit, as SNOMED CT uses it (Release File Specification, 6.2.3).
_FIRST = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def is_snomed_concept(code: str) -> bool:
    """Tell whether digits can be the identifier of a concept of SNOMED CT.

    Length 6 to 18, partition 00 or 10, and a right check digit.
    """
    if not (code.isascii() and code.isdigit() and 6 <= len(code) <= 18 and code[0] != "0"):
        return False
    if code[-3:-1] not in ("00", "10"):
        return False
    total = 0
    for place, digit in enumerate(reversed(code)):
        turned = int(digit)
        for _ in range(place % 8):
            turned = _FIRST[turned]
        total = _product(total, turned)
    return total == 0


def _product(a: int, b: int) -> int:
    """Return the product of two elements of the dihedral group of ten elements."""
    if a < 5:
        return (a + b) % 5 if b < 5 else 5 + (a + b) % 5
    return 5 + (a - b) % 5 if b < 5 else (a - b) % 5


# ------------------------------------------------------------------------ in use


def install(terms: Mapping[str, Term]) -> None:
    """Use the labels of a site from now on, in this process; none takes them away."""
    _site.clear()
    _site.update(terms)
    _put()


def remember(terms: Mapping[str, Any]) -> tuple[str, ...]:
    """Take up the terms that a case was written with, for where nobody else knows them.

    Returns
    -------
    tuple of str
        Keys that mean something else now: another code.
    """
    known = {**resources.bundled_table("labels"), **_site}
    other = []
    for key, term in terms.items():
        if not isinstance(term, Mapping) or any(field not in term for field in _NEEDED):
            continue  # of another version
        if key not in known:
            _foreign[key] = dict(term)
        elif list(known[key]["type"][:2]) != list(term["type"][:2]):
            other.append(key)
    _put()
    return tuple(other)


def forget() -> None:
    """Know nothing but the labels that came with Overread, as at the start."""
    _site.clear()
    _foreign.clear()
    resources.put_in_place("labels", None)


def _put() -> None:
    table = _Table(_foreign)
    table.update(resources.bundled_table("labels"))
    table.update(_site)
    resources.put_in_place("labels", table)


def is_bundled(key: str) -> bool:
    """Tell whether a label is as it came with Overread, so that every Overread knows it."""
    bundled = resources.bundled_table("labels")
    return key in bundled and key not in _site


def offered(kind: str) -> tuple[str, ...]:
    """Return the labels that a reader may choose for something of a kind."""
    known = {**resources.bundled_table("labels"), **_site}
    return tuple(key for key, term in known.items() if term["kind"] == kind)


def own() -> Mapping[str, Term]:
    """Return the labels of the site's file."""
    return dict(_site)


def attributes_of(key: str) -> Mapping[str, str]:
    """Return what a reader may say of a finding of a label: optional or required, by name."""
    term = resources.table("labels").get(key, _UNKNOWN)
    if term["kind"] != "lesion":
        return {}
    return {name: term.get("attributes", {}).get(name, _OPTIONAL) for name in ATTRIBUTES}


def required(key: str) -> tuple[str, ...]:
    """Return what a reader must say of a finding of a label."""
    return tuple(name for name, state in attributes_of(key).items() if state == _REQUIRED)


def as_file(terms: Mapping[str, Term] | None = None) -> str:
    """Return labels as a file that a site can change; without any, all that are in use."""
    found = terms or {**resources.bundled_table("labels"), **_site}
    out = {}
    for key, term in found.items():
        given = {field: term[field] for field in _MAY if field in term}
        if term["kind"] == "lesion":
            given["attributes"] = dict(attributes_of(key))
        out[key] = given
    return json.dumps({"format": _FORMAT, "labels": out}, indent=2, ensure_ascii=False) + "\n"


def unknown(keys: Iterable[str]) -> tuple[str, ...]:
    """Return the labels that neither Overread nor the site knows."""
    known = {*resources.bundled_table("labels"), *_site}
    return tuple(key for key in dict.fromkeys(keys) if key not in known)
