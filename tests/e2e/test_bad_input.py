"""What a user can get wrong: each gets one clear sentence, the right exit code, no traceback, and loses nothing."""

import hashlib
import os
import pty
import select
import shutil
import threading
import tty

import pytest

SIM = ("--robot.type=so101_follower", "--robot.port=sim")
TASK = "--dataset.single_task=x"


def fingerprint(root):
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return [(path.relative_to(root), hashlib.sha256(path.read_bytes()).hexdigest()) for path in files]


@pytest.fixture
def copy(recorded, tmp_path):
    return shutil.copytree(recorded, tmp_path / "copy")


def refused(done, code, *words):
    assert done.returncode == code, (done.returncode, done.stderr)
    assert "Traceback" not in done.stderr + done.stdout
    for word in words:
        assert word in done.stderr + done.stdout


def test_an_unknown_policy(etude, recorded):
    refused(etude("train", "--policy.type=atc", f"--dataset.root={recorded}"), 2, "'atc'", "Did you mean 'act'?")


def test_a_missing_port(etude, tmp_path):
    words = ("record", "--robot.type=so101_follower", f"--dataset.root={tmp_path / 'd'}", TASK)
    refused(etude(*words, "--robot.port=/dev/ttyNONE0"), 2, "/dev/ttyNONE0")
    assert not (tmp_path / "d").exists()


@pytest.fixture
def silent_gripper():
    """A serial port with the arm's six servos on it, of which the gripper's does not answer."""
    from etude.sim.servos.feetech.chain import ServoChain
    from etude.sim.servos.feetech.servo import Sts3215

    servos = [Sts3215(motor_id) for motor_id in range(1, 7)]
    servos[-1].is_silent = True
    chain, (ours, theirs), over = ServoChain(servos), pty.openpty(), threading.Event()
    tty.setraw(theirs)

    def serve():
        while not over.is_set():
            if select.select([ours], [], [], 0.05)[0]:
                os.write(ours, chain.exchange(os.read(ours, 4096)))

    thread = threading.Thread(target=serve)
    thread.start()
    yield os.ttyname(theirs)
    over.set()
    thread.join()
    os.close(ours)
    os.close(theirs)


def test_a_servo_that_does_not_answer(etude, silent_gripper, tmp_path):
    words = ("record", "--robot.type=so101_follower", f"--robot.port={silent_gripper}", "--teleop.type=scripted", TASK)
    done = etude(*words, f"--dataset.root={tmp_path / 'd'}")
    refused(done, 1, "Motor 'gripper' (id 6)", silent_gripper, "does not answer", "1, 2, 3, 4, 5", "cable")
    assert not (tmp_path / "d").exists()


def test_a_folder_that_is_no_dataset(etude, tmp_path):
    (tmp_path / "holiday.jpg").touch()
    for words in (("dataset", "info", tmp_path), ("dataset", "check", tmp_path)):
        refused(etude(*words), 2, str(tmp_path), "not a dataset", "meta/info.json")
    refused(etude("train", f"--dataset.root={tmp_path}", "--output_dir", tmp_path / "r"), 2, "not a dataset")


@pytest.mark.parametrize("pattern", ["data/**/*.parquet", "videos/**/*.mp4", "meta/episodes/**/*.parquet"])
def test_a_truncated_file(etude, copy, pattern):
    victim = min(copy.glob(pattern))
    victim.write_bytes(victim.read_bytes()[: victim.stat().st_size // 2])
    before = fingerprint(copy)
    refused(etude("dataset", "check", copy), 1, victim.name)
    train = ("train", "--policy.preset=tiny", f"--dataset.root={copy}", "--steps=30", "--output_dir", copy.parent / "r")
    refused(etude(*train), 1, victim.name)
    assert fingerprint(copy) == before


def test_a_checkpoint_that_is_none(etude, tmp_path):
    done = etude("eval", f"--policy.path={tmp_path}", "--env.type=so101_pick_place", "--eval.n_episodes=1")
    assert done.returncode in (1, 2)
    refused(done, done.returncode, str(tmp_path))


def test_a_frame_that_does_not_fit(etude, trained, tmp_path):
    import numpy as np

    np.savez(tmp_path / "frame.npz", **{"observation.state": np.zeros(5, np.float32)})
    words = ("policy", "act", trained / "checkpoints" / "last", "--input", tmp_path / "frame.npz")
    refused(etude(*words, "--output", tmp_path / "chunk.npz"), 2, "observation.")
    assert not (tmp_path / "chunk.npz").exists()
    (tmp_path / "frame.npz").write_bytes(b"\x80\x04K\x01.")
    refused(etude(*words, "--output", tmp_path / "chunk.npz"), 2, "frame.npz")


def test_an_episode_that_is_not_there(etude, recorded):
    refused(etude("replay", *SIM, f"--dataset.root={recorded}", "--dataset.episode=9"), 2, "episodes 0 to 2", "9")


def test_a_dataset_without_a_name(etude):
    refused(etude("record", *SIM, TASK), 2, "--dataset.root")


def test_a_stored_run_that_is_none(etude, tmp_path):
    refused(etude("train", f"--config={tmp_path / 'none.json'}"), 2, "none.json")
