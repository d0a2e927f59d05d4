"""Towers made of tiny configs: what they see, where their weights come from, and what is said when they do not come."""

from __future__ import annotations

import builtins
import json

import pytest
import torch

from etude.core.errors import CheckpointError, ConfigError, MissingExtra
from etude.nn.vision_models import VisionModel, described

transformers = pytest.importorskip("transformers")

SIZES = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
MEAN, STD = [0.5, 0.4, 0.3], [0.5, 0.2, 0.1]


def tower_config(kind):
    if kind == "dinov2":
        return transformers.Dinov2Config(**SIZES, image_size=28, patch_size=14)
    if kind == "dinov2_with_registers":
        return transformers.Dinov2WithRegistersConfig(**SIZES, image_size=28, patch_size=14, num_register_tokens=3)
    return transformers.SiglipVisionConfig(**SIZES, image_size=32, patch_size=16)


def saved(folder, kind, *, with_weights=True):
    torch.manual_seed(0)
    model = transformers.AutoModel.from_config(tower_config(kind)).eval()
    if with_weights:
        model.save_pretrained(folder)
    else:
        folder.mkdir(exist_ok=True)
        model.config.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps({"image_mean": MEAN, "image_std": STD}))
    return model


@pytest.mark.parametrize("kind", ["dinov2", "dinov2_with_registers", "siglip"])
class TestTowers:
    def test_the_map_is_the_towers_patches_in_their_places(self, tmp_path, kind):
        tower = saved(tmp_path / "tower", kind)
        ours = VisionModel(str(tmp_path / "tower"), described(str(tmp_path / "tower"))).eval()
        ours.read_pretrained()
        side = tower.config.image_size
        picture = torch.rand(2, 3, side, side)
        seen = ours(picture)
        normal = (picture - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]
        tokens = tower(pixel_values=normal).last_hidden_state[:, -4:]
        assert seen.shape == (2, 8, 2, 2)
        assert (ours.channels, ours.map_size(side)) == (8, 2)
        for place, (row, column) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
            torch.testing.assert_close(seen[:, :, row, column], tokens[:, place])

    def test_pictures_may_have_other_sizes(self, tmp_path, kind):
        saved(tmp_path / "tower", kind)
        ours = VisionModel("tower", described(str(tmp_path / "tower")))
        height, width = 50, 84
        assert ours(torch.rand(1, 3, height, width)).shape == (1, 8, ours.map_size(height), ours.map_size(width))

    def test_a_description_is_enough_to_build_it(self, tmp_path, kind):
        saved(tmp_path / "tower", kind)
        told = described(str(tmp_path / "tower"))
        first, second = VisionModel("gone", told), VisionModel("gone", told)
        second.load_state_dict(first.state_dict())
        picture = torch.rand(1, 3, 42, 42)
        assert torch.equal(first.eval()(picture), second.eval()(picture))


def test_a_frozen_tower_stays_as_it_is(tmp_path):
    saved(tmp_path / "tower", "dinov2")
    told = described(str(tmp_path / "tower"))
    frozen, free = VisionModel("tower", told, is_frozen=True).train(), VisionModel("tower", told).train()
    assert not frozen.tower.training
    assert free.tower.training
    picture = torch.rand(1, 3, 28, 28, requires_grad=True)
    assert not frozen(picture).requires_grad
    assert free(picture).requires_grad
    assert not any(value.requires_grad for value in frozen.parameters())


def test_the_part_of_a_larger_model_that_sees_is_taken(tmp_path):
    torch.manual_seed(0)
    text = SIZES | {"vocab_size": 20, "bos_token_id": 0, "eos_token_id": 1}
    whole = transformers.SiglipModel(
        transformers.SiglipConfig(text_config=text, vision_config=SIZES | {"image_size": 32, "patch_size": 16})
    )
    whole.save_pretrained(tmp_path)
    (tmp_path / "preprocessor_config.json").write_text(json.dumps({"image_mean": MEAN, "image_std": STD}))
    ours = VisionModel(str(tmp_path), described(str(tmp_path)))
    ours.read_pretrained()
    theirs = whole.vision_model.state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in ours.tower.state_dict().items())


class TestWords:
    def test_weights_that_are_a_pickle_are_not_read(self, tmp_path):
        tower = saved(tmp_path / "tower", "dinov2", with_weights=False)
        torch.save(tower.state_dict(), tmp_path / "tower" / "pytorch_model.bin")
        ours = VisionModel(str(tmp_path / "tower"), described(str(tmp_path / "tower")))
        with pytest.raises(CheckpointError, match=r"could not be read .*model\.safetensors"):
            ours.read_pretrained()

    def test_weights_that_do_not_fill_it_are_refused(self, tmp_path):
        saved(tmp_path / "tower", "dinov2")
        wider = json.loads(described(str(tmp_path / "tower")))
        wider["config"]["num_hidden_layers"] = 2
        with pytest.raises(CheckpointError, match=r"do not fill the tower: .*layer"):
            VisionModel(str(tmp_path / "tower"), json.dumps(wider)).read_pretrained()

    def test_no_network_is_one_sentence(self, monkeypatch):
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        with pytest.raises(CheckpointError, match=r"nobody/nothing: this vision model could not be read") as caught:
            described("nobody/nothing")
        assert "\n" not in str(caught.value)

    def test_a_folder_without_a_config_is_none(self, tmp_path):
        with pytest.raises(CheckpointError, match=r"no config\.json"):
            described(str(tmp_path))

    @pytest.mark.parametrize(("kind", "message"), [("gpt2", "no tokens of patches"), ("nonsense", "does not know")])
    def test_what_does_not_see_is_refused(self, tmp_path, kind, message):
        (tmp_path / "config.json").write_text(json.dumps({"model_type": kind}))
        (tmp_path / "preprocessor_config.json").write_text(json.dumps({"image_mean": MEAN, "image_std": STD}))
        with pytest.raises(ConfigError, match=message):
            described(str(tmp_path))

    def test_without_transformers_the_extra_is_named(self, tmp_path, monkeypatch):
        saved(tmp_path / "tower", "dinov2")
        real = builtins.__import__

        def without(name, *rest):
            if name == "transformers":
                raise ImportError
            return real(name, *rest)

        monkeypatch.setattr(builtins, "__import__", without)
        with pytest.raises(MissingExtra, match=r"etude\[vision\]"):
            described(str(tmp_path / "tower"))
