"""The commands about checkpoints, and what they say of those that are not sound."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from etude.core.frame import ACTION, example
from etude.core.spec import Spec
from etude.policies import checkpoint, lerobot
from etude.policies.act.config import Config
from etude.policies.diffusion.config import Config as Diffusion
from etude.policies.loaded import Origin
from etude.policies.weights import read_weights, write_weights

torch.set_num_threads(1)

ARM = Spec(shape=(3,), names=("pan", "lift", "gripper"), unit="deg")
FRONT = "observation.images.front"
SPECS = {"observation.state": ARM, FRONT: Spec(shape=(48, 64, 3), dtype="uint8")}


@pytest.fixture(scope="module")
def made(untrained):
    origin = Origin(fps=30, robot_type="so_follower", tasks=("Stack",), step=7, dataset="mine")
    return partial(untrained, observation=SPECS, action=ARM, origin=origin)


@pytest.fixture(scope="module")
def act(made):
    """An ACT that LeRobot can express."""
    changes = {"image_size": None, "use_relative_actions": False, "image_tokens": "map", "vision_backbone": "resnet18"}
    return made(replace(Config.tiny(), **changes))


@pytest.fixture(scope="module")
def stored(act, tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoints")
    checkpoint.save(folder / "ours", act)
    lerobot.export(act, folder / "theirs")
    return folder


@pytest.fixture
def ours(stored, tmp_path):
    return shutil.copytree(stored / "ours", tmp_path / "ours")


@pytest.fixture
def theirs(stored, tmp_path):
    return shutil.copytree(stored / "theirs", tmp_path / "theirs")


def refused(answer, code, *words):
    got, out, err = answer
    assert got == code, (out, err)
    assert "Traceback" not in out + err
    for word in words:
        assert word in out + err


class TestInfo:
    def test_it_tells_what_matters(self, etude, ours):
        code, out, _ = etude("policy", "info", ours)
        assert code == 0
        for word in (
            "act",
            "parameters",
            "backbone",
            "pan, lift, gripper",
            "deg",
            "2 of 4 actions",
            "30 Hz",
            "MEAN_STD",
            "Stack",
        ):
            assert word in out, word

    def test_it_tells_it_to_programs(self, etude, theirs):
        code, out, _ = etude("policy", "info", theirs, "--json")
        facts = json.loads(out)
        assert code == 0
        assert (facts["type"], facts["layout"], facts["has_golden_pair"]) == ("act", "lerobot", False)
        assert facts["observation"][FRONT]["shape"] == [48, 64, 3]
        assert facts["normalization"] == dict.fromkeys(("observation.state", FRONT, "action"), "MEAN_STD")
        assert facts["parameters"]["total"] == sum(facts["parameters"]["of"].values()) > 1e7
        assert facts["execution"]["n_action_steps"] == 2
        assert facts["origin"]["step"] == 7


class TestCheck:
    @pytest.mark.parametrize("layout", ["ours", "theirs"])
    def test_a_sound_one_is_called_so(self, etude, request, layout):
        folder = request.getfixturevalue(layout)
        code, out, err = etude("policy", "check", folder)
        assert (code, out.splitlines()[-1]) == (0, f"{folder} is sound."), err

    def test_a_number_that_is_none(self, etude, ours):
        tensors = read_weights(ours / "model.safetensors")
        tensors["action_head.bias"][1] = float("nan")
        write_weights(ours / "model.safetensors", tensors)
        refused(etude("policy", "check", ours), 1, "1 of 3 values of action_head.bias are not finite")

    def test_every_tensor_that_does_not_fit(self, etude, ours):
        tensors = read_weights(ours / "model.safetensors")
        tensors["action_head.bias"] = torch.zeros(9)
        tensors |= {f"surprise.{i}": torch.zeros(1) for i in range(20)}
        del tensors["action_head.weight"]
        write_weights(ours / "model.safetensors", tensors)
        code, out, _ = etude("policy", "check", ours, "--json")
        problems = json.loads(out)["problems"]
        assert code == 1
        assert len(problems) == 22
        refused(
            etude("policy", "check", ours),
            1,
            "of another shape: action_head.bias [9] instead of [3]",
            "surprise.19 [1]",
        )

    def test_a_policy_that_acts_otherwise(self, etude, ours):
        tensors = read_weights(ours / "model.safetensors")
        tensors["action_head.bias"] += 0.01
        write_weights(ours / "model.safetensors", tensors)
        refused(etude("policy", "check", ours), 1, "another chunk than when it was saved")

    def test_statistics_that_cannot_be(self, etude, ours):
        tensors = read_weights(ours / "pipeline.safetensors")
        names = [name for name in tensors if name.endswith("observation.state.std")]
        tensors[names[0]][1] = -1
        write_weights(ours / "pipeline.safetensors", tensors)
        refused(etude("policy", "check", ours), 1, "'observation.state' are not sane: std is negative at 1")

    @pytest.mark.parametrize(
        "file", ["golden.safetensors", "README.md", "pipeline.json", "specs.json", "model.safetensors"]
    )
    def test_a_file_that_is_missing(self, etude, ours, file):
        (ours / file).unlink()
        refused(etude("policy", "check", ours), 1, f"{file} is missing")

    def test_a_pickle(self, etude, ours, tmp_path):
        torch.save({"weight": torch.zeros(1)}, ours / "model.safetensors")
        refused(etude("policy", "check", ours), 1, "a pickle under another name", "Convert it to safetensors")
        (tmp_path / "model.pt").write_bytes(b"\x80\x04.")
        refused(etude("policy", "check", tmp_path), 1, "model.pt is a pickle")

    def test_lerobots_statistics_that_were_never_filled_in(self, etude, theirs):
        path = theirs / "policy_preprocessor_step_3_normalizer_processor.safetensors"
        tensors = read_weights(path)
        tensors["observation.state.std"][:] = float("inf")
        write_weights(path, tensors)
        refused(etude("policy", "check", theirs), 1, "'observation.state' by MEAN_STD", "not finite")


class TestInterchange:
    def test_there_and_back(self, etude, ours, act, tmp_path):
        assert etude("policy", "export", ours, tmp_path / "out")[0] == 0
        assert etude("policy", "import", tmp_path / "out", tmp_path / "back")[0] == 0
        assert etude("policy", "check", tmp_path / "back")[0] == 0
        frame = example(SPECS, np.random.default_rng(1))
        np.testing.assert_allclose(checkpoint.load(tmp_path / "back").act(frame), act.act(frame), atol=1e-6)

    def test_what_is_there_already_is_kept(self, etude, ours, theirs):
        before = (theirs / "config.json").read_text()
        for words in (("export", ours, theirs), ("import", theirs, ours)):
            refused(etude("policy", *words), 2, "is there already")
        assert (theirs / "config.json").read_text() == before

    def test_ours_is_not_imported(self, etude, ours, tmp_path):
        refused(etude("policy", "import", ours, tmp_path / "out"), 2, "an Etude checkpoint already")

    def test_what_lerobot_cannot_express_is_named(self, etude, tmp_path, made):
        checkpoint.save(tmp_path / "small", made(Config.tiny()))
        answer = etude("policy", "export", tmp_path / "small", tmp_path / "out")
        refused(answer, 2, "image_size = [32, 32]")
        assert not (tmp_path / "out").exists()

    def test_statistics_of_several_datasets_have_to_be_chosen(self, etude, theirs, act, tmp_path):
        old(theirs, {"red": 0.0, "blue": 1.0})
        words = ("policy", "import", theirs, tmp_path / "out")
        refused(etude(*words), 1, "statistics of 2 datasets: blue, red", "--stats_of=NAME")
        refused(etude(*words, "--stats_of=green"), 1, "blue, red")
        assert etude(*words, "--stats_of=red")[0] == 0
        frame = example(SPECS, np.random.default_rng(1))
        np.testing.assert_allclose(checkpoint.load(tmp_path / "out").act(frame), act.act(frame), atol=1e-5)

    def test_old_weights_without_statistics_are_refused(self, etude, theirs, tmp_path):
        old(theirs, {})
        refused(etude("policy", "import", theirs, tmp_path / "out"), 1, "nothing says how it normalises")


def old(folder, datasets):
    """Bring a checkpoint to the layout that has statistics among the weights, one set for each of `datasets`."""
    tensors = read_weights(folder / "model.safetensors")
    stats = read_weights(folder / "policy_preprocessor_step_3_normalizer_processor.safetensors")
    for dataset, offset in datasets.items():
        for name, value in stats.items():
            key, _, statistic = name.rpartition(".")
            sides = ["normalize_inputs"] if key != ACTION else ["normalize_targets", "unnormalize_outputs"]
            if statistic in ("mean", "std"):
                buffer = f"{dataset}_buffer_{key.replace('.', '_')}.{statistic}"
                tensors |= {f"{side}.{buffer}": value + offset for side in sides}
    write_weights(folder / "model.safetensors", tensors)
    for path in folder.glob("policy_*"):
        path.unlink()


class TestAct:
    @pytest.fixture
    def asked(self, etude, tmp_path):
        """Ask a policy about a frame; give its answer, or what was said against it."""

        def ask(folder, frame, *words):
            np.savez(tmp_path / "frame.npz", **frame)
            out = tmp_path / "chunk.npz"
            answer = etude("policy", "act", folder, f"--input={tmp_path / 'frame.npz'}", f"--output={out}", *words)
            return answer, (np.load(out)["action"] if out.exists() else None)

        return ask

    def test_it_writes_the_chunk(self, asked, ours, act):
        frame = example(SPECS, np.random.default_rng(1))
        typed = frame | {"observation.state": frame["observation.state"].astype(np.float64)}
        np.testing.assert_allclose(asked(ours, typed)[1], act.act(frame), atol=1e-6)

    def test_other_names_are_proposed_and_taken(self, asked, ours, act):
        frame = example(SPECS, np.random.default_rng(1))
        other = {"observation.images.top": frame[FRONT], "observation.state": frame["observation.state"]}
        option = f"""--rename_map={{"observation.images.top": "{FRONT}"}}"""
        answer, chunk = asked(ours, other)
        assert chunk is None
        refused(answer, 2, "frame.npz", f"no '{FRONT}'", option.replace("=", "='"))
        np.testing.assert_allclose(asked(ours, other, option)[1], act.act(frame), atol=1e-6)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"observation.state": np.zeros(4, np.float32)}, "should be float32[3], got float32[4]"),
            (
                {"observation.state": np.full(3, np.nan, np.float32)},
                "'observation.state' holds values that are not finite",
            ),
            ({FRONT: np.zeros((48, 64, 3), np.float32)}, "should be uint8[48, 64, 3]"),
            ({"noise": np.zeros((4, 3), np.float32)}, "this policy does not sample"),
        ],
    )
    def test_a_wrong_frame_gets_one_sentence(self, asked, ours, change, message):
        answer, chunk = asked(ours, example(SPECS) | change)
        assert chunk is None
        refused(answer, 2, message)

    def test_a_policy_that_samples_takes_noise(self, asked, tmp_path, made):
        loaded = made(Diffusion.tiny())
        checkpoint.save(tmp_path / "diffusion", loaded)
        frame = example(SPECS, np.random.default_rng(1))
        noise = loaded.example_noise(np.random.default_rng(2))
        chunk = asked(tmp_path / "diffusion", frame | noise)[1]
        np.testing.assert_allclose(chunk, loaded.act(frame | noise), atol=1e-6)
        answer, _ = asked(tmp_path / "diffusion", frame | {"noise": np.zeros((1, 3), np.float32)})
        refused(answer, 2, "noise should be of shape [4, 3], got [1, 3]")

    def test_noise_of_all_steps_is_taken_too(self, asked, tmp_path, made):
        loaded = made(replace(Diffusion.tiny(), noise_scheduler_type="DDPM"))
        checkpoint.save(tmp_path / "ddpm", loaded)
        frame = example(SPECS, np.random.default_rng(1))
        noise = loaded.example_noise(np.random.default_rng(2))
        assert noise["noise"].shape == (4 * 4, 3)
        chunk = asked(tmp_path / "ddpm", frame | noise)[1]
        np.testing.assert_allclose(chunk, loaded.act(frame | noise), atol=1e-6)
        answer, _ = asked(tmp_path / "ddpm", frame | {"noise": np.zeros((8, 3), np.float32)})
        refused(answer, 2, "noise should be of shape [4, 3], or [16, 3] with that of all steps, got [8, 3]")

    def test_a_map_that_is_none(self, asked, ours):
        for text in ("top=front", '["a"]'):
            refused(asked(ours, example(SPECS), f"--rename_map={text}")[0], 2, f"--rename_map={text}")
