"""The front door: finds the command, runs it, and turns every error into one sentence and an exit code."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from collections.abc import Sequence

from etude.core.errors import EtudeError, NotFound

COMMANDS = {
    "demo": "The whole job, no robot needed: record, train, run a skill and count its successes.",
    "sim": "A simulated arm on a serial port that any program can open.",
    "doctor": "Check this machine and what is plugged in, or a checkpoint.",
    "find-port": "Which serial port is which arm; gives arms names.",
    "find-cameras": "Which cameras are plugged in, with a picture of each; gives cameras names.",
    "setup-motors": "Give the motors of a new arm their ids, one after another.",
    "calibrate": "Tell an arm how far its joints turn.",
    "teleoperate": "Drive a robot.",
    "record": "Record demonstrations to a dataset.",
    "replay": "Play a recorded episode on the robot.",
    "train": "Train a policy on a dataset.",
    "tune": "Search for the values of a training run that do best.",
    "eval": "Run a trained policy in simulation and count its successes, or score it on a dataset.",
    "eval compare": "Whether one evaluation is really better than another.",
    "coach": "Take over where a skill fails in simulation, and train it on with that.",
    "run": "Run a trained policy on a robot.",
    "dataset info": "What a dataset holds.",
    "dataset check": "Whether a dataset is sound, and what to do if not.",
    "dataset stats": "What normalisation works with: shown, or measured again.",
    "dataset viz": "An episode as a web page, or in rerun.",
    "dataset cache": "Pictures decoded to disk, so that training need not.",
    "dataset recover": "Keep or drop what a crash left.",
    "dataset convert": "A dataset of another format or version, as LeRobot v3.0.",
    "dataset delete": "Leave out episodes.",
    "dataset split": "One dataset into several.",
    "dataset merge": "Several datasets into one.",
    "dataset trim": "Cut the ends off episodes.",
    "dataset filter": "Keep the episodes that are wanted.",
    "dataset edit-tasks": "Say anew what episodes are about.",
    "dataset rename": "Give keys other names.",
    "dataset remove-key": "Leave out columns and cameras.",
    "dataset reencode": "Encode all videos again.",
    "policy info": "What a policy sees and does, how it is played, where it learned.",
    "policy check": "Whether a checkpoint is sound and still acts as it did.",
    "policy import": "An Etude checkpoint of LeRobot's, of any age.",
    "policy export": "A checkpoint that LeRobot loads.",
    "policy act": "One frame through a policy's whole pipeline.",
    "runs": "The runs made on this machine.",
}

OUTSIDE = {
    errno.EACCES: "you have no permission for this. Choose another place, or ask its owner.",
    errno.EPERM: "you have no permission for this. Choose another place, or ask its owner.",
    errno.EROFS: "this disk can only be read. Choose another place.",
    errno.ENOSPC: "the disk is full. Make room, or choose another place.",
    errno.EDQUOT: "your share of the disk is full. Make room, or choose another place.",
}
"""What the operating system refuses, in words; nothing else of its errors is a user's to mend."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; give its exit code: 0 done, 1 failed, 2 mistyped, 130 interrupted."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if not words or words[0] in ("-h", "--help", "help"):
            print(_help(), flush=True)
            return 0
        if words[0] == "--version":
            from etude import __version__

            print(__version__)
            return 0
        name, rest = _command(words)
        if name not in COMMANDS:
            print(_help(name), flush=True)
            return 0
        return _run(name, rest)
    except EtudeError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("\nInterrupted. What was saved before is intact.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if error.errno not in OUTSIDE:
            raise
        where = f"{error.filename}: " if error.filename else ""
        print(f"error: {where}{OUTSIDE[error.errno]} What was saved before is intact.", file=sys.stderr)
        return 2


def _run(name: str, arguments: list[str]) -> int:
    from etude.cli.parse import parse

    module = importlib.import_module(f"etude.cli.{name.replace(' ', '_').replace('-', '_')}")
    expanded = module.expand(arguments) if hasattr(module, "expand") else arguments
    command = parse(module.COMMAND, expanded, prog=f"etude {name}")
    return module.run(command) or 0


def _command(words: list[str]) -> tuple[str, list[str]]:
    """Split into the command's name, of one or two words, and the rest; a group's name alone asks for its help."""
    if (both := " ".join(words[:2])) in COMMANDS:
        return both, words[2:]
    if words[0] in COMMANDS:
        return words[0], words[1:]
    group = [name for name in COMMANDS if name.startswith(f"{words[0]} ")]
    if group and (len(words) == 1 or words[1] in ("-h", "--help")):
        return words[0], []
    name = " ".join(words[:2]) if group else words[0]
    if name not in COMMANDS:
        raise NotFound("command", name, group or COMMANDS)
    return name, words[2:]


def _help(group: str = "") -> str:
    shown = {name: line for name, line in COMMANDS.items() if name.startswith(group)}
    width = max(map(len, shown))
    rows = "\n".join(f"  {name:<{width}}  {line}" for name, line in shown.items())
    start = "" if group else "Teach a robot a skill by showing it. No robot yet? Start with: etude demo\n\n"
    return f"usage: etude COMMAND [OPTIONS]\n\n{start}{rows}\n\nOptions of a command: etude COMMAND --help"


if __name__ == "__main__":
    sys.exit(main())
