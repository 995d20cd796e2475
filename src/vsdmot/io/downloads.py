"""Files of weights that others publish: fetched once, checked, kept in a cache folder."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vsdmot.errors import CheckpointError, OutputError

CACHE_VARIABLE = "VSDMOT_CACHE"
"""The environment variable that names another cache folder."""

Progress = Callable[[int, int | None], None]
"""Is told the bytes that are there and how many there will be, where that is known."""

_CHUNK = 1 << 20
_TIMEOUT = 30.0  # seconds without a byte, after which the other side is taken for gone


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """A file on the web.

    Attributes:
        url: Where it is.
        sha256: What it must hash to; None where nobody has published that.
    """

    url: str
    sha256: str | None = None

    @property
    def name(self) -> str:
        """The last part of its address."""
        return self.url.rpartition("/")[2]


def cache_folder() -> Path:
    """Give the folder that downloads are kept in: ``$VSDMOT_CACHE``, else ``vsdmot`` in the user's own cache."""
    own = os.environ.get(CACHE_VARIABLE)
    if own:
        return Path(own).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "vsdmot"


def fetch(file: RemoteFile, target: Path, progress: Progress | None = None) -> str:
    """Download a file; it takes its name only when it is whole and right.

    Args:
        file: What to download.
        target: Where to put it; its folder is made.
        progress: Called after each mebibyte.

    Returns:
        Its SHA-256, in hexadecimal digits.

    Raises:
        CheckpointError: It cannot be had, is cut off, or is not the file that was meant.
        OutputError: It cannot be written.
    """
    part = target.with_name(f".{target.name}.{os.getpid()}.part")  # two processes may want the same file
    try:
        digest = _receive(file, part, target, progress)
        if file.sha256 not in (None, digest):
            raise CheckpointError(f"{file.url}: is another file than expected: its SHA-256 is {digest}")
        part.replace(target)
    except OSError as error:
        raise OutputError(f"{target}: cannot be written: {error.strerror or error}") from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    return digest


def _receive(file: RemoteFile, part: Path, target: Path, progress: Progress | None) -> str:
    """Write what arrives, and give its hash; what goes wrong on the line is a `CheckpointError`."""
    request = urllib.request.Request(file.url, headers={"User-Agent": "vsdmot"})
    with contextlib.ExitStack() as stack:
        try:
            reply = stack.enter_context(urllib.request.urlopen(request, timeout=_TIMEOUT))
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise CheckpointError(_unreachable(file, target, error)) from None
        total = int(reply.headers["Content-Length"]) if "Content-Length" in reply.headers else None
        part.parent.mkdir(parents=True, exist_ok=True)
        _check_space(target, total)
        out = stack.enter_context(part.open("wb"))
        digest, done = hashlib.sha256(), 0
        while True:
            try:
                chunk = reply.read(_CHUNK)
            except (OSError, http.client.HTTPException) as error:
                raise CheckpointError(_unreachable(file, target, error)) from None
            if not chunk:
                break
            out.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            if progress is not None:
                progress(done, total)
    if total is not None and done != total:  # http.client ends a read quietly when the other side hangs up
        raise CheckpointError(_unreachable(file, target, f"{done} of {total} bytes arrived"))
    return digest.hexdigest()


def _check_space(target: Path, needed: int | None) -> None:
    free = shutil.disk_usage(target.parent).free
    if needed is not None and needed > free:
        raise OutputError(
            f"{target}: needs {needed / 1e6:.0f} MB, and {free / 1e6:.0f} MB are left; "
            f"set {CACHE_VARIABLE} to a folder with more room"
        )


def _unreachable(file: RemoteFile, target: Path, error: Exception | str) -> str:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    text = next(iter(str(reason).strip().splitlines()), type(error).__name__)
    if isinstance(error, urllib.error.HTTPError):
        text = f"HTTP {error.code} {error.reason}"
    return f"{file.url}: cannot be downloaded ({text}); fetch it elsewhere and give its path, or put it at {target}"
