from __future__ import annotations

import json
import os
import sqlite3
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from etude.core.errors import MissingExtra, NotFound
from etude.policies.act.config import Config
from etude.train.config import TrainConfig
from etude.train.loop import train
from etude.train.stored import stored_form
from etude.train.tracking import TRACKERS, Tracking, tracked
from etude.train.watchers import Watcher

HEARD = {"train/loss", "train/l1", "train/lr", "train/grad_norm", "train/samples_per_s"}


class Succeeds(Watcher):
    """Reports a success rate at each checkpoint, as evaluation in simulation does."""

    def begin(self, run):
        self.run = run

    def saved(self, step, folder):
        self.run.report("evaluation", success_rate=step / 10, n=10, latency={"p50": 0.5}, reward=None)


def test_tensorboard_gets_losses_scores_config_and_checkpoints(config):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    train(config, watchers=[*tracked("tensorboard", "arm", print), Succeeds()])
    stored = EventAccumulator(str(config.output_dir / "tensorboard"), size_guidance={"scalars": 0, "tensors": 0})
    stored.Reload()
    tags = stored.Tags()
    assert set(tags["scalars"]) >= HEARD | {"validation/validation_loss", "evaluation/success_rate"}
    assert "evaluation/latency/p50" in tags["scalars"]
    assert "evaluation/reward" not in tags["scalars"]
    assert [event.step for event in stored.Scalars("train/loss")] == [1, 2, 3, 4, 5, 6]
    assert [event.value for event in stored.Scalars("evaluation/success_rate")] == pytest.approx([0.3, 0.6])
    told = {tag: [event.tensor_proto.string_val[0] for event in stored.Tensors(tag)] for tag in tags["tensors"]}
    assert [Path(text.decode()).name for text in told["checkpoint/text_summary"]] == ["000003", "000006"]
    assert '"batch_size": 8' in told["config/text_summary"][0].decode()


def test_what_a_killed_run_told_too_much_is_told_again(config):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    class Dies(Watcher):
        def step(self, step, values):
            if step == 5:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(config, watchers=[*tracked("tensorboard", "arm", print), Dies()])
    train(config, resume=True, watchers=tracked("tensorboard", "arm", print))
    stored = EventAccumulator(str(config.output_dir / "tensorboard"))
    stored.Reload()
    assert [event.step for event in stored.Scalars("train/loss")] == [1, 2, 3, 4, 5, 6]


SCRIPT = """
import json, sys
from etude.policies.act.config import Config
from etude.train.config import TrainConfig
from etude.train.loop import train
from etude.train.stored import read_config
from etude.train.tracking import tracked
config = read_config(json.loads(sys.argv[1]), "argv")
train(config, watchers=tracked(sys.argv[2], "arm", print))
"""


def _wandb_records(path):
    """Read a .wandb file: a header, then LevelDB's log of blocks, whose records may be cut at a block's end."""
    from wandb.proto import wandb_internal_pb2

    data, place, whole = path.read_bytes(), 7, b""
    assert data[:4] == b":W&B"
    while place + 7 <= len(data):
        left = 32768 - place % 32768
        if left < 7:
            place += left
            continue
        _, size, kind = struct.unpack("<IHB", data[place : place + 7])
        whole += data[place + 7 : place + 7 + size]
        place += 7 + size
        if kind in (1, 4):  # a whole record, or the last part of one
            yield wandb_internal_pb2.Record.FromString(whole)
            whole = b""


def _items(items):
    return {item.key or "/".join(item.nested_key): item.value_json for item in items}


@pytest.fixture(scope="module")
def offline(tmp_path_factory):
    """Train in a process of its own: these trackers start threads and processes and leave settings behind."""
    pytest.importorskip("wandb")
    pytest.importorskip("trackio")
    folder = tmp_path_factory.mktemp("offline")
    config = TrainConfig(
        datasets=(Path(__file__).parents[1] / "golden" / "lerobot_v3",),
        policy=Config.tiny(),
        output_dir=folder / "run",
        holdout_episodes=1,
        steps=2,
        batch_size=2,
        log_freq=1,
        device="cpu",
        bf16="off",
        cache_gb=0,
    )
    env = os.environ | {"WANDB_MODE": "offline", "TRACKIO_DIR": str(folder / "trackio"), "OMP_NUM_THREADS": "1"}
    words = [sys.executable, "-c", SCRIPT, json.dumps(stored_form(config)), "wandb,trackio"]
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "", "standard output is kept for results, and nothing failed"
    return folder


@pytest.mark.slow
def test_wandb_writes_its_run_without_a_network(offline):
    identity = json.loads((offline / "run" / "wandb.json").read_text())["id"]
    (path,) = (offline / "run" / "wandb").glob(f"offline-run-*/run-{identity}.wandb")
    records = list(_wandb_records(path))
    history = [_items(record.history.item) for record in records if record.WhichOneof("record_type") == "history"]
    assert [row["step"] for row in history if "train/loss" in row] == ["1", "2"]
    assert any("validation/validation_loss" in row for row in history)
    (started,) = (record.run for record in records if record.WhichOneof("record_type") == "run")
    assert started.project == "arm"
    assert {"batch_size", "policy"} <= _items(started.config.update).keys()
    summaries = [_items(record.summary.update) for record in records]
    assert any("000002" in summary.get("checkpoint", "") for summary in summaries)


@pytest.mark.slow
def test_trackio_writes_its_database_without_a_network(offline):
    with sqlite3.connect(offline / "trackio" / "arm.db") as database:
        rows = database.execute("SELECT step, metrics FROM metrics ORDER BY id").fetchall()
    told = [(step, json.loads(metrics)) for step, metrics in rows]
    assert [step for step, metrics in told if "train/loss" in metrics] == [1, 2]
    assert any("validation/validation_loss" in metrics for _, metrics in told)
    assert any(str(metrics.get("checkpoint", "")).endswith("000002") for _, metrics in told)


def test_a_tracker_that_fails_is_left_out_with_one_warning(config, monkeypatch):
    class Full:
        def __init__(self, run, project):
            pass

        def log(self, step, values):
            raise OSError("No space left on device")

        saved = close = log

    monkeypatch.setitem(TRACKERS, "full", ("json", Full))
    told = []
    train(config, watchers=[Tracking("full", "arm", told.append)])
    assert told == ["warning: full failed and hears no more of this run: No space left on device"]


def test_unknown_and_missing_trackers_are_named(monkeypatch):
    with pytest.raises(NotFound, match="Did you mean 'tensorboard'"):
        tracked("tensorbord", "arm", print)
    monkeypatch.setitem(TRACKERS, "trackio", ("not_installed_here", object))
    with pytest.raises(MissingExtra, match=r"pip install 'etude\[trackio\]'"):
        tracked("trackio", "arm", print)
