"""Cameras chosen in words, as LeRobot's command line does: a YAML flow mapping, of which this reads what is needed."""

from __future__ import annotations

import re
from typing import Any, NoReturn

from etude import hardware
from etude.core.codec import decode
from etude.core.errors import ConfigError

_KEY = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([A-Za-z_][\w-]*))\s*:""")
_QUOTED = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)')""")
_PLAIN = re.compile(r"[^,{}]*")
_MARK = re.compile(r"\s*([,{}])")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
_EXAMPLE = "{front: {type: opencv, index_or_path: 0, width: 640, height: 480, fps: 30}}"


def parse_cameras(text: str) -> dict[str, Any]:
    """Read camera configs by name from words such as `{front: {type: opencv, index_or_path: 0}}`."""
    return {name: _camera(name, values) for name, values in parse_mapping(text).items()}


def parse_mapping(text: str) -> dict[str, Any]:
    """Read plain values by name from words such as `{type: so101_follower, port: /dev/ttyACM0}`."""
    reader = _Reader(text)
    found = reader.mapping()
    reader.end()
    return found


def _camera(name: str, values: Any) -> Any:
    where = f"Camera '{name}'"
    if not isinstance(values, dict) or not isinstance(values.get("type"), str):
        raise ConfigError(f"{where} needs a type, as in {_EXAMPLE}. Known: {', '.join(hardware.cameras.names())}.")
    rest = {key: value for key, value in values.items() if key != "type"}
    return decode(hardware.cameras.config(values["type"]), rest, where=where)


class _Reader:
    """Reads a flow mapping from left to right."""

    def __init__(self, text: str) -> None:
        self._text, self._position = text, 0

    def mapping(self) -> dict[str, Any]:
        """Read `{key: value, ...}`; values are mappings or scalars."""
        if not self._take("{"):
            self._fail("'{'")
        found: dict[str, Any] = {}
        while not self._take("}"):
            key = self._key()
            if key in found:
                raise ConfigError(f"'{key}' is given twice in {self._text}")
            found[key] = self.mapping() if self._next() == "{" else self._scalar()
            if not self._take(",") and self._next() != "}":
                self._fail("',' or '}'")
        return found

    def end(self) -> None:
        """Make sure that nothing follows."""
        if self._text[self._position :].strip():
            self._fail("the end")

    def _key(self) -> str:
        match = _KEY.match(self._text, self._position)
        if not match:
            self._fail("a name and ':'")
        self._position = match.end()
        return next(group for group in match.groups() if group is not None)

    def _scalar(self) -> Any:
        quoted = _QUOTED.match(self._text, self._position)
        if quoted:
            self._position = quoted.end()
            return quoted[1] if quoted[1] is not None else quoted[2]
        plain = _PLAIN.match(self._text, self._position)
        assert plain, "it matches nothing at all, too"
        self._position = plain.end()
        return parse_value(plain[0].strip())

    def _next(self) -> str:
        match = _MARK.match(self._text, self._position)
        return match[1] if match else ""

    def _take(self, mark: str) -> bool:
        match = _MARK.match(self._text, self._position)
        if not match or match[1] != mark:
            return False
        self._position = match.end()
        return True

    def _fail(self, expected: str) -> NoReturn:
        before, after = self._text[: self._position], self._text[self._position :]
        raise ConfigError(
            f"This cannot be read: expected {expected} here: {before}>>>{after}. Cameras, for example, are written "
            f"{_EXAMPLE}"
        )


def parse_value(word: str) -> Any:
    """Read a plain scalar: a number, a truth value, nothing, or itself."""
    if word.lower() in _WORDS:
        return _WORDS[word.lower()]
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word
