from __future__ import annotations

import errno
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import SafetensorError

from etude.core.errors import CheckpointError, ConfigError, SpecMismatch
from etude.core.frame import example
from etude.core.spec import Spec
from etude.policies import checkpoint
from etude.policies.act.config import Config
from etude.policies.loaded import Origin
from etude.policies.weights import read_weights, write_weights

NAMES = ("pan", "lift", "gripper")
ARM = Spec(shape=(3,), names=NAMES, unit="deg")
SPECS = {"observation.state": ARM, "observation.images.front": Spec(shape=(48, 64, 3), dtype="uint8")}


@pytest.fixture
def loaded(untrained):
    origin = Origin(fps=30, robot_type="so_follower", tasks=("Stack",), step=7, dataset="mine")
    return untrained(Config.tiny(), SPECS, ARM, origin=origin)


@pytest.fixture
def saved(loaded, tmp_path):
    checkpoint.save(tmp_path / "run" / "pretrained_model", loaded)
    return tmp_path / "run" / "pretrained_model"


def test_the_folder_holds_everything(saved, loaded):
    assert sorted(path.name for path in saved.iterdir()) == [
        "README.md",
        "config.json",
        "golden.safetensors",
        "model.safetensors",
        "pipeline.json",
        "pipeline.safetensors",
        "specs.json",
    ]
    again = checkpoint.load(saved)
    assert again.origin == loaded.origin
    assert again.action == ARM
    assert again.n_action_steps == 2
    card = (saved / "README.md").read_text()
    assert all(word in card for word in ("Stack", "so_follower", "30 Hz", "pan, lift, gripper"))


def test_the_folder_around_it_is_as_good(saved):
    assert checkpoint.load(saved.parent).origin.step == 7


def test_saving_again_replaces_and_leaves_no_rest(saved, loaded):
    checkpoint.save(saved, replace(loaded, origin=Origin(step=8)))
    assert checkpoint.load(saved).origin.step == 8
    assert [path.name for path in saved.parent.iterdir()] == ["pretrained_model"]


def test_a_failed_save_leaves_the_old_one(saved, loaded):
    broken = replace(loaded, policy=torch.nn.Linear(1, 1))
    with pytest.raises(AttributeError):
        checkpoint.save(saved, broken)
    assert checkpoint.load(saved).origin.step == 7
    assert [path.name for path in saved.parent.iterdir()] == ["pretrained_model"]


def test_verify_sees_a_changed_weight(saved):
    assert checkpoint.verify(saved) == 0.0
    tensors = read_weights(saved / "model.safetensors")
    tensors["action_head.bias"] += 0.01
    write_weights(saved / "model.safetensors", tensors)
    assert checkpoint.verify(saved) > 1e-3


def test_loading_lists_what_does_not_fit(saved):
    tensors = read_weights(saved / "model.safetensors")
    tensors["action_head.bias"] = torch.zeros(9)
    tensors["surprise"] = tensors.pop("action_head.weight")
    write_weights(saved / "model.safetensors", tensors)
    with pytest.raises(CheckpointError) as caught:
        checkpoint.load(saved)
    text = str(caught.value)
    assert "1 missing (action_head.weight [3, 16])" in text
    assert "1 unknown (surprise [3, 16])" in text
    assert "1 of another shape (action_head.bias [9] instead of [3])" in text


def test_a_misspelt_tensor_is_found_its_right_name(saved):
    tensors = read_weights(saved / "model.safetensors")
    tensors["action_haed.bias"] = tensors.pop("action_head.bias")
    write_weights(saved / "model.safetensors", tensors)
    with pytest.raises(CheckpointError, match=r"action_head\.bias \[3\], perhaps action_haed\.bias"):
        checkpoint.load(saved)


def test_a_pickle_under_another_name_is_known(saved):
    torch.save({"action_head.bias": torch.zeros(3)}, saved / "model.safetensors")
    with pytest.raises(CheckpointError, match="a pickle under another name"):
        checkpoint.load(saved)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("config.json", "{", "cannot be read"),
        ("config.json", "[]", "should hold a JSON object"),
        ("config.json", '{"version": 1, "type": "atc"}', "Did you mean 'act'"),
        ("config.json", '{"version": 99, "type": "act"}', "Upgrade Etude"),
        ("config.json", '{"type": "act", "dim_modle": 3}', "Did you mean 'dim_model'"),
        ("specs.json", "{}", "should"),
        ("pipeline.json", '{"inputs": [{"type": "Rezise"}], "outputs": []}', "no transform named 'Rezise'"),
        ("pipeline.json", '{"inputs": [{"type": "Resize", "sise": 3}], "outputs": []}', "no field 'sise'"),
        ("pipeline.json", "{}", "the pipeline cannot be read"),
        ("model.safetensors", "not weights", "no sound safetensors file"),
    ],
)
def test_damage_is_named(saved, file, content, message):
    (saved / file).write_text(content)
    with pytest.raises(CheckpointError, match=message):
        checkpoint.load(saved)


@pytest.mark.parametrize("file", ["config.json", "model.safetensors", "pipeline.json", "pipeline.safetensors"])
def test_a_missing_file_is_named(saved, file):
    (saved / file).unlink()
    with pytest.raises(CheckpointError):
        checkpoint.load(saved)


def test_pickles_are_refused(tmp_path):
    (tmp_path / "model.pt").write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"model\.pt is a pickle"):
        checkpoint.load(tmp_path)
    with pytest.raises(CheckpointError, match="a pickle can run any program"):
        read_weights(tmp_path / "model.pt")


def test_a_full_disk_is_told_as_one(tmp_path, monkeypatch):
    def full(*_, **__):
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr("etude.policies.weights.save_file", full)
    with pytest.raises(OSError, match="No space left") as caught:
        write_weights(tmp_path / "a.safetensors", {})
    assert caught.value.errno == errno.ENOSPC


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CheckpointError, match="there is no such folder"):
        checkpoint.load(tmp_path / "nowhere")


def test_a_training_run_names_its_last_checkpoint(tmp_path, loaded):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "events.jsonl").touch()
    checkpoint.save(tmp_path / "checkpoints" / "last", loaded)
    for folder in (tmp_path, tmp_path / "checkpoints"):
        with pytest.raises(CheckpointError, match=r"its last checkpoint is .*checkpoints.last") as caught:
            checkpoint.load(folder)
        assert caught.value.exit_code == 2
    checkpoint.load(tmp_path / "checkpoints" / "last")


def test_an_unknown_device_is_refused(saved):
    with pytest.raises(ConfigError, match="no device named 'gpu9'"):
        checkpoint.load(saved, device="gpu9")


class TestFitting:
    def test_the_same_robot_fits(self, loaded):
        loaded.check_fits(SPECS | {"observation.extra": ARM}, ARM)

    def test_another_picture_size_fits_since_pictures_are_resized(self, loaded):
        loaded.check_fits(SPECS | {"observation.images.front": Spec(shape=(96, 96, 3), dtype="uint8")}, ARM)

    def test_a_missing_camera_does_not(self, loaded):
        with pytest.raises(ConfigError, match=r"no 'observation\.images\.front'.*Give it a camera named 'front'"):
            loaded.check_fits({"observation.state": ARM}, ARM)

    def test_a_camera_of_another_name_is_proposed(self, loaded):
        specs = {"observation.state": ARM, "observation.images.top": SPECS["observation.images.front"]}
        proposal = """--rename_map='{"observation.images.top": "observation.images.front"}'"""
        with pytest.raises(ConfigError) as caught:
            loaded.check_fits(specs, ARM)
        assert proposal in str(caught.value)
        loaded.fed_by({"observation.images.top": "observation.images.front"}).check_fits(specs, ARM)

    def test_joints_in_another_order_do_not(self, loaded):
        with pytest.raises(SpecMismatch, match="joints in the order pan, lift, gripper"):
            loaded.check_fits(SPECS, replace(ARM, names=("lift", "pan", "gripper")))

    def test_a_wrong_frame_is_refused(self, loaded):
        frame = example(SPECS)
        with pytest.raises(SpecMismatch, match=r"observation\.state"):
            loaded.act(frame | {"observation.state": np.zeros(4, np.float32)})


OTHER_NAMES = {"observation.images.top": "observation.images.front", "observation.qpos": "observation.state"}


class TestOtherNames:
    def test_it_acts_as_under_its_own_names(self, loaded, tmp_path):
        frame = example(SPECS, np.random.default_rng(0))
        other = {theirs: frame[ours] for theirs, ours in OTHER_NAMES.items()}
        renamed = loaded.fed_by(OTHER_NAMES)
        np.testing.assert_array_equal(renamed.act(other), loaded.act(frame))
        checkpoint.save(tmp_path / "renamed", renamed)
        assert checkpoint.verify(tmp_path / "renamed") == 0.0
        np.testing.assert_array_equal(checkpoint.load(tmp_path / "renamed").act(other), loaded.act(frame))

    def test_names_can_change_places(self, loaded):
        pair = SPECS | {"observation.images.wrist": SPECS["observation.images.front"]}
        seen = replace(loaded, observation=pair).fed_by(
            {
                "observation.images.wrist": "observation.images.front",
                "observation.images.front": "observation.images.wrist",
            }
        )
        assert seen.observation.keys() == pair.keys()
        assert list(seen.seen) == list(pair)

    @pytest.mark.parametrize(
        ("names", "message"),
        [
            ({"observation.images.top": "observation.images.frnt"}, "leads to 'observation.images.frnt'"),
            ({"a": "observation.state", "b": "observation.state"}, "one name to several keys"),
            ({"observation.state": "observation.images.front"}, "a name for two entries"),
        ],
    )
    def test_maps_that_lead_nowhere_are_refused(self, loaded, names, message):
        with pytest.raises(ConfigError, match=message):
            loaded.fed_by(names)


def test_the_config_is_readable(saved):
    stored = json.loads((saved / "config.json").read_text())
    assert stored["type"] == "act"
    assert stored["version"] == 1
    assert stored["image_size"] == [32, 32]
    assert stored["normalization_mapping"]["STATE"] == "MEAN_STD"
