"""Reads the model files that others wrote: MJCF and URDF, and nothing outside of their folder."""

# pyright: reportAttributeAccessIssue=false
# MuJoCo tells type checkers nothing about its compiled half.

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as Xml

from etude.core.errors import NotFound, UserError
from etude.hardware.physics import mujoco

_PACKAGE = re.compile(r"^package://[^/]*/")
_LIGHT = 1e-6
_FOLDERS = ("meshdir", "texturedir", "assetdir")


def read_model(path: Path) -> tuple[mujoco.MjSpec, bool]:
    """Read a model, and tell whether all shapes that it speaks of are there.

    Raises `UserError` when it is no model or names files outside of its folder. A URDF may lack its meshes, as it often
    does when it is passed around: where its links are is known without them.
    """
    root = _parse(path)
    if root.tag not in {"robot", "mujoco"}:
        raise UserError(f"{path} is no robot model: it begins with <{root.tag}>, not with <robot> (URDF) or <mujoco>.")
    return _read_urdf(root, path) if root.tag == "robot" else (_read_mjcf(root, path), True)


def _parse(path: Path) -> Xml.Element:
    if not path.is_file():
        raise NotFound("robot model", str(path), sorted(str(near) for near in path.parent.glob("*.[uxm]*")))
    text = path.read_text(encoding="utf-8", errors="replace")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise UserError(f"{path} defines XML entities, which no robot model needs. It is not read.")
    try:
        return Xml.fromstring(text)  # noqa: S314 - it defines no entities
    except Xml.ParseError as error:
        raise UserError(f"{path} is not well-formed XML: {error}.") from error


def _read_mjcf(root: Xml.Element, path: Path) -> mujoco.MjSpec:
    _check_files(root, path, path.parent)
    return _translated(path, lambda: mujoco.MjSpec.from_file(str(path)))


def _check_files(root: Xml.Element, path: Path, home: Path) -> None:
    """Refuse files outside of `home`, in the included files too."""
    folders = [compiler.get(name, "") for compiler in root.iter("compiler") for name in _FOLDERS]
    for element in root.iter():
        for name in [value for key, value in element.attrib.items() if key.startswith("file")]:
            for folder in ["", *folders]:
                _inside(home, Path(folder) / name, path)
        if element.tag == "include":
            included = path.parent / element.get("file", "")
            _check_files(_parse(included), included, home)
    for folder in folders:
        _inside(home, Path(folder), path)


def _read_urdf(root: Xml.Element, path: Path) -> tuple[mujoco.MjSpec, bool]:
    """Keep collision meshes that are there; drop pictures, and what is lacking."""
    is_whole = True
    for link in root.iter("link"):
        for visual in link.findall("visual"):
            link.remove(visual)
        for collision in link.findall("collision"):
            mesh = collision.find("geometry/mesh")
            if mesh is None:
                continue
            name = _PACKAGE.sub("", mesh.get("filename", ""))
            if _inside(path.parent, Path(name), path).is_file():
                mesh.set("filename", name)
            else:
                link.remove(collision)
                is_whole = False
    for own in root.findall("mujoco"):
        root.remove(own)
    advice = {
        "strippath": "false",
        "fusestatic": "false",
        "discardvisual": "false",
        "meshdir": str(path.parent.resolve()),
    }
    Xml.SubElement(Xml.SubElement(root, "mujoco"), "compiler", advice)
    text = Xml.tostring(root, encoding="unicode")
    spec = _translated(path, lambda: mujoco.MjSpec.from_string(text))
    spec.compiler.boundmass = spec.compiler.boundinertia = _LIGHT  # where the links are is known without masses
    return spec, is_whole


def _inside(home: Path, name: Path, where: Path) -> Path:
    """Give the file `name` of `home`; refuse one that lies elsewhere."""
    file = (home / name).resolve()
    if not file.is_relative_to(home.resolve()):
        raise UserError(f"{where} names a file outside of its folder: {name}. Put what it needs beside it.")
    return file


def _translated(path: Path, read):  # noqa: ANN001, ANN202 - MuJoCo's types are unknown to type checkers
    try:
        return read()
    except ValueError as error:
        raise UserError(f"MuJoCo cannot read {path}: {error}") from error
