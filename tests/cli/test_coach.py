"""Coaching on the simulated table, told where things are so that nothing need be drawn."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from etude.cli.coach import COMMAND, MADE_BY, expand  # noqa: E402
from etude.cli.coach_person import ByHand, TakeOverKeys, act_by_hand  # noqa: E402
from etude.cli.coach_scene import CoachedSkill  # noqa: E402
from etude.cli.coach_training import Learning  # noqa: E402
from etude.cli.parse import parse  # noqa: E402
from etude.core.stats import Stats  # noqa: E402
from etude.data import create_dataset, open_dataset  # noqa: E402
from etude.envs import envs  # noqa: E402
from etude.hardware import teleoperators  # noqa: E402
from etude.policies import checkpoint, policies  # noqa: E402
from etude.policies.loaded import LoadedPolicy, Origin  # noqa: E402
from etude.rollout.agents import TeleoperatorAgent  # noqa: E402
from etude.rollout.coaching_rounds import Notebook  # noqa: E402
from etude.rollout.loop import rollout  # noqa: E402
from etude.rollout.sinks import RecordSink  # noqa: E402

POSES = ("--env.task.poses=true", "--env.cameras")
QUICK = (
    *POSES, "--episodes=3", "--steps=0", "--take_over.patience_s=0.5", "--num_processes=1", "--train.batch_size=4",
    "--train.num_threads=1",
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def table():
    config = envs.config("so101_pick_place")()
    env = envs.build(replace(config, cameras=(), task=replace(config.task, poses=True)))
    yield env
    env.close()


@pytest.fixture(scope="module")
def demonstrations(table, tmp_path_factory):
    root = tmp_path_factory.mktemp("coach") / "demonstrations"
    teleoperator = teleoperators.build(teleoperators.config("scripted")())
    teleoperator.connect()
    specs = {**table.observation, "action": table.action}
    with closing(create_dataset(root, specs, fps=30, robot_type=table.robot.name)) as writer:
        rollout(table, TeleoperatorAgent(teleoperator), [RecordSink(writer, "Put it there.")], seed=0)
    teleoperator.disconnect()
    return root


@pytest.fixture(scope="module")
def skill(table, tmp_path_factory):
    """A policy that has learned nothing."""
    torch.manual_seed(0)
    specs = {**table.observation, "action": table.action}
    rng = np.random.default_rng(0)
    stats = {key: Stats.of(rng.normal(0, 30, (50, *spec.shape)).astype(np.float32)) for key, spec in specs.items()}
    config = policies.config("act").tiny()
    loaded = LoadedPolicy(
        policy=policies.build(config, table.observation, table.action),
        config=config,
        pipeline=config.pipeline(stats, table.observation, table.action),
        observation=table.observation,
        action=table.action,
        origin=Origin(fps=30),
    )
    folder = tmp_path_factory.mktemp("skill")
    checkpoint.save(folder / "act", loaded)
    return folder / "act"


@pytest.fixture
def words(skill, demonstrations, tmp_path):
    return (
        "coach",
        f"--policy.path={skill}",
        f"--dataset.root={demonstrations}",
        *QUICK,
        f"--output_dir={tmp_path}/run",
    )


def corrections(folder, number=1):
    return open_dataset(folder / f"round-{number}" / "corrections")


def test_two_rounds_end_with_a_checkpoint_and_every_number(etude, words, tmp_path):
    code, out, err = etude(*words, "--rounds=2", "--episodes=2", "--steps=2", "--json=true")
    assert code == 0, err
    report = json.loads(out.strip().splitlines()[-1])
    assert report == json.loads((tmp_path / "run" / "coach.json").read_text())
    assert report["corrections_made_by"] == MADE_BY[False]
    assert [told["round"] for told in report["rounds"]] == [1, 2]
    for told in report["rounds"]:
        assert told["episodes"] == told["alone"]["n"] == 2
        assert told["alone"]["successes"] == 0
        assert told["corrections"] + told["failed_corrections"] == 2
    assert report["rounds"][1]["skill"] == report["rounds"][0]["trained"]
    assert (tmp_path / "run" / "checkpoints" / "last").resolve() == (
        tmp_path / "run" / "round-2" / "train" / "checkpoints" / "000002"
    )
    assert "succeeded in 0 of 2: 0 % [0 to 66 at 95 %]" in err
    assert MADE_BY[False] in err
    stored = json.loads((tmp_path / "run" / "round-2" / "train" / "config.json").read_text())["config"]
    assert [root.rpartition("/")[2] for root in stored["dataset"]["root"]] == ["corrections"] * 2 + ["demonstrations"]
    assert sum(stored["dataset"]["weights"][:2]) == pytest.approx(0.5, abs=1e-5)
    assert stored["batch_size"] == 4


def test_corrections_hold_whole_episodes_and_who_drove(etude, words, tmp_path):
    code, _, err = etude(*words, "--take_over.usual_s=0.4")
    assert code == 0, err
    dataset = corrections(tmp_path / "run")
    assert dataset.specs["intervention"].dtype == "bool"
    assert dataset.tasks == ["Put the red block into the bin."]
    for episode in dataset.episodes:
        drove = dataset.take("intervention", np.arange(episode.start, episode.stop))[:, 0]
        assert not drove[:12].any(), "it is given 0.4 s"
        assert drove[12:].all(), "and then he drives to the end"


def test_the_corrections_are_the_same_for_any_number_of_processes(etude, words, tmp_path):
    for processes in (1, 2):
        assert etude(*words, f"--num_processes={processes}", f"--output_dir={tmp_path}/{processes}")[0] == 0
    one, two = (corrections(tmp_path / name) for name in "12")
    assert list(one.episodes.length) == list(two.episodes.length)
    for key in ("action", "observation.state", "intervention"):
        np.testing.assert_array_equal(one.column(key), two.column(key))


def test_enough_corrections_end_the_round(etude, words, tmp_path):
    code, _, err = etude(*words, "--corrections=1", "--episodes=20")
    assert code == 0, err
    assert len(corrections(tmp_path / "run").episodes) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_run_that_was_killed_goes_on_as_if_nothing_had_been(etude, words, tmp_path):
    assert etude(*words, f"--output_dir={tmp_path}/whole")[0] == 0
    process = subprocess.Popen([sys.executable, "-m", "etude", *words], start_new_session=True)
    journal, deadline = tmp_path / "run" / "round-1" / "rollouts.jsonl", time.monotonic() + 120
    while not (journal.exists() and journal.read_text().count("\n")) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done = journal.read_text().splitlines()
    assert done
    code, _, err = etude("coach", "--resume", f"--output_dir={tmp_path}/run")
    assert code == 0, err
    seeds = [json.loads(line)["seed"] for line in journal.read_text().splitlines()]
    assert seeds == [2_000_000_000, 2_000_000_001, 2_000_000_002]
    whole, killed = (corrections(tmp_path / name) for name in ("whole", "run"))
    np.testing.assert_array_equal(whole.column("action"), killed.column("action"))


def test_where_nothing_is_learned_the_skill_stays(etude, words, skill, tmp_path):
    code, _, err = etude(*words, "--episodes=1")
    assert code == 0, err
    assert (tmp_path / "run" / "checkpoints" / "last").resolve() == skill
    assert f"etude eval --policy.path={skill} --env.type=so101_pick_place" in err


def test_a_run_that_is_there_is_not_written_over(etude, words, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text(json.dumps({"command": "coach", "config": {}}))
    code, _, err = etude(*words)
    assert code == 2
    assert "--resume goes on" in err or "Go on with it by --resume" in err


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--env.type=pusht"], "has no demonstrator who could take over. Those that have one: so101_insert, so101"),
        (["--teleop.type=keyboard"], "no keyboard on which a person could say so. Run it in a terminal"),
        (["--teleop.type=fake"], "does not know when to take over"),
        (["--train.batch_sizes=3"], "batch_size"),
        (["--rounds=11"], "--rounds should be 1 to 10"),
        (["--steps=-1"], "--steps should be at least 0, got -1."),
        (["--correction_share=1"], "--correction_share should be between 0 and 1, got 1."),
        (["--take_over.patience_s=0"], "--take_over.patience_s should be above 0"),
        (["--resume", "--output_dir=nowhere"], "no run to go on with"),
    ],
)
def test_a_mistake_is_told_in_a_sentence_before_anything_is_done(etude, words, tmp_path, more, told):
    if "--env.type=pusht" in more:
        words = [word for word in words if word not in POSES]
    code, _, err = etude(*words, *more)
    assert code == 2
    assert told in err
    assert "Traceback" not in err
    assert not (tmp_path / "run").exists()


def test_options_of_training_are_gathered():
    words = expand(["--train.batch_size=8", "--rounds=2", "--train.drop_pauses", "--train.seed", "3"])
    assert words == ["--rounds=2", "--train", "batch_size=8", "drop_pauses=true", "seed=3"]


def test_training_goes_on_as_the_skill_was_trained(skill, demonstrations, tmp_path):
    run = tmp_path / "before"
    (run / "checkpoints").mkdir(parents=True)
    (run / "checkpoints" / "last").symlink_to(skill)
    (run / "config.json").write_text(json.dumps({"command": "train", "config": {}}))
    given = [f"--policy.path={run}/checkpoints/last", f"--dataset.root={demonstrations}", "--minutes_per_round=2"]
    command = parse(COMMAND, expand(given), prog="etude coach")
    learning = Learning(command, tmp_path / "run")
    words = learning._words(1, command.policy.path, [tmp_path / "run/round-1/corrections"], [10])
    assert f"--config={run}/config.json" in words
    assert "--minutes=2" in words
    assert "--steps=None" in words
    assert "--dataset.sample_weights=intervention" in words


class Pressed:
    """Keys that a person presses between one look and the next."""

    is_heard = True

    def __init__(self, *looks):
        self._looks = [list(look) for look in looks]

    def pressed(self):
        return self._looks.pop(0) if self._looks else []


def test_the_space_bar_changes_who_drives_and_never_holds_the_arm():
    keys = TakeOverKeys(Pressed([], ["space"], [], ["space"], ["space", "space"], ["space"]), [], ctrl_c_ends=False)
    judge, told = ByHand(keys), []
    for _ in range(6):
        keys.look()
        assert not keys.is_held
        told.append((judge.look(), judge.hands_back(1)))
    driven, skills = ("by hand", False), ("", True)
    assert told == [skills, driven, driven, skills, skills, driven]
    keys.begin()
    assert judge.look() == "", "the skill begins every scene"


def test_other_keys_mean_what_they_mean_in_a_recording():
    keys = TakeOverKeys(Pressed(["right"], ["left"], ["escape"]), [], ctrl_c_ends=False)
    found = []
    for _ in range(3):
        keys.begin()
        keys.look()
        found.append((keys.is_ended, keys.wants_again, keys.wants_stop))
    assert found == [(True, False, False), (True, True, False), (True, False, True)]


@pytest.fixture
def by_hand(skill, demonstrations, tmp_path, monkeypatch):
    """Coach a scene by `keys`, those of one look after the other; give what is written down, and the scene's folder."""

    def coach(*keys, episodes=1):
        from contextlib import nullcontext

        monkeypatch.setattr("etude.cli.controls.listening", lambda: nullcontext(Pressed(*keys)))
        given = [f"--policy.path={skill}", f"--dataset.root={demonstrations}", *QUICK]
        command = parse(COMMAND, expand(given), prog="etude coach")
        made = CoachedSkill(
            env=command.env, teleop=command.teleop, policy=command.policy, take_over=command.take_over, device="cpu",
            rename_map="",
        )  # fmt: skip
        with closing(Notebook(tmp_path)) as notebook:
            act_by_hand(command, made, notebook, range(episodes))
            return notebook.tally.rollouts

    return coach


def test_what_is_done_by_hand_is_a_correction(by_hand, tmp_path):
    (rollout,) = by_hand([], [], ["space"])
    assert rollout.success
    assert [(each.tick, each.why) for each in rollout.take_overs] == [(2, "by hand")]
    drove = open_dataset(tmp_path / "corrections").column("intervention")[:, 0]
    assert drove.tolist() == [False] * 2 + [True] * rollout.driven


def test_a_scene_is_shown_again_given_up_and_enough(by_hand, tmp_path):
    (rollout,) = by_hand(["left"], [], ["right"], ["escape"], episodes=3)
    assert (rollout.seed, rollout.ticks, rollout.is_alone) == (0, 1, False)
    assert not (tmp_path / "corrections").exists()
