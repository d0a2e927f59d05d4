"""Everything Etude raises on purpose. An error is a sentence: what, where, what was got, what to do.

EtudeError                  exit code 1: it failed, and this says why
├── UserError               exit code 2: type something else and it works
│   ├── ConfigError         a value in a config makes no sense
│   ├── NotFound            no plugin, file or port of that name; the nearest right ones are listed
│   ├── SpecMismatch        an array is not what its spec says
│   └── MissingExtra        a package that an optional part needs is not installed
├── DatasetError            a dataset's files do not hold what they promise
├── CheckpointError         a checkpoint is incomplete, unsafe or does not fit
│   └── NoCheckpoint        a path leads to none; exit code 2
└── DeviceError             hardware did not do what was asked
    ├── MotorSilent         a motor on the bus does not answer
    └── CameraError         a camera gives no picture
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Give the one of `known` that `name` was probably meant to be, or nothing."""
    import difflib  # noqa: PLC0415  only a mistake needs it, and every start would pay for it

    return difflib.get_close_matches(name, list(known), n=1)


class EtudeError(Exception):
    """Something failed, and the message says what, where and what to do."""

    exit_code = 1


class UserError(EtudeError, ValueError):
    """The caller can mend this by asking for something else."""

    exit_code = 2


class ConfigError(UserError):
    """A value in a config makes no sense."""


class NotFound(UserError):
    """There is nothing of that name; the message lists the nearest right ones, and ends with `advice`, if any."""

    def __init__(self, kind: str, name: str, known: Iterable[str], advice: str = "") -> None:
        self.kind, self.name, self.known = kind, name, tuple(sorted(known))
        near = nearest(name, self.known)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        told = f"No {kind} named '{name}'.{hint} Known: {', '.join(self.known) or 'none'}."
        super().__init__(f"{told} {advice}".rstrip())


class SpecMismatch(UserError):
    """An array is not what its spec says."""

    def __init__(self, key: str, expected: str, got: str) -> None:
        self.key, self.expected, self.got = key, expected, got
        super().__init__(f"'{key}' should be {expected}, got {got}.")


class MissingExtra(UserError):
    """An optional part was asked for and its package is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs packages that are not installed. Run: pip install 'etude[{extra}]'")


class DatasetError(EtudeError):
    """A dataset's files do not hold what they promise."""

    def __init__(self, path: Path | str, problem: str) -> None:
        self.path, self.problem = Path(path), problem
        super().__init__(f"{path}: {problem}")


class CheckpointError(EtudeError):
    """A checkpoint is incomplete, unsafe or does not fit; `details` are all findings, of which the message has some."""

    def __init__(self, path: Path | str, problem: str, details: Iterable[str] = ()) -> None:
        self.path, self.problem, self.details = Path(path), problem, tuple(details)
        super().__init__(f"{path}: {problem}")


class NoCheckpoint(CheckpointError, UserError):
    """A path leads to no checkpoint at all; another one would."""


class DeviceError(EtudeError):
    """Hardware did not do what was asked."""


class MotorSilent(DeviceError):
    """A motor on the bus does not answer."""

    def __init__(self, motor: str, motor_id: int, port: str, heard: Iterable[int] = (), last: str = "") -> None:
        self.motor, self.motor_id, self.port, self.heard, self.last = motor, motor_id, port, tuple(heard), last
        if self.heard:
            others = f"Motors that do answer: {', '.join(map(str, self.heard))}."
            check = "Check its cable and the one before it, that its id is set, and whether its lamp blinks."
        else:
            others = "No motor answers."
            check = "Check the power supply of the arm and the cable from the adapter to its first motor."
        told = (f"Motor '{motor}' (id {motor_id}) on {port} does not answer.", last, others, check)
        super().__init__(" ".join(filter(None, told)))


class CameraError(DeviceError):
    """A camera gives no picture."""

    def __init__(self, camera: str, problem: str) -> None:
        self.camera, self.problem = camera, problem
        super().__init__(f"Camera '{camera}': {problem}")
