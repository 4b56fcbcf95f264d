"""Progress of one stage after the other."""

from rich.progress import Progress

from viewer.cli.terminal import Stages


def test_a_stage_is_done_when_the_next_begins():
    progress = Progress(disable=True)
    stages = Stages(progress)
    stages.show("lungs", 0, 1)
    stages.show("detect", 3, 84)
    stages.step("measure")(2, 67)
    assert [(task.completed, task.total) for task in progress.tasks] == [(1, 1), (84, 84), (2, 67)]
    assert [task.finished for task in progress.tasks] == [True, True, False]
