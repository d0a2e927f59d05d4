"""Serves the page to a phone and hears what it says, over TLS, to nobody without the code."""

from __future__ import annotations

import hmac
import logging
import ssl
import threading
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from etude.core.errors import DeviceError, MissingExtra
from etude.hardware.teleoperators.phone.invitation import is_any, is_loopback

try:
    from websockets.datastructures import Headers
    from websockets.exceptions import ConnectionClosed
    from websockets.http11 import Request, Response
    from websockets.sync.server import Server, ServerConnection, serve
except ModuleNotFoundError as error:
    raise MissingExtra("A phone", "phone") from error

_FILES = {
    "/": ("page.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
}
_SOCKET = "/ws"
_LONGEST_MESSAGE = 2048
_TAKEN_OVER = 4000
_quiet = logging.getLogger("etude.phone")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False

Hear = Callable[[str], None]


class PhoneServer:
    """Serves one phone at a time, the newest; what it says goes to `hear`, in a thread of the server."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext, code: str, hear: Hear) -> None:
        """Start serving; raise `DeviceError` when the port cannot be had."""
        self._host, self._code, self._hear = host, code.encode(), hear
        self._phone: ServerConnection | None = None
        self._lock = threading.Lock()
        try:
            self._server: Server = serve(
                self._talk,
                host,
                port,
                ssl=tls,
                process_request=self._answer,
                max_size=_LONGEST_MESSAGE,
                compression=None,
                logger=_quiet,
            )
        except OSError as error:
            raise DeviceError(
                f"The phone's page cannot be served at {host}, port {port}: {error.strerror or error}. "
                "Choose another with --teleop.port, or 0 for any free one."
            ) from error
        self.port: int = self._server.socket.getsockname()[1]
        self._thread = threading.Thread(target=self._server.serve_forever, name="phone", daemon=True)
        self._thread.start()

    @property
    def is_met(self) -> bool:
        """Whether a phone is connected."""
        return self._phone is not None

    def close(self) -> None:
        """Say goodbye and stop serving."""
        with self._lock:
            phone = self._phone
        if phone is not None:
            phone.close()
        self._server.shutdown()
        self._thread.join(timeout=5)

    def _talk(self, phone: ServerConnection) -> None:
        """Hear one phone, until it leaves or another one takes over."""
        with self._lock:
            before, self._phone = self._phone, phone
        if before is not None:
            before.close(_TAKEN_OVER, "another phone took over")
        try:
            for message in phone:
                if self._phone is not phone:
                    return
                if isinstance(message, str):
                    self._hear(message)
        except ConnectionClosed:
            pass
        finally:
            with self._lock:
                if self._phone is phone:
                    self._phone = None

    def _answer(self, phone: ServerConnection, request: Request) -> Response | None:
        """Let a phone that knows the code through to the socket, and give others the page or a refusal."""
        host = request.headers.get("Host", "")
        asked = urlsplit(request.path)
        if not self._is_ours(host, phone):
            return _response(HTTPStatus.MISDIRECTED_REQUEST, "This address is not served here.")
        if asked.path in _FILES and asked.path != "/":
            return _file(asked.path)
        code = parse_qs(asked.query).get("code", [""])[0]
        if not hmac.compare_digest(code.encode(), self._code):
            return _response(
                HTTPStatus.FORBIDDEN, "The code is wrong. Open the address that was printed, code included."
            )
        if asked.path == "/":
            return _file("/")
        if asked.path != _SOCKET:
            return _response(HTTPStatus.NOT_FOUND, "There is nothing here.")
        if request.headers.get("Origin", "") != f"https://{host}":
            return _response(HTTPStatus.FORBIDDEN, "Only the page of this server may drive the arm.")
        return None

    def _is_ours(self, host: str, phone: ServerConnection) -> bool:
        """Whether a browser was really sent here, and not by another site whose name was made to point here."""
        name, _, port = host.rpartition(":")
        if port != str(self.port):
            return False
        at = str(phone.local_address[0])
        own = {self._host} if not is_any(self._host) else set[str]()
        if is_loopback(at):
            own.add("localhost")
        return name.strip("[]") in own | {at}


def _file(path: str) -> Response:
    name, kind = _FILES[path]
    text = (Path(__file__).parent / name).read_text(encoding="utf-8")
    return _response(HTTPStatus.OK, text, kind)


def _response(status: HTTPStatus, text: str, kind: str = "text/plain") -> Response:
    body = text.encode()
    headers: dict[str, Any] = {
        "Content-Type": f"{kind}; charset=utf-8",
        "Content-Length": str(len(body)),
        "Connection": "close",
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "Permissions-Policy": "xr-spatial-tracking=(self)",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(status.value, status.phrase, Headers(headers), body)
