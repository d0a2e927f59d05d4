"""`--rename_map`: which key of a dataset or robot is which of a policy's."""

from __future__ import annotations

import json

from etude.core.errors import UserError

EXAMPLE = """--rename_map='{"observation.images.top": "observation.images.front"}'"""


def renames(text: str) -> dict[str, str]:
    """Read the map; raise `UserError` for what is none."""
    if not text:
        return {}
    try:
        names = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"--rename_map={text} is no JSON ({error}); write it as {EXAMPLE}.") from error
    if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
        raise UserError(f"--rename_map={text} should lead from names to names, as {EXAMPLE}.")
    return names
