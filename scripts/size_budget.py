"""Holds files, functions and classes to their size: a warning at the first number, failure at the second."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

BUDGET = {"file": (300, 500), "function": (40, 80), "class": (200, 350)}
ROOTS = ("src", "tests", "benchmarks", "scripts", "examples")


def sizes(path: Path) -> Iterator[tuple[str, str, int]]:
    """Yield what, where and how many lines, for the file and everything defined in it."""
    text = path.read_text(encoding="utf-8")
    yield "file", str(path), text.count("\n")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            what = "class" if isinstance(node, ast.ClassDef) else "function"
            yield what, f"{path}:{node.lineno} {node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


def main() -> int:
    """Print what is over; fail when something is over the second number."""
    failed = False
    for root in ROOTS:
        for path in sorted(Path(root).rglob("*.py")):
            for what, where, lines in sizes(path):
                warn, fail = BUDGET[what]
                if lines > warn:
                    failed |= lines > fail
                    verdict = "too long" if lines > fail else "long"
                    print(f"{verdict}: {where}: {lines} lines (budget {warn}, limit {fail})")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
