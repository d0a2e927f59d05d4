"""Every dataset format keeps the same promises; a new folder under data/formats/ gets these tests by being found."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from etude.core.codec import decode, encode
from etude.core.frame import example
from etude.core.spec import Spec
from etude.data import create_dataset, open_dataset
from etude.data.check import check
from etude.data.dataset import Dataset, DatasetWriter
from etude.data.formats import formats
from etude.data.info import summary

GOLDEN = Path(__file__).parents[1] / "golden"
NAMES = formats.names()
WRITABLE = [name for name in NAMES if importlib.util.find_spec(f"{formats.packages()[name]}.writer")]
SPECS = {
    "observation.state": Spec(shape=(3,), names=("pan.pos", "lift.pos", "grip.pos")),
    "action": Spec(shape=(3,), names=("pan.pos", "lift.pos", "grip.pos")),
    "next.reward": Spec(shape=(1,)),
    "observation.images.front": Spec(shape=(48, 64, 3), dtype="uint8"),
}
EPISODES = (("Pick", 3), ("Place", 1), ("Pick", 4))


def smooth(rng):
    """Noise that a video codec keeps: two colours, one above the other."""
    picture = np.empty((48, 64, 3), np.uint8)
    picture[:24], picture[24:] = rng.integers(30, 220, (2, 3))
    return picture


def frames():
    rng = np.random.default_rng(5)
    for task, length in EPISODES:
        yield task, [example(SPECS, rng) | {"observation.images.front": smooth(rng)} for _ in range(length)]


def golden(name, folder):
    """Find the golden dataset of a format, or let `tests/golden/make_<name>.py` make one."""
    if (GOLDEN / name).is_dir():
        return GOLDEN / name
    maker = GOLDEN / f"make_{name}.py"
    assert maker.exists(), f"{name} has no writer: add a tiny dataset as tests/golden/{name}, or {maker} to make it"
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(GOLDEN)
        return importlib.import_module(maker.stem).main(folder)


@pytest.fixture(scope="module")
def dataset(request, tmp_path_factory):
    """A small dataset of the format: recorded where it can be, else `tests/golden/<name>`, else made by its maker."""
    name = request.param
    if name not in WRITABLE:
        return open_dataset(golden(name, tmp_path_factory.mktemp(name)))
    root = tmp_path_factory.mktemp(name) / "dataset"
    writer = create_dataset(root, SPECS, fps=20, robot_type="fake", config=formats.config(name).tiny())
    assert isinstance(writer, DatasetWriter)
    for task, episode in frames():
        for frame in episode:
            writer.add_frame(frame)
        writer.save_episode(task)
    assert writer.num_episodes == len(EPISODES)
    writer.close()
    return open_dataset(root)


@pytest.mark.parametrize("dataset", NAMES, indirect=True)
class TestEveryFormat:
    def test_it_is_a_dataset_and_sound(self, dataset):
        assert isinstance(dataset, Dataset)
        assert check(dataset.root) == []

    def test_exactly_one_format_claims_it(self, dataset):
        assert [name for name in NAMES if formats.config(name).matches(dataset.root)] == [dataset.format]

    def test_episodes_follow_one_another_and_fill_the_columns(self, dataset):
        bounds = [0, *(episode.stop for episode in dataset.episodes)]
        assert [episode.start for episode in dataset.episodes] == bounds[:-1]
        assert [episode.index for episode in dataset.episodes] == list(range(len(dataset.episodes)))
        assert dataset.column("index").tolist() == list(range(bounds[-1]))
        for key, spec in dataset.specs.items():
            if not spec.is_image:
                assert dataset.column(key).shape == (bounds[-1], *spec.shape)
                assert dataset.column(key).dtype == spec.dtype

    def test_task_texts_are_those_of_the_rows(self, dataset):
        for episode in dataset.episodes:
            rows = dataset.column("task_index")[episode.start : episode.stop]
            assert {dataset.tasks[index] for index in rows} == set(episode.tasks)

    def test_statistics_are_those_of_the_columns(self, dataset):
        for key, spec in dataset.specs.items():
            stats = dataset.stats[key]
            if not spec.is_image:
                values = dataset.column(key)
                np.testing.assert_allclose(stats.mean, values.mean(0), atol=1e-5)
                np.testing.assert_allclose(stats.std, values.std(0), atol=1e-5)
                np.testing.assert_array_equal(stats.max, values.max(0))
            else:
                pictures = dataset.images(key, dataset.column("index")) / 255
                np.testing.assert_allclose(stats.mean, pictures.mean((0, 1, 2)).reshape(3, 1, 1), atol=0.02)

    def test_pictures_come_in_any_order_and_size(self, dataset):
        rows = np.array([len(dataset.column("index")) - 1, 0, 2, 0])
        for key in dataset.codecs:
            height, width = dataset.specs[key].shape[:2]
            pictures = dataset.images(key, rows)
            assert (pictures.shape, pictures.dtype) == ((4, height, width, 3), np.uint8)
            np.testing.assert_array_equal(pictures[1], pictures[3])
            np.testing.assert_array_equal(pictures[2], dataset.images(key, np.array([2]))[0])
            assert dataset.images(key, rows, (8, 10)).shape == (4, 8, 10, 3)

    def test_columns_cannot_be_changed_by_accident(self, dataset):
        with pytest.raises(ValueError, match="read-only"):
            dataset.column("action")[0] = 1

    def test_its_summary_counts(self, dataset):
        facts = summary(dataset)
        assert facts["total_frames"] == len(dataset.column("index"))
        assert facts["format"] == dataset.format


@pytest.mark.parametrize("dataset", WRITABLE, indirect=True)
class TestEveryWriter:
    def test_what_is_written_is_read(self, dataset):
        row = 0
        for episode, (task, recorded) in zip(dataset.episodes, frames(), strict=True):
            assert episode.tasks == (task,)
            pictures = dataset.images("observation.images.front", np.arange(episode.start, episode.stop))
            for frame, picture in zip(recorded, pictures, strict=True):
                for key in ("observation.state", "action", "next.reward"):
                    np.testing.assert_array_equal(dataset.column(key)[row], frame[key])
                assert np.abs(picture.astype(int) - frame["observation.images.front"]).mean() < 4
                row += 1

    def test_specs_fps_and_robot_survive(self, dataset):
        assert dataset.specs == SPECS
        assert (dataset.fps, dataset.robot_type) == (20, "fake")

    def test_time_restarts_in_every_episode(self, dataset):
        wanted = [tick / 20 for _, length in EPISODES for tick in range(length)]
        np.testing.assert_allclose(dataset.column("timestamp"), wanted, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_options_round_trip_through_json(name):
    config = formats.config(name)
    assert decode(config, encode(config.tiny())) == config.tiny()
    assert not config.matches(Path(__file__).parent)
