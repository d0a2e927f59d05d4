"""Statistics that are not those of the data."""

import pytest

from .conftest import FRONT, MEASURE, change_json, change_table, found, notes


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (lambda stats: stats.pop("action"), "'action' has no statistics"),
        (lambda stats: stats["action"].update(mean=[0.0]), "the mean of 'action' is shaped [1], not [2]"),
        (lambda stats: stats["action"].update(std=[1.0, float("nan")]), "the std of 'action' holds NaN or infinity"),
        (lambda stats: stats["action"].update(q99=[9.0, 9.0]), "the q99 of 'action' is above its max"),
        (lambda stats: stats["action"].update(q01=[-1, -2.9], q10=[-2, -2.0]), "the q01 of 'action' is above its q10"),
        (lambda stats: stats["action"].update(mean=[9.0, 0.0]), "the mean of 'action' is not between its min and max"),
        (lambda stats: stats["action"].update(std=[-1.0, 1.0]), "the std of 'action' is negative"),
        (
            lambda stats: stats["action"].update(mean=[-0.5, -1.125]),
            "the mean of 'action' is -0.5 in element 0, but that of its rows is -0.875",
        ),
        (
            lambda stats: stats["observation.state"].update(max=[2.0, 3.5]),
            "the max of 'observation.state' is 3.5 in element 1, but that of its rows is 3",
        ),
    ],
)  # fmt: skip
def test_statistics_that_are_not_those_of_the_data(root, change, wrong):
    change_json(root / "meta/stats.json", change)
    assert found(root) == [f"meta/stats.json: {wrong}. {MEASURE}"]


def test_statistics_of_pictures_are_per_channel(root):
    change_json(root / "meta/stats.json", lambda stats: stats[FRONT].update(mean=[0.5]))
    assert found(root) == [f"meta/stats.json: the mean of '{FRONT}' is shaped [1], not [3, 1, 1]. {MEASURE}"]


def test_quantiles_that_are_not_stored_are_a_note(root):
    change_json(root / "meta/stats.json", lambda stats: stats["action"].pop("q01"))
    assert notes(root) == [
        f"No quantiles are stored of action; they are measured when a policy asks for them. {MEASURE}"
    ]


def test_sketches_of_other_episodes_or_damaged_ones(root):
    path = root / "meta/etude/sketches/chunk-000/file-001.parquet"
    change_table(path, "episode_index", lambda numbers: [7 for _ in numbers])
    assert found(root) == [
        (
            "meta/etude/sketches/chunk-000/file-001.parquet: holds sketches of episode 7, which is not in its table. "
            f"{MEASURE}"
        )
    ]
    path.write_bytes(b"no table")
    (problem,) = found(root)
    assert problem.startswith("{root}/meta/etude/sketches/chunk-000/file-001.parquet: cannot be read as Parquet")
    assert problem.endswith(MEASURE)
