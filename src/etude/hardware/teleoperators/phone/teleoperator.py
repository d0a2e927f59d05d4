"""A phone drives an arm: by its own motion where the browser tells it, by the pads of a page everywhere."""

from __future__ import annotations

import json
import math
import secrets
import threading
from typing import Any

import numpy as np

from etude.core.clock import Clock, RealClock
from etude.core.errors import DeviceError
from etude.core.run import home
from etude.hardware.teleoperators.phone.config import Config
from etude.hardware.teleoperators.phone.invitation import invitation, reachable_at
from etude.hardware.teleoperators.phone.keys import tls
from etude.hardware.teleoperators.phone.motion import STALE_S, Motion, PhonePose
from etude.hardware.teleoperators.phone.server import PhoneServer
from etude.hardware.teleoperators.steps import Pushes, step_spec

_CODE_BYTES = 9
_SILENT_S = 1.0
NOBODY = "No phone is connected: open the printed address on one."
SILENT = "The phone is silent: the arm holds still. Wake it up, or come nearer to the network."


def build(config: Config, clock: Clock | None = None) -> Phone:
    """Make the teleoperator; it serves its page from when it is connected."""
    return Phone(config, clock or RealClock())


class Phone:
    """Moves the hand as the phone is moved while `Move` is held, and as the page's pads are held."""

    def __init__(self, config: Config, clock: Clock) -> None:
        self.action = step_spec(config.speeds())
        self.problem = ""
        """Why the arm holds still, in words; empty when all is well."""
        self.invitation = ""
        """Where to open the page, to be shown to a person once connected."""
        self.address = ""
        self._config, self._clock = config, clock
        self._names = tuple(config.speeds())
        self._pushes = Pushes(config.speeds(), clock)
        self._server: PhoneServer | None = None
        self._lock = threading.Lock()
        self._motion, self._pushed = Motion(config.scale), dict[str, float]()
        self._heard_s = -math.inf

    def connect(self) -> None:
        """Serve the page, with a new code."""
        if self._server is not None:
            return
        config, code = self._config, secrets.token_urlsafe(_CODE_BYTES)
        context = tls(config.key_dir or home() / "phone")
        self._server = PhoneServer(config.host, config.port, context, code, self._hear)
        host = reachable_at(config.host)
        self.address = f"https://{f'[{host}]' if ':' in host else host}:{self._server.port}/?code={code}"
        self.invitation = invitation(self.address)
        self._begin()

    def disconnect(self) -> None:
        """Stop serving."""
        server, self._server = self._server, None
        self.problem = self.invitation = self.address = ""
        if server is not None:
            server.close()

    def reset(self, seed: int) -> None:
        """Forget what was moved and pushed; nothing else depends on the episode."""
        del seed
        self._connected()
        self._begin()

    def read(self) -> np.ndarray:
        """Give the steps of this tick; zero without a phone, and while it is silent."""
        server, now = self._connected(), self._clock.now()
        with self._lock:
            moved, pushed, age_s = self._motion.take(), dict(self._pushed), now - self._heard_s
        self.problem = "" if age_s < _SILENT_S else SILENT if server.is_met else NOBODY
        steps = self._pushes.steps(pushed if age_s < STALE_S else {})
        return steps + np.array([moved.get(name, 0.0) for name in self._names], np.float32)

    def _hear(self, message: str) -> None:
        """Take note of what the phone says; what makes no sense is passed over."""
        try:
            said = json.loads(message)
            kind, data = said["type"], said["data"]
            if kind == "pose":
                self._see(PhonePose.from_message(data), is_moving=data.get("move") is True)
            elif kind == "push":
                self._push(data)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return

    def _see(self, pose: PhonePose, *, is_moving: bool) -> None:
        with self._lock:
            self._heard_s = self._clock.now()
            self._motion.see(pose, is_moving=is_moving, now=self._heard_s)

    def _push(self, data: dict[str, Any]) -> None:
        grip = {"gripper": self._config.gripper}
        pushed = {grip.get(name, name): float(value) for name, value in data.items()}
        if not all(math.isfinite(value) for value in pushed.values()):
            return
        with self._lock:
            self._pushed, self._heard_s = pushed, self._clock.now()

    def _begin(self) -> None:
        with self._lock:
            self._motion.forget()
            self._pushed = {}
        self._pushes.begin()

    def _connected(self) -> PhoneServer:
        if self._server is None:
            raise DeviceError("The phone is not connected. Call connect() first.")
        return self._server
