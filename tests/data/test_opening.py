import re
from pathlib import Path

import pytest

from etude.core.errors import DatasetError, UserError
from etude.data import create_dataset, lerobot_home, open_dataset
from etude.data.formats import formats


@pytest.mark.parametrize(
    ("files", "holding"),
    [
        ([], "The folder holds nothing."),
        (["b.txt", "a.txt"], "The folder holds a.txt, b.txt."),
        ([f"{i}.png" for i in range(10)], "7.png and 2 more."),
    ],
)
def test_a_folder_that_is_no_dataset_is_answered_in_one_sentence(tmp_path, files, holding):
    root = tmp_path / "folder"
    root.mkdir()
    for name in files:
        (root / name).touch()
    with pytest.raises(UserError) as caught:
        open_dataset(root)
    message = str(caught.value)
    assert caught.value.exit_code == 2
    assert message.startswith(f"{root} is not a dataset. Looked for ")
    assert "meta/info.json of LeRobot v2.0 or v2.1" in message
    assert message.endswith(holding)


def test_a_folder_that_is_not_there_is_told_first(tmp_path):
    with pytest.raises(UserError, match="is not a dataset: there is no such folder"):
        open_dataset(tmp_path / "folder")


def test_a_file_is_no_dataset(tmp_path):
    (tmp_path / "a.parquet").touch()
    with pytest.raises(UserError, match="It is a file; give the folder"):
        open_dataset(tmp_path / "a.parquet")


@pytest.mark.parametrize("text", ["{", "[]", '{"codebase_version": "v3.0", "fps": 30}'])
def test_a_broken_header_is_named(tmp_path, text):
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta/info.json").write_text(text)
    with pytest.raises(DatasetError, match=r"meta/info\.json: .*(Copy the file again|Restore the file)"):
        open_dataset(str(tmp_path))


def test_a_version_nobody_reads_is_no_dataset(tmp_path):
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta/info.json").write_text('{"codebase_version": "v1.6"}')
    with pytest.raises(UserError, match="is not a dataset"):
        open_dataset(tmp_path)


def test_a_taken_folder_is_not_recorded_into(tmp_path, specs, recorded):
    with pytest.raises(UserError, match="already holds a dataset; add to it with --resume"):
        create_dataset(recorded, specs)
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(UserError, match=re.escape("is not empty (thesis.tex); choose another folder")):
        create_dataset(tmp_path, specs)
    with pytest.raises(UserError, match="nothing to resume"):
        create_dataset(tmp_path, specs, resume=True)


def test_a_format_without_a_writer_says_so(tmp_path, specs):
    with pytest.raises(UserError, match="lerobot_v21 can be read, not written"):
        create_dataset(tmp_path / "new", specs, config=formats.config("lerobot_v21")())


def test_datasets_by_name_are_where_lerobot_keeps_them(monkeypatch):
    monkeypatch.setenv("HF_LEROBOT_HOME", "/data/lerobot")
    assert lerobot_home() == Path("/data/lerobot")
    monkeypatch.delenv("HF_LEROBOT_HOME")
    monkeypatch.setenv("HF_HOME", "/data/hf")
    assert lerobot_home() == Path("/data/hf/lerobot")
    monkeypatch.delenv("HF_HOME")
    assert lerobot_home() == Path.home() / ".cache/huggingface/lerobot"
