"""ACT against LeRobot's own answers, stored in a golden file, and what is ours alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from etude.core.errors import CheckpointError, ConfigError
from etude.core.spec import Spec
from etude.core.stats import Stats
from etude.policies import policies
from etude.policies.act.config import Config
from etude.policies.act.lerobot import read_config, write_config
from etude.policies.weights import write_weights
from etude.transforms.normalize import Mode

NAMES = ("pan", "lift", "gripper")
SPECS = {
    "observation.state": Spec(shape=(3,), names=NAMES),
    "observation.images.front": Spec(shape=(32, 32, 3), dtype="uint8"),
}
ARM = Spec(shape=(3,), names=NAMES)


@pytest.fixture(scope="module")
def golden(answers_of):
    return answers_of("act")


def _like_lerobot(golden, variant):
    make, answers = golden
    observation = {"observation.state": Spec(shape=(make["STATE"],))}
    observation |= {key: Spec(shape=(*make["SIZE"], 3), dtype="uint8") for key in make["CAMERAS"]}
    model = policies.build(Config(**make["VARIANTS"][variant]), observation, Spec(shape=(make["ACTION"],)))
    for name, value in model.state_dict().items():
        if name != "vae_encoder_pos_enc":
            value.copy_(torch.from_numpy(make["weight"](name, tuple(value.shape))))
    batch = {key: torch.from_numpy(value) for key, value in make["batch"]().items()}
    return model, batch, {key: answers[f"{variant}.{key}"] for key in ("names", "act", "trained_chunk")}


@pytest.mark.parametrize("variant", ["published", "pre_norm", "without_vae"])
class TestGolden:
    def test_tensors_have_lerobots_names(self, golden, variant):
        model, _, answers = _like_lerobot(golden, variant)
        assert sorted(model.state_dict()) == answers["names"].tolist()

    def test_the_chunk_is_lerobots(self, golden, variant):
        model, batch, answers = _like_lerobot(golden, variant)
        with torch.no_grad():
            chunk = model.eval().act(batch)
        np.testing.assert_allclose(chunk.numpy(), answers["act"], atol=1e-5)

    def test_the_loss_is_lerobots(self, golden, variant):
        model, batch, answers = _like_lerobot(golden, variant)
        torch.manual_seed(0)
        loss, parts = model.train().loss(batch)
        error = np.abs(answers["trained_chunk"] - batch["action"].numpy())[~batch["action_is_pad"].numpy()]
        assert parts["l1"].item() == pytest.approx(error.mean(), abs=1e-5)
        stored = golden[1]
        wanted = error.mean()
        if "kl" in parts:
            mean, log_variance = stored[f"{variant}.mean"], stored[f"{variant}.log_variance"]
            kl = (-0.5 * (1 + log_variance - mean**2 - np.exp(log_variance))).sum(-1).mean()
            assert parts["kl"].item() == pytest.approx(kl, rel=1e-5)
            wanted += 10 * kl
        assert loss.item() == pytest.approx(wanted, rel=1e-5)


def _batch(size=5, times=4):
    torch.manual_seed(1)
    return {
        "observation.state": torch.randn(size, 3),
        "observation.images.front": torch.rand(size, 3, 32, 32),
        "action": torch.randn(size, times, 3),
        "action_is_pad": torch.zeros(size, times, dtype=torch.bool),
    }


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_sharing_the_first_attention_changes_nothing(dropout):
    model = policies.build(replace(Config.tiny(), dropout=dropout), SPECS, ARM).eval()
    batch = _batch()
    one_by_one = [model.act({key: value[i : i + 1] for key, value in batch.items()}) for i in range(5)]
    torch.testing.assert_close(model.act(batch), torch.cat(one_by_one))


def test_padding_does_not_matter():
    model = policies.build(Config.tiny(), SPECS, ARM)
    batch = _batch()
    batch["action_is_pad"][:, 2:] = True
    torch.manual_seed(2)
    before, _ = model.loss(batch)
    batch["action"][:, 2:] = 1e3
    torch.manual_seed(2)
    after, _ = model.loss(batch)
    assert before.item() == after.item()


def test_every_parameter_learns():
    model = policies.build(Config.tiny(), SPECS, ARM)
    model.loss(_batch())[0].backward()
    idle = [name for name, value in model.named_parameters() if value.grad is None or not value.grad.any()]
    # As published, queries start at zero, so the first attention among them has nothing to pass on yet.
    first = ("decoder.layers.0.self_attn", "decoder.layers.0.norm1")
    assert [name for name in idle if not name.startswith(first)] == []


def test_the_environments_state_can_take_the_place_of_cameras():
    specs = {"observation.environment_state": Spec(shape=(2,))}
    model = policies.build(replace(Config.tiny(), use_relative_actions=False), specs, ARM)
    assert model.act({"observation.environment_state": torch.zeros(2, 2)}).shape == (2, 4, 3)


def test_the_backbone_has_a_learning_rate_of_its_own():
    model = policies.build(replace(Config.tiny(), optimizer_lr_backbone=0.5), SPECS, ARM)
    rest, backbone = model.parameter_groups()
    assert (rest["lr"], backbone["lr"]) == (1e-3, 0.5)
    assert len(rest["params"]) + len(backbone["params"]) == len(list(model.parameters()))


def test_pretrained_weights_fill_the_backbone(tmp_path):
    path = tmp_path / "resnet18.safetensors"
    config = replace(Config.tiny(), vision_backbone="resnet18", pretrained_backbone_weights=path)
    model = policies.build(config, SPECS, ARM)
    stored = {name: torch.full_like(value, 0.5) for name, value in model.backbone.state_dict().items()}
    extra = {"fc.weight": torch.zeros(10, 512), "bn1.num_batches_tracked": torch.tensor(3)}
    write_weights(path, stored | extra)
    model.begin_training()
    assert all((value == 0.5).all() for value in model.backbone.state_dict().values())
    write_weights(path, {"conv1.weight": torch.zeros(64, 3, 7, 7)})
    with pytest.raises(CheckpointError, match="missing"):
        model.begin_training()


class TestConfig:
    def test_the_defaults_are_lerobots(self):
        config = Config()
        assert (config.chunk_size, config.n_action_steps, config.dim_model, config.n_heads) == (100, 100, 512, 8)
        assert (config.dim_feedforward, config.n_encoder_layers, config.n_decoder_layers) == (3200, 4, 1)
        assert (config.latent_dim, config.dropout, config.kl_weight) == (32, 0.1, 10.0)
        assert (config.optimizer_lr, config.optimizer_weight_decay) == (1e-5, 1e-4)

    def test_presets_for_lerobot_differ_in_how_they_are_played_only(self):
        played = {"n_action_steps": 100, "temporal_ensemble_coeff": None}
        assert replace(Config.ensembled(), **played) == Config()
        for config in (Config(), Config.ensembled()):
            assert replace(read_config(write_config(config)), use_imagenet_stats=True) == config

    def test_the_window_is_the_chunk(self):
        assert Config.tiny().window.offsets == {"action": (0, 1, 2, 3)}

    def test_nonsense_is_refused(self):
        with pytest.raises(ConfigError, match=r"dim_model \(10\)"):
            Config(dim_model=10, n_heads=4)
        with pytest.raises(ConfigError, match=r"n_action_steps \(7\)"):
            Config(chunk_size=5, n_action_steps=7)
        with pytest.raises(ConfigError, match="those of a ResNet"):
            Config(vision_backbone="small", pretrained_backbone_weights=Path("x.safetensors"))

    def test_it_observes_what_it_can_use(self):
        specs = SPECS | {"observation.effort": Spec(shape=(3,)), "action": ARM}
        depth = {"observation.images.front_depth": Spec(shape=(8, 8, 1), dtype="uint16")}
        assert list(Config.tiny().observes(specs | depth)) == ["observation.state", "observation.images.front"]
        with pytest.raises(ConfigError, match="needs a camera"):
            Config.tiny().observes({"observation.state": ARM})

    def test_relative_actions_need_a_state(self):
        with pytest.raises(ConfigError, match=r"need 'observation\.state'"):
            Config.tiny().reframe({"observation.images.front": SPECS["observation.images.front"]}, ARM)

    def test_the_pipeline_normalises_each_kind_as_told(self):
        config = replace(
            Config.tiny(),
            use_relative_actions=False,
            use_imagenet_stats=False,
            normalization_mapping={"STATE": Mode.MIN_MAX, "ACTION": Mode.MEAN_STD},
        )
        stats = {key: Stats.of(np.array([[0.0] * 3, [4.0] * 3])) for key in ("observation.state", "action")}
        frame = {
            "observation.state": np.full(3, 3.0, np.float32),
            "observation.images.front": np.full((32, 32, 3), 255, np.uint8),
            "action": np.full((4, 3), 6.0, np.float32),
        }
        pipeline = config.pipeline(stats, SPECS, ARM)
        encoded = pipeline.encode(frame)
        np.testing.assert_allclose(encoded["observation.state"], 0.5)
        np.testing.assert_allclose(encoded["action"], 2.0)
        np.testing.assert_allclose(encoded["observation.images.front"], 1.0)
        np.testing.assert_allclose(pipeline.decode(frame, encoded["action"]), frame["action"])

    def test_pictures_are_normalised_by_imagenet(self):
        stats = {key: Stats.of(np.array([[0.0] * 3, [4.0] * 3])) for key in ("observation.state", "action")}
        frame = {"observation.images.front": np.full((32, 32, 3), 255, np.uint8)}
        encoded = Config.tiny().pipeline(stats, SPECS, ARM).encode(frame)["observation.images.front"]
        np.testing.assert_allclose(encoded[:, 0, 0], [2.2489, 2.4286, 2.64], rtol=1e-4)

    @pytest.mark.parametrize(("kind", "error"), [("l1", 2.0), ("l2", 4.0), ("huber", 1.5)])
    def test_the_error_to_learn_from_may_be_another(self, kind, error):
        model = policies.build(replace(Config.tiny(), action_loss=kind, use_vae=False), SPECS, ARM).eval()
        batch = {
            "observation.state": torch.zeros(2, 3),
            "observation.images.front": torch.zeros(2, 3, 32, 32),
        }
        with torch.no_grad():
            loss, parts = model.loss(batch | {"action": model.act(batch) + 2})
        assert loss.item() == pytest.approx(error)
        assert list(parts) == [kind]
