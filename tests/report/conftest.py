"""A browser for the tests of the page: headless Chromium, driven over its own debugging protocol."""

from __future__ import annotations

import base64
import contextlib
import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
STARTING_SECONDS, WAITING_SECONDS = 60, 60  # generous: a busy machine is no fault of the page


class Page:
    """A page that is open.

    Attributes:
        complaints: What the console showed as error or warning, what the browser reported, and exceptions.
        requests: Addresses that were asked for, but for what the page itself holds.
    """

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._number = 0
        self.complaints: list[str] = []
        self.requests: list[str] = []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """Send a command and give its result."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(timeout=WAITING_SECONDS))
            if message.get("id") == self._number:
                assert "error" not in message, message
                return message["result"]
            self._note(message["method"], message["params"])

    def _note(self, method: str, facts: dict[str, Any]) -> None:
        if method == "Runtime.exceptionThrown":
            self.complaints.append(str(facts["exceptionDetails"].get("exception", facts["exceptionDetails"])))
        elif method == "Runtime.consoleAPICalled" and facts["type"] in ("error", "warning", "assert"):
            self.complaints.append(str(facts["args"]))
        elif method == "Log.entryAdded" and facts["entry"]["level"] in ("error", "warning"):
            self.complaints.append(facts["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            url = facts["request"]["url"]
            if not url.startswith(("data:", "blob:")):
                self.requests.append(url)

    def open(self, path: Path) -> None:
        """Open a file and wait until its script says that it is ready."""
        self.requests.clear()
        self.call("Page.navigate", url=path.as_uri())
        self.wait(f"location.href === {json.dumps(path.as_uri())} && document.documentElement?.dataset.ready")
        assert self("document.documentElement.dataset.ready") == "yes", self("document.body.innerText")[:300]

    def __call__(self, script: str) -> Any:
        """Run an expression in the page and give its value."""
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait(self, script: str, seconds: float = WAITING_SECONDS) -> None:
        """Wait until an expression is true."""
        until = time.monotonic() + seconds
        while not self(script):
            assert time.monotonic() < until, f"never true: {script}"
            time.sleep(0.05)

    def press(self, key: str, *, shift: bool = False) -> None:
        """Press a key, such as ``n``, ``Home`` or a space."""
        text = {"text": key} if len(key) == 1 else {}
        code = {"code": "Space"} if key == " " else {}
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, modifiers=8 * shift, **text, **code)
            text = {}

    def click(self, x: float, y: float) -> None:
        """Click at a place of the window."""
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)

    def resize(self, width: int, height: int, *, dark: bool = False) -> None:
        """Make the window of another size, or the system's colours dark."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", features=features)

    def screenshot(self, path: Path, *, whole: bool = False) -> None:
        """Keep what is seen, or the whole page."""
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=whole, format="png")
        path.write_bytes(base64.b64decode(shot["data"]))


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator[Callable[[], Page]]:
    """Give a function that opens a new page in headless Chromium."""
    program = find_browser()
    if program is None:
        pytest.skip(f"needs a browser: none of {', '.join(CHROMIUM)} is installed")
    pytest.importorskip("websockets.sync.client")
    with running_browser(program, tmp_path_factory.mktemp("chromium")) as open_page:
        yield open_page


def find_browser() -> str | None:
    """Find Chromium, or Chrome, on this machine."""
    return next((found for name in CHROMIUM if (found := shutil.which(name))), None)


@contextlib.contextmanager
def running_browser(program: str, folder: Path) -> Iterator[Callable[[], Page]]:
    """Run a browser with its files in a folder; gives a function that opens a new page."""
    from websockets.sync import client

    words = [
        program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
        "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-port=0", f"--user-data-dir={folder}",
        "about:blank",
    ]  # fmt: skip
    log = (folder / "log").open("wb")
    process = subprocess.Popen(words, stdout=log, stderr=log)
    with contextlib.ExitStack() as stack:
        stack.callback(log.close)
        stack.callback(process.wait, timeout=WAITING_SECONDS)
        stack.callback(process.terminate)
        port = _port(folder / "DevToolsActivePort", process)

        def open_page() -> Page:
            request = urllib.request.Request(f"http://127.0.0.1:{port}/json/new?about:blank", method="PUT")
            address = json.loads(urllib.request.urlopen(request, timeout=WAITING_SECONDS).read())
            return Page(stack.enter_context(client.connect(address["webSocketDebuggerUrl"], max_size=None)))

        yield open_page


def _port(file: Path, process: subprocess.Popen[bytes]) -> int:
    until = time.monotonic() + STARTING_SECONDS
    while time.monotonic() < until and process.poll() is None:
        if file.is_file() and (lines := file.read_text().split()):
            return int(lines[0])
        time.sleep(0.1)
    pytest.skip(f"the browser does not start: {(file.parent / 'log').read_text(errors='replace')[-300:]}")
