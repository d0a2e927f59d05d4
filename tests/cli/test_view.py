from dataclasses import dataclass, field

import pytest

from etude.cli.view import restore, view
from etude.core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Inner:
    """An inner config."""

    size: int | None = None
    """How big."""

    def __post_init__(self):
        if self.size is not None and self.size < 0:
            raise ConfigError(f"size should not be negative, got {self.size}.")


@dataclass(frozen=True, kw_only=True)
class Outer:
    """An outer config."""

    name: str
    inner: Inner = field(default_factory=Inner)
    extras: dict[str, Inner] = field(default_factory=dict)


def test_what_was_read_through_a_view_is_the_config():
    assert restore(Outer, view(Outer)(name="a", inner=view(Inner)(size=3))) == Outer(name="a", inner=Inner(size=3))


def test_defaults_come_from_the_instance_given():
    seen = view(Outer, Outer(name="b", inner=Inner(size=7)))
    assert restore(Outer, seen(inner=view(Inner, Inner(size=7))())) == Outer(name="b", inner=Inner(size=7))


def test_mistakes_are_told_when_the_config_is_restored_and_not_before():
    seen = view(Inner)(size=-1)
    with pytest.raises(ConfigError, match="size should not be negative, got -1"):
        restore(Inner, seen)


def test_what_has_no_default_stays_required():
    with pytest.raises(TypeError, match="name"):
        view(Outer)(inner=view(Inner)())


def test_marks_on_a_field_stay():
    from tyro.conf import Positional

    @dataclass(frozen=True, kw_only=True)
    class Marked:
        root: Positional[int]

    assert view(Marked).__annotations__["root"] == Positional[int]
