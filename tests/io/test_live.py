from __future__ import annotations

import http.server
import sys
import threading
import time
from collections.abc import Generator, Iterator
from functools import partial
from itertools import pairwise

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame

from vsdmot.errors import SourceError
from vsdmot.io.live import LivePicture, LiveSource, ReconnectSettings
from vsdmot.io.sources import open_source
from vsdmot.io.video import VideoFile

QUICK = ReconnectSettings(attempts=2, first_pause_seconds=0.01)


class Feed:
    """A camera in software: each connection gives the next list of pictures, then breaks or ends."""

    def __init__(self, *connections: list[int | str | None], size: tuple[int, int] = (4, 6), pace: float = 0.0) -> None:
        self.connections = list(connections)
        self.size = size
        self.pace = pace
        self.num_converted = 0
        self.num_connected = 0
        self.num_released = 0

    def __call__(self) -> Generator[LivePicture]:
        self.num_connected += 1
        if not self.connections:
            raise SourceError("nobody answers")
        try:
            for item in self.connections.pop(0):
                if isinstance(item, str):
                    raise SourceError(item)
                yield LivePicture(None if item is None else partial(self.convert, item), frame_rate=12.0)
                time.sleep(self.pace)
        finally:
            self.num_released += 1

    def convert(self, value: int) -> np.ndarray:
        self.num_converted += 1
        size = (8, 8) if value == 255 else self.size
        return np.full((*size, 3), value, np.uint8)


def live(feed: Feed, reconnect: ReconnectSettings = QUICK) -> LiveSource:
    return LiveSource(feed, name="feed", location="feed://1", reconnect=reconnect)


def test_slow_reader_gets_the_newest_frame_and_the_rest_is_counted():
    feed = Feed(list(range(100)), pace=0.002)
    with live(feed, ReconnectSettings(attempts=0)) as source:
        frames = []
        for frame in source:
            frames.append(frame)
            time.sleep(0.03)
    indices = [frame.index for frame in frames]
    assert indices == sorted(set(indices))
    assert indices[-1] == 100
    assert all(frame.image[0, 0, 0] == frame.index - 1 for frame in frames)
    assert source.report.num_read == len(frames) < 100
    assert source.report.num_read + source.report.num_dropped == 100
    assert feed.num_converted == len(frames) + 1  # dropped pictures cost nothing; one more told the size


def test_times_are_those_of_arrival():
    with live(Feed(list(range(20)), pace=0.02)) as source:
        frames = list(source)
    assert frames[0].time == 0.0
    gaps = np.diff([frame.time for frame in frames]) / np.diff([frame.index for frame in frames])
    assert 0.018 < np.median(gaps) < 0.5


def test_info_of_a_live_source():
    with live(Feed([1, 2])) as source:
        info = source.info
    assert (info.live, info.num_frames, info.frame_rate, info.width, info.height) == (True, None, 12.0, 6, 4)
    with LiveSource(Feed([1]), name="feed", location="", frame_rate=3.0, reconnect=QUICK) as source:
        assert source.info.frame_rate == 3.0


def test_broken_connection_is_made_again_and_frames_are_counted_on():
    feed = Feed([1, 2, "cable pulled"], [], [3, 4], pace=0.1)
    with live(feed) as source:
        frames = list(source)
    assert [frame.index for frame in frames] == [1, 2, 3, 4]
    assert [frame.image[0, 0, 0] for frame in frames] == [1, 2, 3, 4]
    assert all(a.time < b.time for a, b in pairwise(frames))
    assert any("cable pulled" in note for note in source.report.notes)
    assert source.report.notes[-1] == "the live source ended after 4 frames: nobody answers"
    assert feed.num_connected == 3 + QUICK.attempts
    assert feed.num_released == 3


def test_first_connection_that_fails_is_an_error_at_once():
    feed = Feed()
    with pytest.raises(SourceError, match="feed://1: no frames arrived; nobody answers"):
        live(feed)
    assert feed.num_connected == 1


def test_picture_of_another_size_is_left_out():
    with live(Feed([1, 255, 2], pace=0.1)) as source:
        assert [frame.index for frame in source] == [1, 3]
    assert source.report.num_broken == 1


def test_picture_that_cannot_be_decoded_keeps_its_index():
    with live(Feed([None, None, 1, None, 2, "the end"], pace=0.1)) as source:
        assert [(frame.index, frame.image[0, 0, 0]) for frame in source] == [(1, 1), (3, 2)]
    assert source.report.num_broken == 1  # before the first picture nothing is missed


def test_closing_ends_thread_and_frames():
    feed = Feed([7] * 10_000, pace=0.001)
    source = live(feed)
    frames = iter(source)
    next(frames)
    source.close()
    source.close()
    assert list(frames) == []
    assert feed.num_released == 1
    assert not [thread for thread in threading.enumerate() if thread.name == "reader of feed"]
    assert source.report.notes == []


def test_closing_does_not_wait_for_a_long_pause():
    source = live(Feed([1]), ReconnectSettings(attempts=3, first_pause_seconds=60, longest_pause_seconds=60))
    time.sleep(0.05)
    start = time.monotonic()
    source.close()
    assert time.monotonic() - start < 2


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_defect_in_the_reading_thread_is_not_taken_for_the_end():
    def connect() -> Generator[LivePicture]:
        yield LivePicture(lambda: np.zeros((4, 4, 3), np.uint8))
        raise ZeroDivisionError

    with LiveSource(connect, name="feed", location="") as source, pytest.raises(RuntimeError, match="thread died"):
        list(source)


@pytest.mark.skipif(sys.platform != "linux", reason="camera devices are files on Linux only")
@pytest.mark.parametrize("camera", [97, "97", -1, "-1"])
def test_missing_camera_is_an_error_of_one_line(camera, capfd):
    with pytest.raises(SourceError, match=f"camera {camera}: no such camera"):
        open_source(camera)
    assert capfd.readouterr() == ("", "")


@pytest.fixture
def server(tmp_path) -> Iterator[str]:
    """Serve the test's folder; ``/live.ts`` sends a short stream of unknown length."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def do_GET(self) -> None:
            if self.path != "/live.ts":
                return super().do_GET()
            self.send_response(200)
            self.end_headers()
            contents = (tmp_path / "clip.ts").read_bytes()
            for start in range(0, len(contents), 1880):
                try:
                    self.wfile.write(contents[start : start + 1880])
                except OSError:
                    break
                time.sleep(0.001)
            return None

        def log_message(self, *args: object) -> None:
            """Print nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(tmp_path))) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_address[1]}"
        httpd.shutdown()
        thread.join()


def test_finite_file_on_a_server_is_read_whole(tmp_path, encode, grey_frames, server):
    encode(tmp_path / "clip.mp4", grey_frames(30), options={"movflags": "faststart"})
    with open_source(f"{server}/clip.mp4?token=1") as source:
        assert isinstance(source, VideoFile)
        frames = []
        for frame in source:
            frames.append(frame.index)
            time.sleep(0.005)
    assert frames == list(range(1, 31))
    assert (source.info.live, source.info.name) == (False, "clip")


def test_stream_without_an_end_is_live(tmp_path, encode, server):
    noise = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    encode(tmp_path / "clip.ts", [np.roll(noise, 5 * number, 1) for number in range(100)])
    with open_source(f"{server}/live.ts") as source:
        assert source.info.live
        assert (source.info.width, source.info.height, source.info.frame_rate) == (64, 48, 25.0)
        first = next(iter(source))
    assert first.image.shape == (48, 64, 3)
    assert source.info.name == f"127.0.0.1_{server.rsplit(':', 1)[1]}_live.ts"


@pytest.mark.parametrize("path", ["/missing.mp4", "/page.html"])
def test_address_without_video_is_an_error_of_one_line(tmp_path, server, path):
    (tmp_path / "page.html").write_text("<html>login first</html>" * 100)
    with pytest.raises(SourceError) as caught:
        open_source(server + path)
    assert str(caught.value).startswith(server + path)
    assert "\n" not in str(caught.value)


def test_error_does_not_show_the_password():
    with pytest.raises(SourceError) as caught:
        open_source("rtsp://admin:s3cret@127.0.0.1:9/live")
    assert str(caught.value).count("admin:***@") == 1
    assert "s3cret" not in str(caught.value)


def test_udp_stream_is_read_live(free_udp_port):
    address = f"udp://127.0.0.1:{free_udp_port}"
    stop = threading.Event()

    def send() -> None:
        with av.open(f"{address}?pkt_size=1316", "w", format="mpegts") as container:
            stream = container.add_stream("mpeg2video", rate=25, options={"g": "5"})
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            while not stop.wait(0.01):
                image = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
                container.mux(stream.encode(VideoFrame.from_ndarray(image, format="rgb24")))

    sender = threading.Thread(target=send)
    sender.start()
    try:
        with open_source(address) as source:
            frames = [frame for frame, _ in zip(source, range(5), strict=False)]
    finally:
        stop.set()
        sender.join()
    assert source.info.live
    assert [frame.image.shape for frame in frames] == [(48, 64, 3)] * 5


@pytest.fixture
def free_udp_port() -> int:
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
