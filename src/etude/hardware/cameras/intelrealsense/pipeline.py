"""The SDK's stream of frames from a camera on USB."""

# pyright: reportAttributeAccessIssue=false
# The SDK tells type checkers nothing about its compiled half.

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from etude.core.errors import CameraError, MissingExtra
from etude.hardware.cameras.intelrealsense.config import Config
from etude.hardware.cameras.shape import size_before

try:
    import pyrealsense2 as rs
except ImportError as error:
    raise MissingExtra("A RealSense camera", "intelrealsense") from error


class Frames(Protocol):
    """Where frames come from: a camera on USB, or the SDK's software device."""

    def start(self) -> None:
        """Begin; raise `CameraError` when there is no such camera."""
        ...

    def wait(self, timeout_s: float) -> Any | None:
        """Give the next set of frames of one instant, or nothing when none comes in time."""
        ...

    def stop(self) -> None:
        """End; harmless when it was not started."""
        ...


class UsbFrames:
    """Frames of the camera with the serial number or name that the config says."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._pipeline: rs.pipeline | None = None

    def start(self) -> None:
        """Start the streams that are wanted."""
        wanted, name = self._config, self._config.serial_number_or_name
        streams = rs.config()
        streams.enable_device(serial_number(name, plugged_in()))
        width, height = size_before(wanted.width, wanted.height, wanted.rotation)
        if wanted.use_rgb:
            streams.enable_stream(rs.stream.color, width, height, getattr(rs.format, wanted.color_format), wanted.fps)
        if wanted.use_depth:
            streams.enable_stream(rs.stream.depth, width, height, rs.format.z16, wanted.fps)
        pipeline = rs.pipeline()
        try:
            profile = pipeline.start(streams)
            self._pipeline = pipeline
            set_options(wanted, profile.get_device().query_sensors())
        except RuntimeError as error:
            what = f"{wanted.width} x {wanted.height} at {wanted.fps}"
            raise CameraError(name, f"it does not start with {what}: {error}.") from error

    def wait(self, timeout_s: float) -> Any | None:
        """Give the next set of frames."""
        if self._pipeline is None:
            return None
        try:
            ok, frames = self._pipeline.try_wait_for_frames(round(timeout_s * 1000))
        except RuntimeError:  # it was stopped meanwhile, or pulled out
            return None
        return frames if ok else None

    def stop(self) -> None:
        """Stop the streams."""
        pipeline, self._pipeline = self._pipeline, None
        if pipeline:
            pipeline.stop()


def plugged_in() -> dict[str, str]:
    """Map the serial numbers of the cameras on USB to the names of their models."""
    info = rs.camera_info
    return {device.get_info(info.serial_number): device.get_info(info.name) for device in rs.context().query_devices()}


def serial_number(name: str, known: Mapping[str, str]) -> str:
    """Give the serial number among `known` that `name` is, or that of the only camera whose model is called so."""
    if name in known:
        return name
    fitting = [serial for serial, model in known.items() if model == name]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise CameraError(name, f"there are {len(fitting)} of them. Give a serial number: {', '.join(fitting)}.")
    listed = ", ".join(f"{serial} ({model})" for serial, model in known.items()) or "none"
    raise CameraError(name, f"no RealSense camera has that serial number or name. Plugged in: {listed}.")


def set_options(config: Config, sensors: Any) -> None:
    """Set what the config fixes on the sensor that takes the colours, switching its automatic off."""
    fixed = [
        (rs.option.exposure, config.exposure, rs.option.enable_auto_exposure),
        (rs.option.gain, config.gain, rs.option.enable_auto_exposure),
        (rs.option.white_balance, config.white_balance, rs.option.enable_auto_white_balance),
    ]
    wanted = [(option, value, automatic) for option, value, automatic in fixed if value is not None]
    if not wanted:
        return
    sensor = _colour_sensor(config, sensors)
    for _, _, automatic in wanted:
        if sensor.supports(automatic):
            sensor.set_option(automatic, 0)
    for option, value, _ in wanted:
        _set(config.serial_number_or_name, sensor, option, value)


def _set(camera: str, sensor: Any, option: Any, value: int) -> None:
    if not sensor.supports(option):
        raise CameraError(camera, f"its {option.name} cannot be set. Leave it out.")
    possible = sensor.get_option_range(option)
    if not possible.min <= value <= possible.max:
        raise CameraError(camera, f"its {option.name} goes from {possible.min:g} to {possible.max:g}, got {value}.")
    sensor.set_option(option, value)


def _colour_sensor(config: Config, sensors: Any) -> Any:
    """Give the sensor that takes the colours; on a D405 it is the stereo module."""
    by_name = {sensor.get_info(rs.camera_info.name): sensor for sensor in sensors}
    for name in ("RGB Camera", "Stereo Module"):
        if name in by_name:
            return by_name[name]
    raise CameraError(config.serial_number_or_name, f"it has no colour sensor, but {', '.join(by_name)}.")
