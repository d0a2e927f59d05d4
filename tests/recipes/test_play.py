"""Playing a recipe's stages, and the card of a run."""

from dataclasses import replace
from pathlib import Path

import pytest

from etude.core.errors import EtudeError
from etude.recipes import recipe
from etude.recipes.card import card
from etude.recipes.play import Done, Performance, play
from etude.recipes.stages import Stage, stages

GOLDEN = Path(__file__).parents[1] / "golden" / "lerobot_v3"
INFO = Stage(name="info", title="Look at it", words=("dataset", "info", str(GOLDEN), "--json"))
NOWHERE = Stage(name="check", title="Check it", words=("dataset", "check", "/nowhere at all"))


def test_a_stage_is_shown_as_it_is_typed_timed_and_answers():
    told = []
    performance = play([INFO], told.append)
    assert told == [f"\n1. Look at it\n  $ etude dataset info {GOLDEN} --json"]
    done = performance["info"]
    assert done.answer["total_episodes"] > 0
    assert done.cpu_s > 0
    assert 0 < done.wall_s <= performance.wall_s


def test_a_run_ends_with_the_stage_that_failed(capfd):
    with pytest.raises(EtudeError, match="stopped at 'Check it', which ended with exit code 2"):
        play([NOWHERE, INFO], lambda _: None)
    assert "/nowhere at all" in capfd.readouterr().err, "the stage has said why"


def score(rate):
    return {"success_rate": rate, "n": 200, "low": rate - 0.03, "high": rate + 0.01}


def played(recipe, **answers):
    found = stages(recipe, Path("out"), 0)
    done = [Done(stage=stage, wall_s=60, cpu_s=90, answer=answers.get(stage.name, {})) for stage in found]
    return Performance(stages=tuple(done), wall_s=60.0 * len(done))


def test_the_card_states_success_times_and_what_to_type():
    skill = recipe("pick_place", "hard")
    text = card(skill, Path("out"), played(skill, eval=score(0.965)))
    assert "Put the red block into the bin." in text
    assert "| trained | 96.5% | 200 | 93.5% to 97.5% |" in text
    assert "untrained" not in text
    assert "| all | 240 s | 360 s |" in text
    assert "etude train --policy.type" in text
    assert "etude run --robot.type=so101_follower --robot.port=sim --task.type=pick_place --task.preset=hard" in text


def test_the_card_sets_an_untrained_policy_beside():
    skill = replace(recipe("push"), untrained=10)
    text = card(skill, Path("out"), played(skill, eval=score(0.9), eval_untrained=score(0.05)))
    assert "| trained | 90.0% |" in text
    assert "| untrained | 5.0% |" in text


def test_the_card_says_who_corrected():
    skill = replace(recipe("pick_place", "hard"), is_coached=True)
    rounds = [{"round": 1, "alone": {"successes": 45, "n": 50}, "corrections": 5}]
    coached = {"rounds": rounds, "corrections_made_by": "a script"}
    text = card(skill, Path("out"), played(skill, eval=score(0.9), coach=coached))
    assert "| 1 | 45 of 50 | 5 |" in text
    assert "Corrections were made by a script." in text
    assert "coach/checkpoints/last" in text
