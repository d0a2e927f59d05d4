import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fsspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etude.core.errors import DatasetError, MissingExtra, UserError
from etude.core.window import Window
from etude.data import open_dataset
from etude.data.remote import kept
from etude.data.remote.mirror import Mirror
from etude.data.remote.web import WebFiles
from etude.data.sampler import StreamSampler
from etude.data.windows import Windows

FRONT = "observation.images.front"


def same(remote, local):
    rows = np.arange(12)
    for key in ("action", "observation.state", "index", "task_index"):
        np.testing.assert_array_equal(remote.column(key), local.column(key))
    np.testing.assert_array_equal(remote.images(FRONT, rows), local.images(FRONT, rows))
    assert list(remote.tasks) == list(local.tasks)
    assert [each.tasks for each in remote.episodes] == [each.tasks for each in local.episodes]
    assert remote.stats["action"].mean.tolist() == local.stats["action"].mean.tolist()
    return True


def tables_and_videos(paths):
    return [path for path in paths if path.endswith((".mp4", ".parquet")) and "/meta/" not in path]


@pytest.mark.parametrize("lists", [True, False])
@pytest.mark.parametrize("slashes", ["//", "/"])
def test_a_url_reads_as_the_folder_behind_it(server, served, lists, slashes):
    server.lists = lists
    remote = open_dataset(Path(f"{server.url}/blocks/".replace("//", slashes, 1)))
    assert same(remote, open_dataset(served))


def test_files_are_fetched_when_they_are_touched(server):
    dataset = open_dataset(f"{server.url}/blocks")
    assert len(dataset.episodes) == 3
    assert dataset.stats
    assert tables_and_videos(server.got()) == []
    dataset.take("action", np.array([0]))
    assert len(tables_and_videos(server.got())) == 1
    dataset.images(FRONT, np.array([1, 0]))
    assert [FRONT in path for path in tables_and_videos(server.got())] == [False, True]


def test_what_has_not_changed_is_not_fetched_again(server):
    for _ in range(2):
        dataset = open_dataset(f"{server.url}/blocks")
        dataset.column("action")
        dataset.images(FRONT, np.arange(12))
        fetched, server.requests = server.got(), []
    assert [path for path in fetched if Path(path).suffix] == []


@pytest.mark.parametrize("tags", [True, False])
def test_what_has_changed_is_fetched_again(server, served, tags):
    server.tags = tags
    assert open_dataset(f"{server.url}/blocks").robot_type == "so_follower"
    info = served / "meta/info.json"
    info.write_text(info.read_text().replace("so_follower", "other"))
    assert open_dataset(f"{server.url}/blocks").robot_type == "other"


def test_metadata_that_are_gone_are_forgotten(server, served):
    (served / "meta/extra.json").write_text("{}")
    root = open_dataset(f"{server.url}/blocks").root
    assert (root / "meta/extra.json").exists()
    (served / "meta/extra.json").unlink()
    open_dataset(f"{server.url}/blocks")
    assert not (root / "meta/extra.json").exists()


@pytest.mark.parametrize("ranges", [True, False])
def test_a_transfer_that_breaks_off_goes_on(server, served, tmp_path, ranges):
    data = np.random.default_rng(0).bytes(3 << 20)
    (served / "data/large.parquet").write_bytes(data)
    server.ranges, server.breaks_after = ranges, 2 << 20
    assert WebFiles(f"{server.url}/blocks").fetch("data/large.parquet", tmp_path / "mirror")
    assert (tmp_path / "mirror/data/large.parquet").read_bytes() == data
    asked = [wanted for method, _, wanted in server.requests if method == "GET"]
    assert asked[0] is None
    assert len(asked) >= 2
    assert not ranges or all(int(wanted.removeprefix("bytes=").split("-")[0]) > 0 for wanted in asked[1:])


def test_a_transfer_that_a_killed_program_began_goes_on(server, tmp_path):
    source, root = WebFiles(f"{server.url}/blocks"), tmp_path / "mirror"
    assert source.fetch("meta/info.json", root)
    note = root / ".etude/meta/info.json.json"
    version, whole = json.loads(note.read_text()), (root / "meta/info.json").read_bytes()
    note.unlink()
    note.with_suffix(".begun").write_text(json.dumps(version))
    note.with_suffix(".part").write_bytes(whole[:100])
    server.requests = []
    assert source.fetch("meta/info.json", root)
    assert [wanted[:10] for _, _, wanted in server.requests if wanted] == ["bytes=100-"]
    assert (root / "meta/info.json").read_bytes() == whole


def test_a_server_that_keeps_breaking_off_is_told(server, served, monkeypatch):
    dataset = open_dataset(f"{server.url}/blocks")
    inner = served / "data/chunk-000"
    for path in inner.iterdir():
        os.truncate(path, 0)
    monkeypatch.setattr("etude.data.remote.web.WebFiles._append", lambda *_: (_ for _ in ()).throw(OSError("reset")))
    with pytest.raises(DatasetError, match=r"cannot be fetched \(reset\)\. Check the network"):
        dataset.column("action")


def test_without_a_network_what_is_here_is_read(server, served):
    dataset = open_dataset(f"{server.url}/blocks")
    dataset.column("action")
    server.stop()
    again = open_dataset(f"{server.url}/blocks")
    np.testing.assert_array_equal(again.column("action"), open_dataset(served).column("action"))
    with pytest.raises(DatasetError, match=r"\.mp4: cannot be fetched .*what is here already can be used"):
        again.images(FRONT, np.array([0]))


def test_a_place_that_does_not_answer_is_told_in_a_sentence():
    with pytest.raises(DatasetError, match=r"^http://127\.0\.0\.1:9/blocks: cannot be reached .*Check the network"):
        open_dataset("http://127.0.0.1:9/blocks")


def test_a_place_without_a_dataset_is_told(server):
    with pytest.raises(DatasetError, match=r"nothing: is not a dataset: it has no meta/info\.json"):
        open_dataset(f"{server.url}/nothing")


def test_a_file_that_an_episode_needs_and_is_not_there(server, served):
    dataset = open_dataset(f"{server.url}/blocks")
    shutil.rmtree(served / "data")
    with pytest.raises(DatasetError, match="is missing there, though an episode needs it"):
        dataset.column("action")


@pytest.mark.parametrize("path", ["../../secret.parquet", "/etc/passwd", "data/../../x"])
def test_a_header_that_names_files_elsewhere_is_not_followed(server, served, path):
    info = json.loads((served / "meta/info.json").read_text())
    (served / "meta/info.json").write_text(json.dumps(info | {"data_path": path}))
    with pytest.raises(DatasetError, match="names files outside the dataset"):
        open_dataset(f"{server.url}/blocks")


class Lying:
    """A place that lists what nobody asked for."""

    def __init__(self, name):
        self._name = name

    def listing(self, folder):
        return ["meta/stats.json", self._name]

    def fetch(self, path, root):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("{}")
        return True


@pytest.mark.parametrize("name", ["meta/../../evil", "/etc/evil", "..", "meta\\..\\evil", "c:/evil"])
def test_a_listing_that_names_files_elsewhere_is_not_followed(tmp_path, name):
    with pytest.raises(DatasetError, match="outside the dataset"):
        Mirror(Lying(name), tmp_path / "mirror", "place").update()
    assert not (tmp_path / "evil").exists()


def test_files_touched_long_ago_make_room(server, served, monkeypatch):
    monkeypatch.setattr(kept, "_LATELY_S", -1)
    mirror = Mirror(WebFiles(f"{server.url}/blocks"), served.parent / "mirror", "place", limit_bytes=1)
    mirror.update()
    names = sorted(path.relative_to(served) for path in served.glob("videos/**/*.mp4"))
    first, second = (mirror.fetch(mirror.root / name) for name in names[:2])
    assert not first.exists()
    assert mirror.fetch(first).exists()
    assert not second.exists()
    assert (mirror.root / "meta/info.json").exists()


def test_files_that_may_be_about_to_be_opened_stay(server, served):
    mirror = Mirror(WebFiles(f"{server.url}/blocks"), served.parent / "mirror", "place", limit_bytes=1)
    mirror.update()
    paths = [mirror.fetch(mirror.root / path.relative_to(served)) for path in served.glob("videos/**/*.mp4")]
    assert all(path.exists() for path in paths)


def test_threads_that_want_one_file_fetch_it_once(server, served):
    dataset = open_dataset(f"{server.url}/blocks")
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda _: dataset.images(FRONT, np.array([0])), range(8)))
    assert all(np.array_equal(each, got[0]) for each in got)
    assert len(tables_and_videos(server.got())) == 1


@pytest.mark.parametrize("small", [True, False])
def test_columns_are_kept_apart_by_what_the_dataset_says_of_itself(server, served, monkeypatch, small):
    if not small:
        monkeypatch.setattr("etude.data.lerobot.columns.SMALL_BYTES", -1)
    np.testing.assert_array_equal(
        open_dataset(f"{server.url}/blocks").column("action"), open_dataset(served).column("action")
    )


def test_any_place_that_fsspec_opens_will_do(served):
    memory = fsspec.filesystem("memory")
    memory.put(str(served), "/etude-test/blocks", recursive=True)
    try:
        assert same(open_dataset("memory://etude-test/blocks"), open_dataset(served))
    finally:
        memory.rm("/etude-test", recursive=True)
    assert same(open_dataset(f"file://{served}"), open_dataset(served))


@pytest.mark.parametrize(("url", "error"), [("nonsense://a/b", UserError), ("s3://bucket/blocks", UserError)])
def test_a_place_that_cannot_be_opened_is_told(url, error):
    with pytest.raises(error, match=url):
        open_dataset(url)


def test_without_the_extra_the_command_to_get_it_is_told(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "fsspec", None)
    with pytest.raises(MissingExtra, match=r"pip install 'etude\[remote\]'"):
        open_dataset("https://example.invalid/blocks")


@settings(deadline=None, max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 99), at_once=st.integers(1, 3), size=st.integers(1, 7), cut=st.integers(0, 20))
def test_streamed_samples_are_those_of_a_folder(server, served, seed, at_once, size, cut):
    remote, local = open_dataset(f"{server.url}/blocks"), open_dataset(served)
    window, keys = Window(offsets={"action": (-1, 0, 3)}), ["action", FRONT]
    streamed, mapped = (Windows(each, window, keys, image_size=(8, 8)) for each in (remote, local))
    sampler = StreamSampler(remote.episodes, remote.file_groups(), seed, at_once=at_once)
    sampler.seek(cut)
    seen = []
    for _ in range(3):
        rows = sampler.draw(size)
        batch = streamed.batch(rows)
        for place, row in enumerate(rows):
            alone = mapped.batch(np.array([row]))
            for key, values in alone.items():
                np.testing.assert_array_equal(batch[key][place], values[0])
        seen += rows.tolist()
    whole = StreamSampler(local.episodes, local.file_groups(), seed, at_once=at_once)
    assert whole.draw(cut + len(seen))[cut:].tolist() == seen
