"""The arms in a world: who has joined, and where they stand."""

from __future__ import annotations

import weakref
from collections.abc import Iterator

import numpy as np

from etude.core.clock import Clock
from etude.core.errors import DeviceError
from etude.hardware.bodies.body import Body
from etude.sim.leader import SimLeader
from etude.sim.makes import make_of
from etude.sim.sim_arm import Seat, SimArm

DEFAULT_BODY = "so101"
_APART_M = 0.42
"""Between the bases of neighbours; y grows to the left."""


class Arms:
    """Followers are bolted to the table in the order in which they join; leaders stand beside it and come and go."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._followers: dict[tuple[str, str], SimArm] = {}
        # The person at a leader looks at the world, which must not live on because of that.
        self._leaders: weakref.WeakValueDictionary[tuple[str, str], SimLeader] = weakref.WeakValueDictionary()
        self.are_complete = False
        """Whether the table is set, so that no follower can join any more."""

    def __iter__(self) -> Iterator[SimArm]:
        """Give the followers in the order in which they joined."""
        return iter(self._followers.values())

    def complete(self) -> tuple[SimArm, ...]:
        """Let no more followers join; give those that have, the first one at least."""
        first, self.are_complete = self.first, True
        return (first, *tuple(self)[1:])

    @property
    def first(self) -> SimArm:
        """The follower at the origin; an SO-101 where none has joined."""
        return next(iter(self), None) or self.follower()

    def follower(self, body: str = DEFAULT_BODY, name: str = "") -> SimArm:
        """Give the follower with that body and name, which joins if it is not there; raise when it is too late."""
        if (body, name) not in self._followers:
            make = make_of(body)
            if self.are_complete:
                raise DeviceError(
                    f"The simulated arm '{name or body}' cannot join: the world is running already, with "
                    f"{', '.join(map(_told, self._followers))}. Build all robots before the first of them connects."
                )
            self._followers[body, name] = SimArm(make, self._seat(make.body, name), self._clock)
        return self._followers[body, name]

    def leader(self, body: str = DEFAULT_BODY, name: str = "") -> SimLeader:
        """Give the leader with that body and name; it lives while somebody holds it."""
        leader = self._leaders.get((body, name))
        if leader is None:
            leader = self._leaders[body, name] = SimLeader(make_of(body, is_leader=True), self._clock)
        return leader

    def followed_by(self, body: str, name: str) -> SimArm | None:
        """Give the follower that goes with a leader: of its body and name, or of its name at least."""
        named = [arm for (_, other), arm in self._followers.items() if other == name]
        return self._followers.get((body, name)) or next(iter(named), None)

    def reset(self, seed: int, rng: np.random.Generator) -> None:
        """Place the followers near their starts; the first one draws from `rng`, as if it were alone."""
        for number, arm in enumerate(self):
            arm.reset(np.random.default_rng([seed, number]) if number else rng)

    def settle(self, seed: int) -> None:
        """Let every servo see where its joint is now; whoever holds a leader begins where its follower stands."""
        for arm in self:
            arm.settle()
        for (body, name), leader in self._leaders.items():
            follower = self.followed_by(body, name)
            leader.reset(seed, follower.joints if follower else None)

    def _seat(self, body: Body, name: str) -> Seat:
        """Give the next free place: the origin, then beside it in turn, `left` to the left and others to the right."""
        number = len(self._followers)
        if not number:
            return Seat(body=body)
        taken = {arm.seat.pos[1] for arm in self}
        sides = (-1, 1) if name != "left" else (1, -1)
        places = (side * step * _APART_M for step in range(1, number + 2) for side in sides)
        y = next(place for place in places if place not in taken)
        return Seat(body=body, prefix=f"{name or f'{body.name}_{number}'}_", pos=(0.0, y, 0.0))


def _told(key: tuple[str, str]) -> str:
    body, name = key
    return f"{body} '{name}'" if name else body
