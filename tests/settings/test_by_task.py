"""A model's abilities by task type, as the user says them."""

from __future__ import annotations

from collections.abc import Callable

from tui_orchestrator.routing.profile import TaskType
from tui_orchestrator.settings import Settings

Load = Callable[..., Settings]
Problems = Callable[..., list[str]]
MODEL = '[[models]]\nid = "openai/gpt-6-luna"\n'


def test_a_table_of_task_types_is_read(loaded: Load) -> None:
    for written in (
        "task_abilities = { code = 0.08, simple_qa = -0.1 }",
        "[models.task_abilities]\ncode = 0.08\nsimple_qa = -0.1",
    ):
        (model,) = loaded(MODEL + written).models
        assert model.task_abilities == {TaskType.CODE: 0.08, TaskType.SIMPLE_QA: -0.1}


def test_nothing_said_is_nothing(loaded: Load) -> None:
    (model,) = loaded(MODEL).models
    assert model.task_abilities is None


def test_a_wrong_type_or_number_is_told_with_its_line(problems: Problems) -> None:
    for wrong, said in (
        ("{ coding = 0.1 }", "perhaps 'code'"),
        ("{ code = 3 }", "code: 3 is above 1"),
        ("0.1", "not a table"),
    ):
        (problem,) = problems(f"{MODEL}task_abilities = {wrong}\n")
        assert ":3:" in problem
        assert said in problem
