"""Values of a flow policy; names are those of LeRobot's diffusion policies wherever they have them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from etude.core.errors import ConfigError
from etude.core.frame import ACTION
from etude.core.spec import Specs
from etude.core.window import Window
from etude.policies.inputs import check_least, chosen
from etude.policies.noise_config import NoiseConfig
from etude.policies.realtime import Mode as RtcMode


@dataclass(frozen=True, kw_only=True)
class Config(NoiseConfig):
    """The transformer of Diffusion Policy, taught a straight way from noise to actions (rectified flow)."""

    prediction_type: Literal["velocity", "sample"] = "velocity"
    """What the network tells: how fast values change with the share of noise, or the actions."""
    timestep_sampling_strategy: Literal["uniform", "beta", "logit_normal"] = "beta"
    """How much noise training adds."""
    timestep_sampling_s: float = 0.999
    """Range of the Beta, see `nn.heads.flow.TimeLaw`."""
    timestep_sampling_alpha: float = 1.5
    """Of the Beta; above `timestep_sampling_beta` much noise is seen more often than little."""
    timestep_sampling_beta: float = 1.0
    """Of the Beta."""
    timestep_sampling_stratified: bool = True
    """Spread the times of a batch evenly over their law."""
    num_noise_draws: int = 1
    """Noises and times that each frame is learned from at once; pictures are encoded once for all of them."""
    num_integration_steps: int = 10
    """Steps from noise to actions when acting."""
    integration_method: Literal["euler", "midpoint", "heun"] = "euler"
    """How a step is taken; the last two ask the network twice, Heun's only one that tells velocities."""
    rtc_max_delay: int = 0
    """Learn to go on from up to so many given actions (arXiv 2512.05964); 0 learns to begin anew only."""
    optimizer_lr: float = 1e-4
    """Learning rate."""
    optimizer_betas: tuple[float, float] = (0.9, 0.95)
    """Averages of AdamW."""
    optimizer_weight_decay: float = 1e-3
    """Weight decay of the transformer's matrices."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_least(self, 1, "num_integration_steps", "num_noise_draws")
        check_least(self, 4, "n_emb")
        if min(self.timestep_sampling_alpha, self.timestep_sampling_beta) <= 0:
            raise ConfigError(
                "timestep_sampling_alpha and timestep_sampling_beta should be above 0, got "
                f"{self.timestep_sampling_alpha} and {self.timestep_sampling_beta}."
            )
        if not 1 <= self.n_action_steps <= self.horizon:
            raise ConfigError(
                f"n_action_steps ({self.n_action_steps}) must lie between 1 and horizon ({self.horizon})."
            )
        if not 0 <= self.rtc_max_delay < self.horizon:
            raise ConfigError(f"rtc_max_delay ({self.rtc_max_delay}) must lie between 0 and horizon - 1.")
        if self.n_emb % self.n_head or self.n_emb % 2:
            raise ConfigError(f"n_emb ({self.n_emb}) must be even and a multiple of n_head ({self.n_head}).")
        if self.prediction_type == "sample" and self.integration_method == "heun":
            # The velocity of a network that tells actions is its error divided by the share of noise, here by none.
            raise ConfigError(
                "integration_method = heun asks where no noise is left, which only velocities can be told for; with "
                "prediction_type = sample choose midpoint."
            )
        has_closed_law = 1 in {self.timestep_sampling_alpha, self.timestep_sampling_beta}
        if self.timestep_sampling_strategy == "beta" and self.timestep_sampling_stratified and not has_closed_law:
            raise ConfigError(
                "timestep_sampling_stratified needs a Beta whose alpha or beta is 1; set it to false or one to 1."
            )

    @property
    def rtc_modes(self) -> tuple[RtcMode, ...]:
        """Ways in which a chunk can go on from an old one."""
        return ("guided", "inpainting", "trained") if self.rtc_max_delay else ("guided", "inpainting")

    @property
    def window(self) -> Window:
        """The last frames, and the actions from this one on."""
        past = tuple(range(1 - self.n_obs_steps, 1))
        return Window(offsets={ACTION: tuple(range(self.horizon))}, past=past)

    def observes(self, specs: Specs) -> Specs:
        """Choose the robot's state, the environment's state and RGB pictures; one of the last two is needed."""
        return chosen("A flow policy", specs)

    @classmethod
    def small(cls) -> Config:
        """A policy that learns on two processor cores in minutes, from states or from small pictures."""
        return cls(
            n_obs_steps=1,
            vision_backbone="small",
            image_size=(96, 96),
            use_relative_actions=True,
            n_layer=4,
            n_emb=128,
            p_drop_attn=0.0,
            prediction_type="sample",
            num_integration_steps=5,
            optimizer_lr=1e-3,
        )

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working size; every test uses it."""
        return cls(
            horizon=4,
            n_action_steps=2,
            use_relative_actions=True,
            vision_backbone="small",
            image_size=(48, 64),
            crop_shape=(40, 56),
            spatial_softmax_num_keypoints=4,
            n_layer=1,
            n_head=2,
            n_emb=16,
            p_drop_attn=0.0,
            num_noise_draws=2,
            num_integration_steps=3,
            rtc_max_delay=2,
            optimizer_lr=1e-3,
        )
