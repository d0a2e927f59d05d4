"""What asks LeRobot itself, in the environment that `$ETUDE_PEER` names."""

import importlib.util
import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def ask():
    """Have LeRobot do something; fail when it cannot."""
    if not os.environ.get("ETUDE_PEER"):
        pytest.skip("ETUDE_PEER names no environment with LeRobot; make one with scripts/peer_venv.sh")
    path = Path(__file__).parents[2] / "benchmarks/peer.py"
    spec = importlib.util.spec_from_file_location("peer", path)
    peer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(peer)

    def asked(what, **options):
        answer = peer.ask(what, timeout_s=300, **options)
        assert "error" not in answer, answer["log"]
        return answer

    return asked
