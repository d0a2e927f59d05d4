"""The main job by the commands a user types, each in a process of its own, every part real."""

import json
import os
import re
import select
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from etude.core.events import read_events

SIM = ("--robot.type=so101_follower", "--robot.port=sim")
TASK = "--dataset.single_task=Put the block into the bin"


def test_what_was_recorded_is_sound_and_told(etude, recorded):
    assert etude("dataset", "check", recorded).returncode == 0
    facts = json.loads(etude("dataset", "info", recorded, "--json").stdout)
    assert facts["total_episodes"] == 3
    assert 3 * 60 < facts["total_frames"] < 3 * 450


def test_recording_refuses_to_overwrite_and_resumes(etude, recorded, tmp_path):
    import shutil

    root = tmp_path / "copy"
    shutil.copytree(recorded, root)
    words = ("record", *SIM, f"--dataset.root={root}", "--dataset.num_episodes=1", TASK)
    refused = etude(*words)
    assert refused.returncode == 2
    assert "--resume" in refused.stderr
    assert etude(*words, "--resume=true").returncode == 0
    assert json.loads(etude("dataset", "info", root, "--json").stdout)["total_episodes"] == 4
    assert etude("dataset", "check", root).returncode == 0


def test_the_same_seed_records_the_same_episode(etude, recorded, tmp_path):
    from etude.data import open_dataset

    words = ("record", *SIM, f"--dataset.root={tmp_path / 'd'}", "--dataset.num_episodes=1", TASK, "--seed=0")
    assert etude(*words).returncode == 0
    again, first = open_dataset(tmp_path / "d"), open_dataset(recorded)
    np.testing.assert_array_equal(again.column("action"), first.column("action")[: len(again.column("action"))])


def test_a_replay_follows_the_recording(etude, recorded):
    done = etude("replay", *SIM, f"--dataset.root={recorded}", "--dataset.episode=0")
    assert done.returncode == 0, done.stderr
    strayed = float(re.search(r"joints were ([\d.]+) off", done.stderr)[1])
    assert strayed < 0.5


def test_a_replay_in_other_units_is_refused(etude, recorded):
    done = etude("replay", *SIM, "--robot.use_degrees=false", f"--dataset.root={recorded}")
    assert done.returncode == 2
    assert "tells joints in degrees" in done.stderr
    assert "--robot.use_degrees=true" in done.stderr


def test_training_goes_on_where_it_was(etude, recorded, trained):
    assert (trained / "checkpoints" / "last" / "pretrained_model" / "model.safetensors").exists()
    done = etude(
        "train", "--policy.type=act", "--policy.preset=tiny", f"--dataset.root={recorded}", f"--output_dir={trained}",
        "--steps=8", "--batch_size=4", "--resume",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    steps = [event["step"] for event in read_events(trained / "events.jsonl") if event["kind"] == "saved"]
    assert steps == [6, 8]


def test_a_stored_run_can_be_run_again(etude, trained, tmp_path):
    done = etude("train", f"--config={trained / 'config.json'}", f"--output_dir={tmp_path / 'again'}", "--steps=2")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "again" / "checkpoints" / "last").exists()


def test_evaluation_counts_films_and_says_how_sure_it_is(etude, trained, tmp_path):
    done = etude(
        "eval", f"--policy.path={trained}/checkpoints/last", "--env.type=so101_pick_place", "--eval.n_episodes=2",
        "--seed=1", "--json", f"--output_dir={tmp_path}", "--env.max_seconds=2",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    score = json.loads(done.stdout.splitlines()[-1])
    assert score["n"] == 2
    assert 0 <= score["low"] <= score["success_rate"] <= score["high"] <= 1
    assert (tmp_path / "rollouts.mp4").stat().st_size > 1000


def test_both_names_of_a_checkpoint_give_the_same_chunk(etude, trained, recorded, tmp_path):
    from etude.data import open_dataset

    dataset = open_dataset(recorded)
    rows = np.array([5])
    frame = {key: dataset.images(key, rows)[0] for key in dataset.specs if "images" in key}
    frame["observation.state"] = dataset.column("observation.state")[5]
    np.savez(tmp_path / "frame.npz", **frame)
    chunks = []
    for name in ("last", "last/pretrained_model"):
        done = etude(
            "policy", "act", trained / "checkpoints" / name, "--input", tmp_path / "frame.npz",
            "--output", tmp_path / "chunk.npz",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        chunks.append(np.load(tmp_path / "chunk.npz")["action"])
    assert chunks[0].shape == (4, 6)
    np.testing.assert_array_equal(*chunks)
    low, high = dataset.stats["action"].min - 60, dataset.stats["action"].max + 60
    assert ((chunks[0] > low) & (chunks[0] < high)).all(), "actions are in the dataset's units"


def test_runs_lists_what_was_run(etude, trained):
    lines = etude("runs", "--limit=99").stdout.splitlines()
    assert any("train" in line and str(trained) in line for line in lines)


def test_the_doctor_finds_the_checkpoint_well(etude, trained):
    done = etude("doctor", trained / "checkpoints" / "last")
    assert done.returncode == 0, done.stdout
    assert "golden" in done.stdout
    assert "trouble" not in done.stdout


@pytest.fixture
def served(tmp_path):
    """An arm behind a pseudo-terminal, as `etude sim` serves it; gives its link and what it printed."""
    link = tmp_path / "arm"
    words = ["sim", "--robot.type=so101_follower", f"--link={link}", "--width=128", "--height=96"]
    process = subprocess.Popen([sys.executable, "-m", "etude", *words], stdout=subprocess.PIPE, text=True)
    printed, limit = "", time.monotonic() + 60
    while "stops" not in printed and time.monotonic() < limit and process.poll() is None:
        if select.select([process.stdout], [], [], 1)[0]:
            printed += os.read(process.stdout.fileno(), 4096).decode()
    yield link, printed
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    process.stdout.close()
    assert not link.is_symlink(), "the link is gone with the arm"


def test_a_policy_runs_on_a_pseudo_terminal_with_pictures(etude, served, trained):
    link, printed = served
    cameras = re.search(r'--robot.cameras="(.*)"', printed)[1]
    done = etude(
        "run", f"--policy.path={trained}/checkpoints/last", "--robot.type=so101_follower", f"--robot.port={link}",
        "--robot.id=served", f"--robot.cameras={cameras}", "--duration_s=1",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Ran 30 ticks" in done.stderr
