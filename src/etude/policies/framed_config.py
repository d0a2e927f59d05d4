"""Values that policies share: how frames are rewritten and normalised for them, and how they see pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from etude.core.errors import ConfigError
from etude.core.frame import STATE
from etude.core.spec import Spec, Specs
from etude.core.stats import Stats
from etude.policies.inputs import check_backbone, check_least, normalized, resized
from etude.transforms.normalize import Mode
from etude.transforms.pipeline import Pipeline
from etude.transforms.relative import RelativeActions


def mean_std() -> dict[str, Mode]:
    """Give the mapping that normalises everything by mean and deviation."""
    return dict.fromkeys(("VISUAL", "STATE", "ENV", "ACTION"), Mode.MEAN_STD)


@dataclass(frozen=True, kw_only=True)
class FramedConfig:
    """A policy that sees frames: rewritten, normalised, and their pictures encoded."""

    drop_n_last_frames: int = 0
    """Frames at the end of every episode that no training sample begins at."""
    normalization_mapping: Mapping[str, Mode] = field(default_factory=mean_std)
    """How VISUAL, STATE, ENV and ACTION values are normalised; what is not named stays as it is."""
    use_relative_actions: bool = False
    """Predict actions as differences from the present state."""
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
    """Height and width to bring pictures to before the network sees them, by averaging areas, as datasets do while they
    decode; none leaves them as they are."""

    def __post_init__(self) -> None:
        check_backbone(self.vision_backbone, self.pretrained_backbone_weights)
        check_least(self, 0, "drop_n_last_frames")

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


@dataclass(frozen=True, kw_only=True)
class KeypointConfig(FramedConfig):
    """A policy that sees of each picture where a few things in it are."""

    crop_shape: tuple[int, int] | None = None
    """Height and width of the part that is seen: any in training, the middle when acting."""
    crop_is_random: bool = True
    """Whether training sees another part each time."""
    use_group_norm: bool = True
    """Normalise groups of channels in the picture encoder; otherwise batches."""
    spatial_softmax_num_keypoints: int = 32
    """Places in a picture that are told to the network."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_least(self, 1, "spatial_softmax_num_keypoints")
        if self.pretrained_backbone_weights and self.use_group_norm:
            raise ConfigError(
                "pretrained_backbone_weights were normalised by batches; set use_group_norm to false for them."
            )
