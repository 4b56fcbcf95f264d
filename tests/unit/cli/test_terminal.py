"""Progress of one stage after the other."""

from rich.progress import Progress

from viewer.cli.terminal import Stages, print_table


def test_a_stage_is_done_when_the_next_begins():
    progress = Progress(disable=True)
    stages = Stages(progress)
    stages.show("lungs", 0, 1)
    stages.show("detect", 3, 84)
    stages.step("measure")(2, 67)
    assert [(task.completed, task.total) for task in progress.tasks] == [(1, 1), (84, 84), (2, 67)]
    assert [task.finished for task in progress.tasks] == [True, True, False]


def test_a_table_of_findings_keeps_each_row_in_one_line_of_80_columns(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    titles = ["Finding", "Score", "Size\nmm", "Volume\nmL", "Centre\nmm"]
    titles += ["Malignancy of 5,\ntexture*", "Outlines\nagree"]
    widest = ["Nodule 12", "0.93", "39.5 x 38.1", "32.54", "-123, -123, -1234"]
    widest += ["3.2, ground-glass", "100 %"]
    print_table(titles, [widest])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[2].split() == " ".join(widest).split()


def test_a_title_keeps_its_line_break_and_a_cell_does_not(capsys):
    print_table(["Size\nmm"], [["a\nb"]])
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        "Size", "mm", "a b",
    ]  # fmt: skip
