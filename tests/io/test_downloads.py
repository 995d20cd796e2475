"""Downloads from a server on this machine: whole and right, or not there."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from vsdmot.errors import CheckpointError, OutputError
from vsdmot.io.downloads import RemoteFile, cache_folder, fetch

CONTENTS = bytes(range(256)) * 10_000  # two and a half mebibytes: more than one piece


class Handler(BaseHTTPRequestHandler):
    """Serves CONTENTS under several names, some of them badly."""

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2]
        if name == "lost.pth":
            self.send_error(404, "Not Found")
            return
        if name == "moved.pth":
            self.send_response(302)
            self.send_header("Location", "/good.pth")
            self.end_headers()
            return
        self.send_response(200)
        if name != "unsaid.pth":
            self.send_header("Content-Length", str(len(CONTENTS)))
        self.end_headers()
        self.wfile.write(CONTENTS[:1_500_000] if name == "cut.pth" else CONTENTS)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/releases"
    server.shutdown()
    server.server_close()


DIGEST = hashlib.sha256(CONTENTS).hexdigest()


@pytest.mark.parametrize("name", ["good.pth", "moved.pth", "unsaid.pth"])
@pytest.mark.parametrize("sha256", [None, DIGEST])
def test_a_file_arrives_whole_and_its_hash_is_told(address, tmp_path, name, sha256):
    told = []
    target = tmp_path / "deep" / name
    digest = fetch(RemoteFile(url=f"{address}/{name}", sha256=sha256), target, lambda *now: told.append(now))
    assert digest == DIGEST
    assert target.read_bytes() == CONTENTS
    total = None if name == "unsaid.pth" else len(CONTENTS)
    assert [now[1] for now in told] == [total] * len(told)
    assert [now[0] for now in told] == sorted({now[0] for now in told})
    assert told[-1][0] == len(CONTENTS)


@pytest.mark.parametrize(
    ("name", "sha256", "expected"),
    [
        ("lost.pth", None, r"cannot be downloaded \(HTTP 404 Not Found\); fetch it elsewhere and give its path"),
        ("cut.pth", None, r"cannot be downloaded \(1500000 of 2560000 bytes arrived\)"),
        ("good.pth", "0" * 64, f"is another file than expected: its SHA-256 is {DIGEST}"),
    ],
)
def test_what_is_not_whole_or_not_right_leaves_nothing_behind(address, tmp_path, name, sha256, expected):
    url = f"{address}/{name}"
    with pytest.raises(CheckpointError, match=expected) as caught:
        fetch(RemoteFile(url=url, sha256=sha256), tmp_path / name)
    assert str(caught.value).startswith(url)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_there_stays_when_its_successor_fails(address, tmp_path):
    target = tmp_path / "cut.pth"
    target.write_bytes(b"before")
    with pytest.raises(CheckpointError):
        fetch(RemoteFile(url=f"{address}/cut.pth"), target)
    assert target.read_bytes() == b"before"


def test_an_interruption_leaves_nothing_behind(address, tmp_path):
    def interrupt(done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(RemoteFile(url=f"{address}/good.pth"), tmp_path / "good.pth", interrupt)
    assert not list(tmp_path.iterdir())


def test_no_connection_names_the_file_and_where_to_put_it(tmp_path):
    with socket.socket() as free:  # a port that nobody listens on
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/yolox_s.pth"
    with pytest.raises(CheckpointError) as caught:
        fetch(RemoteFile(url=url), tmp_path / "yolox_s.pth")
    message = str(caught.value)
    assert message.startswith(f"{url}: cannot be downloaded (")
    assert message.endswith(f"fetch it elsewhere and give its path, or put it at {tmp_path / 'yolox_s.pth'}")


def test_a_folder_that_cannot_be_made_is_an_output_that_cannot_be_written(address, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        fetch(RemoteFile(url=f"{address}/good.pth"), tmp_path / "file" / "good.pth")


def test_the_cache_is_where_the_user_wants_it(monkeypatch, tmp_path):
    monkeypatch.setenv("VSDMOT_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
    monkeypatch.delenv("VSDMOT_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "vsdmot"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "vsdmot"
