import base64
import json
import re

import numpy as np
import pytest

from etude.core.errors import UserError
from etude.data import open_dataset
from etude.data.video import VideoReader
from etude.data.viz.page import write_page

SCRIPT = r'<script type="{}" id="{}">(.*?)</script>'


@pytest.fixture(scope="module")
def page(arm, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "episode.html"
    write_page(arm, 1, path)
    return path.read_text()


def facts_of(page):
    return json.loads(re.search(SCRIPT.format("application/json", "facts"), page, re.DOTALL).group(1))


def values_of(line):
    return np.frombuffer(base64.b64decode(line["values"]), "<f4")


def test_everything_of_the_episode_is_inside(page, arm, tmp_path):
    facts = facts_of(page)
    assert {
        name: facts[name] for name in ("dataset", "number", "count", "frames", "fps", "tasks", "robot", "late")
    } == {
        "dataset": "arm",
        "number": 1,
        "count": 2,
        "frames": 30,
        "fps": 10,
        "tasks": ["Pick </script> & place"],
        "robot": "so101_follower",
        "late": [7, 8, 20],
    }
    assert facts["rate"] == pytest.approx(10)
    cameras = {camera["name"]: camera for camera in facts["cameras"]}
    assert list(cameras) == ["front", "wrist"]
    assert cameras["front"]["repeated"] == []
    assert cameras["wrist"]["repeated"] == list(range(1, 30, 2))
    for at in range(2):
        data = re.search(SCRIPT.format("text/plain", f"video-{at}"), page, re.DOTALL).group(1)
        (tmp_path / "clip.mp4").write_bytes(base64.b64decode(data))
        assert VideoReader(tmp_path / "clip.mp4").num_frames == 30


def test_state_and_action_of_a_joint_share_a_plot(page):
    plots = facts_of(page)["plots"]
    assert [(plot["title"], [line["label"] for line in plot["lines"]]) for plot in plots] == [
        ("pan.pos", ["state", "action"]),
        ("lift.pos", ["state", "action"]),
        ("0", ["next.reward"]),
    ]
    np.testing.assert_array_equal(values_of(plots[1]["lines"][0]), -np.arange(30))
    np.testing.assert_array_equal(values_of(plots[0]["lines"][1]), np.arange(30) + 1)


def test_nothing_is_fetched_from_anywhere(page):
    assert "default-src 'none'" in page
    assert not re.search(r"""(src|href)\s*=\s*["'](?!data:)""", page)
    assert "http://" not in page
    assert "https://" not in page
    assert "@import" not in page
    assert "url(" not in page


def test_a_task_cannot_break_out_of_the_page(page):
    assert page.count("</script>") == 4  # facts, two videos, the script
    assert "<!--" not in page.replace("<!doctype", "")


@pytest.mark.parametrize("number", [-1, 2])
def test_an_episode_that_is_not_there(arm, tmp_path, number):
    with pytest.raises(UserError, match=rf"has no episode {number}; it has 2, numbered from 0"):
        write_page(arm, number, tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


@pytest.mark.parametrize("name", ["lerobot_v3", "lerobot_v21"])
def test_datasets_that_lerobot_wrote(golden, tmp_path, name):
    write_page(open_dataset(golden / name), 0, tmp_path / "page.html")
    assert len(facts_of((tmp_path / "page.html").read_text())["plots"]) >= 2


def test_progress_is_told(arm, tmp_path):
    told = []
    write_page(arm, 0, tmp_path / "page.html", tell=lambda *done: told.append(done))
    assert told == [(1, 2), (2, 2)]
