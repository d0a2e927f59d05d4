"""A policy that looks back and samples, from demonstrations with pictures to an evaluation, by the commands."""

import json

from etude.policies import checkpoint


def test_a_diffusion_policy_learns_from_pictures_and_is_evaluated(etude, recorded, tmp_path):
    run = tmp_path / "run"
    trained = etude(
        "train", "--policy.type=diffusion", "--policy.preset=tiny", f"--dataset.root={recorded}",
        f"--output_dir={run}", "--steps=3", "--batch_size=4",
    )  # fmt: skip
    assert trained.returncode == 0, trained.stderr
    last = run / "checkpoints" / "last"
    assert any("images" in key for key in checkpoint.load(last).observation)
    scored = etude(
        "eval", f"--policy.path={last}", "--env.type=so101_pick_place", "--eval.n_episodes=1", "--env.max_seconds=1",
        "--json", f"--output_dir={tmp_path / 'scores'}",
    )  # fmt: skip
    assert scored.returncode == 0, scored.stderr
    assert json.loads(scored.stdout.splitlines()[-1])["n"] == 1


def test_a_policy_learns_where_the_hand_goes_and_moves_the_joints(etude, recorded, tmp_path):
    run = tmp_path / "run"
    trained = etude(
        "train", "--policy.type=act", "--policy.preset=tiny", f"--dataset.root={recorded}", "--hand=so101",
        f"--output_dir={run}", "--steps=3", "--batch_size=4",
    )  # fmt: skip
    assert trained.returncode == 0, trained.stderr
    last = run / "checkpoints" / "last"
    loaded = checkpoint.load(last)
    assert loaded.seen["observation.state"].names[:4] == ("hand.x", "hand.y", "hand.z", "hand.pitch")
    assert loaded.action.names[0] == "shoulder_pan.pos"
    assert checkpoint.verify(last) < 1e-3
    scored = etude(
        "eval", f"--policy.path={last}", "--env.type=so101_pick_place", "--eval.n_episodes=1", "--env.max_seconds=1",
        "--json", f"--output_dir={tmp_path / 'scores'}",
    )  # fmt: skip
    assert scored.returncode == 0, scored.stderr
    assert json.loads(scored.stdout.splitlines()[-1])["n"] == 1
