import json
from contextlib import closing

import numpy as np
import pytest

pytest.importorskip("gym_pusht")
torch = pytest.importorskip("torch")

from etude.cli.main import main  # noqa: E402
from etude.core.stats import Stats  # noqa: E402
from etude.data import create_dataset  # noqa: E402
from etude.envs import envs  # noqa: E402
from etude.policies import checkpoint, policies  # noqa: E402
from etude.policies.loaded import LoadedPolicy, Origin  # noqa: E402
from etude.rollout.agents import ReplayAgent  # noqa: E402
from etude.rollout.loop import rollout  # noqa: E402
from etude.rollout.sinks import RecordSink  # noqa: E402

PUSHT = ("--env.type=pusht", "--env.preset=keypoints", "--env.episode_length=12", "--eval.num_processes=1")


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def pusht():
    env = envs.build(envs.config("pusht").keypoints())
    yield env
    env.close()


@pytest.fixture(scope="module")
def trained(pusht, tmp_path_factory):
    """An untrained tiny policy of each of two kinds that fits PushT by points."""
    folder = tmp_path_factory.mktemp("policies")
    specs = {**pusht.observation, "action": pusht.action}
    rng = np.random.default_rng(0)
    stats = {key: Stats.of(rng.uniform(0, 512, (50, *spec.shape)).astype(np.float32)) for key, spec in specs.items()}
    for kind in ("act", "diffusion"):
        torch.manual_seed(0)
        config = policies.config(kind).tiny()
        loaded = LoadedPolicy(
            policy=policies.build(config, pusht.observation, pusht.action),
            config=config,
            pipeline=config.pipeline(stats, pusht.observation, pusht.action),
            observation=pusht.observation,
            action=pusht.action,
            origin=Origin(fps=20),
        )
        checkpoint.save(folder / kind, loaded)
    return folder


@pytest.fixture(scope="module")
def dataset(pusht, tmp_path_factory):
    root = tmp_path_factory.mktemp("data") / "pusht"
    with closing(create_dataset(root, {**pusht.observation, "action": pusht.action}, fps=10)) as writer:
        for seed in range(2):
            actions = np.random.default_rng(seed).uniform(100, 400, (9, 2)).astype(np.float32)
            rollout(pusht, ReplayAgent(actions), [RecordSink(writer, "Push the T.")], seed=seed)
    return root


def evaluated(policy, folder, *words):
    code = main(["eval", f"--policy.path={policy}", f"--output_dir={folder}", "--eval.n_episodes=3", *PUSHT, *words])
    assert code == 0
    return json.loads((folder / "eval.json").read_text())


def test_every_setting_is_stored_beside_the_result(trained, tmp_path, capsys):
    stored = evaluated(trained / "act", tmp_path, "--policy.replan=2", "--eval.videos=1")
    assert stored["summary"]["n"] == len(stored["rollouts"]) == 3
    assert [rollout["seed"] for rollout in stored["rollouts"]] == [1_000_000_000 + number for number in range(3)]
    assert {"type": "pusht", "hz": 10.0, "episode_length": 12}.items() <= stored["environment"].items()
    assert {"type": "act", "replan": 2, "path": str(trained / "act")}.items() <= stored["policy"].items()
    assert len(stored["policy"]["sha256"]) == 64
    assert {"device": "cpu", "dtype": ["float32"], "num_threads": 1}.items() <= stored["machine"].items()
    assert {"python", "torch", "gym-pusht"} <= set(stored["machine"]["versions"])
    assert (tmp_path / "rollouts.mp4").exists()
    assert (tmp_path / "failures.mp4").exists()
    told = capsys.readouterr().err
    assert "0 of 3 succeeded: 0 % [0 to 56 at 95 %]" in told
    assert "18 chunks of actions" in told
    assert "trained at 20 frames per second and acted at 10" in told


def test_an_evaluation_takes_no_other_ones_place(trained, tmp_path, capsys):
    before = evaluated(trained / "act", tmp_path)
    assert main(["eval", f"--policy.path={trained / 'act'}", f"--output_dir={tmp_path}", *PUSHT]) == 2
    assert "already holds an evaluation" in capsys.readouterr().err
    assert json.loads((tmp_path / "eval.json").read_text()) == before


def test_a_policy_that_samples_repeats_bit_for_bit(trained, tmp_path):
    one, again = (evaluated(trained / "diffusion", tmp_path / name, "--eval.videos=0") for name in ("a", "b"))
    assert one["rollouts"] == again["rollouts"]
    other = evaluated(trained / "diffusion", tmp_path / "c", "--eval.videos=0", "--seed=1")
    assert other["rollouts"][0]["action_jerk"] != one["rollouts"][0]["action_jerk"]


@pytest.mark.parametrize("kind", ["act", "diffusion"])
def test_rollouts_side_by_side_go_as_alone_but_for_rounding(trained, tmp_path, kind):
    folders = {"alone": "1", "batch": "2", "again": "2"}
    found = {
        name: evaluated(trained / kind, tmp_path / name, "--eval.videos=0", f"--eval.batch_size={size}")
        for name, size in folders.items()
    }
    assert found["batch"]["rollouts"] == found["again"]["rollouts"]
    assert found["batch"]["machine"]["batch_size"] == 2
    for one, other in zip(found["alone"]["rollouts"], found["batch"]["rollouts"], strict=True):
        assert one["seed"] == other["seed"]
        assert other["action_jerk"] == pytest.approx(one["action_jerk"], rel=1e-3)


@pytest.mark.slow
def test_so_it_does_in_several_processes(trained, tmp_path):
    one = evaluated(trained / "diffusion", tmp_path / "a", "--eval.videos=0")
    shared = evaluated(trained / "diffusion", tmp_path / "b", "--eval.videos=0", "--eval.num_processes=2")
    assert one["rollouts"] == shared["rollouts"]


def test_two_evaluations_are_compared(trained, tmp_path, capsys):
    for name in ("act", "diffusion"):
        evaluated(trained / name, tmp_path / name, "--eval.videos=0")
    capsys.readouterr()
    assert main(["eval", "compare", str(tmp_path / "act"), str(tmp_path / "diffusion" / "eval.json")]) == 0
    told = capsys.readouterr().out
    assert "No difference is shown: diffusion has +0 points" in told
    assert "in the same 3 scenes" in told
    assert "policy.type (act and diffusion)" in told
    assert main(["eval", "compare", "--json", str(tmp_path / "act"), str(tmp_path / "diffusion")]) == 0
    (found,) = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (found["is_paired"], found["is_real"], found["p"]) == (True, False, 1.0)


def test_other_environments_are_not_compared_unless_that_is_wanted(trained, tmp_path, capsys):
    evaluated(trained / "act", tmp_path / "a", "--eval.videos=0")
    evaluated(trained / "act", tmp_path / "b", "--eval.videos=0", "--env.episode_length=9")
    both = [str(tmp_path / "a"), str(tmp_path / "b")]
    assert main(["eval", "compare", *both]) == 2
    assert "a and b did not run in the same environment: episode_length is 12 and 9." in capsys.readouterr().err
    assert main(["eval", "compare", "--any_env", *both]) == 0


def test_one_evaluation_cannot_be_compared(tmp_path, capsys):
    assert main(["eval", "compare", str(tmp_path)]) == 2
    assert "Two evaluations at least" in capsys.readouterr().err


def test_an_evaluation_is_not_compared_with_itself(tmp_path, capsys):
    assert main(["eval", "compare", str(tmp_path / "one"), str(tmp_path / "one")]) == 2
    assert "One evaluation is named twice" in capsys.readouterr().err


def test_actions_are_compared_with_a_dataset(trained, dataset, tmp_path, capsys):
    words = ["eval", f"--policy.path={trained / 'act'}", f"--dataset.root={dataset}", f"--output_dir={tmp_path}"]
    assert main([*words, "--json"]) == 0
    told = capsys.readouterr()
    found = json.loads(told.out.splitlines()[-1])
    assert found["frames"] == 18
    assert len(found["policy"]["by_joint"]) == 2
    assert len(found["policy"]["by_time"]) == 4
    assert {"hold_state", "mean_action", "latency"} <= set(found)
    assert json.loads((tmp_path / "open_loop.json").read_text()) == found
    for word in ("motor_1", "after 0 s", "holding still", "mean action"):
        assert word.split()[0] in told.err
    assert main([*words, "--dataset.episodes", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["frames"] == 9
    assert main([*words, "--dataset.episodes", "5"]) == 2
    assert "--dataset.episodes should be between 0 and 1, got 5." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--env.type=xarm",), "gym-xarm's last release"),
        (("--env.type=pusht",), "observation.environment_state"),
        (("--eval.n_episodes=0",), "--eval.n_episodes should be at least 1"),
        (("--eval.num_processes=-1",), "--eval.num_processes should be at least 0"),
    ],
)
def test_a_mistake_is_one_sentence(trained, tmp_path, capsys, words, told):
    base = ["eval", f"--policy.path={trained / 'act'}", f"--output_dir={tmp_path}", "--eval.num_processes=1"]
    assert main([*base, *words]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert "Traceback" not in error
