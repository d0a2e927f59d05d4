"""The demo, at toy size: every stage runs and the card holds what was found."""

import pytest


@pytest.mark.slow
def test_the_demo_runs_to_its_end(etude, tmp_path):
    folder = tmp_path / "demo"
    words = ("demo", "--episodes=2", "--steps=3", "--rollouts=2", "--untrained=1", f"--output_dir={folder}")
    done = etude(*words)
    assert done.returncode == 0, done.stderr
    assert "of 2 placements it has not seen" in done.stderr
    assert (folder / "eval" / "rollouts.mp4").exists()
    card = (folder / "README.md").read_text()
    assert "95 % Wilson interval" in card
    assert "| untrained |" in card
    assert etude(*words).returncode == 0
    assert len(list(tmp_path.glob("demo_before_*"))) == 1, "an earlier demo is moved aside, not lost"
