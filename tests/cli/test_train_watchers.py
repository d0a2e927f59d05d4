import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("gym_pusht")

from etude.core.events import read_events  # noqa: E402

GOLDEN = Path(__file__).parents[1] / "golden" / "lerobot_v3"


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def words(tmp_path):
    return [
        "train", f"--dataset.root={GOLDEN}", "--policy.preset=tiny", "--steps=3", "--batch_size=2", "--save_freq=1",
        "--holdout_episodes=1", "--device=cpu", "--bf16=off", "--cache_gb=0", f"--output_dir={tmp_path / 'run'}",
    ]  # fmt: skip


def test_a_run_is_tracked_and_stopped_early_and_resumes_with_its_options(etude, words, tmp_path):
    pytest.importorskip("tensorboard")
    stops = ["--early_stopping.patience=1", "--early_stopping.min_delta=1000"]
    code, _, err = etude(*words, "--tracking=tensorboard", *stops)
    assert code == 0, err
    assert "Stopped early at update 2: the validation loss was best at update 1" in err
    assert list((tmp_path / "run" / "tensorboard").iterdir())
    stored = json.loads((tmp_path / "run" / "config.json").read_text())["config"]
    assert stored["tracking"] == "tensorboard"
    assert stored["env"] is None
    code, _, err = etude("train", f"--output_dir={tmp_path / 'run'}", "--resume")
    assert code == 2
    assert "raise --early_stopping.patience" in err
    code, _, err = etude("train", f"--output_dir={tmp_path / 'run'}", "--resume", "--early_stopping.patience=5")
    assert code == 0, err
    assert [event["step"] for event in read_events(tmp_path / "run" / "events.jsonl") if event["kind"] == "saved"] == [
        1, 2, 3,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--eval_freq=2"], "--eval_freq needs a place to act: add --env.type=NAME"),
        (["--early_stopping.patience=1", "--early_stopping.metric=success_rate"], "needs rollouts"),
        (["--env.type=pusht", "--eval.n_episodes=0"], "--eval.n_episodes should be at least 1, got 0."),
        (["--env.type=pusht"], "The environment pusht has no"),
        (["--tracking=wandbb"], "Did you mean 'wandb'?"),
    ],
)
def test_options_that_cannot_be_done_are_refused_before_the_first_update(etude, words, options, sentence, tmp_path):
    code, _, err = etude(*words, *options)
    assert code in (1, 2)
    assert "Traceback" not in err
    assert not (tmp_path / "run" / "checkpoints" / "000001").exists()
    assert sentence in err
