"""Cameras in a process of their own: the control loop never decodes a picture, and everybody can look at once."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import fields, replace
from typing import Any, Self

from etude.core.codec import decode, encode
from etude.core.errors import DeviceError
from etude.hardware import cameras
from etude.hardware.cameras import place
from etude.hardware.cameras.shared.config import Config as Shared

_START_S = 60.0
_STOP_S = 5.0
_RESTART_S = 0.5
_numbers = itertools.count()


class Owner:
    """A process that has cameras open; it ends with this one, and is started anew when it dies before.

    Whoever knows its name can look at the same time, with a camera of type `shared`.
    """

    def __init__(self, configs: Mapping[str, Any], name: str = "") -> None:
        """Name the cameras; without a name of its own, the owner gets one that no other has."""
        self.name = name or f"{os.getpid()}-{next(_numbers)}"
        own = {camera: config for camera, config in configs.items() if not getattr(config, "stays_in_process", False)}
        self._order = {camera: _plain(config) for camera, config in own.items()}
        shared = {camera: _shared(self.name, camera, config) for camera, config in own.items()}
        self.cameras: dict[str, Any] = {camera: shared.get(camera, config) for camera, config in configs.items()}
        """What to look through: shared cameras, and those that only their user's process can open."""
        self._process: subprocess.Popen[str] | None = None
        self._is_closing = threading.Event()
        self._watcher: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The process's number; 0 while there is none."""
        return self._process.pid if self._process else 0

    def start(self) -> None:
        """Start the process; raise `DeviceError` with the reason when a camera does not open."""
        if self._process or not self._order:
            return
        place.sweep()
        if any(place.ring_path(self.name, camera).exists() for camera in self._order):
            raise DeviceError(f"Cameras are shared as '{self.name}' by another process already. Choose another name.")
        self._is_closing.clear()
        self._process = self._launch()
        self._watcher = threading.Thread(target=self._watch, name="cameras' owner", daemon=True)
        self._watcher.start()

    def close(self) -> None:
        """End the process and make sure that it leaves nothing behind."""
        self._is_closing.set()
        process, watcher = self._process, self._watcher
        if process:
            _end(process)
        if watcher:
            watcher.join(_STOP_S)
        self._process = self._watcher = None
        place.sweep()

    def _launch(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-P", "-m", "etude.hardware.cameras.owner_process"]  # a copy.py here must not matter
        process = subprocess.Popen(  # noqa: S603  in a session of its own, Ctrl-C does not reach it
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert process.stdin
        assert process.stdout
        with suppress(OSError):  # it is dead already, which its missing answer tells
            process.stdin.write(json.dumps({"owner": self.name, "cameras": self._order}) + "\n")
            process.stdin.flush()
        killer = threading.Timer(_START_S, process.kill)
        killer.start()
        answer = process.stdout.readline()
        killer.cancel()
        problem = json.loads(answer)["problem"] if answer else "The process that owns the cameras did not start."
        if problem:
            _end(process)
            raise DeviceError(problem)
        return process

    def _watch(self) -> None:
        """Start the process anew whenever it dies."""
        while self._process:
            self._process.wait()
            if self._is_closing.is_set():
                return
            place.sweep()
            _end(self._process)
            self._process = self._relaunch()
            if self._process and self._is_closing.is_set():
                _end(self._process)

    def _relaunch(self) -> subprocess.Popen[str] | None:
        while not self._is_closing.wait(_RESTART_S):
            with suppress(DeviceError):  # a camera may be unplugged; whoever looks is told that there are no pictures
                return self._launch()
        return None


@contextmanager
def owned(config: Any, name: str = "") -> Generator[Any]:
    """Give `config` of a robot with its cameras in a process of their own, for the length of a block.

    Cameras of robots that it is made of, such as the arms of a pair, are owned too. Without cameras nothing happens.
    """
    own: Mapping[str, Any] = getattr(config, "cameras", None) or {}
    parts = {
        f"{part}.{camera}": _config(values, f"{part}.{camera}")
        for part, stored in _parts(config).items()
        for camera, values in stored.items()
    }
    with Owner({**own, **parts}, name) as owner:
        yield _looking_through(config, owner.cameras)


def _parts(config: Any) -> dict[str, Mapping[str, Any]]:
    """Give the cameras of the robots that a robot is made of, in plain values, by the field of that robot."""
    values = {field.name: getattr(config, field.name) for field in fields(config)}
    stored = {name: value.get("cameras") for name, value in values.items() if isinstance(value, Mapping)}
    return {name: each for name, each in stored.items() if isinstance(each, Mapping)}


def _looking_through(config: Any, chosen: Mapping[str, Any]) -> Any:
    """Put the `chosen` cameras in the place of those that `config` and its parts have."""
    changed: dict[str, Any] = {}
    if own := getattr(config, "cameras", None):
        changed["cameras"] = {name: chosen[name] for name in own}
    for part, stored in _parts(config).items():
        plain = {camera: _plain(chosen[f"{part}.{camera}"]) for camera in stored}
        changed[part] = {**getattr(config, part), "cameras": plain}
    return replace(config, **changed)


def _config(plain: Mapping[str, Any], where: str) -> Any:
    values = {name: value for name, value in plain.items() if name != "type"}
    return decode(cameras.config(plain["type"]), values, where=where)


def _plain(config: Any) -> dict[str, Any]:
    return {"type": cameras.name_of(config)} | encode(config)


def _shared(owner: str, camera: str, config: Any) -> Shared:
    grace_s: float | None = getattr(config, "grace_s", None)
    return (
        Shared(owner=owner, camera=camera) if grace_s is None else Shared(owner=owner, camera=camera, grace_s=grace_s)
    )


def _end(process: subprocess.Popen[str]) -> None:
    """Close its stdin, which ends it, and wait; kill it when it does not listen."""
    assert process.stdin
    assert process.stdout
    with suppress(OSError):
        process.stdin.close()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
