"""Values of a Diffusion Policy; names and defaults are LeRobot's wherever it has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from etude.core.errors import ConfigError
from etude.core.frame import ACTION
from etude.core.spec import Spec, Specs
from etude.core.stats import Stats
from etude.core.window import Window
from etude.policies.inputs import chosen, normalized
from etude.transforms.normalize import Mode
from etude.transforms.pipeline import Pipeline


def _mapping() -> dict[str, Mode]:
    return {"VISUAL": Mode.MEAN_STD, "STATE": Mode.MIN_MAX, "ACTION": Mode.MIN_MAX}


@dataclass(frozen=True, kw_only=True)
class Config:
    """Diffusion Policy (Chi et al., 2023); the defaults are the published policy with a U-Net."""

    n_obs_steps: int = 2
    """Frames looked back on, this one included."""
    horizon: int = 16
    """Actions made at once, from that of the first frame looked at on."""
    n_action_steps: int = 8
    """Actions to play before asking again, from this frame's on."""
    normalization_mapping: Mapping[str, Mode] = field(default_factory=_mapping)
    """How VISUAL, STATE, ENV and ACTION values are normalised; what is not named stays as it is."""
    vision_backbone: Literal["resnet18", "resnet34", "small"] = "resnet18"
    """Picture encoder; `small` learns on a processor."""
    resize_shape: tuple[int, int] | None = None
    """Height and width to bring pictures to; none leaves them as they are."""
    crop_shape: tuple[int, int] | None = None
    """Height and width of the part that is seen: any in training, the middle when acting."""
    crop_is_random: bool = True
    """Whether training sees another part each time."""
    use_group_norm: bool = True
    """Normalise groups of channels in the picture encoder; otherwise batches."""
    spatial_softmax_num_keypoints: int = 32
    """Places in a picture that are told to the network."""
    use_separate_rgb_encoder_per_camera: bool = False
    """One picture encoder for each camera."""
    down_dims: tuple[int, ...] = (512, 1024, 2048)
    """Channels of the U-Net, halving time from each to the next."""
    kernel_size: int = 5
    """Reach of its convolutions in time."""
    n_groups: int = 8
    """Groups that its channels are normalised in."""
    diffusion_step_embed_dim: int = 128
    """Width in which a step of noise is told."""
    use_film_scale_modulation: bool = True
    """Whether the observation scales channels as well as shifting them."""
    noise_scheduler_type: Literal["DDPM", "DDIM"] = "DDPM"
    """How noise is taken away when acting."""
    num_train_timesteps: int = 100
    """Steps of noise learned."""
    num_inference_steps: int | None = None
    """Steps taken when acting; none takes all."""
    beta_schedule: Literal["squaredcos_cap_v2", "linear"] = "squaredcos_cap_v2"
    """How much noise each step adds."""
    beta_start: float = 0.0001
    """First of a linear schedule."""
    beta_end: float = 0.02
    """Last of a linear schedule."""
    prediction_type: Literal["epsilon", "sample"] = "epsilon"
    """What the network tells: the noise, or the actions."""
    clip_sample: bool = True
    """Keep actions within `clip_sample_range` at every step."""
    clip_sample_range: float = 1.0
    """See `clip_sample`."""
    do_mask_loss_for_padding: bool = False
    """Learn nothing from actions beyond the end of an episode."""
    optimizer_lr: float = 1e-4
    """Learning rate."""
    optimizer_weight_decay: float = 1e-6
    """Weight decay."""

    def __post_init__(self) -> None:
        halvings = 2 ** (len(self.down_dims) - 1)
        if self.horizon % halvings:
            raise ConfigError(f"horizon ({self.horizon}) must be a multiple of {halvings}, for {self.down_dims}.")
        last = self.horizon - self.n_obs_steps + 1
        if not 1 <= self.n_action_steps <= last:
            raise ConfigError(
                f"n_action_steps ({self.n_action_steps}) must lie between 1 and {last}, horizon - n_obs_steps + 1."
            )
        if self.num_inference_steps and not 1 <= self.num_inference_steps <= self.num_train_timesteps:
            raise ConfigError(
                f"num_inference_steps ({self.num_inference_steps}) must lie between 1 and num_train_timesteps "
                f"({self.num_train_timesteps})."
            )

    @property
    def image_size(self) -> tuple[int, int] | None:
        """Height and width of the pictures it sees."""
        return self.resize_shape

    @property
    def num_noise(self) -> int:
        """Actions' worth of noise that a chunk is made of."""
        return self.horizon

    @property
    def seen_size(self) -> tuple[int, int] | None:
        """Height and width of what reaches the picture encoder; none for whole pictures of any size."""
        return self.crop_shape or self.resize_shape

    @property
    def window(self) -> Window:
        """The last frames, and the actions from the first of them on."""
        past = tuple(range(1 - self.n_obs_steps, 1))
        ahead = tuple(range(1 - self.n_obs_steps, 1 - self.n_obs_steps + self.horizon))
        return Window(offsets={ACTION: ahead}, past=past)

    def observes(self, specs: Specs) -> Specs:
        """Choose the robot's state, the environment's state and RGB pictures."""
        return chosen("Diffusion Policy", specs, needs_state=True)

    def reframe(self, observation: Specs, action: Spec) -> Pipeline:
        """Leave frames as they are: pictures are resized in the network, as in LeRobot."""
        del observation, action
        return Pipeline()

    def pipeline(self, stats: Mapping[str, Stats], observation: Specs, action: Spec) -> Pipeline:
        """Bring pictures to 0..1, then normalise by `stats`."""
        return self.reframe(observation, action).then(normalized(self.normalization_mapping, stats, observation))

    @classmethod
    def lerobot(cls) -> Config:
        """LeRobot's defaults since version 0.6: longer chunks."""
        return cls(horizon=64, n_action_steps=32)

    @classmethod
    def states(cls) -> Config:
        """The published sizes for observations without pictures."""
        return cls(down_dims=(256, 512, 1024))

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working size; every test uses it."""
        return cls(
            horizon=4,
            n_action_steps=2,
            vision_backbone="small",
            crop_shape=(40, 56),
            spatial_softmax_num_keypoints=4,
            down_dims=(16, 32),
            kernel_size=3,
            diffusion_step_embed_dim=8,
            num_train_timesteps=8,
            noise_scheduler_type="DDIM",
            num_inference_steps=4,
            optimizer_lr=1e-3,
        )
