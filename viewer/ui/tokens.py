"""The colours of the two themes, as data: one token for each thing that a colour says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tokens:
    """What is painted in which ``#RRGGBB``.

    Whatever lies on an image takes its colours from ``DARK`` in every theme: the ground there
    stays true black (``viewer.ui.on_image``).

    Attributes
    ----------
    canvas
        Behind an image; true black in every theme.
    ground, panel, bar, raised
        Window and dialogs, side panels, bar and status line, what lies above them.
    stage
        Where an image will be, while there is none.
    hairline, edge
        Lines between parts, outlines of controls.
    text, secondary, dim
        Three strengths of text, each 4.5:1 or more on its ground.
    active, active_text, selected
        What has the keyboard or is chosen; the same as text; its ground.
    pending
        What is not reviewed, and the notice of research use.
    accepted, accepted_text
        Ground of an accepted finding's mark; the same as text.
    failed
        What went wrong.
    primary, primary_hover, on_primary
        The one button that goes on, and text on it.
    letter
        Letters of orientation.
    handle
        Handle of a slider.
    measure
        Measurements of a reader: like none of the colours of labels.
    """

    name: str
    ground: str
    panel: str
    bar: str
    raised: str
    stage: str
    hairline: str
    edge: str
    text: str
    secondary: str
    dim: str
    active: str
    active_text: str
    selected: str
    pending: str
    accepted: str
    accepted_text: str
    failed: str
    primary: str
    primary_hover: str
    on_primary: str
    handle: str
    canvas: str = "#000000"
    letter: str = "#F0D264"
    measure: str = "#D9F4FF"


DARK = Tokens(
    name="dark",
    ground="#0E1013",
    panel="#121519",
    bar="#16191E",
    raised="#1B1F25",
    stage="#000000",
    hairline="#23272E",
    edge="#333942",
    text="#D7DBE0",
    secondary="#8F97A1",
    dim="#808892",
    active="#4B97E6",
    active_text="#7DB4EE",
    selected="#1C2631",
    pending="#F0C04A",
    accepted="#009E73",
    accepted_text="#3CCB9C",
    failed="#E8825A",
    primary="#2F6FB3",
    primary_hover="#3474BA",
    on_primary="#FFFFFF",
    handle="#D7DBE0",
)

LIGHT = Tokens(
    name="light",
    ground="#ECEEF1",
    panel="#F7F8FA",
    bar="#F1F3F5",
    raised="#FFFFFF",
    stage="#ECEEF1",
    hairline="#D3D8DE",
    edge="#AEB6C0",
    text="#1B2027",
    secondary="#4A535E",
    dim="#59626D",
    active="#1D69B8",
    active_text="#175798",
    selected="#DCE9F7",
    pending="#7A5200",
    accepted="#00805D",
    accepted_text="#00664A",
    failed="#A63A12",
    primary="#2563A6",
    primary_hover="#1F568F",
    on_primary="#FFFFFF",
    handle="#1D69B8",
)

THEMES = {theme.name: theme for theme in (DARK, LIGHT)}
