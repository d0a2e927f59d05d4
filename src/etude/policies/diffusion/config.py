"""Values of a Diffusion Policy; names and defaults are LeRobot's wherever it has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from etude.core.errors import ConfigError
from etude.core.frame import ACTION
from etude.core.spec import Specs
from etude.core.window import Window
from etude.policies.inputs import check_least, chosen
from etude.policies.noise_config import NoiseConfig
from etude.policies.realtime import Mode as RtcMode
from etude.transforms.normalize import Mode


def _mapping() -> dict[str, Mode]:
    return {"VISUAL": Mode.MEAN_STD, "STATE": Mode.MIN_MAX, "ACTION": Mode.MIN_MAX}


@dataclass(frozen=True, kw_only=True)
class Config(NoiseConfig):
    """Diffusion Policy (Chi et al., 2023); the defaults are the published policy with a U-Net."""

    horizon: int = 16
    """Actions made at once, from that of the first frame looked at on."""
    drop_n_last_frames: int = 7
    """Frames at an episode's end that are not learned from: with more of them every chunk would end in padding."""
    normalization_mapping: Mapping[str, Mode] = field(default_factory=_mapping)
    p_drop_attn: float = 0.3
    do_mask_loss_for_padding: bool = False
    denoiser: Literal["unet", "transformer"] = "unet"
    """What takes the noise away."""
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
    causal_attn: bool = True
    """Whether an action reads only actions and observations up to its own time."""
    noise_scheduler_type: Literal["DDPM", "DDIM"] = "DDPM"
    """How noise is taken away when acting."""
    num_train_timesteps: int = 100
    """Steps of noise learned."""
    num_inference_steps: int | None = None
    """Steps taken when acting; none takes all."""
    timestep_spacing: Literal["leading", "trailing"] = "leading"
    """Whether the steps taken when acting end at the cleanest one or begin at the noisiest."""
    beta_schedule: Literal["squaredcos_cap_v2", "linear", "scaled_linear"] = "squaredcos_cap_v2"
    """How much noise each step adds."""
    beta_start: float = 0.0001
    """First of a linear schedule."""
    beta_end: float = 0.02
    """Last of a linear schedule."""
    prediction_type: Literal["epsilon", "sample", "v_prediction"] = "epsilon"
    """What the network tells: the noise, the actions, or the velocity between them."""
    clip_sample: bool = True
    """Keep actions within `clip_sample_range` at every step."""
    clip_sample_range: float = 1.0
    """See `clip_sample`."""
    half_weights: bool = False
    """Act on a processor with the U-Net's large weights in half precision: faster, and slightly other chunks."""
    optimizer_lr: float = 1e-4
    """Learning rate."""
    optimizer_betas: tuple[float, float] = (0.95, 0.999)
    """Decays of the gradient's mean and of its square's."""
    optimizer_eps: float = 1e-8
    """Least divisor of a step."""
    optimizer_weight_decay: float = 1e-6
    """Weight decay."""
    transformer_weight_decay: float = 1e-3
    """Weight decay of the transformer's matrices; its other parameters have none."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_least(self, 1, "num_train_timesteps")
        check_least(self, 0, "clip_sample_range")
        if self.denoiser == "unet":
            self._check_unet()
        elif self.n_emb < 4 or self.n_emb % (2 * self.n_head):
            raise ConfigError(
                f"n_emb ({self.n_emb}) must be an even multiple of n_head ({self.n_head}) and at least 4."
            )
        last = self.horizon - self.n_obs_steps + 1
        if not 1 <= self.n_action_steps <= last:
            raise ConfigError(
                f"n_action_steps ({self.n_action_steps}) must lie between 1 and {last}, horizon - n_obs_steps + 1."
            )
        if self.num_inference_steps is not None and not 1 <= self.num_inference_steps <= self.num_train_timesteps:
            raise ConfigError(
                f"num_inference_steps ({self.num_inference_steps}) must lie between 1 and num_train_timesteps "
                f"({self.num_train_timesteps})."
            )

    def _check_unet(self) -> None:
        check_least(self, 1, "n_groups", "kernel_size")
        if not self.down_dims or any(width < 1 or width % self.n_groups for width in self.down_dims):
            raise ConfigError(f"down_dims {list(self.down_dims)} must be multiples of n_groups ({self.n_groups}).")
        if self.down_dims[0] % 8:  # the published network's last layer has so many groups, whatever n_groups says
            raise ConfigError(f"The first of down_dims ({self.down_dims[0]}) must be a multiple of 8.")
        if self.kernel_size % 2 == 0:
            raise ConfigError(f"kernel_size ({self.kernel_size}) must be odd.")
        if self.diffusion_step_embed_dim < 4 or self.diffusion_step_embed_dim % 2:
            raise ConfigError(
                f"diffusion_step_embed_dim ({self.diffusion_step_embed_dim}) must be even and at least 4."
            )
        halvings = 2 ** (len(self.down_dims) - 1)
        if self.horizon % halvings:
            raise ConfigError(f"horizon ({self.horizon}) must be a multiple of {halvings}, for {self.down_dims}.")

    @property
    def num_fresh_noise(self) -> int:
        """Actions' worth of noise that DDPM adds on the way, which `noise` may go on with."""
        steps = self.num_inference_steps or self.num_train_timesteps
        return self.horizon * (steps - 1) if self.noise_scheduler_type == "DDPM" else 0

    @property
    def rtc_modes(self) -> tuple[RtcMode, ...]:
        """Ways in which a chunk can go on from an old one."""
        return ("guided", "inpainting")

    @property
    def window(self) -> Window:
        """The last frames, and the actions from the first of them on."""
        past = tuple(range(1 - self.n_obs_steps, 1))
        ahead = tuple(range(1 - self.n_obs_steps, 1 - self.n_obs_steps + self.horizon))
        return Window(offsets={ACTION: ahead}, past=past)

    def observes(self, specs: Specs) -> Specs:
        """Choose the robot's state, the environment's state and RGB pictures."""
        return chosen("Diffusion Policy", specs, needs_state=True)

    @classmethod
    def lerobot(cls) -> Config:
        """LeRobot's defaults since version 0.6: longer chunks; an encoder for each camera, which normalises batches."""
        return cls(horizon=64, n_action_steps=32, use_group_norm=False, use_separate_rgb_encoder_per_camera=True)

    @classmethod
    def lerobot_old(cls) -> Config:
        """LeRobot's first defaults, those of `lerobot/diffusion_pusht`."""
        return cls(crop_shape=(84, 84))

    @classmethod
    def states(cls) -> Config:
        """The published sizes for observations without pictures."""
        return cls(down_dims=(256, 512, 1024))

    @classmethod
    def ddim(cls) -> Config:
        """The published policy, acting in ten steps instead of a hundred."""
        return cls(noise_scheduler_type="DDIM", num_inference_steps=10)

    @classmethod
    def transformer(cls) -> Config:
        """The published policy with a transformer: 10 actions made, 8 played."""
        return cls(
            denoiser="transformer", horizon=10, n_action_steps=8, drop_n_last_frames=1, optimizer_betas=(0.9, 0.95)
        )

    @classmethod
    def transformer_ddim(cls) -> Config:
        """The same, acting in ten steps instead of a hundred."""
        return replace(cls.transformer(), noise_scheduler_type="DDIM", num_inference_steps=10)

    @classmethod
    def small(cls) -> Config:
        """A policy that learns on two processor cores in minutes, from states or from small pictures."""
        return cls(
            normalization_mapping=_mapping() | {"ENV": Mode.MIN_MAX},
            use_relative_actions=True,
            vision_backbone="small",
            image_size=(96, 96),
            down_dims=(64, 128),
            diffusion_step_embed_dim=64,
            noise_scheduler_type="DDIM",
            num_inference_steps=10,
            timestep_spacing="trailing",
            prediction_type="sample",
            optimizer_lr=1e-3,
        )

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working size; every test uses it."""
        return cls(
            horizon=4,
            n_action_steps=2,
            drop_n_last_frames=0,
            vision_backbone="small",
            image_size=(48, 64),
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
