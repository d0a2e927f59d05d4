"""Vision transformers of the transformers library, such as DINOv2 and SigLIP, as picture encoders.

What a tower is made of is JSON text, which a checkpoint keeps in its config, so that building it again needs neither
the folder nor the network that its weights once came from. Only safetensors are read, and no program beside them.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from etude.core.errors import CheckpointError, ConfigError, MissingExtra

CONFIG, PICTURES = "config.json", "preprocessor_config.json"


def described(name: str) -> str:
    """Say as JSON what the tower in the folder `name`, or of that name on the Hub, is made of, and how it sees.

    Raises `CheckpointError` when its files are neither here nor to be had, and `ConfigError` when it is no tower.
    """
    config, pictures = (json.loads(_file(name, file).read_text(encoding="utf-8")) for file in (CONFIG, PICTURES))
    if "image_mean" not in pictures or "image_std" not in pictures:
        raise CheckpointError(name, f"its {PICTURES} names no image_mean and image_std.")
    told = {"mean": pictures["image_mean"], "std": pictures["image_std"]}
    return json.dumps(told | {"config": _tower_config(name, config).to_dict()}, sort_keys=True)


class VisionModel(nn.Module):
    """Picture (batch, 3, height, width) in 0..1 to map (batch, channels, height / patch, width / patch).

    It is normalised here, as the tower is used to. Position embeddings are interpolated for pictures of other sizes.
    A frozen one is left as it is by training.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, name: str, description: str, *, is_frozen: bool = False) -> None:
        super().__init__()
        self._name, self._is_frozen, told = name, is_frozen, json.loads(description)
        for key in ("mean", "std"):
            self.register_buffer(key, torch.tensor(told[key])[:, None, None], persistent=False)
        with _quiet():
            self.tower = _transformers().AutoModel.from_config(_tower_config(name, told["config"]))
        self.channels, self._patch = self.tower.config.hidden_size, self.tower.config.patch_size
        accepted = inspect.signature(self.tower.forward).parameters
        self._options = {"interpolate_pos_encoding": True} if "interpolate_pos_encoding" in accepted else {}
        self.requires_grad_(not is_frozen)

    def map_size(self, pixels: int) -> int:
        """Places along one side of the map of a picture with `pixels` along it."""
        return pixels // self._patch

    def forward(self, image: Tensor) -> Tensor:
        """Give the map; what the tower says of the picture as a whole is left out."""
        rows, columns = (self.map_size(pixels) for pixels in image.shape[-2:])
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self._is_frozen):
            tokens = self.tower(pixel_values=(image - self.mean) / self.std, **self._options).last_hidden_state
        return tokens[:, -rows * columns :].transpose(1, 2).unflatten(2, (rows, columns))

    def train(self, mode: bool = True) -> VisionModel:
        """Change to training, or back; a frozen tower drops nothing."""
        return super().train(mode and not self._is_frozen)

    def read_pretrained(self) -> None:
        """Read the tower's weights from where it is; raise `CheckpointError` when they are not to be had or not all."""
        with _quiet(), _translated(self._name):
            read, report = _transformers().AutoModel.from_pretrained(
                self._name,
                config=self.tower.config,
                use_safetensors=True,
                trust_remote_code=False,
                dtype=torch.float32,
                output_loading_info=True,
            )
        missing = sorted(report["missing_keys"]) + sorted(str(one) for one in report["mismatched_keys"])
        if missing:
            raise CheckpointError(self._name, f"its weights do not fill the tower: {', '.join(missing[:5])}.", missing)
        self.tower.load_state_dict(read.state_dict())


def _tower_config(name: str, stored: dict[str, Any]) -> Any:
    """Give transformers' config of the tower, which may be the part of a larger model that sees."""
    values = dict(stored.get("vision_config") or stored)
    kind, known = values.pop("model_type", None), _transformers().AutoConfig
    try:
        config = known.for_model(kind, **values)
    except ValueError as error:
        raise ConfigError(f"'{name}' is a model of type '{kind}', which this transformers does not know.") from error
    if not isinstance(getattr(config, "patch_size", None), int) or not isinstance(
        getattr(config, "hidden_size", None), int
    ):
        raise ConfigError(f"'{name}' is a model of type '{kind}', which gives no tokens of patches.")
    return config


def _file(name: str, file: str) -> Path:
    """Give the path of one of the tower's files, fetched from the Hub where `name` is no folder."""
    if Path(name).is_dir():
        if not (Path(name) / file).is_file():
            raise CheckpointError(name, f"there is no {file} in it, so this is no vision model of transformers.")
        return Path(name) / file
    _transformers()
    from huggingface_hub import errors, hf_hub_download  # noqa: PLC0415  comes with transformers

    with _quiet(), _translated(name):
        try:
            return Path(hf_hub_download(name, file, local_files_only=True))  # at once, and without a network
        except errors.LocalEntryNotFoundError:
            return Path(hf_hub_download(name, file))


@contextmanager
def _translated(name: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:  # which the Hub's errors are
        short = str(error).strip().partition("\n")[0].rstrip(".")
        raise CheckpointError(
            name,
            f"this vision model could not be read ({short}). Check the name and the network, or give a folder with "
            f"{CONFIG}, {PICTURES} and model.safetensors.",
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Leave out what transformers and the Hub print on loading; what matters is checked here."""
    log = _transformers().utils.logging
    from huggingface_hub.utils import logging as hub_log  # noqa: PLC0415  comes with transformers

    before, hub_before, is_shown = log.get_verbosity(), hub_log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity_error()
    hub_log.set_verbosity_error()
    log.disable_progress_bar()
    try:
        yield
    finally:
        log.set_verbosity(before)
        hub_log.set_verbosity(hub_before)
        if is_shown:
            log.enable_progress_bar()


def _transformers() -> ModuleType:
    try:
        import transformers  # noqa: PLC0415  an extra, and slow to import
    except ImportError as error:
        raise MissingExtra("A vision model of transformers", "vision") from error
    return transformers
