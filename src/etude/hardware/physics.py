"""MuJoCo, imported so that it draws without a display; everything takes it from here."""

from __future__ import annotations

import ctypes.util
import os
import sys

from etude.core.errors import DeviceError, MissingExtra

GL_ADVICE = (
    "On Debian or Ubuntu, install what it needs with: "
    "apt install libegl1 libegl-mesa0 libgl1-mesa-dri libopengl0 (or libosmesa6), and leave MUJOCO_GL unset."
)


def _headless_gl() -> str:
    """Name the best off-screen OpenGL of this machine; `disable` leaves a MuJoCo that computes and cannot draw."""
    if ctypes.util.find_library("EGL"):
        return "egl"
    return "osmesa" if ctypes.util.find_library("OSMesa") else "disable"


if sys.platform.startswith("linux"):
    # MuJoCo reads the first while it is imported. The second keeps Mesa's software renderer on the calling thread:
    # at the sizes a policy sees, its thread pool costs more than it saves.
    os.environ.setdefault("MUJOCO_GL", _headless_gl())
    os.environ.setdefault("LP_NUM_THREADS", "0")

try:
    import mujoco
except ModuleNotFoundError as error:
    raise MissingExtra("The simulated arm", "sim") from error
except (ImportError, AttributeError) as error:  # what PyOpenGL raises when it finds no library of that kind
    raise DeviceError(
        f"MuJoCo cannot load the OpenGL that MUJOCO_GL={os.environ.get('MUJOCO_GL')} names ({error}). {GL_ADVICE}"
    ) from error

__all__ = ["GL_ADVICE", "mujoco"]
