"""A process that serves simulated arms on pseudo-terminals."""

import json
import signal
import subprocess
import sys

import pytest

SCRIPT = """
import json, sys
from pathlib import Path
from etude.sim.mjpeg import Shape
from etude.sim.server import Socket, Trouble, serve
if __name__ == "__main__":
    arms, trouble = json.loads(sys.argv[1])
    sockets = [Socket(**arm | {"link": Path(arm["link"])}) for arm in arms]
    ready = lambda urls: print(json.dumps(urls), flush=True)
    trouble = Trouble(**trouble) if trouble else None
    serve(sockets, Shape(width=64, height=48, fps=30), trouble=trouble, on_ready=ready)
"""


@pytest.fixture(scope="module")
def serve(tmp_path_factory):
    """Serve arms, given by name as the options of a `Socket`, until the module's tests are over.

    Gives the port of each by name, and the cameras' addresses by view.
    """
    folder = tmp_path_factory.mktemp("arms")
    script = folder / "serve.py"
    script.write_text(SCRIPT)
    running = []

    def start(trouble=None, **arms):
        ports = {name: str(folder / name) for name in arms}
        sockets = [options | {"link": ports[name]} for name, options in arms.items()]
        command = [sys.executable, str(script), json.dumps([sockets, trouble])]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        running.append(process)
        return ports, json.loads(process.stdout.readline())

    yield start
    for process in running:
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        process.stdout.close()
    assert not any(path.is_symlink() for path in folder.iterdir()), "a port is still there after the end"
