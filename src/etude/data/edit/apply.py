"""Making an edit happen: the plan first, then the lock, then a new version that takes the old one's place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from etude.core.errors import UserError
from etude.data import versions
from etude.data.edit.build import build
from etude.data.edit.plan import Plan, Tell
from etude.data.edit.source import Source
from etude.data.versions import locked, new_version, resting_place


def edit(root: Path, what: str, plan_of: Callable[[Source], Plan], tell: Tell = lambda *_: None) -> Plan:
    """Replace the dataset `root` by what `plan_of` gives; `what` says in a few words what that does.

    Raises `UserError` before anything is touched when the edit cannot be made.
    """
    root = root.resolve()
    plan_of(Source(root))
    with locked(root):
        # Planned again, for somebody may have added episodes meanwhile.
        plan = plan_of(Source(root))
        with new_version(root, what) as folder:
            build(plan, folder, tell)
    return plan


def create(plans: Mapping[Path, Plan], what: str, tell: Tell = lambda *_: None) -> None:
    """Make new datasets: all of them, or none. Raises `UserError` when there is something already."""
    for root in plans:
        if root.exists():
            raise UserError(f"{root} exists already. Choose another name, or delete it first.")
    total = sum(len(plan.kept) for plan in plans.values())
    done = 0
    with ExitStack() as open_folders:
        for root, plan in plans.items():
            root.absolute().parent.mkdir(parents=True, exist_ok=True)
            open_folders.enter_context(locked(root))
            folder = open_folders.enter_context(new_version(root, what, is_edit=False))
            build(plan, folder, _within(tell, done, len(plan.kept), total))
            done += len(plan.kept)


def undo(root: Path) -> str:
    """Go back to the version before the last edit of the dataset `root`, and say what was undone."""
    root = root.resolve()
    if not resting_place(root).is_dir():
        raise UserError(f"{root} is not a dataset: there is no such folder.")
    with locked(root):
        return versions.undo(root)


def _within(tell: Tell, before: int, share: int, total: int) -> Tell:
    return lambda done, of: tell(round(100 * (before + share * done / max(of, 1))), 100 * total)
