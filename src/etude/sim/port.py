"""A pseudo-terminal that programs open like the serial port of an arm on a cable."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Protocol

from etude.core.errors import DeviceError, UserError
from etude.sim.wire import Wire

_TCGETS2 = 0x802C542A
"""Linux: tells the rate of a terminal, whatever it is."""
_TERMIOS2_SIZE = 44
_MOST_BYTES = 4096


class Arm(Protocol):
    """What hangs on the cable."""

    wire: Wire

    def exchange(self, data: bytes, baud_rate: int | None = None) -> bytes:
        """Send `data` at `baud_rate` [bits/s] and give what is answered."""
        ...


class Port:
    """The end of a pseudo-terminal where the arm is; others find the other end as `link`.

    On Linux a servo listens only when the host has set the servo's own rate; elsewhere the rate cannot be known, and
    all listen. While the arm's cable is pulled, the terminal is gone.
    """

    def __init__(self, link: Path, arm: Arm, now: Callable[[], float]) -> None:
        self.link, self.arm = link, arm
        self._now = now
        self._due: list[tuple[float, bytes]] = []
        self._ours = self._theirs = -1
        with ExitStack() as opened:
            opened.enter_context(_ours_alone(link))
            self._plug_in()
            self._open = opened.pop_all()

    def fileno(self) -> int:
        """Our end, for `select`; -1 while the cable is pulled."""
        return self._ours

    def listen(self) -> None:
        """Take what the host has sent, and let the servos think about it."""
        with suppress(DeviceError):  # the cable was pulled while the bytes were under way
            answer = self.arm.exchange(os.read(self._ours, _MOST_BYTES), _baud_rate(self._ours))
            if answer:
                self._due.append((self._now() + self.arm.wire.delay_s, answer))

    def answer(self) -> None:
        """Send the answers whose time has come; pull or plug in the cable when that is due."""
        self.arm.wire.faults.update()
        if self.arm.wire.faults.is_unplugged != (self._ours < 0):
            self._plug_in() if self._ours < 0 else self._unplug()
        while self._due and self._due[0][0] <= self._now():
            _, answer = self._due.pop(0)
            with suppress(BlockingIOError):  # nobody reads; on a cable the answer would be lost too
                os.write(self._ours, answer)

    def close(self) -> None:
        """Hang up and remove the link; others may take its name."""
        self._unplug()
        self._open.close()

    def _unplug(self) -> None:
        if self._ours < 0:
            return
        if self.link.is_symlink() and str(self.link.readlink()) == os.ttyname(self._theirs):
            self.link.unlink()
        os.close(self._theirs)
        os.close(self._ours)
        self._ours = self._theirs = -1
        self._due.clear()

    def _plug_in(self) -> None:
        self._ours, self._theirs = _open_pty()  # theirs stays open too, or the port would hang up with its first user
        try:
            _point(self.link, os.ttyname(self._theirs))
        except (DeviceError, UserError):
            os.close(self._theirs)
            os.close(self._ours)
            raise


@contextmanager
def _ours_alone(link: Path) -> Generator[None]:
    """Keep other simulations from taking the name `link` for the length of a block; raise `UserError` if one has it.

    The lock is the system's, so that it ends with the process, however that ends.
    """
    try:
        import fcntl  # noqa: PLC0415  absent on Windows, as are pseudo-terminals
    except ImportError:
        yield
        return
    lock = link.with_name(f".{link.name}.lock")
    try:
        link.parent.mkdir(parents=True, exist_ok=True)
        file = lock.open("w", encoding="utf-8")
    except OSError as error:
        raise _no_such_name(link, error) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UserError(
                f"Another etude sim serves {link}. Stop that one, or give this one another name for its port."
            ) from error
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


def _no_such_name(link: Path, error: OSError) -> DeviceError:
    return DeviceError(f"The port cannot be called {link}: {error.strerror}. Choose another name.")


def _open_pty() -> tuple[int, int]:
    """Open a raw pseudo-terminal."""
    try:
        import pty  # noqa: PLC0415  absent on Windows
        import tty  # noqa: PLC0415
    except ImportError as error:
        raise UserError("etude sim needs Linux or macOS. --robot.port=sim simulates the arm on any system.") from error
    ours, theirs = pty.openpty()
    tty.setraw(theirs)  # before anyone opens it, or the first bytes would be echoed
    os.set_blocking(ours, False)
    return ours, theirs


def _baud_rate(ours: int) -> int | None:
    """Tell at which rate the host speaks [bits/s]; none where that cannot be known."""
    if sys.platform != "linux":
        return None
    import fcntl  # noqa: PLC0415  absent on Windows

    try:
        told = fcntl.ioctl(ours, _TCGETS2, bytes(_TERMIOS2_SIZE))
    except OSError:
        return None
    return int.from_bytes(told[-4:], "little")


def _point(link: Path, target: str) -> None:
    """Let `link` point to `target`; a link of an earlier run is replaced, a file is not."""
    if link.exists() and not link.is_symlink():
        raise UserError(f"{link} exists and is not a link. Choose another name for the port, or remove it.")
    draft = link.with_name(f".{link.name}.{os.getpid()}")
    try:
        draft.symlink_to(target)
        draft.replace(link)
    except OSError as error:
        raise _no_such_name(link, error) from error
