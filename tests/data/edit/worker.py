"""Edits a dataset over and over until it is killed; forked from a process that has imported everything already."""

import os
import random
import shutil
import sys
from pathlib import Path

from etude.data.edit import apply, edits
from etude.data.edit.compact import compact
from etude.data.edit.source import Source
from etude.data.versions import locked

EDITS = {
    "deleted": lambda source: edits.delete(source, [1]),
    "trimmed": lambda source: edits.trimmed(source, {3: (1, 4)}),
    "retasked": lambda source: edits.retasked(source, {"Do it": "Do that"}),
    "renamed": lambda source: edits.renamed(source, {"action": "act"}),
}


def edit_forever(root):
    """Go from the whole dataset to an edited one and back; say so each time it is done."""
    while True:
        with locked(root):
            pass  # whatever the last one left is tidied before looking at what there is
        if is_whole(root):
            name = random.choice(list(EDITS))
            apply.edit(root, name, EDITS[name])
        else:
            apply.undo(root)
            name = "whole"
        os.write(1, f"{name}\n".encode())


def is_whole(root):
    source = Source(root)
    return (len(source), int(source.length.sum()), source.tasks[0], "act" in source.features) == (4, 13, "Do it", False)


def compact_forever(root):
    """Compact a copy of the dataset, and then another one."""
    number = len(list(root.parent.glob("gone-*")))
    while True:
        copy = root.with_name(f"copy-{number}")
        shutil.copytree(root, root.with_name("copying"), dirs_exist_ok=True)
        root.with_name("copying").rename(copy)
        with locked(copy):
            compact(copy)
        os.write(1, f"{copy.name}\n".encode())
        gone = copy.rename(root.with_name(f"gone-{number}"))  # so that a kill leaves no half of it to be checked
        shutil.rmtree(gone)
        number += 1


def main():
    """Fork a worker for each line `WHAT ROOT` of the input, and tell its process id."""
    for line in sys.stdin:
        what, root = line.split()
        child = os.fork()
        if not child:
            work = {"edit": edit_forever, "compact": compact_forever}[what]
            try:
                work(Path(root))
            finally:
                os._exit(1)
        os.write(1, f"pid {child}\n".encode())
        os.waitpid(child, 0)
        os.write(1, b"dead\n")


if __name__ == "__main__":
    main()
