"""A calibration in the terminal: shows its steps, sends the answers, stores the result."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etude.cli.answers import Answers
from etude.cli.console import say
from etude.cli.controls import interruptible
from etude.hardware.arm_calibration import greet
from etude.hardware.calibrating import (
    Answer,
    Done,
    Hold,
    Look,
    Moving,
    Step,
    Steps,
    Sweep,
    Swept,
    by_hand,
    by_itself,
    keep,
    pose_differences,
    restore,
)
from etude.hardware.calibrating.steps import POLL_S
from etude.hardware.device import connected
from etude.hardware.names import known_arm_at, remember_arm
from etude.hardware.unfinished import mend

if TYPE_CHECKING:
    from rich.table import Table

    from etude.hardware.arm import Arm

_GO_ON = "Enter goes on."
_BROKEN_OFF = (
    "Broken off: the motors hold what they held before, and the arm may hold where it is. "
    "Support it, then switch its power off and on."
)
_ENOUGH = 0.85
"""Share of what the body allows from which on a row turns green."""


def calibrate(arm: Arm, config: Any, path: Path, *, is_automatic: bool) -> int:
    """Calibrate, store in the motors and in the file, and remember the arm by its name."""
    with _opened(arm):
        _greeted(arm)
        say(f"The arm on {arm.bus.line.name} answers.{'' if is_automatic else ' Its torque goes off: support it.'}")
        steps = by_itself(arm.kind, arm.bus, arm.clock) if is_automatic else by_hand(arm.kind, arm.bus)
        try:
            done = _Door(arm).run(steps)
        except KeyboardInterrupt:
            if is_automatic:
                say(_BROKEN_OFF)
            raise
        keep(arm.kind, arm.bus, path, done.calibration)
        offsets = {motor: values.homing_offset for motor, values in done.calibration.items()}
        if config.id and arm.scene is None:
            remember_arm(config.id, known_arm_at(config.port, kind=arm.kind.name, offsets=offsets))
    say(f"Calibrated. The motors and {path} hold it; --undo goes back.")
    return 0


def go_back(arm: Arm, path: Path, stamp: str | None) -> int:
    """Take up an older calibration again."""
    with _opened(arm):
        _greeted(arm)
        chosen = restore(arm.kind, arm.bus, path, stamp)
    say(f"The calibration of {chosen} is in use again, in the motors and in {path}.")
    return 0


def compare(follower: Arm, leader: Arm) -> int:
    """Let both arms be held in the same pose, and tell where they differ; exit code 1 when they do."""
    answers = Answers()
    with interruptible(), connected(follower, leader):
        for arm in (follower, leader):
            arm.release()
        say(f"Hold both arms in the same pose, wrist and gripper, too. {_GO_ON}")
        answers.wait()
        poses = [dict(zip(arm.kind.motors, arm.measure().tolist(), strict=True)) for arm in (follower, leader)]
    findings = pose_differences(poses[1], poses[0])
    for finding in findings:
        print(finding.sentence)
    if not findings:
        print("The arms agree in every joint.")
    return 1 if findings else 0


class _Door:
    """Shows steps in the terminal and waits between looks."""

    def __init__(self, arm: Arm) -> None:
        self._arm, self._answers = arm, Answers()
        self._told: str = ""

    def run(self, steps: Steps) -> Done:
        """Run a calibration to its end."""
        try:
            with _screen() as show:
                step = next(steps)
                while not isinstance(step, Done):
                    self._tell(step, show)
                    self._wait(step)
                    step = steps.send(self._answer(step))
        finally:
            steps.close()
        for finding in step.findings:
            say(f"note: {finding.sentence}")
        return step

    def _tell(self, step: Step, show: Any) -> None:
        words = step.sentence if not isinstance(step, Done) else ""
        if isinstance(step, (Sweep, Moving)):
            show(step.joints)
        if words != self._told:
            self._told = words
            say(f"\n{words}{'' if isinstance(step, Moving) else f' {_asked(step)}'}")
            if isinstance(step, Look):
                for finding in step.findings:
                    say(f"  - {finding.sentence}")

    def _answer(self, step: Step) -> Answer | None:
        if isinstance(step, Moving):
            return None
        line = self._answers.typed()
        if line is None:
            return None
        self._told = ""
        return Answer.AGAIN if line.lower() in ("r", "again") else Answer.NEXT

    def _wait(self, step: Step) -> None:
        clock = self._arm.clock
        clock.sleep_until(clock.now() + POLL_S)
        if self._arm.scene is not None and not isinstance(step, Moving):
            time.sleep(POLL_S)  # simulated time takes none, and a person needs some


def _asked(step: Step) -> str:
    if isinstance(step, Look):
        return "Enter takes it as it is, r and Enter does it over:" if step.may_accept else "Enter goes on moving:"
    return "Then press Enter." if isinstance(step, (Sweep, Hold)) else ""


def _greeted(arm: Arm) -> None:
    """See that the right motors answer, and put right what a calibration that was cut short has left in them."""
    greet(arm.bus)
    if mend(arm.kind, arm.bus, arm.clock):
        say("A calibration was cut short before; the motors hold again what they held then.")


@contextmanager
def _opened(arm: Arm) -> Generator[None]:
    """Open the arm's bus; however the block is ended, it is left in good order."""
    with interruptible():
        arm.bus.open()
        try:
            yield
        finally:
            arm.bus.close()


@contextmanager
def _screen() -> Generator[Any]:
    """Show a table that changes in place; where there is no terminal, none."""
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield lambda _: None
        return
    with Live(console=console, refresh_per_second=15, transient=True) as live:
        yield lambda joints: live.update(table(joints))


def table(joints: Mapping[str, Swept]) -> Table:
    """Lay out how far joints have come, in ticks as LeRobot shows them, and in degrees."""
    from rich.table import Table

    shown = Table("joint", "min", "now", "max", "moved", "of")
    for motor, joint in joints.items():
        of = f"{joint.expected_deg:.0f}°" if joint.expected_deg else ""
        moved = f"{joint.moved_deg:.0f}°"
        style = "green" if joint.share is not None and joint.share > _ENOUGH else ""
        shown.add_row(motor, str(joint.low), str(joint.now), str(joint.high), moved, of, style=style)
    return shown
