import hashlib
import json
import re
import shutil
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

GOLDEN = Path(__file__).parents[2] / "golden"
COMMIT, OTHER = "1" * 40, "2" * 40


class Handler(BaseHTTPRequestHandler):
    """Answers requests as the `Server` that owns it says."""

    protocol_version = "HTTP/1.0"  # no connection outlives its answer, nor the server

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self._answer(with_body=False)

    def do_GET(self):
        self._answer(with_body=True)

    def _answer(self, *, with_body):
        url = urlsplit(self.path)
        self.server.owner.requests.append((self.command, url.path, self.headers.get("Range")))
        stored = self.server.owner.answer_api(unquote(url.path), parse_qs(url.query))
        if stored is not None:
            status, body = stored
            code = {"X-Error-Code": "RepoNotFound"} if status == 404 else {}
            body = json.dumps(body).encode()
            self._send(status, {"Content-Type": "application/json"} | code, body, with_body)
            return
        path, headers = self.server.owner.find(url.path)
        if path.is_dir() and self.server.owner.lists:
            names = sorted(f"{each.name}/" if each.is_dir() else each.name for each in path.iterdir())
            page = "".join(f'<a href="{name}">{name}</a>' for name in names)
            self._send(200, {"Content-Type": "text/html"}, page.encode(), with_body)
        elif path.is_file():
            self._send_file(path, headers, with_body)
        else:
            self._send(404, headers, b"", with_body)

    def _send_file(self, path, headers, with_body):
        body, status = path.read_bytes(), 200
        tag = {"ETag": f'"{hashlib.md5(body).hexdigest()}"'} if self.server.owner.tags else {}
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        if wanted and self.server.owner.ranges:
            size, begin = len(body), int(wanted[1])
            body = body[begin : int(wanted[2]) + 1 if wanted[2] else None]
            tag |= {"Content-Range": f"bytes {begin}-{begin + len(body) - 1}/{size}"}
            status = 206
        self._send(status, {"Content-Type": "application/octet-stream"} | tag | headers, body, with_body)

    def _send(self, status, headers, body, with_body):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body and self.server.owner.breaks_after is not None and len(body) > self.server.owner.breaks_after:
            body, self.server.owner.breaks_after = body[: self.server.owner.breaks_after], None
            self.wfile.write(body)
            self.wfile.flush()
            time.sleep(0.2)  # what the other side has not read by then is lost to it
            self.close_connection = True
        elif with_body:
            self.wfile.write(body)


class Server:
    """A real HTTP server on loopback that serves a folder, remembers requests, and can misbehave."""

    def __init__(self, root):
        self.root, self.requests = root, []
        self.lists, self.ranges, self.tags = True, True, True
        self.breaks_after = None
        """Bytes after which the next answer breaks off."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.owner = self
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def got(self, method="GET"):
        return [path for each, path, _ in self.requests if each == method]

    def find(self, path):
        """Give the file that a request means and what else its answer says; none when there is no such file."""
        return self.root / unquote(path.lstrip("/")), {}

    def answer_api(self, path, query):
        """Give the JSON that a request means; none when it means a file."""
        del path, query


class Hub(Server):
    """What huggingface_hub asks of a Hub when it reads a dataset: references, a tree, and files by commit."""

    def __init__(self, root):
        self.repos = {"robots/blocks": root}
        self.refs = {"tags": {"v3.0": COMMIT}, "branches": {"main": OTHER}}
        super().__init__(root)

    def find(self, path):
        found = re.fullmatch(r"/datasets/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", unquote(path))
        if not found or found[1] not in self.repos:
            return self.root / "nothing", {"X-Error-Code": "RepoNotFound"}
        file = self.repos[found[1]] / found[3]
        missing = {} if file.is_file() else {"X-Error-Code": "EntryNotFound"}
        return file, {"X-Repo-Commit": found[2]} | missing

    def answer_api(self, path, query):
        if not path.startswith("/api/"):
            return None
        found = re.fullmatch(r"/api/datasets/([^/]+/[^/]+)/(refs|tree)(?:/([^/]+)/(.+))?", path)
        if not found or found[1] not in self.repos:
            return 404, {"error": "Repository not found"}
        if found[2] == "refs":
            return 200, {
                kind: [{"name": name, "ref": name, "targetCommit": commit} for name, commit in each.items()]
                for kind, each in (self.refs | {"converts": {}}).items()
            }
        folder = self.repos[found[1]]
        paths = [path for path in sorted((folder / found[4]).rglob("*")) if path.is_file()]
        assert query.get("recursive") == ["True"] or query.get("recursive") == ["true"]
        return 200, [
            {
                "type": "file",
                "path": path.relative_to(folder).as_posix(),
                "size": path.stat().st_size,
                "oid": hashlib.sha1(path.read_bytes()).hexdigest(),
            }
            for path in paths
        ]


@contextmanager
def running(server):
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache of its own for each test, and no Hub but ours."""
    monkeypatch.setenv("ETUDE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "cache"


@pytest.fixture(params=["lerobot_v3", "lerobot_v21"])
def served(request, tmp_path):
    """A golden dataset, copied to where it is served from."""
    return shutil.copytree(GOLDEN / request.param, tmp_path / "served" / "blocks")


@pytest.fixture
def server(served):
    with running(Server(served.parent)) as server:
        yield server


@pytest.fixture
def hub(tmp_path, monkeypatch):
    with running(Hub(shutil.copytree(GOLDEN / "lerobot_v3", tmp_path / "served" / "blocks"))) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub
