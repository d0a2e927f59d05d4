"""What policies have in common in choosing and normalising what they see."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from etude.core.errors import ConfigError
from etude.core.frame import ACTION, ENVIRONMENT_STATE, STATE, images
from etude.core.spec import Specs
from etude.core.stats import Stats
from etude.transforms.images import ImageToFloat, Resize
from etude.transforms.normalize import Mode, Normalize
from etude.transforms.pipeline import Pipeline

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


BACKBONES = ("resnet18", "resnet34", "small")


def is_vision_model(backbone: str) -> bool:
    """Tell whether a picture encoder is a vision model of transformers, named by its folder or on the Hub."""
    return "/" in backbone


def check_backbone(backbone: str, weights: Path | None = None) -> None:
    """Raise `ConfigError` unless there is such a picture encoder, and `weights` can be those of a ResNet."""
    if backbone not in BACKBONES and not is_vision_model(backbone):
        raise ConfigError(
            f"vision_backbone should be one of {', '.join(BACKBONES)}, or a vision model of transformers by its folder "
            f"or its name on the Hub, such as facebook/dinov2-small; got '{backbone}'."
        )
    if weights and not backbone.startswith("resnet"):
        raise ConfigError(
            f"pretrained_backbone_weights are those of a ResNet; choose vision_backbone=resnet18, got '{backbone}'."
        )


def check_least(config: object, least: float, *names: str) -> None:
    """Raise `ConfigError` for one of the fields called `names` that is below `least`."""
    for name in names:
        if getattr(config, name) < least:
            raise ConfigError(f"{name} should be at least {least:g}, got {getattr(config, name)}.")


def check_shares(config: object, *names: str) -> None:
    """Raise `ConfigError` for one of the fields called `names` that is no share of values to drop."""
    for name in names:
        if not 0 <= getattr(config, name) < 1:
            raise ConfigError(f"{name} should be at least 0 and below 1, got {getattr(config, name)}.")


def chosen(policy: str, specs: Specs, *, needs_state: bool = False) -> Specs:
    """Choose the robot's state, the environment's state and RGB pictures; one of the last two is needed."""
    wanted = [STATE, ENVIRONMENT_STATE, *images(specs)]
    found = {key: specs[key] for key in wanted if key in specs and not specs[key].is_depth}
    if not set(found) - {STATE}:
        present = ", ".join(specs) or "nothing"
        raise ConfigError(f"{policy} needs a camera or '{ENVIRONMENT_STATE}'; there is {present}.")
    if needs_state and STATE not in found:
        raise ConfigError(f"{policy} needs '{STATE}'; there is {', '.join(specs)}.")
    return found


def resized(size: tuple[int, int] | None, observation: Specs) -> tuple[Resize, ...]:
    """Bring pictures to `size` (height, width), as datasets do while they decode: trained and run on the same."""
    return (Resize(keys=tuple(images(observation)), size=size),) if size and images(observation) else ()


def normalized(
    mapping: Mapping[str, Mode], stats: Mapping[str, Stats], observation: Specs, *, backbone: str
) -> Pipeline:
    """Bring pictures to 0..1, then normalise all by `stats`, as `mapping` says of VISUAL, STATE, ENV and ACTION.

    For a `backbone` of transformers, which normalises pictures as it is used to, they are not normalised here.
    """
    cameras = images(observation)
    if is_vision_model(backbone):
        mapping = dict(mapping) | {"VISUAL": Mode.IDENTITY}
    kinds = dict.fromkeys(cameras, "VISUAL") | {STATE: "STATE", ENVIRONMENT_STATE: "ENV", ACTION: "ACTION"}
    modes = {key: mapping.get(kinds[key], Mode.IDENTITY) for key in (*observation, ACTION)}
    outputs = _normalize({ACTION: modes[ACTION]}, stats).inverse()
    return Pipeline((ImageToFloat(keys=tuple(cameras)), _normalize(modes, stats)), (outputs,))


def _normalize(modes: Mapping[str, Mode], stats: Mapping[str, Stats]) -> Normalize:
    """Keep the statistics that are used, and no others."""
    return Normalize(modes=modes, stats={key: stats[key] for key in modes if key in stats})


def imagenet_stats() -> Stats:
    """Give the mean and deviation of ImageNet's pictures in 0..1."""
    mean, std = (np.asarray(values).reshape(3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    return Stats(mean=mean, std=std, min=np.zeros((3, 1, 1)), max=np.ones((3, 1, 1)), count=1)
