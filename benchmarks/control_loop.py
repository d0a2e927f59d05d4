"""How steadily a leader drives a follower while two 640x480 cameras are recorded, as JSON.

    python benchmarks/control_loop.py [--seconds=60] [--hz 30 60] [--vcodec libsvtav1 h264]

Both arms are simulated servos behind pseudo-terminals in another process, and what records is the command a
user types. The cameras play prepared films (motion JPEG, as USB cameras send) at 30 pictures per second, decoded while
recording. Jitter is by how much the time from the start of one tick to that of the next is off the period, read from
what the dataset says of its frames. `software_ms` is what a tick costs the processor in our own bus, on a line whose
answers are there at once. Bars: `jitter_ms` p99 < 2 at 30 Hz, `unreported` 0, `bytes_over_least` and
`with_software_over_wire` <= 1.1.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, Self

import av
import numpy as np
from record import pool, shown

from etude.core.events import read_events
from etude.data import open_dataset
from etude.hardware import robots
from etude.hardware.bus import Motor
from etude.hardware.buses.feetech.bus import FeetechBus
from etude.hardware.buses.feetech.packet import BROADCAST, Instruction, Packet, encode
from etude.hardware.buses.feetech.registers import register
from etude.hardware.device import Scene, connected

PICTURES, CAMERA_FPS = 180, 30
LATE = 1.5
"""Periods between two ticks from which on one of them was missed."""
WIRE_BYTE_S = 10 / 1_000_000
"""A byte on the wire: start bit, eight bits and stop bit at 1 Mbaud."""
BUS_TICKS = 300
SOFTWARE_TICKS, WARM_UP_TICKS = 5000, 1000
MIDDLE = 2048
SERVO_PRIORITY = 2

Answer = dict[str, Any]


def films(folder: Path) -> dict[str, Path]:
    """Prepare a film for each camera, by name."""
    made = {}
    for key, pictures in pool().items():
        path = made[key.rpartition(".")[2]] = folder / f"{key}.mkv"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("mjpeg", rate=CAMERA_FPS, options={"q:v": "3"})
            stream.height, stream.width = pictures.shape[1:3]
            stream.pix_fmt, stream.time_base = "yuvj422p", Fraction(1, CAMERA_FPS)
            for number in range(PICTURES):
                frame = av.VideoFrame.from_ndarray(pictures[shown(number)], format="rgb24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return made


@contextmanager
def arms(link: Path) -> Iterator[tuple[Path, Path]]:
    """Serve a simulated follower and its leader, moved by somebody; give their ports."""
    words = ["sim", "--robot.type=so101_follower", f"--link={link}", "--leader", "--camera_fps=1"]
    process = subprocess.Popen([sys.executable, "-m", "etude", *words], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        if not any("stops" in line for line in process.stdout):
            raise SystemExit("etude sim did not start.")
        with suppress(AttributeError, OSError):  # real servos have processors of their own
            os.sched_setscheduler(process.pid, os.SCHED_FIFO, os.sched_param(SERVO_PRIORITY))
        yield link, link.with_name(f"{link.name}-leader")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)
        process.stdout.close()


def record(ports: tuple[Path, Path], cameras: dict[str, Path], hz: int, vcodec: str, seconds: int) -> Answer:
    """Record an episode as a user does, and read from the dataset how that went."""
    folder = ports[0].parent
    root = folder / f"{vcodec}-{hz}"
    shown_by = ", ".join(f"{name}: {{type: video, path: '{path}'}}" for name, path in cameras.items())
    command = [
        sys.executable, "-m", "etude", "record",
        "--robot.type=so101_follower", f"--robot.port={ports[0]}", "--robot.id=benchmark",
        f"--robot.cameras={{{shown_by}}}",
        "--teleop.type=so101_leader", f"--teleop.port={ports[1]}", "--teleop.id=benchmark",
        f"--dataset.root={root}", "--dataset.single_task=Follow", "--dataset.num_episodes=1", "--warmup_time_s=3",
        f"--dataset.fps={hz}", f"--dataset.episode_time_s={seconds}", f"--dataset.vcodec={vcodec}",
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    said = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"etude record failed:\n{said}")
    return steadiness(root, hz) | {
        "told_late_ticks": told_late(folder),
        "cpu_of_a_core": round((used.ru_utime + used.ru_stime) / seconds, 2),
    }


def told_late(folder: Path) -> int:
    """Read how many late ticks the newest run told of."""
    events = max(folder.rglob("events.jsonl"), key=lambda path: path.stat().st_mtime)
    return next(event["late_ticks"] for event in read_events(events) if event["kind"] == "finished")


def steadiness(root: Path, hz: int) -> Answer:
    """Measure the ticks of the only episode of a dataset."""
    timing = open_dataset(root).timing()
    periods = np.diff(timing["time_s"])
    is_missed, is_flagged = periods > LATE / hz, timing["is_late"].astype(bool)[1:]
    p50, p99, most = np.quantile(np.abs(periods - 1 / hz), [0.5, 0.99, 1]) * 1000
    return {
        "frames": len(timing["time_s"]),
        "jitter_ms": {"p50": round(p50, 3), "p99": round(p99, 3), "max": round(most, 3)},
        "missed_ticks": int(is_missed.sum()),
        "unreported": int((is_missed & ~is_flagged).sum()),
        "rate_hz": round(1 / periods.mean(), 3),
    }


def bus_cost(port: Path) -> Answer:
    """Count what a tick costs on the follower's wire, against a sync read of positions and a sync write of goals."""
    config = robots.config("so101_follower")(port=str(port), id="benchmark")
    robot = robots.build(config)
    with connected(robot):
        state = robot.observe()["observation.state"]
        before, began, took_s = sum(robot.arm.bus.traffic), time.perf_counter(), 0.0
        for number in range(BUS_TICKS):
            time.sleep(max(0.0, began + number / CAMERA_FPS - time.perf_counter()))
            started = time.perf_counter()
            robot.observe()
            robot.apply(state)
            took_s += time.perf_counter() - started
        num_bytes, least = (sum(robot.arm.bus.traffic) - before) / BUS_TICKS, robot.arm.bus.least_tick_bytes
        motors = robot.arm.bus.motors
    wire_ms, ours_ms = 1000 * least * WIRE_BYTE_S, software_ms(motors)
    return {
        "bytes_per_tick": round(num_bytes, 1),
        "least_bytes": least,
        "bytes_over_least": round(num_bytes / least, 3),
        "wire_limit_ms": round(wire_ms, 3),
        "software_ms": round(ours_ms, 3),
        "with_software_over_wire": round((wire_ms + ours_ms) / wire_ms, 3),
        "measured_ms": round(1000 * took_s / BUS_TICKS, 3),
    }


class ReadyLine:
    """A line on which every motor stands in the middle and has answered the moment it is asked."""

    name = "ready"
    scene: Scene | None = None

    def __init__(self, ids: list[int]) -> None:
        place = register("Present_Position")
        question = Packet(BROADCAST, Instruction.SYNC_READ, bytes((place.address, place.size, *ids)))
        answer = b"".join(encode(Packet(motor_id, 0, place.encode(MIDDLE))) for motor_id in ids)
        self._answers = {encode(question): answer}
        self._waiting = b""

    def open(self) -> Self:
        """Do nothing, as there is nothing to open."""
        return self

    def close(self) -> None:
        """Do nothing either."""

    def set_baud_rate(self, baud_rate: int) -> None:
        """Answer at once at any rate."""

    def write(self, data: bytes) -> None:
        """Have the answer ready; to goals there is none."""
        self._waiting = self._answers.get(data, b"")

    def read(self, size: int, timeout_s: float) -> bytes:  # noqa: ARG002  nothing is waited for
        """Give what is there."""
        data, self._waiting = self._waiting[:size], self._waiting[size:]
        return data

    def discard(self) -> None:
        """Forget what was not read."""
        self._waiting = b""


def software_ms(motors: Mapping[str, Motor]) -> float:
    """Measure the processor time of a tick in our bus, beside a wire that takes none: the median."""
    bus = FeetechBus(ReadyLine([motor.id for motor in motors.values()]), motors)
    bus.open()
    took_s = []
    for _ in range(WARM_UP_TICKS + SOFTWARE_TICKS):
        began_s = time.thread_time()
        bus.sync_write("Goal_Position", bus.poll("Present_Position"))
        took_s.append(time.thread_time() - began_s)
    return 1000 * statistics.median(took_s[WARM_UP_TICKS:])


def main() -> None:
    """Measure every rate with every codec."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--hz", type=int, nargs="+", default=[30, 60])
    parser.add_argument("--vcodec", nargs="+", default=["libsvtav1", "h264"])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        cameras = films(folder)
        ports = stack.enter_context(arms(folder / "arm"))
        recorded = {
            f"{hz} Hz, {vcodec}": record(ports, cameras, hz, vcodec, given.seconds)
            for hz in given.hz
            for vcodec in given.vcodec
        }
        results = {"bus": bus_cost(ports[0]), "recorded": recorded}
    facts = {"seconds": given.seconds, "cameras": "2 of 640x480 at 30 Hz, motion JPEG", "cores": os.cpu_count()}
    print(json.dumps(facts | {"load_average": round(os.getloadavg()[0], 1)} | results, indent=2))


if __name__ == "__main__":
    main()
