"""Edits of what the episodes are about."""

from etude.data import open_dataset
from etude.data.edit import edits

from .conftest import edited


def test_tasks_get_other_texts_and_unused_ones_go(root, make_dataset, sound):
    make_dataset(root, [2], first=4, resume=True, task="Other")
    edited(root, lambda source: edits.retasked(source, {"Do it": "Do that"}))
    assert open_dataset(root).tasks == ["Do that", "Other"]
    edited(root, lambda source: edits.with_task(source, [0, 1, 2, 3], "Other"))
    dataset = open_dataset(root)
    assert (dataset.tasks, dataset.column("task_index").max()) == (["Other"], 0)
    assert dataset.stats["task_index"].max.tolist() == [0]
    sound(root)


def test_a_task_that_two_others_become_is_one(root, make_dataset, sound):
    make_dataset(root, [2], first=4, resume=True, task="Other")
    edited(root, lambda source: edits.retasked(source, {"Other": "Do it"}))
    assert open_dataset(root).tasks == ["Do it"]
    sound(root)
