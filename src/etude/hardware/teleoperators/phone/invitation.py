"""How a phone is invited: an address and a picture of it that its camera can read."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

import cv2
import numpy as np

_HALVES = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}


def invitation(address: str) -> str:
    """Say what to do with `address`, and draw it."""
    where = urlsplit(address)
    how = "on a phone in the same network"
    if is_loopback(where.hostname or ""):
        cable = f"adb reverse tcp:{where.port} tcp:{where.port}"
        how = f"on this machine, or on a phone at its USB cable after `{cable}`; --teleop.host=0.0.0.0 lets others in"
    return (
        f"Open {address}\n{how}. The browser warns of a certificate that nobody has signed: this machine made it "
        f"itself; go on. Stand behind the arm, hold Move, and move the phone.\n{qr_code(address)}"
    )


def qr_code(text: str) -> str:
    """Draw `text` as a QR code in half blocks, light on a dark terminal or dark on a light one: readers take both."""
    dark = np.asarray(cv2.QRCodeEncoder.create().encode(text)) < 128
    light = ~np.pad(dark, (2, 2 + dark.shape[0] % 2))
    return "\n".join("".join(_HALVES[pair] for pair in zip(*rows, strict=True)) for rows in _pairs(light))


def _pairs(rows: np.ndarray) -> list[tuple[list[bool], list[bool]]]:
    return [(rows[i].tolist(), rows[i + 1].tolist()) for i in range(0, len(rows) - 1, 2)]


def reachable_at(host: str) -> str:
    """Give the address by which others reach a server at `host`: for 0.0.0.0 that of this machine in its network."""
    if not is_any(host):
        return host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: only asks which way packets would go
        except OSError:
            return socket.gethostname()
        return str(probe.getsockname()[0])


def is_any(host: str) -> bool:
    """Whether `host` stands for every address of this machine."""
    return host in {"", "0.0.0.0", "::"}  # noqa: S104 - asked about, not bound to


def is_loopback(host: str) -> bool:
    """Whether `host` can only be reached from this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
