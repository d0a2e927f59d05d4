import select
import subprocess
import sys
import threading
import time

import pytest

SIM = ("--robot.type=so101_follower", "--robot.port=sim")
TASK = "--dataset.single_task=Put the block into the bin"


def etude(*words, **kwargs):
    """Run one command as a user does, in a process of its own."""
    command = [sys.executable, "-m", "etude", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **kwargs)


@pytest.fixture(name="etude")
def etude_fixture():
    return etude


@pytest.fixture(scope="session")
def recorded(tmp_path_factory):
    """Three demonstrations, recorded through the command line."""
    root = tmp_path_factory.mktemp("story") / "blocks"
    done = etude(
        "record", *SIM, "--teleop.type=scripted", "--dataset.repo_id=me/blocks", f"--dataset.root={root}",
        "--dataset.num_episodes=3", TASK, "--seed=0",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return root


@pytest.fixture(scope="session")
def trained(recorded, tmp_path_factory):
    """A tiny policy, trained for a moment on those demonstrations."""
    folder = tmp_path_factory.mktemp("story") / "run"
    done = etude(
        "train", "--policy.type=act", "--policy.preset=tiny", f"--dataset.root={recorded}", f"--output_dir={folder}",
        "--steps=6", "--batch_size=4", "--policy.device=cpu", "--policy.push_to_hub=false", "--wandb.enable=false",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


class LiveArm:
    """A simulated arm behind a pseudo-terminal, living in real time."""

    def __init__(self, link, body="so101"):
        from etude.sim.port import Port
        from etude.sim.world import World

        self.world = World()
        self.arm = self.world.arms.follower(body)
        self.world.start()
        self.port = Port(link, self.arm, self.world.clock.now)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._live)
        self._thread.start()

    def _live(self):
        behind = time.perf_counter() - self.world.clock.now()
        while not self._is_over.is_set():
            ready, _, _ = select.select([self.port], [], [], 0.002)
            self.world.clock.sleep_until(time.perf_counter() - behind)
            if ready:
                self.port.listen()
            self.port.answer()

    def torque(self):
        return [servo.memory.get("Torque_Enable") for servo in self.arm.servos]

    def close(self):
        self._is_over.set()
        self._thread.join()
        self.port.close()


@pytest.fixture
def live(tmp_path, request):
    """An SO-101, or the body that a test names as the fixture's parameter."""
    arm = LiveArm(tmp_path / "port", getattr(request, "param", "so101"))
    yield arm
    arm.close()
