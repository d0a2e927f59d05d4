from __future__ import annotations

from pathlib import Path

import pytest

from etude.policies.files import replacing


def _fill(folder, text):
    with replacing(folder) as draft:
        (draft / "file").write_text(text)


def test_what_is_written_takes_the_place_of_what_was_there(tmp_path):
    for text in ("old", "new"):
        _fill(tmp_path / "folder", text)
    assert (tmp_path / "folder" / "file").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_what_was_there_stays_when_nothing_can_take_its_place(tmp_path, monkeypatch):
    _fill(tmp_path / "folder", "old")
    rename = Path.rename

    def breaks(self, target):
        if self.suffix == ".tmp":
            raise OSError("the disk is gone")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", breaks)
    with pytest.raises(OSError, match="the disk is gone"):
        _fill(tmp_path / "folder", "new")
    assert (tmp_path / "folder" / "file").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
