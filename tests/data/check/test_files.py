"""Files that are missing, cut short, or disagree with what `meta/info.json` declares."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from .conftest import DATA, DELETE, EPISODES, VIDEO, change_json, found


@pytest.mark.parametrize(("name", "there"), [("total_frames", 8), ("total_tasks", 1)])
def test_a_counter_that_counts_wrong(root, name, there):
    change_json(root / "meta/info.json", lambda info: info.update({name: 99}))
    assert found(root) == [
        (
            f"meta/info.json: {name} is 99, but there are {there}. "
            f"Set {name} to {there} there if nothing is missing; else copy the dataset again."
        )
    ]


@pytest.mark.parametrize("span", ["0:9", "all", "2:1"])
def test_a_split_that_names_other_episodes(root, span):
    change_json(root / "meta/info.json", lambda info: info.update(splits={"train": span}))
    assert found(root) == [
        (
            f"meta/info.json: the split 'train' is {span}, but there are 3 episodes. "
            'Write "0:3" there, or the range of episodes that it stands for.'
        )
    ]


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        (DATA.format("001"), f"{DELETE}1"),
        (VIDEO.format("002"), f"{DELETE}2"),
        ("meta/tasks.parquet", "Copy it again, or save what is whole: etude dataset recover {root}"),
    ],
)
def test_a_file_that_is_missing_is_named_once(root, name, remedy, deep):
    (root / name).unlink()
    (problem,) = found(root, deep=deep)
    assert problem.startswith(f"{{root}}/{name}: is missing")
    assert problem.endswith(remedy)


@pytest.mark.parametrize("name", [DATA.format("002"), VIDEO.format("000"), "meta/tasks.parquet", EPISODES])
def test_a_file_that_is_cut_short_is_named_once(root, name):
    path = root / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    (problem,) = found(root)
    assert problem.startswith(f"{{root}}/{name}: cannot be read as ")


def test_a_column_that_nothing_declares(root):
    path = root / DATA.format("001")
    table = pq.read_table(path)
    pq.write_table(table.append_column("extra", pa.array([1.0])), path)
    assert found(root) == [
        (
            f"{DATA.format('001')}: has the column extra, which meta/info.json does not declare. "
            "LeRobot refuses it: add it to 'features' in meta/info.json, or copy the dataset again."
        )
    ]


def test_a_column_that_is_declared_and_not_there(root):
    path = root / DATA.format("001")
    pq.write_table(pq.read_table(path).drop_columns(["action"]), path)
    (problem,) = found(root)
    assert problem.startswith(f"{{root}}/{DATA.format('001')}: lacks the column action")


def test_times_of_other_rows(root):
    path = root / "meta/etude/timing/chunk-000/file-002.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"time_s": [0.0], "is_late": [False]}), path)
    assert found(root)[0] == (
        "meta/etude/timing/chunk-000/file-002.parquet: notes the times of 1 frames, its table has 3 rows. "
        "The times are lost: delete the file."
    )
