"""Starting the processes of a run, by torch's own launcher."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException, Std
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from etude.core.errors import EtudeError

LONGEST_SAVE_S = 600
"""What a process may take to save and end after Ctrl-C."""
_LINES = 3
"""Of what a process said last, when it failed."""


def launch(num_processes: int, words: Sequence[str]) -> int:
    """Run `etude` with `words` in several processes here, the first of which speaks; give its exit code.

    Raises `EtudeError` with the last words of another that failed by itself, and `KeyboardInterrupt` after Ctrl-C, when
    all have saved and ended.
    """
    os.environ.setdefault("TORCH_ELASTIC_SHUTDOWN_TIMEOUT", str(LONGEST_SAVE_S))
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # it warns of every policy that uses all its parameters
    logging.disable(logging.ERROR)  # the launcher tells of Ctrl-C and of failures in its own way, with tracebacks
    with tempfile.TemporaryDirectory(prefix="etude-train-") as logs:
        config = LaunchConfig(
            min_nodes=1,
            max_nodes=1,
            nproc_per_node=num_processes,
            logs_specs=DefaultLogsSpecs(log_dir=logs, redirects=dict.fromkeys(range(1, num_processes), Std.ALL)),
            run_id=uuid4().hex,
            rdzv_backend="c10d",
            rdzv_endpoint="localhost:0",
            max_restarts=0,
        )
        try:
            elastic_launch(config, sys.executable)("-m", "etude", *words)
        except ChildFailedError as error:
            if 0 in error.failures:
                return error.failures[0].exitcode
            rank, failure = error.get_first_failure()
            raise EtudeError(_told(Path(logs), rank, num_processes, failure.exitcode)) from None
        except SignalException:
            raise KeyboardInterrupt from None
    return 0


def _told(logs: Path, rank: int, num_processes: int, exit_code: int) -> str:
    path = next(iter(logs.glob(f"*/*/{rank}/stderr.log")), None)
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-_LINES:] if path else []
    return (
        f"Process {rank} of {num_processes} ended with exit code {exit_code}: {' '.join(lines) or 'it said nothing.'}"
    )
