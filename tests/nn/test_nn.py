"""Network parts against PyTorch's own, and by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from etude.nn.attention import Attention, DecoderLayer, EncoderLayer
from etude.nn.augment import Jitter, random_shift
from etude.nn.conv import SmallEncoder
from etude.nn.ema import Ema
from etude.nn.losses import REGRESSIONS, focal, kl_to_standard_normal, masked_l1
from etude.nn.positions import sine_1d, sine_2d
from etude.nn.resnet import FrozenBatchNorm, ResNet

LAYER = {"dim": 16, "num_heads": 4, "hidden": 24, "dropout": 0.0, "activation": "relu"}


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


class TestAttention:
    def test_it_is_torchs(self):
        ours, torchs = Attention(16, 4), nn.MultiheadAttention(16, 4, batch_first=True)
        torchs.load_state_dict(ours.state_dict())
        query, key, value = torch.randn(2, 5, 16), torch.randn(2, 7, 16), torch.randn(2, 7, 16)
        is_pad = torch.tensor([[False] * 7, [False] * 3 + [True] * 4])
        wanted, _ = torchs(query, key, value, key_padding_mask=is_pad)
        torch.testing.assert_close(ours(query, key, value, is_pad), wanted, atol=1e-6, rtol=1e-5)

    @pytest.mark.parametrize("pre_norm", [False, True])
    def test_the_encoder_layer_is_torchs(self, pre_norm):
        ours = EncoderLayer(**LAYER, pre_norm=pre_norm)
        torchs = nn.TransformerEncoderLayer(16, 4, 24, dropout=0.0, batch_first=True, norm_first=pre_norm)
        torchs.load_state_dict(ours.state_dict())
        x = torch.randn(2, 5, 16)
        torch.testing.assert_close(ours(x, torch.zeros(5, 16)), torchs(x), atol=1e-5, rtol=1e-5)

    @pytest.mark.parametrize("pre_norm", [False, True])
    def test_the_decoder_layer_is_torchs(self, pre_norm):
        ours = DecoderLayer(**LAYER, pre_norm=pre_norm)
        torchs = nn.TransformerDecoderLayer(16, 4, 24, dropout=0.0, batch_first=True, norm_first=pre_norm)
        torchs.load_state_dict(ours.state_dict())
        x, memory = torch.randn(2, 5, 16), torch.randn(2, 3, 16)
        got = ours(x, memory, torch.zeros(5, 16), torch.zeros(3, 16))
        torch.testing.assert_close(got, torchs(x, memory), atol=1e-5, rtol=1e-5)

    def test_positions_are_seen(self):
        layer, x = EncoderLayer(**LAYER, pre_norm=True), torch.randn(1, 5, 16)
        assert not torch.allclose(layer(x, torch.zeros(5, 16)), layer(x, torch.randn(5, 16)))


class TestPositions:
    def test_1d_by_hand(self):
        table = sine_1d(3, 4)
        wanted = [math.sin(2), math.cos(2), math.sin(2 / 100), math.cos(2 / 100)]
        torch.testing.assert_close(table[2], torch.tensor(wanted))

    def test_2d_by_hand(self):
        table = sine_2d(2, 3, 8).unflatten(0, (2, 3))
        y, x = math.pi, 2 * math.pi * 2 / 3  # row 1 of 2, column 2 of 3
        wanted = [f(angle / scale) for angle in (y, x) for scale in (1, 100) for f in (math.sin, math.cos)]
        torch.testing.assert_close(table[0, 1], torch.tensor(wanted), atol=1e-5, rtol=1e-5)


class TestEncoders:
    @pytest.mark.parametrize("size", [(32, 32), (96, 96), (90, 130)])
    @pytest.mark.parametrize("encoder", [SmallEncoder(), ResNet("resnet18")], ids=["small", "resnet18"])
    def test_maps_have_the_size_they_say(self, encoder, size):
        shape = encoder.eval()(torch.zeros(1, 3, *size)).shape
        assert shape[1:] == (encoder.channels, encoder.map_size(size[0]), encoder.map_size(size[1]))

    def test_resnet34_is_deeper(self):
        names = ResNet("resnet34").state_dict()
        assert "layer3.5.conv2.weight" in names
        assert not any("num_batches_tracked" in name for name in names)

    def test_frozen_norm_is_torchs_in_eval(self):
        torchs = nn.BatchNorm2d(3).eval()
        with torch.no_grad():
            for value in (torchs.weight, torchs.bias, torchs.running_mean, torchs.running_var):
                value.copy_(torch.rand(3) + 0.5)
        ours = FrozenBatchNorm(3)
        ours.load_state_dict({k: v for k, v in torchs.state_dict().items() if "num" not in k})
        x = torch.randn(2, 3, 4, 5)
        torch.testing.assert_close(ours.train()(x), torchs(x))
        assert not list(ours.parameters())


class TestLosses:
    def test_masked_l1_by_hand(self):
        predicted = torch.tensor([[[1.0, 1.0], [9.0, 9.0]]])
        wanted = torch.zeros(1, 2, 2)
        is_pad = torch.tensor([[False, True]])
        assert masked_l1(predicted, wanted, is_pad).item() == 1.0
        assert masked_l1(predicted, wanted).item() == 5.0

    def test_masked_l1_of_nothing_is_zero(self):
        assert masked_l1(torch.ones(1, 2, 2), torch.zeros(1, 2, 2), torch.ones(1, 2, dtype=torch.bool)).item() == 0

    @pytest.mark.parametrize(("kind", "wanted"), [("l1", 1.5), ("l2", 3.25), ("huber", 1.0625)])
    def test_errors_of_the_actions_that_exist_by_hand(self, kind, wanted):
        # errors 0.5 and 2.5 (the time that does not exist would add 8): 0.125 and 2 to Huber, 0.25 and 6.25 squared
        predicted = torch.tensor([[[1.5, -2.5], [9.0, 9.0]]])
        loss = REGRESSIONS[kind](predicted, torch.tensor([[[1.0, 0.0], [1.0, 1.0]]]), torch.tensor([[False, True]]))
        assert loss.item() == pytest.approx(wanted)

    def test_focal_by_hand(self):
        # the wanted class has probabilities 1/4 and 1/2
        logits = torch.tensor([[0.0, math.log(3)], [0.0, 0.0]])
        wanted = torch.tensor([0, 1])
        told = (0.75**2 * math.log(4) + 0.5**2 * math.log(2)) / 2
        assert focal(logits, wanted).item() == pytest.approx(told, rel=1e-5)
        plain = torch.nn.functional.cross_entropy(logits, wanted)
        torch.testing.assert_close(focal(logits, wanted, gamma=0.0), plain)

    def test_kl_by_hand(self):
        zero = torch.zeros(3, 2)
        assert kl_to_standard_normal(zero, zero).item() == 0
        assert kl_to_standard_normal(zero + 2, zero).item() == pytest.approx(4.0)
        assert kl_to_standard_normal(zero, zero + 1).item() == pytest.approx(math.e - 2)


class TestEma:
    def test_the_first_updates_forget_quickly(self):
        module = nn.Linear(1, 1, bias=False)
        module.weight.data.fill_(0.0)
        ema = Ema(module, 0.999)
        module.weight.data.fill_(1.0)
        ema.update()
        assert ema.average["weight"].item() == pytest.approx(1 - 2 / 11)

    def test_applied_is_undone(self):
        module = nn.BatchNorm1d(2)
        ema = Ema(module, 0.9)
        module.weight.data.fill_(5.0)
        with ema.applied(module):
            assert module.weight.tolist() == [1.0, 1.0]
        assert module.weight.tolist() == [5.0, 5.0]


class TestAugment:
    def _images(self):
        return torch.arange(2 * 6 * 7 * 3, dtype=torch.uint8).reshape(2, 6, 7, 3)

    def test_shifts_stay_within_and_repeat_the_edge(self):
        images = self._images()
        shifted = random_shift(images, 2, torch.Generator().manual_seed(3))
        for before, after in zip(images, shifted, strict=True):
            padded = nn.functional.pad(before.permute(2, 0, 1)[None].float(), (2, 2, 2, 2), mode="replicate")
            crops = padded[0].permute(1, 2, 0).unfold(0, 6, 1).unfold(1, 7, 1).permute(0, 1, 3, 4, 2).flatten(0, 1)
            assert (crops == after.float()).flatten(1).all(1).any()

    def test_the_same_generator_state_shifts_the_same(self):
        first, again = (random_shift(self._images(), 3, torch.Generator().manual_seed(1)) for _ in range(2))
        assert torch.equal(first, again)

    def test_brightness_stays_within(self):
        images = torch.full((50, 2, 2, 3), 100, dtype=torch.uint8)
        changed = Jitter(brightness=0.1)(images, torch.Generator().manual_seed(0))
        assert changed.dtype == torch.uint8
        assert 90 <= changed.min() < 95
        assert 105 < changed.max() <= 110
        assert len(changed[0].unique()) == 1

    def test_all_times_of_a_sample_change_alike_and_as_one_picture_would(self):
        images = self._images()
        in_time = images[:, None].expand(-1, 3, -1, -1, -1)
        jitter = Jitter(brightness=0.5, contrast=0.5, saturation=0.5, hue=0.2, sharpness=0.5, rotation_deg=30)
        for change in (lambda x, generator: random_shift(x, 2, generator), jitter):
            alone, together = (change(x, torch.Generator().manual_seed(4)) for x in (images, in_time))
            assert torch.equal(together, alone[:, None].expand_as(together))
            assert not torch.equal(alone, images)

    def test_nothing_asked_for_changes_nothing(self):
        images, generator = self._images(), torch.Generator()
        assert random_shift(images, 0, generator) is images
        assert Jitter()(images, generator) is images

    def test_no_change_is_larger_than_asked_for(self):
        red = torch.tensor([200, 100, 100], dtype=torch.uint8).expand(300, 5, 5, 3)
        paler = Jitter(saturation=0.5)(red, torch.Generator().manual_seed(0))[..., 0]
        grey = 0.2989 * 200 + 0.701 * 100
        assert grey + 0.5 * (200 - grey) - 1 <= paler.min() < 170
        assert 230 < paler.max() <= grey + 1.5 * (200 - grey) + 1
        image = torch.arange(9, dtype=torch.uint8).mul(20).reshape(1, 1, 9, 1).expand(300, 9, 9, 3)
        moved = Jitter(translation=1 / 9)(image, torch.Generator().manual_seed(0)).float()
        assert (moved[:, 4, 4] - 80).abs().max() <= 20
        assert (moved[:, 4, 4] - 80).abs().max() > 17

    def test_a_sample_gets_no_more_changes_than_asked_for(self):
        images = torch.tensor([120, 60, 30], dtype=torch.uint8).expand(200, 6, 6, 3)
        jitter = Jitter(brightness=0.5, saturation=0.5, hue=0.3, most_at_once=1)
        changed = jitter(images, torch.Generator().manual_seed(0)).float()[:, 0, 0]
        ratios = changed[:, :2] / changed[:, 2:]
        keeps_ratios = ((ratios - torch.tensor([4.0, 2.0])).abs() < 0.2).all(-1)
        grey = (changed * torch.tensor([0.2989, 0.587, 0.114])).sum(-1)
        keeps_grey = (grey - (0.2989 * 120 + 0.587 * 60 + 0.114 * 30)).abs() < 1
        keeps_most = (changed.amax(-1) - 120).abs() < 1
        assert (keeps_ratios | keeps_grey | keeps_most).all()
        assert all(kept.float().mean() > 0.2 for kept in (keeps_ratios, keeps_grey, keeps_most))

    def test_it_works_on_the_pictures_of_training(self):
        images = torch.randint(0, 256, (4, 2, 16, 20, 3), dtype=torch.uint8)
        every = Jitter(brightness=0.2, contrast=0.2, saturation=0.5, hue=0.05, sharpness=0.5, translation=0.05)
        changed = every(images, torch.Generator().manual_seed(0))
        assert (changed.dtype, changed.shape) == (torch.uint8, images.shape)
        assert torch.equal(changed, every(images, torch.Generator().manual_seed(0)))
        assert not torch.equal(changed, every(images, torch.Generator().manual_seed(1)))
