import subprocess
import sys

import pytest

from etude.core import registry
from etude.core.errors import NotFound
from etude.core.registry import Registry


def forget():
    """Look at what is installed anew."""
    registry._announced.cache_clear()
    registry._entry_point_files.cache_clear()


@pytest.fixture
def zoo(tmp_path, monkeypatch):
    """A registry with two plugins in folders of a package made for the test."""
    for name in ("cat", "dog"):
        folder = tmp_path / "zoo_for_test" / name
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()
        (folder / "config.py").write_text(
            "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass Config:\n    age: int = 3\n"
        )
        (folder / "animal.py").write_text(f"def build(config, sound):\n    return ('{name}', config.age, sound)\n")
    (tmp_path / "zoo_for_test" / "__init__.py").touch()
    (tmp_path / "zoo_for_test" / "not_a_plugin").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    forget()
    yield Registry("animal", "zoo_for_test", module="animal")
    forget()
    for name in [name for name in sys.modules if name.startswith("zoo_for_test")]:
        del sys.modules[name]


def test_a_folder_is_a_plugin(zoo):
    assert zoo.names() == ["cat", "dog"]
    config = zoo.config("dog")(age=5)
    assert zoo.name_of(config) == "dog"
    assert zoo.build(config, "woof") == ("dog", 5, "woof")


def test_a_wrong_name_is_answered_with_the_nearest(zoo):
    with pytest.raises(NotFound, match=r"No animal named 'dgo'. Did you mean 'dog'\? Known: cat, dog\."):
        zoo.config("dgo")


def test_listing_imports_nothing(zoo):
    zoo.names()
    assert not [name for name in sys.modules if name.startswith("zoo_for_test.")]


def test_choosing_does_not_import_the_implementation(zoo):
    zoo.config("cat")
    assert "zoo_for_test.cat.animal" not in sys.modules


def test_entry_points_add_plugins_and_folders_win(zoo, tmp_path):
    announced = tmp_path / "parrots-1.0.dist-info"
    announced.mkdir()
    (announced / "METADATA").write_text("Metadata-Version: 2.1\nName: parrots\nVersion: 1.0\n")
    (announced / "entry_points.txt").write_text("[zoo_for_test]\nparrot = zoo_for_test.cat\ndog = somewhere.else\n")
    forget()
    assert zoo.packages()["parrot"] == "zoo_for_test.cat"
    assert zoo.packages()["dog"] == "zoo_for_test.dog"


def test_a_home_that_does_not_exist_is_empty():
    assert Registry("thing", "etude.nowhere", module="x").names() == []


def test_listing_policies_imports_no_torch():
    code = "import sys; from etude.policies import policies; policies.config('act'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
