"""A camera that stops sending in the middle of an episode."""

import re
import socket
import threading

import cv2
import numpy as np
import pytest

from etude.data import open_dataset
from etude.data.check import check
from etude.data.draft import drafts

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"
LENGTH = 20
"""Ticks of one demonstration."""


@pytest.fixture
def camera():
    """A network camera that sends pictures for four seconds, and then nothing more."""
    listener, over = socket.create_server(("127.0.0.1", 0)), threading.Event()

    def serve():
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(ANSWER)
            for number in range(120):
                _, picture = cv2.imencode(".jpg", np.full((64, 64, 3), 40 + number, np.uint8))
                part = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(picture)
                connection.sendall(part + picture.tobytes() + b"\r\n")
                over.wait(1 / 30)
            over.wait(30)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/cam"
    over.set()
    listener.close()
    thread.join(5)


def test_a_camera_that_stalls_ends_recording_with_a_sentence_and_loses_nothing(etude, camera, tmp_path):
    root = tmp_path / "waves"
    done = etude(
        "record", "--robot.type=fake", "--teleop.type=fake", f"--teleop.num_ticks={LENGTH}",
        f"--robot.cameras={{front: {{type: mjpeg, url: {camera}, width: 64, height: 64, timeout_s: 0.5, grace_s: 1}}}}",
        f"--dataset.root={root}", "--dataset.single_task=Wave", "--dataset.reset_time_s=0", "--dataset.num_episodes=20",
    )  # fmt: skip
    assert done.returncode == 1
    assert re.search(r"Camera 'front': no new picture for 1\.\d s: the stream", done.stderr)
    assert "Traceback" not in done.stderr
    assert check(root) == []
    saved = open_dataset(root).episodes
    assert 1 <= len(saved) < 20
    assert all(len(episode) == LENGTH for episode in saved)
    found = drafts(root)
    assert all(draft.num_frames < LENGTH for draft in found)
    assert bool(found) == ("etude dataset recover" in done.stderr)
