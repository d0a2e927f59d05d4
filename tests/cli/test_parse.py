import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import pytest

from etude.cli import aliases, parse
from etude.cli.slots import Slot
from etude.core.errors import ConfigError, NotFound, UserError
from etude.hardware import robots
from etude.policies import policies


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options."""

    root: Path | None = None
    """Where."""
    fast: bool = False
    """Whether to hurry."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A command for tests."""

    policy: Annotated[Any, Slot(policies, "act")]
    """The policy."""
    robot: Annotated[Any, Slot(robots, "fake")]
    """The robot."""
    options: Options = field(default_factory=Options)
    """The options."""
    steps: int = 10
    """How many."""
    resume: bool = False
    """Whether to go on."""
    device: str = "cpu"
    """Where."""


def read(*words):
    return parse.parse(Sample, list(words), prog="etude sample")


def test_dotted_overrides_reach_the_plugin_in_any_order():
    one = read("--policy.n_action_steps=7", "--policy.type=act", "--steps=3")
    two = read("--steps", "3", "--policy.type", "act", "--policy.n_action_steps", "7")
    assert one == two
    assert (one.policy.n_action_steps, one.steps) == (7, 3)
    assert policies.name_of(one.policy) == "act"


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (["--resume"], True),
        (["--resume=true"], True),
        (["--resume=False"], False),
        (["--resume", "true"], True),
        ([], False),
    ],
)
def test_booleans_in_every_spelling(words, value):
    assert read(*words).resume is value
    nested = [word.replace("--resume", "--options.fast") for word in words]
    assert read(*nested).options.fast is value


def test_a_boolean_does_not_swallow_the_next_flag():
    assert read("--resume", "--steps=4") == read("--steps=4", "--resume=true")


def test_an_unknown_plugin_is_answered_with_the_nearest():
    with pytest.raises(NotFound, match=r"No policy named 'atc'. Did you mean 'act'\?"):
        read("--policy.type=atc")


def test_a_mistyped_flag_is_answered_with_the_nearest(capsys):
    with pytest.raises(SystemExit) as stop:
        read("--policy.chunk_siz=3")
    assert stop.value.code == 2
    assert "--policy.chunk_size" in capsys.readouterr().err


def test_a_stored_run_is_read_back_and_can_be_changed(tmp_path):
    command = read("--policy.n_action_steps=7", "--steps=3", f"--options.root={tmp_path}")
    stored = tmp_path / "config.json"
    stored.write_text(json.dumps({"command": "sample", "config": parse.encode(command)}))
    assert read(f"--config={stored}") == command
    assert read(f"--config={tmp_path}", "--steps=5").steps == 5
    assert read(f"--config_path={stored}", "--policy.n_heads=1").policy.n_action_steps == 7


def test_cameras_named_in_text_are_stored_and_come_back(tmp_path):
    words = ["--robot.type=so101_follower", "--robot.cameras={top: {type: opencv, index_or_path: 2, width: 64}}"]
    command = read(*words)
    assert command.robot.cameras["top"].width == 64
    (tmp_path / "config.json").write_text(json.dumps({"command": "sample", "config": parse.encode(command)}))
    assert read(f"--config={tmp_path}") == command


def test_a_stored_run_of_another_command_is_refused(tmp_path):
    stored = tmp_path / "config.json"
    stored.write_text(json.dumps({"command": "record", "config": {}}))
    with pytest.raises(ConfigError, match="is a stored 'record', not 'sample'"):
        read(f"--config={stored}")


@pytest.mark.parametrize("text", ["{", "[]", "{}"])
def test_what_is_no_stored_run_is_refused(tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(ConfigError, match=r"x\.json"):
        read(f"--config={tmp_path / 'x.json'}")


GRANTED = [
    ["--policy.device=cpu"],
    ["--policy.push_to_hub=false"],
    ["--policy.push_to_hub", "false"],
    ["--dataset.push_to_hub=False"],
    ["--policy.repo_id=me/policy"],
    ["--job_name=first"],
    ["--wandb.enable=false"],
    ["--wandb.project=arm"],
    ["--display_data=false"],
    ["--play_sounds=true"],
    ["--dataset.streaming_encoding=true"],
    ["--teleop.id=leader"],
    ["--num_workers=4"],
    ["--eval.use_async_envs=true"],
    ["--policy.use_amp=false"],
]


@pytest.mark.parametrize("words", GRANTED, ids=" ".join)
def test_the_flags_of_tutorials_are_understood(words):
    assert read(*words, "--steps=2") == read("--steps=2")


def test_every_alias_is_in_that_test():
    tried = {words[0].partition("=")[0] for words in GRANTED} | {"--config_path"}
    assert tried == {alias.flag for alias in aliases.ALIASES}


@pytest.mark.parametrize("flag", [alias.flag for alias in aliases.ALIASES if alias.granted])
def test_a_wish_that_cannot_be_granted_is_said(flag):
    with pytest.raises(UserError, match="cannot be done"):
        read(f"{flag}=true")


@pytest.mark.parametrize("words", [["--display_data=true"], ["--display_data"], ["--display_data", "true"]])
def test_showing_data_means_the_viewer_that_lerobot_opens(words):
    assert aliases.translate(words, {"--display"}) == ["--display=rerun"]
    with pytest.raises(UserError, match="should be true or false"):
        aliases.translate(["--display_data=perhaps"], {"--display"})


def test_the_device_flag_reaches_the_command():
    assert read("--policy.device=cuda").device == "cuda"


def test_wishing_for_wandb_means_the_tracker():
    assert aliases.translate(["--wandb.enable=true"], {"--tracking"}) == ["--tracking=wandb"]
    assert aliases.translate(["--wandb.project", "arm"], {"--tracking_project"}) == ["--tracking_project=arm"]
