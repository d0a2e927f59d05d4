"""What needs real processes: several that train together, and one that is killed."""

from __future__ import annotations

import itertools
import json
import random
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from etude.core.events import read_events
from etude.core.frame import example
from etude.core.spec import Spec
from etude.data import create_dataset
from etude.policies.act.config import Config
from etude.policies.vqbet import config as vqbet
from etude.policies.weights import read_weights
from etude.train.config import Augment, Average, Optimizer, Scheduler, TrainConfig
from etude.train.loop import train
from etude.train.stored import stored_form

torch.set_num_threads(1)
GOLDEN = Path(__file__).parents[1] / "golden" / "lerobot_v3"


@pytest.fixture
def states(tmp_path):
    """Demonstrations without pictures."""
    specs = {
        key: Spec(shape=(3,), names=("pan", "lift", "gripper"))
        for key in ("observation.state", "observation.environment_state", "action")
    }
    writer = create_dataset(tmp_path / "states", specs)
    random = np.random.default_rng(0)
    for length in (9, 12, 7):
        for _ in range(length):
            writer.add_frame(example(specs, random))
        writer.save_episode("Wave")
    writer.close()
    return tmp_path / "states"


@pytest.fixture
def config(tmp_path, states):
    """Without anything random, statistics of batches, or padding, whose share of a batch would weigh."""
    return TrainConfig(
        datasets=(states,),
        policy=replace(Config.tiny(), use_vae=False, drop_n_last_frames=3),
        output_dir=tmp_path / "run",
        steps=3,
        batch_size=8,
        scheduler=Scheduler(num_warmup_steps=2),
        augment=Augment(shift_px=0, brightness=0.0),
        log_freq=1,
        device="cpu",
        bf16="off",
        cache_gb=0,
        num_threads=1,
    )


def _weights(config):
    return read_weights(config.output_dir / "checkpoints" / "last" / "training_state" / "state.safetensors")


def _events(config, kind):
    return [event for event in read_events(config.output_dir / "events.jsonl") if event["kind"] == kind]


def _free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _start(config, folder, num_processes=1, *, resume=False):
    path = folder / "config.json"
    path.write_text(json.dumps(stored_form(config)))
    script = Path(__file__).with_name("run_in_processes.py")
    command = [sys.executable, str(script), str(path), str(num_processes), str(_free_port())]
    command += ["resume"] * resume
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def test_two_processes_learn_what_one_does_from_double_batches(config, tmp_path):
    train(config)
    halves = replace(config, batch_size=4, output_dir=tmp_path / "halves")
    process = _start(halves, tmp_path, num_processes=2)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 0, told
    whole, parts = _weights(config), _weights(halves)
    assert whole.keys() == parts.keys()
    # Sums of 8 are taken as sums of sums of 4, so the last bits differ, and Adam carries them on.
    worst = max(float((whole[name] - parts[name]).abs().max()) for name in whole if name.startswith(("policy", "ema")))
    assert worst < 1e-5
    losses = [[event["loss"] for event in _events(each, "step")] for each in (config, halves)]
    np.testing.assert_allclose(*losses, rtol=1e-5)
    assert len(_events(halves, "saved")) == 1, "only the first process writes"


@pytest.mark.parametrize("local_steps", [2, 3])
def test_processes_that_learn_by_themselves_end_together(config, tmp_path, local_steps):
    """One clock goes a thousand times as fast as the other; the first one's counts, at meetings."""
    timed = replace(config, steps=None, minutes=5 / 60, batch_size=4, local_steps=local_steps)
    process = _start(timed, tmp_path, num_processes=2)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 0, told
    assert len(_events(timed, "step")) == 6
    assert [event["step"] for event in _events(timed, "saved")] == [6]


def test_processes_go_by_one_clock(config, tmp_path):
    """An update takes a second by the first process's clock, and all learn at the rate that this one says."""
    timed = replace(config, steps=None, minutes=5 / 60)
    train(timed, clock=itertools.count().__next__)
    halves = replace(timed, batch_size=4, output_dir=tmp_path / "halves")
    process = _start(halves, tmp_path, num_processes=2)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 0, told
    rates = [[event["lr"] for event in _events(each, "step")] for each in (timed, halves)]
    assert rates[0] == rates[1]
    assert len(rates[0]) == 5
    whole, parts = _weights(timed), _weights(halves)
    worst = max(float((whole[name] - parts[name]).abs().max()) for name in whole if name.startswith("policy"))
    assert worst < 1e-5


def test_weights_averaged_after_one_update_are_what_averaged_gradients_make(config, tmp_path):
    """With so large an `eps` Adam's step is in proportion to the gradient, so the order does not matter."""
    linear = Optimizer(eps=1e7, grad_clip_norm=0.0)
    config = replace(config, optimizer=linear, policy=replace(config.policy, optimizer_lr=1e5))
    untrained = replace(config, steps=0, output_dir=tmp_path / "untrained")
    train(untrained)
    train(config)
    local = replace(config, batch_size=4, local_steps=100, save_freq=1, output_dir=tmp_path / "local")
    process = _start(local, tmp_path, num_processes=2)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 0, told
    before, whole, parts = _weights(untrained), _weights(config), _weights(local)
    moved = [name for name in whole if name.startswith("policy.") and (whole[name] - before[name]).abs().max() > 1e-3]
    assert moved, "the updates were too small to tell"
    for name in moved:
        torch.testing.assert_close(parts[name], whole[name], rtol=1e-4, atol=1e-5)


def test_processes_that_learn_by_themselves_go_on_to_the_same_bits(config, tmp_path):
    """After a meeting all hold what the first one saved: weights and moments."""
    local = replace(config, batch_size=4, local_steps=2, save_freq=3, steps=7)
    straight = replace(local, output_dir=tmp_path / "straight")
    for each, resume in ((straight, False), (replace(local, steps=3), False), (local, True)):
        process = _start(each, tmp_path, num_processes=2, resume=resume)
        _, told = process.communicate(timeout=120)
        assert process.returncode == 0, told
    wanted, got = _weights(straight), _weights(local)
    assert [key for key in wanted if not torch.equal(wanted[key], got[key])] == []


def test_codebooks_follow_the_batches_of_all_processes(config, tmp_path):
    """Both phases of VQ-BeT, without anything random: codes as cold as can be, and none that start anew."""
    cold = {"bet_softmax_temperature": 1e-6, "vqvae_threshold_ema_dead_code": 0.0, "n_vqvae_training_steps": 2}
    config = replace(config, policy=replace(vqbet.Config.tiny(), **cold))
    train(config)
    halves = replace(config, batch_size=4, output_dir=tmp_path / "halves")
    process = _start(halves, tmp_path, num_processes=2)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 0, told
    whole, parts = _weights(config), _weights(halves)
    books = [name for name in whole if name.startswith("policy.") and "vq_layer" in name]
    assert any(name.endswith("embed") for name in books)
    for name in books:
        torch.testing.assert_close(parts[name], whole[name], rtol=1e-4, atol=1e-5)
    worst = max(float((whole[name] - parts[name]).abs().max()) for name in whole if name.startswith("policy.policy"))
    assert worst < 1e-5


def test_accumulated_batches_make_the_update_of_one_large_batch(config, tmp_path):
    train(config)
    parts = replace(config, batch_size=2, grad_accum_steps=4, output_dir=tmp_path / "parts")
    train(parts)
    whole, parts = _weights(config), _weights(parts)
    worst = max(float((whole[name] - parts[name]).abs().max()) for name in whole if name.startswith(("policy", "ema")))
    assert worst < 1e-5


def test_a_killed_run_goes_on_to_the_same_bits(config, tmp_path):
    demanding = replace(
        config,
        datasets=(GOLDEN,),
        policy=replace(Config.tiny(), dropout=0.1),
        steps=24,
        batch_size=2,
        grad_accum_steps=2,
        save_freq=3,
        keep_checkpoints=2,
        augment=Augment(),
        ema=Average(law="power", decay=0.9999),
    )
    straight = replace(demanding, output_dir=tmp_path / "straight")
    train(straight)
    process = _start(demanding, tmp_path)
    deadly = random.randrange(4, 14)
    while len(_events(demanding, "step")) < deadly:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.003)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    last = int((demanding.output_dir / "checkpoints" / "last").resolve().name)
    assert last < demanding.steps, "it was killed too late to tell"
    train(demanding, resume=True)
    wanted, got = _weights(straight), _weights(demanding)
    assert wanted.keys() == got.keys()
    assert [key for key in wanted if not torch.equal(wanted[key], got[key])] == [], f"killed at {deadly}"
    assert not list((demanding.output_dir / "checkpoints").glob(".*")), "what the killed save left is gone"


@pytest.mark.slow
def test_the_command_starts_its_processes_itself(tmp_path):
    words = [
        "train", f"--dataset.root={GOLDEN}", "--policy.preset=tiny", "--steps=2", "--batch_size=2", "--num_processes=2",
        "--device=cpu", "--bf16=off", f"--output_dir={tmp_path / 'run'}",
    ]  # fmt: skip
    done = subprocess.run([sys.executable, "-m", "etude", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("Checkpoint: ") == 1, "the first process speaks"
    wrong = [*words[:-1], f"--output_dir={tmp_path / 'other'}", "--holdout_episodes=9"]
    done = subprocess.run([sys.executable, "-m", "etude", *wrong], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("leaves nothing to learn from") == 1
    assert "Traceback" not in done.stderr
