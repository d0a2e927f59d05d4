import sys

import pytest

from etude.core.errors import MissingExtra
from etude.hardware import cameras


@pytest.mark.parametrize(("name", "package"), [("intelrealsense", "pyrealsense2"), ("zmq", "zmq")])
def test_a_camera_whose_package_is_missing_says_what_to_install(monkeypatch, name, package):
    home = f"etude.hardware.cameras.{name}"
    for module in [each for each in sys.modules if each.startswith(f"{home}.") and not each.endswith(".config")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    config = cameras.config(name).tiny()
    with pytest.raises(MissingExtra, match=rf"pip install 'etude\[{name}\]'"):
        cameras.build(config)
