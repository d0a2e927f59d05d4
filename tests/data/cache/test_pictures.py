import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from etude.core.spec import Spec
from etude.data import create_dataset, open_dataset
from etude.data.cache import CachedPictures, FrameCache
from etude.data.formats.lerobot_v3.config import Config

CAMERA, LENGTHS = "observation.images.front", (40, 1, 25)
ALL = np.arange(sum(LENGTHS))

FILLER = """
import sys
import numpy as np
from pathlib import Path
from etude.data import open_dataset
from etude.data.cache import CachedPictures, FrameCache

root, folder, most_bytes, first = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
dataset, cache = open_dataset(root), FrameCache(folder, int(most_bytes))
print("ready", flush=True)
sys.stdin.readline()
for height in range(first, 49):
    CachedPictures(dataset, "observation.images.front", (height, 64), cache).fill(np.arange(66))
cache.flush()
print("off" if cache.is_off else "on", flush=True)
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("filmed") / "dataset"
    specs = {"action": Spec(shape=(1,)), CAMERA: Spec(shape=(48, 64, 3), dtype="uint8")}
    writer = create_dataset(root, specs, fps=10, config=Config.tiny())
    for number, length in enumerate(LENGTHS):
        for tick in range(length):
            grey = np.full((48, 64, 3), 40 * number + 3 * tick, np.uint8)
            writer.add_frame({"action": np.zeros(1, np.float32), CAMERA: grey})
        writer.save_episode("Show grey")
    writer.close()
    return root


@pytest.fixture
def filler(root, tmp_path):
    """Start programs that fill the cache with the dataset at many sizes when they are told to."""
    running = []

    def start(folder, most_bytes=1 << 30, first=10, before=""):
        command = [sys.executable, "-c", before + FILLER, str(root), str(folder), str(most_bytes), str(first)]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        running.append(process)
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


def assert_all_is_true(root, folder):
    """Compare every picture that the cache says it has with the decoded one; give how many there are."""
    dataset, cache, count = open_dataset(root), FrameCache(folder, 1 << 30), 0
    for size in sorted({stored.content.shape[:2] for stored in cache.listed()}):
        pictures, decoded = CachedPictures(dataset, CAMERA, size, cache), dataset.images(CAMERA, ALL, size)
        for number, episode in enumerate(dataset.episodes):
            entry = pictures.entry(number)
            here = np.flatnonzero(entry.has(np.arange(len(episode)))) if entry else np.arange(0)
            count += len(here)
            if entry:
                np.testing.assert_array_equal(entry.pictures[here], decoded[episode.start + here])
    return count


def test_a_filler_that_is_killed_leaves_only_true_pictures(root, filler, tmp_path):
    num_pictures = num_partial = 0
    for number, delay_s in enumerate((0.0, 0.02, 0.05, 0.1, 0.2)):
        folder = tmp_path / str(number // 2)  # every other one goes on with what a killed one left
        process = filler(folder, first=10 + 10 * (number % 2))
        print(file=process.stdin, flush=True)
        while process.poll() is None and not list(folder.glob("*/*")):
            time.sleep(0.001)
        time.sleep(delay_s)
        process.send_signal(signal.SIGKILL)
        process.wait()
        num_pictures += assert_all_is_true(root, folder)
        num_partial += sum(not stored.is_complete for stored in FrameCache(folder).listed())
    assert num_pictures > 0
    assert num_partial > 0


def test_two_programs_fill_at_once(root, filler, tmp_path):
    both = [filler(tmp_path / "cache", first=30) for _ in range(2)]
    for process in both:
        print(file=process.stdin, flush=True)
    for process in both:
        out, errors = process.communicate(timeout=60)
        assert (process.returncode, out, errors) == (0, "on\n", "")
    stored = FrameCache(tmp_path / "cache").listed()
    assert len(stored) == 3 * 19
    assert all(each.is_complete for each in stored)
    assert assert_all_is_true(root, tmp_path / "cache") == 66 * 19


def test_a_limit_on_files_turns_storing_off_with_one_notice(root, filler, tmp_path):
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))\n"
    process = filler(tmp_path / "cache", first=47, before=limit)
    out, errors = process.communicate("\n", timeout=60)
    assert (process.returncode, out) == (0, "off\n")
    assert errors.count("cannot be stored") == 1
    assert "File too large" in errors
    assert_all_is_true(root, tmp_path / "cache")


def test_a_program_that_needs_more_than_fits_stays_within_its_bytes(root, filler, tmp_path):
    process = filler(tmp_path / "cache", most_bytes=1_000_000, first=40)
    out, errors = process.communicate("\n", timeout=60)
    assert (process.returncode, out, errors) == (0, "on\n", "")
    assert 800_000 < sum(stored.num_bytes for stored in FrameCache(tmp_path / "cache").listed()) <= 1_000_000
    assert assert_all_is_true(root, tmp_path / "cache") > 0


def test_a_copy_of_the_dataset_finds_what_the_original_stored(root, tmp_path, monkeypatch):
    cache = FrameCache(tmp_path / "cache", 1 << 30)
    wanted = CachedPictures(open_dataset(root), CAMERA, (12, 16), cache).read(ALL)
    cache.flush()
    copy = open_dataset(shutil.copytree(root, tmp_path / "copy"))
    monkeypatch.setattr(type(copy), "decode", lambda *_: pytest.fail("decoded again"))
    again = CachedPictures(copy, CAMERA, (12, 16), FrameCache(tmp_path / "cache", 1 << 30)).read(ALL[::-1])
    np.testing.assert_array_equal(again[::-1], wanted)


def test_filling_goes_on_where_it_ended(root, tmp_path):
    cache = FrameCache(tmp_path, 1 << 30)
    pictures = CachedPictures(open_dataset(root), CAMERA, (12, 16), cache)
    assert pictures.fill(ALL[:30]) == 0
    cache.flush()
    entry = pictures.entry(0)
    assert entry.num_filled == 30
    assert pictures.fill(ALL) == 0
    cache.flush()
    assert [stored.is_complete for stored in cache.listed()] == [True] * 3
    np.testing.assert_array_equal(pictures.read(ALL), open_dataset(root).images(CAMERA, ALL, (12, 16)))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_decodes_too(root, tmp_path):
    dataset = open_dataset(root)
    dataset.images(CAMERA, ALL)  # starts the decoding threads, which no child inherits
    code = (
        "import os, numpy as np, sys; from pathlib import Path; from etude.data import open_dataset\n"
        "dataset = open_dataset(Path(sys.argv[1])); rows = np.arange(66)\n"
        "dataset.images('observation.images.front', rows)\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    os._exit(0 if dataset.images('observation.images.front', rows).shape[0] == 66 else 1)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(root)], timeout=60, check=False).returncode == 0
