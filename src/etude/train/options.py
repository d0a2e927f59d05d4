"""Groups of a training run's values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from etude.core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Augment:
    """Changes to training pictures that the policy should not care about."""

    shift_px: int = 4
    """Moves each picture by up to this many pixels both ways; 0 leaves it."""
    brightness: float = 0.1
    """Brightens or darkens by up to this share; 0 leaves it."""
    contrast: float = 0.0
    """Takes values away from the picture's mean brightness, or to it, by up to this share."""
    saturation: float = 0.0
    """Takes colours away from grey, or to it, by up to this share."""
    hue: float = 0.0
    """Turns colours by up to this share of the circle of hues."""
    sharpness: float = 0.0
    """Takes the picture away from a smoothed one, or to it, by up to this share."""
    rotation_deg: float = 0.0
    """Turns each picture by up to this angle both ways [deg]."""
    translation: float = 0.0
    """Moves each picture by up to this share of its width and height."""
    most_at_once: int = 0
    """Changes that a sample gets, besides the shift, of those that are asked for; 0 gives it all."""

    def __post_init__(self) -> None:
        for name, most in _LARGEST.items():
            if not 0 <= getattr(self, name) <= most:
                raise ConfigError(f"augment.{name} should be in 0..{most:g}, got {getattr(self, name)}.")

    @classmethod
    def lerobot(cls) -> Augment:
        """LeRobot's image transforms, where they are switched on: up to three of six to each sample."""
        return cls(
            shift_px=0,
            brightness=0.2,
            contrast=0.2,
            saturation=0.5,
            hue=0.05,
            sharpness=0.5,
            rotation_deg=5.0,
            translation=0.05,
            most_at_once=3,
        )


_LARGEST = dict.fromkeys(("brightness", "contrast", "saturation", "sharpness"), 1.0)
_LARGEST |= {"shift_px": float("inf"), "hue": 0.5, "rotation_deg": 180.0, "translation": 1.0, "most_at_once": 6.0}


@dataclass(frozen=True, kw_only=True)
class Emphasis:
    """How often frames are drawn in which a hand is about to act, relative to the others."""

    grasp: float = 1.0
    """Before it closes; 1 draws all alike."""
    release: float = 1.0
    """Before it opens."""
    before_s: float = 1.5
    """How long before [s]."""

    def __post_init__(self) -> None:
        if min(self.grasp, self.release) <= 0 or not 0 < self.before_s < float("inf"):
            raise ConfigError(
                "emphasis.grasp, emphasis.release and emphasis.before_s should be above 0, got "
                f"{self.grasp:g}, {self.release:g} and {self.before_s:g}."
            )

    @property
    def is_none(self) -> bool:
        """Whether all frames are drawn alike."""
        return self.grasp == self.release == 1


@dataclass(frozen=True, kw_only=True)
class Optimizer:
    """How gradients change weights; learning rate and weight decay are the policy's."""

    type: Literal["adamw", "adam", "muon"] = "adamw"
    """AdamW takes weight decay from weights, Adam adds it to gradients, as LeRobot does for diffusion and VQ-BeT. Muon
    learns convolutions in fewer samples: it makes steps of their kernels orthogonal, and is AdamW for the rest."""
    betas: tuple[float, float] = (0.9, 0.999)
    """Decay of the averages of gradients and of their squares, for groups of parameters without their own."""
    eps: float = 1e-8
    """Added to the root of the squares."""
    grad_clip_norm: float = 1.0
    """Longest gradient; longer ones are shortened to it. 0 leaves them."""

    def __post_init__(self) -> None:
        if self.grad_clip_norm < 0 or self.eps <= 0 or not all(0 <= beta < 1 for beta in self.betas):
            raise ConfigError(
                "grad_clip_norm should be at least 0, eps above 0 and betas in [0, 1), got "
                f"{self.grad_clip_norm}, {self.eps} and {self.betas}."
            )


@dataclass(frozen=True, kw_only=True)
class Scheduler:
    """How learning rates rise and fall."""

    type: Literal["cosine", "linear", "constant", "cosine_decay_with_warmup"] = "cosine"
    """After the warm-up: down to nothing by a cosine or a line, or unchanged; LeRobot's last one ends at `decay_lr`."""
    num_warmup_steps: int = 100
    """Updates over which they rise from nothing."""
    num_decay_steps: int | None = None
    """Updates over which cosine_decay_with_warmup falls; a shorter run shrinks it and the warm-up. Default: all."""
    decay_lr: float = 0.0
    """Where cosine_decay_with_warmup ends, for a group that has the policy's optimizer_lr."""
    num_delay_steps: int = 0
    """Updates at full rate before the warm-up, such as those that learn VQ-BeT's codes."""

    def __post_init__(self) -> None:
        least = {"num_warmup_steps": 0, "num_decay_steps": 1, "decay_lr": 0, "num_delay_steps": 0}
        for name, bound in least.items():
            value = getattr(self, name)
            if value is not None and value < bound:
                raise ConfigError(f"{name} should be at least {bound}, got {value}.")


@dataclass(frozen=True, kw_only=True)
class Average:
    """The moving average of the weights, which is what checkpoints act with."""

    decay: float = 0.999
    """Its greatest decay; 0 acts with the newest weights."""
    law: Literal["ramp", "power", "constant"] = "ramp"
    """How decay rises at update n: (1 + n) / (10 + n), 1 - (1 + n / inv_gamma) ** -power, or not at all."""
    power: float = 0.75
    """See `law`; Diffusion Policy's is 0.75 with inv_gamma 1 and decay 0.9999."""
    inv_gamma: float = 1.0
    """See `law`."""

    def __post_init__(self) -> None:
        if not 0 <= self.decay < 1 or self.power <= 0 or self.inv_gamma <= 0:
            raise ConfigError(
                "ema.decay should be in [0, 1), ema.power and ema.inv_gamma above 0, got "
                f"{self.decay}, {self.power} and {self.inv_gamma}."
            )


@dataclass(frozen=True, kw_only=True)
class Lora:
    """Low-rank adapters: small matrices that learn beside the weights, which stay as they are."""

    rank: int = 0
    """Rank of each adapter; 0 trains all weights instead."""
    alpha: float = 0.0
    """Adapters count alpha / rank; 0: as much as their rank, which is once."""
    targets: str = ""
    """Regular expression that the whole name of a layer must match to get one, such as '.*(q|v)_proj'; empty: all
    linear layers."""
    dropout: float = 0.0
    """Share of an adapter's inputs that are left out while it learns."""

    def __post_init__(self) -> None:
        if self.rank < 0 or self.alpha < 0 or not 0 <= self.dropout < 1:
            raise ConfigError(
                "lora.rank and lora.alpha should be at least 0 and lora.dropout in [0, 1), got "
                f"{self.rank}, {self.alpha} and {self.dropout}."
            )
