"""An arm on the simulated table: its joints in the physics, its servos, and the wire they hang on."""

# pyright: reportAttributeAccessIssue=false
# MuJoCo tells type checkers nothing about its compiled half.

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from etude.core.clock import Clock
from etude.hardware.bodies.body import Body, Vector
from etude.hardware.bodies.mjcf import add_arm
from etude.hardware.physics import mujoco
from etude.sim.makes import Make
from etude.sim.person import Person
from etude.sim.wire import Wire

START_JITTER_RAD = 0.03
_HAND_NM_RAD, _HAND_NMS_RAD = 4.0, 0.3
"""How stiffly a person holds a joint."""


@dataclass(frozen=True, kw_only=True)
class Seat:
    """Where an arm is bolted to the table, and what its parts' names begin with."""

    body: Body
    prefix: str = ""
    pos: Vector = (0.0, 0.0, 0.0)

    def add(self, spec: mujoco.MjSpec) -> None:
        """Bolt the arm down."""
        add_arm(spec, self.body, prefix=self.prefix, pos=self.pos)

    @property
    def hand(self) -> str:
        """Name of the link that carries the moving jaw."""
        return self.prefix + self.body.links[-2].body


class SimArm:
    """An arm moved by its servos, which are driven by bytes alone, as real ones are.

    Joint positions are privileged state, for demonstrators and tests.
    """

    def __init__(self, make: Make, seat: Seat, clock: Clock) -> None:
        self.seat = seat
        self.wire = Wire(make.wire(), clock.now)
        self.servos = self.wire.servos
        self._torques = [servo.torque for servo in self.servos]
        self._start = np.asarray(make.start_rad)
        self._push_nm, self._is_pushed = np.zeros(len(self.servos)), False
        self.hands: Person | None = None
        """Who holds the arm while it is limp, and moves it; nobody does at first."""
        self._now, self._low, self._high = clock.now, *np.array([link.range_rad for link in make.body.links]).T
        self._slack_rad = 0.0
        self._felt = np.zeros(len(self.servos))

    def wear_out(self, backlash_rad: float, latency_s: float) -> None:
        """Give every gear that much play, and let every goal be obeyed that much later."""
        self._slack_rad = backlash_rad / 2
        for servo in self.servos:
            servo.drive.latency_s = latency_s

    def live_in(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Find the arm's joints in a compiled scene."""
        # Views into MuJoCo's own memory: looking them up anew in every physics step would cost a tenth of its time.
        first = model.joint(self.seat.prefix + self.seat.body.joints[0])
        at_q, at_v = (slice(int(at[0]), int(at[0]) + len(self.servos)) for at in (first.qposadr, first.dofadr))
        self._position, self._velocity = data.qpos[at_q], data.qvel[at_v]
        self._force, self._weight = data.qfrc_applied[at_v], data.qfrc_bias[at_v]
        self._fingers = [model.geom(self.seat.prefix + name).id for name in self.seat.body.fingers]

    def reset(self, rng: np.random.Generator) -> None:
        """Place the arm near its start, at rest, with nobody's hands on it."""
        self.push(np.zeros(len(self.servos)))
        self.place(self._start + rng.uniform(-START_JITTER_RAD, START_JITTER_RAD, len(self.servos)))

    def place(self, joints: np.ndarray) -> None:
        """Put the joints there [rad], or as near to it as their limits allow."""
        self._position[:] = np.clip(joints, self._low, self._high)

    def settle(self) -> None:
        """Let the encoders see where the joints were put, and the servos hold them there."""
        self._felt[:] = self._position
        for servo, position in zip(self.servos, self._position.tolist(), strict=True):
            servo.settle(position)

    @property
    def joints(self) -> np.ndarray:
        """Joint positions [rad], in motor order."""
        return self._position.copy()

    def exchange(self, data: bytes, baud_rate: int | None = None) -> bytes:
        """Send `data` to the servos that listen at `baud_rate` and give what they answer; no time passes."""
        return self.wire.exchange(data, baud_rate)

    def push(self, torque_nm: np.ndarray) -> None:
        """Let somebody push the arm from now on: one torque [Nm] per joint, zeros for hands off."""
        self._push_nm, self._is_pushed = np.asarray(torque_nm, np.float64), bool(np.any(torque_nm))

    def is_held_by_fingers(self, touching: set[int]) -> bool:
        """Whether every finger is among the geoms that touch a thing."""
        return touching.issuperset(self._fingers)

    def step(self, dt: float) -> None:
        """Let the servos set the torques for the next `dt` seconds."""
        position = self._feel() if self._slack_rad else self._position
        self.wire.faults.update()
        state = zip(self._torques, position.tolist(), self._velocity.tolist(), strict=True)
        self._force[:] = [torque(position, velocity, dt) for torque, position, velocity in state]
        if self._is_pushed:
            self._force += self._push_nm
        if self.hands and not any(servo.resists for servo in self.servos):
            self._force += self._held_nm(self.hands)

    def _held_nm(self, hands: Person) -> np.ndarray:
        """Give the torques with which somebody carries the arm's weight and moves it [Nm]."""
        wish = np.clip(hands.wish(self._now(), self.joints), self._low, self._high)
        return self._weight + _HAND_NM_RAD * (wish - self._position) - _HAND_NMS_RAD * self._velocity

    def _feel(self) -> np.ndarray:
        """Give where the servos take the joints to be: within the play of its gears a joint moves unnoticed."""
        np.maximum(self._felt, self._position - self._slack_rad, out=self._felt)  # np.clip takes five times as long
        np.minimum(self._felt, self._position + self._slack_rad, out=self._felt)
        return self._felt
