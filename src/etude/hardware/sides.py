"""Two devices as one, a left and a right: how their configs are written and their names told apart."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from etude.core import codec
from etude.core.errors import ConfigError
from etude.core.registry import Registry
from etude.core.spec import Spec

SIDES = ("left", "right")


def side_config(
    registry: Registry, values: Mapping[str, Any], side: str, *, pair: str | None, calibration_dir: Path | None
) -> Any:
    """Make the config of one side from its plain `values`, of which `type` names the plugin.

    The id of the `pair` gives each side one of its own, and so its calibration file: `ID_left`, `ID_right`.
    """
    from etude.hardware import cameras  # noqa: PLC0415 - configs are read before cameras are needed

    where = f"{side}_arm_config"
    if not isinstance(values.get("type"), str):
        raise ConfigError(f"{where} should name its type, one of {', '.join(registry.names())}.")
    kind = registry.config(values["type"])
    own = {name: value for name, value in values.items() if name != "type"}
    known = getattr(kind, "__dataclass_fields__", {})
    shared = {"id": f"{pair}_{side}" if pair else None, "calibration_dir": calibration_dir and str(calibration_dir)}
    shared = {name: value for name, value in shared.items() if value is not None and name in known}
    return codec.decode(kind, shared | own, {"cameras": cameras}, where=where)


def side_by_side(left: Spec, right: Spec) -> Spec:
    """Give the spec of both sides' values in one array, left first."""
    names = [f"{side}_{name}" for side, spec in zip(SIDES, (left, right), strict=True) for name in spec.names]
    return Spec(shape=(len(names),), names=tuple(names))
