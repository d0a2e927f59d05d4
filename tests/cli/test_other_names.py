"""A dataset or environment whose keys are not the policy's: said in one sentence, with a map that then works."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from etude.core.frame import example
from etude.core.spec import Spec
from etude.data import create_dataset
from etude.policies import checkpoint, lerobot, policies
from etude.policies.act.config import Config
from etude.policies.loaded import LoadedPolicy

torch.set_num_threads(1)

ARM = Spec(shape=(3,), names=("pan", "lift", "gripper"))
THINGS, ENVIRONMENT = Spec(shape=(2,)), "observation.environment_state"
THEIRS = {"observation.state": ARM, "observation.objects": THINGS, "action": ARM}
MAP = '{"observation.objects": "observation.environment_state"}'


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    root, random = tmp_path_factory.mktemp("names") / "dataset", np.random.default_rng(0)
    writer = create_dataset(root, THEIRS, fps=10)
    for _ in range(2):
        for _ in range(6):
            writer.add_frame(example(THEIRS, random))
        writer.save_episode("Do it")
    writer.close()
    return root


@pytest.fixture(scope="module", params=["etude", "lerobot"])
def trained(request, dataset, tmp_path_factory):
    """A policy that knows the dataset's objects by another name, in either layout."""
    from etude.data import open_dataset

    torch.manual_seed(0)
    specs = {"observation.state": ARM, ENVIRONMENT: THINGS}
    config = Config(
        chunk_size=4, n_action_steps=2, dim_model=16, n_heads=2, dim_feedforward=32, n_encoder_layers=1, latent_dim=4,
        n_vae_encoder_layers=1,
    )  # fmt: skip
    stats = dict(open_dataset(dataset).stats)
    stats[ENVIRONMENT] = stats["observation.objects"]
    loaded = LoadedPolicy(
        policy=policies.build(config, specs, ARM).eval(),
        config=config,
        pipeline=config.pipeline(stats, specs, ARM),
        observation=specs,
        action=ARM,
    )
    folder = tmp_path_factory.mktemp("names") / "checkpoint"
    {"etude": lambda: checkpoint.save(folder, loaded), "lerobot": lambda: lerobot.export(loaded, folder)}[
        request.param
    ]()
    return folder


def test_going_on_from_a_checkpoint_with_other_names(etude, dataset, trained, tmp_path):
    words = (
        "train", f"--policy.path={trained}", f"--dataset.root={dataset}", "--steps=2", "--batch_size=4",
        "--num_threads=1", f"--output_dir={tmp_path / 'run'}",
    )  # fmt: skip
    code, out, err = etude(*words)
    assert (code, "Traceback" in out + err) == (2, False), err
    assert f"no '{ENVIRONMENT}'" in err
    assert f"--rename_map='{MAP}'" in err
    code, out, err = etude(*words, f"--rename_map={MAP}")
    assert code == 0, err
    gone_on = checkpoint.load(tmp_path / "run" / "checkpoints" / "last")
    assert list(gone_on.observation) == ["observation.state", "observation.objects"]
    assert gone_on.act(example(THEIRS)).shape == (4, 3)
    assert etude("policy", "check", tmp_path / "run" / "checkpoints" / "last")[0] == 0
