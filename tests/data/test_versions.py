import os
import subprocess
import sys

import pytest

from etude.core.errors import UserError
from etude.data import versions
from etude.data.versions import link_tree, locked, new_version, resting_place, undo, workspace


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "blocks"
    (folder / "meta").mkdir(parents=True)
    (folder / "meta/info.json").write_text('{"total": 1}')
    (folder / "data.bin").write_bytes(b"kept")
    return folder


def edit(root, total, what="change"):
    with locked(root), new_version(root, what) as folder:
        link_tree(root, folder, lambda path: path.suffix == ".bin")
        (folder / "meta").mkdir(exist_ok=True)
        (folder / "meta/info.json").write_text(f'{{"total": {total}}}')


def header(root):
    return (root / "meta/info.json").read_text()


def test_a_new_version_takes_the_place_and_shares_what_did_not_change(root):
    before = (root / "data.bin").stat().st_ino
    edit(root, 2)
    assert header(root) == '{"total": 2}'
    assert (root / "data.bin").stat().st_ino == before


def test_a_failed_edit_changes_nothing_and_leaves_nothing(root):
    with pytest.raises(RuntimeError), locked(root), new_version(root, "fail") as folder:
        (folder / "half").touch()
        raise RuntimeError
    assert header(root) == '{"total": 1}'
    assert not workspace(root).exists()


def test_undo_goes_back_and_forth(root):
    edit(root, 2, "delete episode 3")
    with locked(root):
        assert undo(root) == "delete episode 3"
    assert header(root) == '{"total": 1}'
    with locked(root):
        undo(root)
    assert header(root) == '{"total": 2}'


def test_undo_of_the_last_of_two_edits(root):
    edit(root, 2)
    edit(root, 3)
    undo(root)
    assert header(root) == '{"total": 2}'


def test_there_may_be_nothing_to_undo(root):
    with pytest.raises(UserError, match="nothing to undo"):
        undo(root)


def test_undo_never_loses_what_was_added_since(root):
    edit(root, 2)
    (root / "meta/info.json").write_text('{"total": 5}')
    with pytest.raises(UserError, match="would lose what was added"):
        undo(root)
    assert header(root) == '{"total": 5}'


def test_regrouping_files_is_no_edit_and_undo_still_works(root):
    edit(root, 2)
    with locked(root), new_version(root, "compact", is_edit=False) as folder:
        link_tree(root, folder)
        (folder / "data.bin").rename(folder / "other.bin")
    assert (root / "other.bin").exists()
    undo(root)
    assert header(root) == '{"total": 1}'


def test_only_one_writes(root):
    code = "import sys, pathlib; from etude.data.versions import locked\nwith locked(pathlib.Path(sys.argv[1])): pass"
    with locked(root):
        done = subprocess.run([sys.executable, "-c", code, str(root)], capture_output=True, text=True, check=False)
    assert "is being written by another program" in done.stderr
    assert subprocess.run([sys.executable, "-c", code, str(root)], check=False).returncode == 0


def test_what_a_killed_writer_left_is_tidied(root):
    edit(root, 2)
    (workspace(root) / "new-abc/meta").mkdir(parents=True)
    with locked(root):
        pass
    assert sorted(path.name for path in workspace(root).iterdir()) == ["lock", "previous", "undo.json"]


def test_a_kill_between_the_swap_and_keeping_the_old_version_loses_no_undo(root, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(versions, "_keep", killed)
    monkeypatch.setattr(versions.shutil, "rmtree", lambda *_, **__: None)
    with pytest.raises(KeyboardInterrupt):
        edit(root, 2)
    monkeypatch.undo()
    with locked(root):
        undo(root)
    assert header(root) == '{"total": 1}'


def test_where_folders_cannot_be_exchanged_a_crash_in_between_is_survived(root, monkeypatch):
    monkeypatch.setattr(versions, "_exchange_at_once", lambda *_: False)
    edit(root, 2)
    assert header(root) == '{"total": 2}'
    root.rename(workspace(root) / "leaving")
    assert header(resting_place(root)) == '{"total": 2}'
    with locked(root):
        assert header(root) == '{"total": 2}'


@pytest.mark.skipif(not hasattr(os, "link"), reason="needs hard links")
def test_without_hard_links_files_are_copied(root, monkeypatch):
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError("no links here")))
    edit(root, 2)
    assert (root / "data.bin").read_bytes() == b"kept"


def test_the_folder_keeps_its_permissions(root):
    root.chmod(0o750)
    edit(root, 2)
    assert root.stat().st_mode & 0o777 == 0o750


def test_a_dataset_behind_a_link_is_edited_where_it_is(root):
    link = root.with_name("link")
    link.symlink_to(root)
    edit(link, 2)
    assert link.is_symlink()
    assert header(root) == '{"total": 2}'
    with locked(link):
        undo(link)
    assert header(root) == '{"total": 1}'
