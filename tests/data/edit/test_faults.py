"""Whatever ends an edit, the dataset is the one before it or the one after it, and opens without repair."""

import contextlib
import errno
import importlib.util
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from etude.core.errors import DatasetError
from etude.data import open_dataset
from etude.data.check import check
from etude.data.edit import apply, edits
from etude.data.edit.compact import compact
from etude.data.versions import locked, workspace

WORKER = Path(__file__).parent / "worker.py"
FRONT = "observation.images.front"


class Workers:
    """Starts workers that edit, and kills them."""

    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, str(WORKER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run_and_kill(self, what, root, seconds):
        """Let one work for a while, kill it with signal 9, and give what it had said."""
        process = self._process
        process.stdin.write(f"{what} {root}\n")
        process.stdin.flush()
        said, child = [], None
        while child is None:
            word, *rest = process.stdout.readline().split()
            if word == "pid":
                child = int(rest[0])
            else:
                said.append(word)
        time.sleep(seconds)
        with suppress(ProcessLookupError):  # it was done before
            os.kill(child, signal.SIGKILL)
        while (line := process.stdout.readline().strip()) != "dead":
            assert line, "the worker of workers died"
            said.append(line)
        return said

    def close(self):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@pytest.fixture
def workers():
    found = Workers()
    yield found
    found.close()


@pytest.fixture
def versions_of(root, tmp_path, contents_of):
    """What the dataset holds after each of the worker's edits."""
    spec = importlib.util.spec_from_file_location("edit_worker", WORKER)
    worker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(worker)
    found = {"whole": contents_of(root)}
    for name, plan_of in worker.EDITS.items():
        copy = shutil.copytree(root, tmp_path / f"{name}-version")
        apply.edit(copy, name, plan_of)
        found[name] = contents_of(copy)
    return found


def equal(one, other):
    return one.keys() == other.keys() and all(np.array_equal(value, other[key]) for key, value in one.items())


def edit_and_kill(workers, root, versions_of, contents_of, times):
    last, killed_in_the_middle = "whole", 0
    for _ in range(times):
        said = workers.run_and_kill("edit", root, random.uniform(0, 0.25))
        last = said[-1] if said else last
        assert check(root) == []
        now = contents_of(root)
        [found] = [name for name, wanted in versions_of.items() if equal(now, wanted)]
        may_follow = set(versions_of) if last == "whole" else {"whole", last}
        assert found in may_follow
        killed_in_the_middle += any(path.name.startswith("new-") for path in workspace(root).glob("*"))
        last = found
    return killed_in_the_middle


def compact_and_kill(workers, root, contents_of, times):
    wanted = contents_of(root)
    for _ in range(times):
        workers.run_and_kill("compact", root, random.uniform(0, 0.25))
        for copy in root.parent.glob("copy-*"):
            assert check(copy) == []
            assert equal(contents_of(copy), wanted)
            with locked(copy):  # whoever writes next tidies, and can go on
                compact(copy)
            assert check(copy) == []
            assert not workspace(copy).exists()
            shutil.rmtree(copy)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
class TestKill9:
    def test_an_edit_happens_or_does_not(self, workers, root, versions_of, contents_of):
        edit_and_kill(workers, root, versions_of, contents_of, 10)

    def test_a_compaction_changes_nothing_that_is_read(self, workers, root, contents_of):
        compact_and_kill(workers, root, contents_of, 6)

    @pytest.mark.slow
    def test_at_200_instants_of_editing(self, workers, root, versions_of, contents_of):
        assert edit_and_kill(workers, root, versions_of, contents_of, 200) > 20

    @pytest.mark.slow
    def test_at_200_instants_of_compaction(self, workers, root, contents_of):
        compact_and_kill(workers, root, contents_of, 200)


FULL_DISK = """
import shutil, sys
from pathlib import Path
from etude.core.errors import DatasetError
from etude.data.check import check
from etude.data.edit import apply, edits
from etude.data.edit.compact import compact
from etude.data.versions import locked, workspace

source, disk = Path(sys.argv[1]), Path(sys.argv[2])
root = shutil.copytree(source, disk / "dataset")
before = {path: (path.stat().st_ino, path.read_bytes()) for path in root.rglob("*") if path.is_file()}
filler = (disk / "filler").open("wb", buffering=0)
room = int(sys.argv[3])
try:
    while True:
        filler.write(bytes(4096))
except OSError:
    filler.truncate(max(filler.tell() - room, 0))

def compacted():
    with locked(root):
        compact(root)

for attempt in (
    lambda: apply.edit(root, "trim", lambda source: edits.trimmed(source, {3: (1, 4)})),
    lambda: apply.edit(root, "delete", lambda source: edits.delete(source, [0])),
    lambda: apply.create({disk / "part": edits.parts(edits.Source(root), {"part": [0, 1]})["part"]}, "split"),
    compacted,
):
    try:
        attempt()
    except DatasetError as error:
        assert "written" in str(error) or "made" in str(error), error
        print("full")
    else:
        print("fits")
        break
    after = {path: (path.stat().st_ino, path.read_bytes()) for path in root.rglob("*") if path.is_file()}
    assert after == before
    assert check(root) == []
    assert not workspace(root).exists(), list(workspace(root).iterdir())
    assert not (disk / "part").exists()
"""


@pytest.mark.parametrize("room", [0, 8192, 20480])
def test_a_full_disk_changes_nothing(tmp_path, root, room):
    """On a small file system of its own, filled up to the last `room` bytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = f'mount -t tmpfs -o size=512k none {disk} && exec "$@"'
    alone = ["unshare", "-rm", "sh", "-c", mounted, "sh"]
    if not shutil.which("unshare") or subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system does not let users mount a file system of their own")
    words = [*alone, sys.executable, "-c", FULL_DISK, str(root), str(disk), str(room)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["full"] * 4


def test_where_nothing_can_be_written_any_more_nothing_changes(root, files_of, monkeypatch):
    """From each single write of an edit on, the disk is full; the last ones only note what undo needs."""
    before, real, allowed = files_of(root.parent), os.fsync, 0
    while len(open_dataset(root).episodes) == 4:
        calls = iter(range(allowed))

        def full(descriptor, calls=calls):
            if next(calls, None) is None:
                raise OSError(errno.ENOSPC, "No space left on device")
            real(descriptor)

        assert files_of(root.parent) == before
        with monkeypatch.context() as patch, contextlib.suppress(DatasetError):
            patch.setattr(os, "fsync", full)
            apply.edit(root, "delete", lambda source: edits.delete(source, [1]))
        allowed += 1
    assert allowed > 3
    assert check(root) == []
    apply.undo(root)
    assert files_of(root) == {name[8:]: inode for name, inode in before.items()}
