"""LeRobot itself, asked to do what Etude does, so that both are measured in the same run; answers are JSON.

    sh scripts/peer_venv.sh FOLDER && export ETUDE_PEER=FOLDER
    python benchmarks/peer.py record|load|delete|merge|open|opens|opens_all [--name=value ...]

The options are those of the functions in `peer_lerobot.py` and `peer_reading.py`. Without the environment an answer
says `skipped`, and after a failure `error`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

Answer = dict[str, Any]


def ask(what: str, timeout_s: float = 3600, script: str = "peer_lerobot.py", **options: Any) -> Answer:
    """Have the peer do something in a process of its own, which finds no earlier conversion of a dataset."""
    folder = os.environ.get("ETUDE_PEER")
    if not folder:
        return {"skipped": "ETUDE_PEER names no environment; make one with scripts/peer_venv.sh."}
    command = [str(Path(folder) / "bin/python"), str(Path(__file__).with_name(script)), what]
    command += [f"--{name}={value}" for name, value in options.items()]
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {"HF_HOME": home, "HF_HUB_OFFLINE": "1", "SVT_LOG": "1", "PYTHONPATH": ""}
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=timeout_s, env=environment)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return {"error": reason, "log": done.stderr}
    return json.loads(lines[-1])


def main(words: list[str]) -> int:
    """Print the peer's answer."""
    what, *options = words
    answer = ask(what, **dict(word.removeprefix("--").split("=", 1) for word in options))
    log = answer.pop("log", "")
    print(json.dumps(answer, indent=2))
    if "error" in answer:
        print(log, file=sys.stderr)
    return int("error" in answer)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
