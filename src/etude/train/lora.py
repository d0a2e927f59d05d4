"""Low-rank adaptation (Hu et al., 2021) by peft: adapters learn, the policy's own weights stay."""

from __future__ import annotations

import copy
import re
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from etude.core.errors import ConfigError, MissingExtra
from etude.policies.loaded import LoadedPolicy
from etude.policies.policy import Policy
from etude.policies.weights import write_weights
from etude.train.options import Lora

if TYPE_CHECKING:
    from peft import LoraConfig
    from peft.tuners.lora import LoraLayer

ADAPTER = "adapter"
"""Folder of a checkpoint that holds the adapters by themselves, as peft writes them."""
_WEIGHTS = "adapter_model.safetensors"
_ATTRIBUTE = "peft_config_of_adapters"
_MOST_NAMED = 5


def adapt(policy: Policy, options: Lora) -> None:
    """Put adapters beside a policy's layers and freeze all else, in place; raise `ConfigError` where that cannot be.

    Random numbers come from torch's global state. An adapter adds nothing until it has learned.
    """
    assert isinstance(policy, nn.Module)
    try:
        from peft import LoraConfig, inject_adapter_in_model  # noqa: PLC0415  an extra
    except ImportError as error:
        raise MissingExtra("Training adapters", "lora") from error
    config = LoraConfig(
        r=options.rank,
        lora_alpha=options.alpha or options.rank,  # pyright: ignore[reportArgumentType]  any number does
        lora_dropout=options.dropout,
        target_modules=_targets(policy, options.targets),
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of models it does not know, and of weights that two layers share
            inject_adapter_in_model(config, policy)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"--lora.targets={options.targets} cannot have adapters: {error}") from error
    for _, layer in _adapted(policy):
        # Some of a policy reads a layer's weight instead of calling the layer; it should see the adapted one.
        layer.__class__ = type(layer.__class__.__name__, (layer.__class__,), {"weight": property(_whole_weight)})
    setattr(policy, _ATTRIBUTE, config)


def merged(loaded: LoadedPolicy, adapter: Path) -> LoadedPolicy:
    """Give a copy of the policy that acts the same without adapters, and write those into the folder `adapter`."""
    assert isinstance(loaded.policy, nn.Module)
    _write(loaded.policy, adapter)
    policy = copy.deepcopy(loaded.policy)
    delattr(policy, _ATTRIBUTE)
    for name, layer in list(_adapted(policy)):
        parent, _, child = name.rpartition(".")
        layer.merge()
        setattr(policy.get_submodule(parent), child, layer.get_base_layer())
    assert isinstance(policy, Policy)
    return replace(loaded, policy=policy)


def _targets(policy: nn.Module, pattern: str) -> str:
    """Give the pattern of the layers to adapt; raise `ConfigError` when it fits none."""
    if not pattern:
        linear = [name for name, part in policy.named_modules() if isinstance(part, nn.Linear)]
        return "|".join(map(re.escape, linear))
    names = [name for name, _ in policy.named_modules() if name]
    try:
        found = any(re.fullmatch(pattern, name) for name in names)
    except re.error as error:
        raise ConfigError(f"--lora.targets={pattern} is no regular expression: {error}.") from error
    if not found:
        some = [name for name, part in policy.named_modules() if isinstance(part, nn.Linear)]
        raise ConfigError(
            f"--lora.targets={pattern} is the whole name of no layer. There is {', '.join(some[:_MOST_NAMED])} and "
            f"{len(names) - _MOST_NAMED} more; '.*' stands for anything."
        )
    return pattern


def _adapted(policy: nn.Module) -> Iterator[tuple[str, LoraLayer]]:
    from peft.tuners.lora import LoraLayer  # noqa: PLC0415  an extra

    for name, layer in policy.named_modules():
        if isinstance(layer, LoraLayer):
            yield name, layer


def _whole_weight(layer: Any) -> Tensor:
    (name,) = layer.active_adapters
    return layer.get_base_layer().weight + layer.get_delta_weight(name)


def _write(policy: nn.Module, folder: Path) -> None:
    from peft import get_peft_model_state_dict  # noqa: PLC0415  an extra

    config: LoraConfig = getattr(policy, _ATTRIBUTE)
    folder.mkdir(parents=True, exist_ok=True)
    write_weights(folder / _WEIGHTS, get_peft_model_state_dict(policy, save_embedding_layers=False))
    config.save_pretrained(str(folder))
