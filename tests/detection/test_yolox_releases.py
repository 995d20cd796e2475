"""Published detectors by name; the files come from a server on this machine."""

from __future__ import annotations

import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from vsdmot.detection.yolox import releases
from vsdmot.detection.yolox.checkpoint import load_yolox
from vsdmot.detection.yolox.releases import RELEASES, Release, fetch_release
from vsdmot.errors import CheckpointError
from vsdmot.io.downloads import RemoteFile


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("VSDMOT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def release(url: str) -> Release:
    return Release(file=RemoteFile(url=url), convention="legacy", version="0.1.0")


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


def test_a_release_is_fetched_once_and_kept(cache, detector_file, monkeypatch):
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=detector_file.parent))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/{detector_file.name}"
    monkeypatch.setitem(releases.RELEASES, "yolox-nano", release(url))
    told = []
    first = fetch_release("yolox-nano", lambda *now: told.append(now))
    server.shutdown()
    server.server_close()
    assert first.sha256 == hashlib.sha256(detector_file.read_bytes()).hexdigest()
    assert first.path == cache / "yolox-0.1.0" / detector_file.name
    assert told[-1] == (detector_file.stat().st_size,) * 2
    assert load_yolox(first.path).network.config.name == "YOLOX-nano"
    again = fetch_release("yolox-nano")  # the server is gone
    assert (again.path, again.sha256) == (first.path, None)


def test_without_a_connection_the_way_out_is_named(cache, monkeypatch):
    monkeypatch.setitem(releases.RELEASES, "yolox-s", release("http://127.0.0.1:9/yolox_s.pth"))
    with pytest.raises(CheckpointError) as caught:
        fetch_release("yolox-s")
    message = str(caught.value)
    assert message.startswith("http://127.0.0.1:9/yolox_s.pth: cannot be downloaded")
    assert message.endswith(f"or put it at {cache / 'yolox-0.1.0' / 'yolox_s.pth'}")


def test_no_two_releases_share_a_file(cache):
    assert len({one.cached for one in RELEASES.values()}) == len({one.file.url for one in RELEASES.values()}) == 12
    for name, one in RELEASES.items():
        assert one.convention == ("legacy" if name.endswith("-legacy") else "current")
        assert one.file.url.startswith("https://github.com/Megvii-BaseDetection/")
        assert one.file.name.startswith(name.removesuffix("-legacy").replace("-", "_"))
