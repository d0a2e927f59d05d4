import numpy as np
import pytest

from etude.core.errors import ConfigError, NotFound
from etude.core.spec import Spec
from etude.data.foreign.naming import Found, camera, joined, select
from etude.data.foreign.options import Options

FOUND = {
    "pos": Found(shape=(3,), dtype="float64", names=("x", "y", "z")),
    "grip": Found(shape=(), dtype="int64", names=("grip",)),
    "matrix": Found(shape=(2, 2), dtype="float32"),
    "front": Found(shape=(4, 6, 3), dtype="uint8", codec="jpeg"),
    "depth": Found(shape=(4, 6, 1), dtype="uint16", codec="png"),
    "text": Found(shape=(), dtype="object"),
    "heights": Found(shape=(40, 60), dtype="float32"),
}


def test_usual_names_and_what_is_left_out():
    chosen = select(FOUND, lambda name: camera(name) if name == "front" else f"observation.{name}", {})
    assert chosen.specs == {
        "observation.pos": Spec(shape=(3,), names=("x", "y", "z")),
        "observation.grip": Spec(shape=(1,), dtype="int64", names=("grip",)),
        "observation.matrix": Spec(shape=(4,)),
        "observation.images.front": Spec(shape=(4, 6, 3), dtype="uint8"),
    }
    assert chosen.codecs == {"observation.images.front": "jpeg"}
    assert any("depth (uint16[4, 6, 1]), text (object[]), heights (float32[40, 60])" in note for note in chosen.notes)
    assert any("matrix [2, 2] is read as 4 numbers" in note for note in chosen.notes)


def test_arrays_that_share_a_name_are_joined_in_the_order_given():
    chosen = select(FOUND, lambda _: "", {"grip": "observation.state", "pos": "observation.state"})
    assert chosen.sources == {"observation.state": ("grip", "pos")}
    spec = chosen.specs["observation.state"]
    assert spec == Spec(shape=(4,), names=("grip", "x", "y", "z"))
    column = joined([np.array([1, 2]), np.arange(6.0).reshape(2, 3)], spec)
    assert column.tolist() == [[1, 0, 1, 2], [2, 3, 4, 5]]
    assert column.dtype == np.float32


def test_ends_are_yes_or_no_whatever_they_are_stored_as():
    chosen = select({"dones": Found(shape=(), dtype="int64")}, lambda _: "next.done", {})
    assert joined([np.array([0, 1])], chosen.specs["next.done"]).tolist() == [[False], [True]]


def test_a_name_that_is_not_there_is_answered_with_the_nearest():
    with pytest.raises(NotFound, match=r"No array in the dataset named 'grop'\. Did you mean 'grip'"):
        select(FOUND, str, {"grop": "action"})


def test_a_picture_shares_its_name_with_nothing():
    with pytest.raises(ConfigError, match="would be made from 2 arrays, a picture among them"):
        select(FOUND, str, {"front": "action", "pos": "action"})


def test_cameras_lose_what_every_picture_is_called():
    assert [camera(name) for name in ("front", "agentview_rgb", "wrist_image", "image")] == [
        "observation.images.front",
        "observation.images.agentview",
        "observation.images.wrist",
        "observation.images.image",
    ]


def test_what_files_do_not_tell_is_assumed_aloud():
    assert Options().rate(None, 50) == (
        50,
        ("The files do not tell their frame rate; 50 per second is assumed. Set fps if not.",),
    )
    assert Options().rate(19.99, 50) == (20, ())
    assert Options(fps=7).rate(20, 50) == (7, ())
    assert Options().text("Lift it", "name") == ("Lift it", ())
    assert Options(task="Push").text("Lift it", "name") == ("Push", ())
    assert Options().text("", "name")[0] == "name"
    with pytest.raises(ConfigError, match="at least 1"):
        Options(fps=-1)
