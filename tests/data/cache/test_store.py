import os
import time
from pathlib import Path

import numpy as np
import pytest

from etude.data.cache import Content, FrameCache, boot

SHAPE = (2, 4, 3)
BYTES = 5 * (2 * 4 * 3 + 1)
TICKS = np.arange(5)


def content(name, num_frames=5, dtype="uint8"):
    return Content.of(name, num_frames, SHAPE, dtype)


def pictures(seed, dtype="uint8"):
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, (5, *SHAPE), dtype)


def fill(cache, name, seed=0, ticks=TICKS):
    entry = cache.claim(content(name))
    assert entry is not None
    assert cache.store(entry, ticks, pictures(seed)[ticks])
    cache.flush()
    return entry


def use(cache, name, used_at):
    """Let an entry look as if it was used at another time."""
    path = next(stored.path for stored in cache.listed() if stored.content == content(name))
    os.utime(path, (used_at, used_at))


def names(cache):
    return [name for name in "abcde" for stored in cache.listed() if stored.content == content(name)]


def test_what_is_stored_comes_back_in_this_process_and_in_others(tmp_path):
    cache = FrameCache(tmp_path, 10_000)
    assert cache.find(content("a")) is None
    fill(cache, "a", ticks=np.array([1, 3]))
    for each in (cache, FrameCache(tmp_path, 10_000)):
        entry = each.find(content("a"))
        assert entry.has(TICKS).tolist() == [False, True, False, True, False]
        np.testing.assert_array_equal(entry.pictures[[1, 3]], pictures(0)[[1, 3]])
        assert not entry.pictures.flags.writeable
    fill(cache, "a", ticks=np.array([0, 2, 4]))
    entry = FrameCache(tmp_path, 10_000).find(content("a"))
    np.testing.assert_array_equal(entry.pictures, pictures(0))
    assert [stored.is_complete for stored in cache.listed()] == [True]


def test_other_dtypes_and_channels(tmp_path):
    depth = Content.of("depth", 2, (3, 2, 1), "uint16")
    values = np.array([[[[0], [65535]], [[1], [256]], [[7], [8]]]] * 2, np.uint16)
    cache = FrameCache(tmp_path, 10_000)
    cache.store(cache.claim(depth), np.arange(2), values)
    cache.flush()
    found = FrameCache(tmp_path, 10_000).find(depth)
    assert found.pictures.dtype == np.uint16
    np.testing.assert_array_equal(found.pictures, values)


def test_names_tell_the_content():
    for one in (content("a"), content("b", 3), Content.of("c", 70, (480, 640, 1), "uint16")):
        assert Content.named(f"{one.name}.frames") == one
        assert Content.named(f"{one.name}.0123abcd.part") == one
    assert Content.named("readme.txt") is None
    assert len({content("a").name, content("b").name, content("a", 4).name, content("a", dtype="uint16").name}) == 4


def test_the_longest_unused_go_first_but_never_ones_own(tmp_path):
    theirs, now = FrameCache(tmp_path, 3 * BYTES), time.time()
    for age, name in ((30, "b"), (20, "c"), (10, "a")):
        fill(theirs, name)
        use(theirs, name, now - age)
    mine = FrameCache(tmp_path, 3 * BYTES)
    assert mine.find(content("b")) is not None  # used now, so it stays
    fill(mine, "d")
    assert names(mine) == ["a", "b", "d"]
    fill(mine, "e")
    assert names(mine) == ["b", "d", "e"]
    assert mine.claim(content("f")) is None
    assert names(mine) == ["b", "d", "e"]


def test_who_reads_an_entry_goes_on_when_another_process_drops_it(tmp_path):
    mine = FrameCache(tmp_path, BYTES)
    entry = fill(mine, "a", ticks=np.array([0, 1]))
    use(mine, "a", 1)
    fill(FrameCache(tmp_path, BYTES), "b")
    assert names(mine) == ["b"]
    np.testing.assert_array_equal(entry.pictures[:2], pictures(0)[:2])
    fill(mine, "a", ticks=np.array([2, 3, 4]))  # to nowhere, and without harm
    assert names(mine) == ["b"]


def test_what_is_larger_than_the_cache_displaces_nothing(tmp_path):
    cache = FrameCache(tmp_path, BYTES)
    fill(FrameCache(tmp_path, BYTES), "a")
    assert cache.claim(content("b", 6)) is None
    assert names(cache) == ["a"]


def test_by_default_it_takes_no_more_than_a_quarter_of_what_is_free(tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 4 * BYTES})
    monkeypatch.setattr("etude.data.cache.store.shutil.disk_usage", lambda _: usage)
    cache = FrameCache(tmp_path / "not" / "there")
    assert cache.max_bytes() == BYTES
    assert cache.claim(content("a")) is not None
    assert cache.claim(content("b")) is None
    usage.free = 1 << 50
    assert cache.max_bytes() == 20_000_000_000


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data + b"x", lambda data: b""])
def test_an_entry_of_another_size_is_made_anew(tmp_path, change):
    cache = FrameCache(tmp_path, 10_000)
    fill(cache, "a")
    (stored,) = cache.listed()
    stored.path.write_bytes(change(stored.path.read_bytes()))
    other = FrameCache(tmp_path, 10_000)
    assert other.find(content("a")) is None
    assert not fill(other, "a", 1, ticks=np.array([2])).has(TICKS)[0]
    np.testing.assert_array_equal(FrameCache(tmp_path, 10_000).find(content("a")).pictures[2], pictures(1)[2])


def test_a_partial_entry_of_another_boot_is_not_trusted_and_goes_first(tmp_path, monkeypatch):
    fill(FrameCache(tmp_path, 10_000), "a", ticks=np.array([0]))
    fill(FrameCache(tmp_path, 10_000), "b")
    for module in ("store", "listing"):
        monkeypatch.setattr(f"etude.data.cache.{module}.this_boot", lambda: "feedfeedfeedfeed")
    later = FrameCache(tmp_path, 2 * BYTES)
    assert later.find(content("a")) is None
    assert later.find(content("b")) is not None
    partial = next(stored for stored in later.listed() if not stored.is_complete)
    os.utime(partial.path, (time.time() - 4000,) * 2)
    fill(later, "c")
    assert names(later) == ["b", "c"]


def test_the_boot_has_one_name_while_it_lasts():
    assert boot.this_boot() == boot.this_boot()
    assert len(boot.this_boot()) == 16


def test_a_full_disk_turns_storing_off_once_and_what_is_there_stays_good(tmp_path, monkeypatch, caplog):
    cache = FrameCache(tmp_path, 10_000)
    fill(cache, "a")
    left, write = [4], os.pwrite

    def pwrite(file, data, place):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        return write(file, bytes(data)[: len(data) // 2 + 1], place)  # a disk may take a part

    monkeypatch.setattr(os, "pwrite", pwrite)
    fill(cache, "b")
    assert cache.is_off
    assert not cache.store(cache.find(content("a")), TICKS, pictures(0))
    assert cache.claim(content("c")) is None
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "No space left on device" in caplog.text
    assert "$ETUDE_CACHE" in caplog.text
    assert names(cache) == ["a"]  # what could not be written takes no space
    np.testing.assert_array_equal(cache.find(content("a")).pictures, pictures(0))


def test_a_folder_that_cannot_be_made_turns_storing_off(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    cache = FrameCache(tmp_path / "file" / "cache", 10_000)
    assert cache.find(content("a")) is None
    assert cache.claim(content("a")) is None
    assert cache.is_off
    assert len(caplog.records) == 1


def open_files():
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


def test_only_so_many_entries_stay_open(tmp_path, monkeypatch):
    monkeypatch.setattr("etude.data.cache.store._most_open", lambda: 2)
    cache = FrameCache(tmp_path, 10_000)
    before = open_files()
    for name in "abcde":
        fill(cache, name)
    for name in "abcde":
        np.testing.assert_array_equal(cache.find(content(name)).pictures, pictures(0))
    assert open_files() - before <= 4
