"""Any sequence of edits leaves what the same edits leave of plain Python lists, and a sound dataset."""

import shutil
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etude.core.errors import UserError
from etude.data import open_dataset
from etude.data.edit import apply, edits
from etude.data.edit.compact import compact
from etude.data.edit.source import Source
from etude.data.versions import locked

TEXTS = ("Do it", "Do that", "Other")


@dataclass(frozen=True)
class Oracle:
    """A dataset as lists: per episode its task and, per frame, where the frame was recorded."""

    episodes: tuple[tuple[str, tuple[tuple[int, int], ...]], ...]
    camera: str = "observation.images.front"
    column: str = "action"
    before: "Oracle | None" = field(default=None, compare=False)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory, make_dataset):
    folder = tmp_path_factory.mktemp("recorded")
    make_dataset(folder / "one", [4, 1, 3])
    make_dataset(folder / "one", [6], first=3, resume=True, task="Other")
    make_dataset(folder / "two", [2, 4], first=1)
    return folder


ONE = Oracle((
    ("Do it", tuple((0, tick) for tick in range(4))),
    ("Do it", ((1, 0),)),
    ("Do it", tuple((2, tick) for tick in range(3))),
    ("Other", tuple((3, tick) for tick in range(6))),
))  # fmt: skip
TWO = Oracle((("Do it", ((1, 0), (1, 1))), ("Do it", tuple((2, tick) for tick in range(4)))))


class Machine:
    """Makes each edit twice: in files, and in the oracle."""

    def __init__(self, root, folder, oracle, data):
        self.root, self.folder, self.oracle, self.data = root, folder, oracle, data

    def step(self, number):
        names = ["delete", "trim", "split", "merge", "rename", "retask", "compact", "undo"]
        getattr(self, self.data.draw(st.sampled_from(names)))(number)

    def delete(self, number):
        count = len(self.oracle.episodes)
        gone = self.data.draw(st.sets(st.integers(0, count - 1), min_size=1, max_size=2))
        if len(gone) < count:
            self.edit(lambda source: edits.delete(source, gone), self.without(gone))

    def trim(self, number):
        episode = self.data.draw(st.integers(0, len(self.oracle.episodes) - 1))
        task, frames = self.oracle.episodes[episode]
        bounds = st.lists(st.integers(0, len(frames)), min_size=2, max_size=2, unique=True).map(sorted)
        start, stop = self.data.draw(bounds)
        if (start, stop) != (0, len(frames)):
            episodes = list(self.oracle.episodes)
            episodes[episode] = (task, frames[start:stop])
            wanted = replace(self.oracle, episodes=tuple(episodes))
            self.edit(lambda source: edits.trimmed(source, {episode: (start, stop)}), wanted)

    def split(self, number):
        count = len(self.oracle.episodes)
        chosen = self.data.draw(st.sets(st.integers(0, count - 1), min_size=1))
        output = self.folder / f"part-{number}"
        apply.create({output: edits.parts(Source(self.root), {"part": chosen})["part"]}, "split")
        self.root, self.oracle = output, replace(self.without(set(range(count)) - chosen), before=None)

    def merge(self, number):
        other, wanted = self.folder / "two", TWO
        output = self.folder / f"merged-{number}"
        sources = [Source(self.root), Source(other)]
        if (self.oracle.camera, self.oracle.column) != (wanted.camera, wanted.column):
            with pytest.raises(UserError, match="Only one of"):
                edits.merged(sources)
            return
        apply.create({output: edits.merged(sources)}, "merge")
        episodes = self.oracle.episodes + wanted.episodes
        self.root, self.oracle = output, replace(self.oracle, episodes=episodes, before=None)

    def rename(self, number):
        wanted = replace(self.oracle, camera=f"camera.{number}", column=f"column.{number}")
        renames = {self.oracle.camera: wanted.camera, self.oracle.column: wanted.column}
        self.edit(lambda source: edits.renamed(source, renames), wanted)

    def retask(self, number):
        episode = self.data.draw(st.integers(0, len(self.oracle.episodes) - 1))
        task = self.data.draw(st.sampled_from(TEXTS))
        episodes = list(self.oracle.episodes)
        if {old for old, _ in episodes} == {task}:
            return
        episodes[episode] = (task, episodes[episode][1])
        self.edit(
            lambda source: edits.with_task(source, [episode], task), replace(self.oracle, episodes=tuple(episodes))
        )

    def compact(self, number):
        with locked(self.root):
            compact(self.root)

    def undo(self, number):
        if self.oracle.before:
            apply.undo(self.root)
            self.oracle = replace(self.oracle.before, before=replace(self.oracle, before=None))

    def edit(self, plan_of, wanted):
        apply.edit(self.root, "edit", plan_of)
        self.oracle = replace(wanted, before=replace(self.oracle, before=None))

    def without(self, gone):
        episodes = self.oracle.episodes
        return replace(self.oracle, episodes=tuple(each for at, each in enumerate(episodes) if at not in gone))


def compare(root, oracle):
    dataset = open_dataset(root)
    frames = [frame for _, frames in oracle.episodes for frame in frames]
    assert dataset.episodes.length.tolist() == [len(frames) for _, frames in oracle.episodes]
    assert [each.tasks for each in dataset.episodes] == [(task,) for task, _ in oracle.episodes]
    assert dataset.column("observation.state").astype(int).tolist() == [list(frame) for frame in frames]
    assert (-dataset.column(oracle.column)).astype(int).tolist() == [list(frame) for frame in frames]
    assert set(dataset.tasks) == {task for task, _ in oracle.episodes}
    greys = dataset.images(oracle.camera, np.arange(len(frames)))[:, 24, 32, 0]
    np.testing.assert_allclose(greys, [20 + 50 * (episode % 4) + 8 * tick for episode, tick in frames], atol=4)
    assert dataset.stats["observation.state"].count == len(frames)
    np.testing.assert_allclose(dataset.stats["observation.state"].mean, np.mean(frames, 0))
    np.testing.assert_allclose(dataset.stats["index"].max, len(frames) - 1)


def run_edits(data, recorded, folder, sound, most):
    shutil.copytree(recorded, folder)
    machine = Machine(folder / "one", folder, ONE, data)
    for number in range(data.draw(st.integers(1, most))):
        machine.step(number)
        compare(machine.root, machine.oracle)
        sound(machine.root)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_sequence_of_edits_leaves_what_it_should(data, recorded, tmp_path_factory, sound):
    run_edits(data, recorded, tmp_path_factory.mktemp("edits") / "work", sound, 5)


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_long_sequence_of_edits_leaves_what_it_should(data, recorded, tmp_path_factory, sound):
    run_edits(data, recorded, tmp_path_factory.mktemp("edits") / "work", sound, 10)
