"""Every command of the window in one table: its group, name and keys. One map, one truth.

The menu bar does not exist; buttons, context menu and key sheet are all made from this.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QWidget

from resources.text import translate
from viewer.display.presets import presets
from viewer.ui.command import Command as Command
from viewer.ui.reader_commands import reader_commands

PRESET_KEYS = ("1", "2", "3", "4", "5", "6")

_REPEATING = frozenset(
    [
        "next",
        "previous",
        "next_open",
        "previous_open",
        "smaller",
        "larger",
        "undo",
        "redo",
        "slice_up",
        "slice_down",
        "slice_up_10",
        "slice_down_10",
        "cine_faster",
        "cine_slower",
        "time_before",
        "time_after",
        "nudge_left",
        "nudge_right",
        "nudge_up",
        "nudge_down",
        "nudge_before",
        "nudge_after",
    ]
)


def commands() -> tuple[Command, ...]:
    """Return all commands in the reader's language, in the order of the key sheet."""
    fixed = (
        *_review(),
        *_correct(),
        *_reshape(),
        *_measure(),
        *_view(),
        *_layout(),
        *_move(),
        *_case(),
    )
    window = translate("commands", "Window presets")
    # Named for CT while nothing is open; ``viewer.ui.windows`` names them for the open case.
    named = {preset.key: preset_name(preset.name) for preset in presets("CT")}
    return (
        *fixed,
        *(Command(f"preset_{key}", window, named[key], (key,)) for key in PRESET_KEYS),
        Command("auto_window", window, translate("commands", "From the values shown"), ("9",)),
        Command("preset_0", window, translate("commands", "As stored in the file"), ("0",)),
        Command(
            "first_window",
            window,
            translate("commands", "Begin such series with this window"),
            (),
            "switch",
        ),
        Command("presets_reset", window, translate("commands", "Reset the presets"), ()),
    )


def _review() -> tuple[Command, ...]:
    review = translate("commands", "Review")
    return (
        Command("accept", review, translate("commands", "Accept"), ("A",)),
        Command("reject", review, translate("commands", "Reject"), ("X",)),
        Command("unsure", review, translate("commands", "Unsure"), ("U",)),
        Command("missed", review, translate("commands", "Missed"), ("M",)),
        Command("next", review, translate("commands", "Next finding"), ("J",)),
        Command("previous", review, translate("commands", "Previous finding"), ("K",)),
        Command("next_open", review, translate("commands", "Next one not reviewed"), ("Shift+J",)),
        Command(
            "previous_open",
            review,
            translate("commands", "Previous one not reviewed"),
            ("Shift+K",),
        ),
        Command("comment", review, translate("commands", "Comment on the finding"), ("Shift+T",)),
        Command("label", review, translate("commands", "Label of the finding"), ("Shift+Z",)),
        Command("attributes", review, translate("commands", "Texture and malignancy"), ("Ctrl+T",)),
        Command("sort", review, translate("commands", "Order of the findings"), ("Shift+S",)),
        Command("filter", review, translate("commands", "Which findings are listed"), ("Ctrl+F",)),
        Command(
            "go_on",
            review,
            translate("commands", "Go on after a verdict"),
            ("Ctrl+Shift+J",),
            "switch",
        ),
        Command(
            "read_first", review, translate("commands", "Read first"), ("Ctrl+Shift+R",), "switch"
        ),
        Command(
            "commit",
            review,
            translate("commands", "Commit the first impression"),
            ("Ctrl+Return", "Ctrl+Enter"),
        ),
    )


def _correct() -> tuple[Command, ...]:
    correct = translate("commands", "Correct")
    return (
        Command("window", correct, translate("commands", "Window"), ("W",), "tool"),
        Command("region", correct, translate("commands", "Window by region"), ("Shift+W",), "tool"),
        Command("pan", correct, translate("commands", "Pan"), ("P",), "tool"),
        Command("brush", correct, translate("commands", "Brush"), ("B",), "tool"),
        Command("erase", correct, translate("commands", "Erase"), ("E",), "tool"),
        Command("lasso", correct, translate("commands", "Lasso"), ("N",), "tool"),
        Command("lasso_add", correct, translate("commands", "Lasso: add"), (), "lasso"),
        Command("lasso_subtract", correct, translate("commands", "Lasso: cut off"), (), "lasso"),
        Command("lasso_intersect", correct, translate("commands", "Lasso: keep"), (), "lasso"),
        Command("move", correct, translate("commands", "Move"), ("V",), "tool"),
        Command("outline", correct, translate("commands", "Outline"), ("O",), "tool"),
        Command("refine", correct, translate("commands", "Refine"), ("Alt+O",), "tool"),
        Command("refine_add", correct, translate("commands", "Refine: this belongs"), ("+",)),
        Command("refine_cut", correct, translate("commands", "Refine: this does not"), ("-",)),
        Command("box", correct, translate("commands", "Box"), ("Alt+B",), "tool"),
        Command(
            "box_fit", correct, translate("commands", "Box round the finding"), ("Alt+Shift+B",)
        ),
        Command("box_outline", correct, translate("commands", "Outline in the box"), ()),
        Command("box_handle", correct, translate("commands", "Next face of the box"), ("Alt+H",)),
        Command("box_remove", correct, translate("commands", "Take the box away"), ()),
        Command("nudge_left", correct, translate("commands", "Nudge left"), ("Ctrl+Left",)),
        Command("nudge_right", correct, translate("commands", "Nudge right"), ("Ctrl+Right",)),
        Command("nudge_up", correct, translate("commands", "Nudge up"), ("Ctrl+Up",)),
        Command("nudge_down", correct, translate("commands", "Nudge down"), ("Ctrl+Down",)),
        Command(
            "nudge_before", correct, translate("commands", "Nudge a slice back"), ("Ctrl+PgUp",)
        ),
        Command(
            "nudge_after", correct, translate("commands", "Nudge a slice on"), ("Ctrl+PgDown",)
        ),
        Command("smaller", correct, translate("commands", "Smaller brush"), ("[",)),
        Command("larger", correct, translate("commands", "Larger brush"), ("]",)),
        Command("ball", correct, translate("commands", "3-D brush"), ("T",), "switch"),
        Command("brush_rule", correct, translate("commands", "Brush: next way"), ("Shift+B",)),
        Command("brush_all", correct, translate("commands", "Brush: all voxels"), (), "rule"),
        Command("brush_range", correct, translate("commands", "Brush: by values"), (), "rule"),
        Command("brush_edge", correct, translate("commands", "Brush: to the edge"), (), "rule"),
        Command(
            "brush_values", correct, translate("commands", "Brush: values from here"), ("Shift+V",)
        ),
        Command("delete", correct, translate("commands", "Delete finding"), ("Del", "Backspace")),
        Command("undo", correct, translate("commands", "Undo"), ("Ctrl+Z",)),
        Command("redo", correct, translate("commands", "Redo"), ("Ctrl+Shift+Z", "Ctrl+Y")),
        Command("steps", correct, translate("commands", "Steps by name…"), ("Ctrl+Alt+Z",)),
        Command("abort", correct, translate("commands", "Give up the stroke"), ("Esc",)),
    )


def _reshape() -> tuple[Command, ...]:
    shape = translate("commands", "Change outlines")
    return (
        Command("fill_between", shape, translate("commands", "Fill between slices"), ("Shift+I",)),
        Command("grow", shape, translate("commands", "Grow to the edges…"), ("Shift+G",)),
        Command("walk", shape, translate("commands", "Random walker…"), ("Ctrl+Shift+G",)),
        Command("largest_piece", shape, translate("commands", "Keep the largest piece"), ()),
        Command("small_pieces", shape, translate("commands", "Remove small pieces…"), ()),
        Command("fill_holes", shape, translate("commands", "Fill holes"), ("Shift+H",)),
        Command("smooth", shape, translate("commands", "Smooth…"), ("Shift+U",)),
        Command("median", shape, translate("commands", "Even out…"), ()),
        Command("margin", shape, translate("commands", "Margin…"), ("Shift+X",)),
        Command("hollow", shape, translate("commands", "Hollow…"), ()),
        Command("union", shape, translate("commands", "Add another outline…"), ()),
        Command("subtract", shape, translate("commands", "Cut off another outline…"), ()),
        Command("intersect", shape, translate("commands", "Keep what another shares…"), ()),
        Command("split", shape, translate("commands", "Split the finding"), ("Shift+Y",)),
        Command("merge", shape, translate("commands", "Merge with another finding…"), ()),
        Command("copy_beside", shape, translate("commands", "Copy from beside…"), ("Ctrl+Alt+V",)),
        Command("box_keep", shape, translate("commands", "Keep what the box holds"), ()),
        Command("lock", shape, translate("commands", "Lock the outline"), ("Ctrl+K",), "switch"),
    )


def _measure() -> tuple[Command, ...]:
    measure = translate("commands", "Measure")
    return (
        Command("distance", measure, translate("commands", "Distance"), ("D",), "tool"),
        Command(
            "bidirectional",
            measure,
            translate("commands", "Long and short axis"),
            ("Shift+D",),
            "tool",
        ),
        Command("angle", measure, translate("commands", "Angle"), ("Shift+A",), "tool"),
        Command("ellipse", measure, translate("commands", "Ellipse"), ("Shift+E",), "tool"),
        Command("rectangle", measure, translate("commands", "Rectangle"), ("Shift+R",), "tool"),
        Command("polygon", measure, translate("commands", "Polygon"), ("Shift+P",), "tool"),
        Command(
            "measure_finding", measure, translate("commands", "Axes of the finding"), ("Ctrl+D",)
        ),
        Command(
            "measurements",
            measure,
            translate("commands", "Show measurements"),
            ("Ctrl+M",),
            "switch",
        ),
    )


def _view() -> tuple[Command, ...]:
    view = translate("commands", "View")
    return (
        Command("heatmap", view, translate("commands", "Heatmap"), ("H",), "switch"),
        Command("next_peak", view, translate("commands", "Next peak of the heatmap"), ("Shift+N",)),
        Command("hold_ai", view, translate("commands", "Hide the AI while held"), ("Q",)),
        Command("masks", view, translate("commands", "Findings and outlines"), ("S",), "switch"),
        Command("fill", view, translate("commands", "Fill the outlines"), ("F",), "switch"),
        Command(
            "changes", view, translate("commands", "AI against corrected"), ("Shift+Q",), "switch"
        ),
        Command("graphics", view, translate("commands", "Overlays and shutter"), ("G",), "switch"),
        Command("rotate", view, translate("commands", "Turn the planes"), ("Shift+O",), "tool"),
        Command("slab", view, translate("commands", "Slab: MIP, MinIP, mean, off"), ("Y",)),
        Command("slab_thicker", view, translate("commands", "Thicker slab"), ("Ctrl+]",)),
        Command("slab_thinner", view, translate("commands", "Thinner slab"), ("Ctrl+[",)),
        Command("preview", view, translate("commands", "3-D preview"), ("Shift+M",), "switch"),
        Command("straight", view, translate("commands", "Straight planes"), ("Shift+F",)),
        Command("crosshair", view, translate("commands", "Crosshair"), ("L",), "switch"),
        Command("text", view, translate("commands", "Corner text"), ("Space",)),
        Command("invert", view, translate("commands", "Invert grey"), ("I",), "switch"),
        Command(
            "hide_patient", view, translate("commands", "Hide patient text"), ("Ctrl+H",), "switch"
        ),
        Command("light", view, translate("commands", "Light theme"), ("Ctrl+Shift+L",), "switch"),
        Command("fit", view, translate("commands", "Fit all views"), ("R",)),
        Command("rail", view, translate("commands", "Series list"), ("F8",), "switch"),
        Command("panel", view, translate("commands", "Review panel"), ("F9",), "switch"),
    )


def _layout() -> tuple[Command, ...]:
    layout = translate("commands", "Layout")
    return (
        Command("layout_one", layout, translate("commands", "One view"), ("F4",), "switch"),
        Command(
            "layout_list",
            layout,
            translate("commands", "One view and findings"),
            ("Shift+F4",),
            "switch",
        ),
        Command("layout_three", layout, translate("commands", "Three views"), ("F5",), "switch"),
        Command("layout_four", layout, translate("commands", "2 × 2"), ("F6",), "switch"),
        Command(
            "layout_beside", layout, translate("commands", "Series side by side"), ("F7",), "switch"
        ),
        Command("enlarge", layout, translate("commands", "Enlarge the view, and back"), ("F11",)),
        Command(
            "next_pane", layout, translate("commands", "Keys for the next view"), ("Shift+F6",)
        ),
        Command(
            "exchange_panes",
            layout,
            translate("commands", "Exchange with the next view"),
            ("Shift+F5",),
        ),
        Command("link", layout, translate("commands", "Link the series"), ("Shift+L",), "switch"),
    )


def _move() -> tuple[Command, ...]:
    move = translate("commands", "Move through the images")
    return (
        Command("slice_up", move, translate("commands", "Slice before"), ("Up",)),
        Command("slice_down", move, translate("commands", "Slice after"), ("Down",)),
        Command("slice_up_10", move, translate("commands", "Ten slices before"), ("Shift+Up",)),
        Command("slice_down_10", move, translate("commands", "Ten slices after"), ("Shift+Down",)),
        Command("slice_first", move, translate("commands", "First slice"), ("Home",)),
        Command("slice_last", move, translate("commands", "Last slice"), ("End",)),
        Command("key_image", move, translate("commands", "Key image"), (".",), "switch"),
        Command("key_image_next", move, translate("commands", "Next key image"), ("Shift+.",)),
        Command("cine", move, translate("commands", "Cine: play, stop"), ("C",), "switch"),
        Command("cine_faster", move, translate("commands", "Cine: faster"), ("Shift+C",)),
        Command("cine_slower", move, translate("commands", "Cine: slower"), ("Alt+Shift+C",)),
        Command(
            "cine_sweep", move, translate("commands", "Cine: to and fro"), ("Alt+C",), "switch"
        ),
        Command("time_before", move, translate("commands", "Time before (4-D)"), ("Left",)),
        Command("time_after", move, translate("commands", "Time after (4-D)"), ("Right",)),
        Command(
            "cine_time",
            move,
            translate("commands", "Cine through time (4-D)"),
            ("Alt+Right",),
            "switch",
        ),
        Command("series_before", move, translate("commands", "Series before"), ("PgUp",)),
        Command("series_after", move, translate("commands", "Series after"), ("PgDown",)),
    )


def _case() -> tuple[Command, ...]:
    case = translate("commands", "Case")
    return (
        Command("open", case, translate("commands", "Open folder…"), ("Ctrl+O",)),
        Command("open_file", case, translate("commands", "Open file…"), ("Ctrl+Shift+O",)),
        Command("sample", case, translate("commands", "Open the sample study"), ("Ctrl+Shift+S",)),
        Command("worklist", case, translate("commands", "Worklist"), ("Ctrl+L",), "switch"),
        Command(
            "worth_order",
            case,
            translate("commands", "By worth for training"),
            ("Ctrl+Alt+L",),
            "switch",
        ),
        Command("run", case, translate("commands", "Run AI"), ("Ctrl+R",)),
        Command("batch", case, translate("commands", "Analyse in the background"), ("Ctrl+B",)),
        Command(
            "batch_pause",
            case,
            translate("commands", "Pause the background"),
            ("Ctrl+Shift+B",),
            "switch",
        ),
        Command("next_case", case, translate("commands", "Next case of the queue"), ("Ctrl+J",)),
        Command("export", case, translate("commands", "Export…"), ("Ctrl+E",)),
        Command(
            "training_set", case, translate("commands", "Add to a training set…"), ("Ctrl+Alt+E",)
        ),
        Command("deidentify", case, translate("commands", "De-identify files…"), ("Ctrl+Shift+E",)),
        Command(
            "forget_passphrase",
            case,
            translate("commands", "Forget the passphrase"),
            ("Ctrl+Alt+F",),
        ),
        Command("import", case, translate("commands", "Import outlines…"), ("Ctrl+I",)),
        Command("save_picture", case, translate("commands", "Save picture…"), ("Ctrl+Shift+P",)),
        Command("copy_picture", case, translate("commands", "Copy picture"), ("Ctrl+Shift+C",)),
        Command("settings", case, translate("commands", "Settings…"), ("Ctrl+,",)),
        Command("reader", case, translate("commands", "Name the reader…"), ("F2",)),
        Command("trust", case, translate("commands", "What this image rests on…"), ("F3",)),
        Command("audit", case, translate("commands", "Audit log…"), ("Ctrl+Shift+A",)),
        *reader_commands(case),
        Command("card", case, translate("commands", "About the model…"), ("F1",)),
        Command("retrain", case, translate("commands", "Retrain the model…"), ("Ctrl+Alt+M",)),
        Command("keys", case, translate("commands", "All keys…"), ("?",)),
        Command("edit_keys", case, translate("commands", "Change keys…"), ()),
        Command("quit", case, translate("commands", "Quit"), ("Ctrl+Q",)),
    )


def preset_name(name: str) -> str:
    """Return the shown name of a window preset of the table."""
    known = {
        "Soft tissue": translate("commands", "Soft tissue"),
        "Lung": translate("commands", "Lung"),
        "Bone": translate("commands", "Bone"),
        "Brain": translate("commands", "Brain"),
        "Angio": translate("commands", "Angio"),
        "Liver": translate("commands", "Liver"),
        "SUV 0 to 5": translate("commands", "SUV 0 to 5"),
        "SUV 0 to 7": translate("commands", "SUV 0 to 7"),
        "SUV 0 to 10": translate("commands", "SUV 0 to 10"),
        "SUV 0 to 15": translate("commands", "SUV 0 to 15"),
        "SUV 0 to 20": translate("commands", "SUV 0 to 20"),
        "Whole range": translate("commands", "Whole range"),
        "Middle 98 %": translate("commands", "Middle 98 %"),
        "Dark tissue": translate("commands", "Dark tissue"),
        "Bright tissue": translate("commands", "Bright tissue"),
        "Weak uptake": translate("commands", "Weak uptake"),
        "Strong uptake": translate("commands", "Strong uptake"),
        "Thin parts": translate("commands", "Thin parts"),
        "Thick parts": translate("commands", "Thick parts"),
        "Low contrast": translate("commands", "Low contrast"),
        "High contrast": translate("commands", "High contrast"),
    }
    return known.get(name, name)


@cache
def key_text(keys: tuple[str, ...]) -> str:
    """Return the keys as this system writes them."""
    native = QKeySequence.SequenceFormat.NativeText
    return "  ".join(QKeySequence(key).toString(native) for key in keys)


def make_actions(
    owner: QWidget, handlers: Mapping[str, Callable[[], object]]
) -> dict[str, QAction]:
    """Make one action per command on ``owner``.

    Raises
    ------
    KeyError
        When a command has no handler: a key that does nothing is a defect.
    """
    actions: dict[str, QAction] = {}
    groups: dict[str, QActionGroup] = {}
    for command in commands():
        action = QAction(command.text, owner)
        action.setShortcuts([QKeySequence(key) for key in command.keys])
        action.setToolTip(f"{command.text}  {key_text(command.keys)}")
        action.setCheckable(bool(command.toggle))
        # A key held down must not flicker a verdict to and fro.
        action.setAutoRepeat(command.id in _REPEATING)
        if command.toggle not in ("", "switch"):
            group = groups.setdefault(command.toggle, QActionGroup(owner))
            group.addAction(action)
        handler = handlers[command.id]
        action.triggered.connect(_without_argument(handler))
        owner.addAction(action)
        actions[command.id] = action
    return actions


def _without_argument(handler: Callable[[], object]) -> Callable[..., None]:
    def call(*_checked: object) -> None:
        handler()

    return call
