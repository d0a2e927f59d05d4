"""Values of a flow policy; names are those of LeRobot's diffusion policies wherever they have them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from etude.core.errors import ConfigError
from etude.core.frame import ACTION, STATE
from etude.core.spec import Spec, Specs
from etude.core.stats import Stats
from etude.core.window import Window
from etude.policies.inputs import check_backbone, check_least, check_shares, chosen, normalized, resized
from etude.policies.realtime import Mode as RtcMode
from etude.transforms.normalize import Mode
from etude.transforms.pipeline import Pipeline
from etude.transforms.relative import RelativeActions


def _mean_std() -> dict[str, Mode]:
    return {"VISUAL": Mode.MEAN_STD, "STATE": Mode.MEAN_STD, "ENV": Mode.MEAN_STD, "ACTION": Mode.MEAN_STD}


@dataclass(frozen=True, kw_only=True)
class Config:
    """The transformer of Diffusion Policy, taught a straight way from noise to actions (rectified flow)."""

    n_obs_steps: int = 2
    """Frames looked back on, this one included."""
    horizon: int = 16
    """Actions made at once, from this frame's on."""
    n_action_steps: int = 8
    """Actions to play before asking again."""
    drop_n_last_frames: int = 0
    """Frames at an episode's end that are not learned from."""
    normalization_mapping: Mapping[str, Mode] = field(default_factory=_mean_std)
    """How VISUAL, STATE, ENV and ACTION values are normalised; what is not named stays as it is."""
    use_relative_actions: bool = False
    """Make actions as differences from the present state."""
    relative_exclude_joints: tuple[str, ...] = ("gripper",)
    """Words that mark joints which stay absolute."""
    vision_backbone: str = "resnet18"
    """Picture encoder: resnet18, resnet34, `small`, which learns on a processor, or a vision model of transformers by
    its folder or its name on the Hub, such as `facebook/dinov2-small`."""
    vision_config: str = ""
    """What a vision model of transformers is made of, as JSON; filled in when training begins."""
    freeze_vision: bool = False
    """Leave a vision model of transformers as it is."""
    pretrained_backbone_weights: Path | None = None
    """Safetensors file to start a ResNet from, with torchvision's tensor names; none starts from noise."""
    image_size: tuple[int, int] | None = None
    """Height and width to bring pictures to before the network sees them; none leaves them as they are."""
    resize_shape: tuple[int, int] | None = None
    """Height and width that the network itself brings whole pictures to, as LeRobot does; many times slower."""
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
    n_layer: int = 8
    """Layers of the transformer."""
    n_head: int = 4
    """Its attention heads."""
    n_emb: int = 256
    """Its width."""
    p_drop_emb: float = 0.0
    """Share of its tokens' values dropped in training."""
    p_drop_attn: float = 0.1
    """Share dropped within its layers."""
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
    do_mask_loss_for_padding: bool = True
    """Learn nothing from actions beyond the end of an episode."""
    rtc_max_delay: int = 0
    """Learn to go on from up to so many given actions (arXiv 2512.05964); 0 learns to begin anew only."""
    optimizer_lr: float = 1e-4
    """Learning rate."""
    optimizer_betas: tuple[float, float] = (0.9, 0.95)
    """Averages of AdamW."""
    optimizer_weight_decay: float = 1e-3
    """Weight decay of the transformer's matrices."""

    def __post_init__(self) -> None:
        check_backbone(self.vision_backbone, self.pretrained_backbone_weights)
        check_least(self, 1, "n_obs_steps", "num_integration_steps", "num_noise_draws")
        check_least(self, 1, "n_layer", "n_head", "spatial_softmax_num_keypoints")
        check_least(self, 4, "n_emb")
        check_least(self, 0, "drop_n_last_frames")
        check_shares(self, "p_drop_emb", "p_drop_attn")
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
    def num_noise(self) -> int:
        """Actions' worth of noise that a chunk is made of."""
        return self.horizon

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

    def reframe(self, observation: Specs, action: Spec) -> Pipeline:
        """Resize pictures and make actions relative, where the config says so."""
        inputs = resized(self.image_size, observation)
        if not self.use_relative_actions:
            return Pipeline(inputs)
        if STATE not in observation:
            raise ConfigError(f"Relative actions need '{STATE}'; there is {', '.join(observation)}.")
        relative = RelativeActions.between(observation[STATE], action, exclude=self.relative_exclude_joints)
        return Pipeline((*inputs, relative), (relative.inverse(),))

    def pipeline(self, stats: Mapping[str, Stats], observation: Specs, action: Spec) -> Pipeline:
        """Rewrite frames, bring pictures to 0..1, then normalise by `stats`."""
        inner = normalized(self.normalization_mapping, stats, observation, backbone=self.vision_backbone)
        return self.reframe(observation, action).then(inner)

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
