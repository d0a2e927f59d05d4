import json
from contextlib import closing

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etude.core.errors import ConfigError, DatasetError, NotFound, UserError
from etude.core.spec import Spec
from etude.core.window import Window
from etude.data import create_dataset, open_dataset
from etude.data.check import check
from etude.data.formats.lerobot_v3.config import Config
from etude.data.mix import Mix
from etude.data.mix_parts import Part
from etude.data.sampler import EpisodeSampler
from etude.data.sampling import Draw, sampler_of
from etude.data.windows import Windows

FRONT, WRIST, CAM = "observation.images.front", "observation.images.wrist", "observation.images.cam"
STATE, ACTION = "observation.state", "action"
NARROW = {STATE: Spec(shape=(2,), names=("a", "b")), ACTION: Spec(shape=(2,), names=("a", "b"))}
WIDE = {STATE: Spec(shape=(3,), names=("a", "b", "c")), ACTION: Spec(shape=(2,), names=("a", "b"))}
PUSHES = ["Push", "Pick", "Push"]
NARROW_LENGTHS, WIDE_LENGTHS = [4, 2], [3, 1, 5]


def write(root, specs, lengths, tasks, *, base, fps=10, robot="arm"):
    """Record episodes whose state tells `base`, the episode and the tick, and whose pictures are as grey as `base`."""
    writer = create_dataset(root, specs, fps=fps, robot_type=robot, config=Config.tiny())
    for episode, length in enumerate(lengths):
        for tick in range(length):
            values = {key: np.zeros(spec.shape, spec.dtype) for key, spec in specs.items()}
            for key, spec in specs.items():
                if spec.is_image or spec.is_depth:
                    values[key][:] = base
                else:
                    values[key][:] = np.array([base, episode, tick], np.float32)[: spec.shape[0]]
            writer.add_frame(values)
        writer.save_episode(tasks[episode])
    writer.close()
    return root


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mix")
    front, wrist = Spec(shape=(48, 64, 3), dtype="uint8"), Spec(shape=(96, 64, 3), dtype="uint8")
    write(folder / "narrow", NARROW | {FRONT: front}, NARROW_LENGTHS, ["Pick", "Place"], base=50)
    write(folder / "wide", WIDE | {CAM: wrist, WRIST: front}, WIDE_LENGTHS, PUSHES, base=150, robot="x")
    write(folder / "slow", NARROW, [2], ["Pick"], base=1, fps=5)
    return folder


def mix_of(folder, *datasets, **options):
    path = folder / f"{abs(hash(json.dumps([datasets, options])))}" / "mix.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"datasets": list(datasets), **options}))
    return path


@pytest.fixture(scope="module")
def mix(folder):
    wide = {"root": "../wide", "rename": {CAM: FRONT}, "weight": 1}
    return open_dataset(mix_of(folder, {"root": "../narrow", "weight": 3}, wide, fill=[WRIST]))


def test_rows_and_episodes_are_numbered_through(mix):
    assert isinstance(mix, Mix)
    assert mix.episodes.length.tolist() == [4, 2, 3, 1, 5]
    assert mix.column("index").tolist() == list(range(15))
    assert mix.column("episode_index").tolist() == [0] * 4 + [1] * 2 + [2] * 3 + [3] + [4] * 5
    assert mix.column("frame_index").tolist() == [0, 1, 2, 3, 0, 1, 0, 1, 2, 0, 0, 1, 2, 3, 4]
    assert (mix.fps, mix.robot_type) == (10, None)


def test_vectors_are_padded_with_zeros_and_a_column_tells(mix):
    assert mix.specs[STATE] == Spec(shape=(3,), names=("a", "b", "c"))
    state = mix.column(STATE)
    assert state[:6].tolist() == [[50, e, 0] for e in (0, 0, 0, 0, 1, 1)]
    assert state[6:].tolist() == [[150, e, t] for e, n in enumerate(WIDE_LENGTHS) for t in range(n)]
    real = mix.take(f"mix.is_real.{STATE}", np.array([[0], [14]]))
    assert real.tolist() == [[[True, True, False]], [[True, True, True]]]
    assert f"mix.is_real.{ACTION}" not in mix.specs
    assert mix.specs[f"mix.is_real.{STATE}"].names == ("a", "b", "c")


def test_tasks_with_the_same_text_are_one(mix):
    assert mix.tasks == ["Pick", "Place", "Push"]
    assert mix.column("task_index").tolist() == [0] * 4 + [1] * 2 + [2] * 3 + [0] + [2] * 5
    assert [each.tasks for each in mix.episodes] == [("Pick",), ("Place",), ("Push",), ("Pick",), ("Push",)]
    assert mix.text("task", np.array([14, 9, 4])) == ["Push", "Pick", "Place"]


def test_pictures_of_other_sizes_and_names_go_together(mix):
    assert mix.specs[FRONT].shape == (48, 64, 3)
    pictures = mix.images(FRONT, np.array([14, 0, 14]), (24, 32))
    assert pictures.shape == (3, 24, 32, 3)
    np.testing.assert_allclose(pictures.mean((1, 2, 3)), [150, 50, 150], atol=3)
    assert mix.images(FRONT, np.array([6])).shape == (1, 48, 64, 3)


def test_a_camera_that_is_filled_is_black(mix):
    pictures = mix.images(WRIST, np.array([7, 2]))
    np.testing.assert_allclose(pictures.mean((1, 2, 3)), [150, 0], atol=3)
    assert mix.take(f"mix.is_real.{WRIST}", np.array([7, 2])).tolist() == [[True], [False]]
    assert mix.fingerprint(WRIST, 0) == "black" != mix.fingerprint(WRIST, 2)


def test_decoding_gives_the_mixs_own_rows(mix):
    for key in (FRONT, WRIST):
        rows, pictures = mix.decode(key, np.array([13, 1]), (8, 8))
        assert {1, 13} <= set(rows.tolist())
        assert rows.tolist() == sorted(set(rows.tolist()))
        np.testing.assert_array_equal(pictures, mix.images(key, rows, (8, 8)))


def test_fingerprints_are_those_of_the_datasets(mix, folder):
    wide = open_dataset(folder / "wide")
    assert [mix.fingerprint(FRONT, 2 + i) for i in range(3)] == [wide.fingerprint(CAM, i) for i in range(3)]


def test_statistics_are_over_the_datasets_that_have_an_element(mix):
    state, real = mix.column(STATE), mix.column(f"mix.is_real.{STATE}")
    for dim in range(3):
        there = state[real[:, dim], dim]
        np.testing.assert_allclose(mix.stats[STATE].mean[dim], there.mean(), rtol=1e-5)
        np.testing.assert_allclose(mix.stats[STATE].std[dim], there.std(), rtol=1e-5, atol=1e-6)
        assert (mix.stats[STATE].min[dim], mix.stats[STATE].max[dim]) == (there.min(), there.max())
    np.testing.assert_allclose(mix.stats[f"mix.is_real.{STATE}"].mean, [1, 1, 9 / 15])
    np.testing.assert_allclose(mix.stats[WRIST].mean, np.full((3, 1, 1), 150 / 255), atol=0.02)


def test_it_is_sound(mix):
    assert check(mix.root) == []


def test_chosen_episodes_keep_their_contents(folder):
    wide = {"root": "../wide", "rename": {CAM: FRONT}, "episodes": [0, 2]}
    mix = open_dataset(mix_of(folder, {"root": "../narrow", "episodes": [1]}, wide, leave_out=[WRIST]))
    assert mix.episodes.length.tolist() == [2, 3, 5]
    assert mix.column(STATE)[:, 1].tolist() == [1, 1, 0, 0, 0, 2, 2, 2, 2, 2]
    assert mix.column("frame_index").tolist() == [0, 1, 0, 1, 2, 0, 1, 2, 3, 4]
    rows, pictures = mix.decode(FRONT, np.array([0, 6, 9]), (8, 8))
    assert set(rows.tolist()) <= set(range(10))
    np.testing.assert_array_equal(pictures, mix.images(FRONT, rows, (8, 8)))
    assert mix.fingerprint(FRONT, 2) == open_dataset(folder / "wide").fingerprint(CAM, 2)


@settings(deadline=None, max_examples=30)
@given(rows=st.lists(st.integers(0, 14), min_size=1, max_size=9), offsets=st.lists(st.integers(-6, 6), min_size=1))
def test_windows_of_a_mix_are_those_of_its_datasets(mix, rows, offsets):
    window = Window(offsets={ACTION: tuple(offsets)})
    batch = Windows(mix, window, [ACTION, STATE]).batch(np.array(rows))
    for sample, row in enumerate(rows):
        part, own = (0, row) if row < 6 else (1, row - 6)
        dataset = mix.parts[part].dataset
        alone = Windows(dataset, window, [ACTION, STATE]).batch(np.array([own]))
        np.testing.assert_array_equal(batch[ACTION][sample], alone[ACTION][0])
        np.testing.assert_array_equal(batch[f"{ACTION}_is_pad"][sample], alone[f"{ACTION}_is_pad"][0])
        np.testing.assert_array_equal(batch[STATE][sample, : alone[STATE].shape[1]], alone[STATE][0])
        assert mix.tasks[batch["task_index"][sample]] == dataset.tasks[alone["task_index"][0]]


def test_a_mix_is_drawn_by_its_weights_and_resumes(mix):
    drawn = sampler_of(mix, mix.episodes, Draw(seed=1)).draw(4096)
    assert (drawn < 6).sum() == 3072
    after = sampler_of(mix, mix.episodes, Draw(seed=1), drawn=1000)
    assert after.draw(3096).tolist() == drawn[1000:].tolist()
    only = sampler_of(mix, mix.episodes[2:4], Draw(seed=1)).draw(8)
    assert sorted(only.tolist()) == sorted([6, 7, 8, 9] * 2)


def test_without_weights_every_frame_counts_the_same(folder):
    wide = {"root": "../wide", "rename": {CAM: FRONT}}
    mix = open_dataset(mix_of(folder, {"root": "../narrow"}, wide, leave_out=[WRIST]).parent)
    drawn = sampler_of(mix, mix.episodes, Draw(seed=1)).draw(4096)
    assert abs((drawn < 6).mean() - 6 / 15) < 1 / 4096


def test_one_dataset_is_drawn_as_ever(folder):
    dataset = open_dataset(folder / "narrow")
    drawn = sampler_of(dataset, dataset.episodes, Draw(seed=5)).draw(9)
    assert drawn.tolist() == EpisodeSampler(dataset.episodes, 5).draw(9).tolist()


@pytest.mark.parametrize(
    ("datasets", "options", "message"),
    [
        ([{"root": "../narrow"}, {"root": "../wide"}], {}, r"has no 'observation.images.front'.*or in 'leave_out'"),
        ([{"root": "../slow"}, {"root": "../narrow"}], {"leave_out": [FRONT]}, r"frame rates: 5 in .*slow, 10"),
        ([{"root": "../narrow", "weight": 1}, {"root": "../slow"}], {}, "every dataset of the mix a weight, or none"),
        ([{"root": "../narrow", "weight": 0}], {}, "should be above 0, got 0"),
        ([{"root": "../narrow", "wieght": 1}], {}, r"no key 'wieght'. Did you mean 'weight'"),
        ([{"root": "../narrow", "rename": {"x": "y"}}], {}, r"renames 'x', which .* does not have"),
        ([{"root": "../narrow"}], {"fill": ["nothing"]}, "No key in the mix named 'nothing'"),
        ([{"root": "../narrow", "episodes": [2]}], {}, "There is no episode 2"),
        ([{"root": "."}], {}, "mixes itself"),
        (
            [{"root": "../narrow", "rename": {FRONT: STATE, STATE: "s"}}, {"root": "../slow"}],
            {"leave_out": ["s"], "fps": 10},
            r"'observation.state' is uint8\[48, 64, 3\] here and float32\[2\] there. Rename one",
        ),
        ([{"root": "../narrow", "rename": {STATE: ACTION}}], {}, r"two keys of .*narrow 'action'"),
        ([], {}, "needs a dataset"),
    ],
)
def test_what_does_not_go_together_is_refused_in_a_sentence(folder, datasets, options, message):
    with pytest.raises(UserError, match=message):
        open_dataset(mix_of(folder, *datasets, **options))


def test_different_rates_go_together_when_that_is_said(folder):
    path = mix_of(folder, {"root": "../slow"}, {"root": "../narrow"}, leave_out=[FRONT], fps=10)
    assert open_dataset(path).fps == 10


def test_names_that_differ_are_noted(folder):
    write(folder / "other", NARROW | {ACTION: Spec(shape=(2,), names=("x", "y"))}, [2], ["Pick"], base=1)
    alone = open_dataset(mix_of(folder, {"root": "../narrow"}))
    assert alone.notes == []
    mix = open_dataset(mix_of(folder, {"root": "../narrow"}, {"root": "../other"}, leave_out=[FRONT]))
    assert [note.partition(" in ")[0] for note in mix.notes] == ["The elements of 'action' have other names"]


def test_unknown_columns_and_cameras_are_named(mix):
    with pytest.raises(NotFound, match="table column"):
        mix.take("actoin", np.array([0]))
    with pytest.raises(NotFound, match="camera"):
        mix.images(STATE, np.array([0]))
    with pytest.raises(NotFound, match="text column"):
        mix.text("instruction", np.array([0]))


def test_a_broken_recipe_is_named(tmp_path):
    (tmp_path / "mix.json").write_text("{")
    with pytest.raises((ConfigError, DatasetError), match=r"mix\.json cannot be read as JSON"):
        open_dataset(tmp_path)


def test_a_mix_is_streamed_by_its_weights_and_files(mix):
    groups = mix.file_groups()
    assert len(groups) == len(mix.episodes)
    assert set(groups[:2]).isdisjoint(groups[2:])
    streamed = sampler_of(mix, mix.episodes, Draw(seed=1, is_streamed=True))
    drawn = streamed.draw(4096)
    assert (drawn < 6).sum() == 3072
    again = sampler_of(mix, mix.episodes, Draw(seed=1, is_streamed=True), drawn=777)
    assert again.draw(100).tolist() == drawn[777:877].tolist()


def test_depth_cameras_go_together_and_are_filled_with_nothing(folder):
    depth = "observation.images.front_depth"
    write(folder / "deep", NARROW | {depth: Spec(shape=(48, 64, 1), dtype="uint16")}, [3], ["Pick"], base=2)
    mix = open_dataset(mix_of(folder, {"root": "../deep"}, {"root": "../narrow"}, fill=[depth], leave_out=[FRONT]))
    alone = open_dataset(folder / "deep")
    pictures = mix.images(depth, np.array([1, 5]))
    assert (pictures.dtype, pictures.shape) == (np.uint16, (2, 48, 64, 1))
    np.testing.assert_array_equal(pictures[0], alone.images(depth, np.array([1]))[0])
    assert not pictures[1].any()
    rows, decoded = mix.decode(depth, np.array([0, 4]), (48, 64))
    np.testing.assert_array_equal(decoded, mix.images(depth, rows))


class TestWeightsThatOnlyOneHas:
    """Corrections say which of their frames count; the demonstrations beside them all do."""

    @pytest.fixture
    def mix(self, folder, tmp_path):
        specs = NARROW | {"counts": Spec(shape=(1,), dtype="bool")}
        with closing(create_dataset(tmp_path / "weighted", specs, fps=10, config=Config.tiny())) as writer:
            for counts in (False, True, True):
                frame = {key: np.zeros(spec.shape, spec.dtype) for key, spec in specs.items()}
                writer.add_frame(frame | {"counts": np.array([counts])})
            writer.save_episode("Pick")
        opened = [open_dataset(root) for root in (tmp_path / "weighted", folder / "narrow")]
        pairs = zip(opened, (3.0, 1.0), strict=True)
        parts = [Part(dataset=each, episodes=each.episodes, weight=weight) for each, weight in pairs]
        return Mix(tmp_path, parts, fill=["counts"], leave_out=[FRONT])

    def test_the_others_count_in_full(self, mix):
        drawn = sampler_of(mix, mix.episodes, Draw(weights="counts")).draw(4096)
        share = np.bincount(drawn, minlength=9) / 4096
        assert share[:3] == pytest.approx([0, 0.375, 0.375], abs=0.003)
        assert share[3:] == pytest.approx(np.full(6, 0.25 / 6), abs=0.001)

    def test_a_column_that_none_has_is_named(self, mix):
        with pytest.raises(NotFound, match="column of weights named 'count'"):
            sampler_of(mix, mix.episodes, Draw(weights="count"))
