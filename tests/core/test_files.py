import json

import pytest

from etude.core.files import atomic, write_json


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"old": 1})
    with pytest.raises(RuntimeError), atomic(path) as draft:
        draft.write_text("half of")
        raise RuntimeError
    assert json.loads(path.read_text()) == {"old": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_folders_are_made(tmp_path):
    write_json(tmp_path / "a" / "b.json", [1])
    assert json.loads((tmp_path / "a" / "b.json").read_text()) == [1]
