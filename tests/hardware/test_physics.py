import os
import subprocess
import sys

import pytest


def run(code, **environment):
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=os.environ | environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def message(action, *, before="", **environment):
    code = f"from etude.core.errors import EtudeError\n{before}\ntry:\n    {action}\nexcept EtudeError as error:\n"
    return run(f"{code}    print(type(error).__name__, error)", **environment)


def test_without_mujoco_the_extra_is_named():
    told = message("import etude.sim.world", before="import sys; sys.modules['mujoco'] = None")
    assert told.startswith("MissingExtra")
    assert "pip install 'etude[sim]'" in told


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux chooses between OpenGL libraries")
def test_without_opengl_the_world_lives_and_drawing_names_the_packages():
    world = "from etude.sim.world import World; world = World(); world.clock.sleep_until(0.1)"
    told = message("world.render('front', 12, 16)", before=world, MUJOCO_GL="disable")
    assert told.startswith("DeviceError")
    assert "apt install libegl1" in told


def test_a_camera_that_cannot_draw_fails_to_connect():
    camera = "from etude.hardware import cameras; camera = cameras.build(cameras.config('sim').tiny())"
    assert message("camera.connect()", before=camera, MUJOCO_GL="disable").startswith("DeviceError")


def test_a_process_that_ends_with_open_cameras_ends_quietly():
    code = (
        "from etude.sim.world import World; world = World(); world.render('front', 12, 16); "
        "import sys; sys.stderr = sys.stdout"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_listing_and_configuring_plugins_loads_no_mujoco():
    code = (
        "from etude.hardware import cameras, lines, teleoperators; from etude.envs import envs; import sys; "
        "cameras.config('sim')(); lines.config('sim')(); teleoperators.config('scripted')(); "
        "envs.config('so101_pick_place')(); print('mujoco' in sys.modules)"
    )
    assert run(code).strip() == "False"
