"""Who observed what a report tells (PS3.16 TID 1002): a reader, and this program."""

from __future__ import annotations

from typing import Any

import highdicom as hd
from pydicom.sr.codedict import codes

from viewer.export import program
from viewer.export.source import person_name

# Of the program as such; PS3.16 TID 1004 wants one.
_DEVICE_UID = "2.25.63029447170212437614471208906110398046"


def person(reader: str) -> Any:
    """Return a reader as observer; None when nobody is named."""
    name = person_name(reader)
    if name is None:
        return None
    return hd.sr.ObserverContext(
        observer_type=codes.DCM.Person,
        observer_identifying_attributes=hd.sr.PersonObserverIdentifyingAttributes(name=name),
    )


def device() -> Any:
    """Return this program as observer."""
    return hd.sr.ObserverContext(
        observer_type=codes.DCM.Device,
        observer_identifying_attributes=hd.sr.DeviceObserverIdentifyingAttributes(
            uid=_DEVICE_UID,
            name=program.NAME,
            manufacturer_name=program.NAME,
            model_name=f"{program.NAME} {program.VERSION}",
        ),
    )
