"""Drawing a world without a display, fast: no shadows, no reflections, one renderer per size."""

# pyright: reportAttributeAccessIssue=false
# MuJoCo tells type checkers nothing about its compiled half.

from __future__ import annotations

import atexit
import threading
import weakref

import numpy as np

from etude.core.errors import DeviceError, NotFound
from etude.hardware.physics import GL_ADVICE, mujoco

_COSTLY = (mujoco.mjtRndFlag.mjRND_SHADOW, mujoco.mjtRndFlag.mjRND_REFLECTION)
_FARTHEST_MM = 2**16
_EVERYTHING = mujoco.mjtCatBit.mjCAT_ALL.value


class Pictures:
    """Draws what a scene's cameras see; all from the thread that drew first, because OpenGL asks for that."""

    def __init__(self, model: mujoco.MjModel) -> None:
        self._model = model
        self._views = {model.camera(index).name: _fixed(index) for index in range(model.ncam)}
        self._renderers: dict[tuple[int, int], _Canvas] = {}
        self._thread = 0
        weakref.finalize(self, _close, self._renderers).atexit = False

    def take(self, data: mujoco.MjData, view: str, height: int, width: int) -> np.ndarray:
        """Draw `view` of the scene in state `data`: uint8 (height, width, 3), RGB."""
        return self._renderer(height, width).colours(data, self._camera(view))

    def measure(self, data: mujoco.MjData, view: str, height: int, width: int) -> np.ndarray:
        """Give how far ahead of `view` things are: uint16 (height, width, 1) [mm], 0 where it is out of range."""
        renderer = self._aimed(data, view, height, width)
        renderer.enable_depth_rendering()
        try:
            depth_mm = np.rint(renderer.render() * 1000.0)
        finally:
            renderer.disable_depth_rendering()
        return np.where(depth_mm < _FARTHEST_MM, depth_mm, 0).astype(np.uint16)[..., None]

    def close(self) -> None:
        """Free what was needed to draw; the next picture gets it anew."""
        _close(self._renderers)

    def _aimed(self, data: mujoco.MjData, view: str, height: int, width: int) -> _Canvas:
        camera, renderer = self._camera(view), self._renderer(height, width)
        renderer.update_scene(data, camera)
        return renderer

    def _camera(self, view: str) -> mujoco.MjvCamera:
        if view not in self._views:
            raise NotFound("view of the simulated table", view, self._views)
        return self._views[view]

    def _renderer(self, height: int, width: int) -> _Canvas:
        if not self._renderers:
            self._thread = threading.get_ident()
        if threading.get_ident() != self._thread:
            raise DeviceError("The simulated cameras were read from two threads; OpenGL allows only the first.")
        if (height, width) not in self._renderers:
            self._renderers[height, width] = _renderer(self._model, height, width)
            # MuJoCo shuts OpenGL down at the interpreter's end; a renderer that is still open then complains on stderr.
            atexit.register(_close, self._renderers)
        return self._renderers[height, width]


class _Canvas(mujoco.Renderer):
    """Gives colours with less ado than MuJoCo's own, which spends a tenth of the time of a small picture on it."""

    def colours(self, data: mujoco.MjData, camera: mujoco.MjvCamera) -> np.ndarray:
        """Draw what `camera` sees of the scene in state `data`: uint8 (height, width, 3), RGB."""
        mujoco.mjv_updateScene(self._model, data, self._scene_option, None, camera, _EVERYTHING, self._scene)
        assert self._gl_context, "a canvas that was closed"
        self._gl_context.make_current()
        upside_down = np.empty((self.height, self.width, 3), np.uint8)
        mujoco.mjr_render(self._rect, self._scene, self._mjr_context)
        mujoco.mjr_readPixels(upside_down, None, self._rect, self._mjr_context)
        return upside_down[::-1].copy()


def _renderer(model: mujoco.MjModel, height: int, width: int) -> _Canvas:
    buffer = model.vis.global_
    largest = buffer.offwidth, buffer.offheight
    buffer.offwidth, buffer.offheight = width, height  # all of it is cleared for every picture: a fifth of the time
    try:
        renderer = _Canvas(model, height, width)
    except (ImportError, AttributeError, RuntimeError) as error:
        raise DeviceError(f"The simulated cameras cannot draw here ({error}). {GL_ADVICE}") from error
    finally:
        buffer.offwidth, buffer.offheight = largest
    for flag in _COSTLY:
        renderer.scene.flags[flag] = 0
    return renderer


def _fixed(index: int) -> mujoco.MjvCamera:
    camera = mujoco.MjvCamera()
    camera.type, camera.fixedcamid = mujoco.mjtCamera.mjCAMERA_FIXED, index
    return camera


def _close(renderers: dict[tuple[int, int], _Canvas]) -> None:
    while renderers:
        renderers.popitem()[1].close()
