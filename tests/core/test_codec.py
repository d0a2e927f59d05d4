import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.core import codec
from etude.core.errors import ConfigError, NotFound
from etude.policies import policies


@dataclass(frozen=True, kw_only=True)
class Inner:
    rate: float = 1.0
    mode: Literal["a", "b"] = "a"


@dataclass(frozen=True, kw_only=True)
class Outer:
    steps: int = 1
    folder: Path | None = None
    sizes: tuple[int, ...] = ()
    pair: tuple[int, str] = (0, "")
    inner: Inner = field(default_factory=Inner)
    inners: dict[str, Inner] = field(default_factory=dict)
    policy: Any = None


@given(
    st.builds(
        Outer,
        steps=st.integers(),
        folder=st.none() | st.just(Path("a/b")),
        sizes=st.lists(st.integers()).map(tuple),
        pair=st.tuples(st.integers(), st.text()),
        inner=st.builds(Inner, rate=st.floats(allow_nan=False), mode=st.sampled_from(["a", "b"])),
        inners=st.dictionaries(st.text(), st.builds(Inner)),
    )
)
def test_every_config_comes_back_equal(config):
    assert codec.decode(Outer, json.loads(json.dumps(codec.encode(config)))) == config


def test_a_plugin_stores_its_type_and_comes_back():
    config = Outer(policy=policies.config("act").tiny())
    stored = codec.encode(config, {"policy": policies})
    assert stored["policy"]["type"] == "act"
    assert codec.decode(Outer, json.loads(json.dumps(stored)), {"policy": policies}) == config


@pytest.mark.parametrize(
    ("stored", "sentence"),
    [
        ({"stepz": 1}, r"config has no key 'stepz'. Did you mean 'steps'\?"),
        ({"steps": "many"}, "config.steps should be int, got 'many'"),
        ({"steps": True}, "config.steps should be int, got True"),
        ({"inner": {"mode": "c"}}, "config.inner.mode should be one of 'a', 'b', got 'c'"),
        ({"inner": 3}, "config.inner should be an object, got int"),
        ({"pair": [1]}, "config.pair should have 2 items, got 1"),
        ({"sizes": 4}, "config.sizes should be a list, got 4"),
    ],
)
def test_what_does_not_fit_is_said_in_a_sentence(stored, sentence):
    with pytest.raises(ConfigError, match=sentence):
        codec.decode(Outer, stored)


def test_an_unknown_plugin_is_answered_with_the_nearest():
    with pytest.raises(NotFound, match=r"No policy named 'atc'. Did you mean 'act'\?"):
        codec.decode(Outer, {"policy": {"type": "atc"}}, {"policy": policies})


def test_whole_numbers_are_read_as_floats_where_floats_are_meant():
    assert codec.decode(Inner, {"rate": 2}) == Inner(rate=2.0)


def test_a_config_from_a_newer_version_is_refused():
    assert codec.unversioned(codec.versioned({"steps": 1}), "run.json") == {"steps": 1}
    with pytest.raises(ConfigError, match=r"run.json has version 99; this Etude reads up to 1. Upgrade Etude."):
        codec.unversioned({"version": 99}, "run.json")
