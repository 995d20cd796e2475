"""Put videos of the same coder one after another into one file, without coding again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import av

from vsdmot.errors import OutputError
from vsdmot.io.video_writer import TICKS_PER_SECOND


def join_videos(parts: Sequence[tuple[Path, float]], target: Path) -> None:
    """Join videos that `VideoWriter` made with the same settings; the index comes first ("fast start").

    Args:
        parts: Files, at least one, and when each begins, in seconds; rising.
        target: The file to be written, replaced if it exists.

    Raises:
        OutputError: The disk is full, or a file cannot be read or written.
    """
    options = {"movflags": "faststart", "video_track_timescale": str(TICKS_PER_SECOND)}
    start, last = parts[0][1], None
    try:
        with av.open(f"file:{target}", "w", format="mp4", options=options) as output:
            stream = None
            for path, seconds in parts:
                with av.open(f"file:{path}", "r") as part:
                    video = part.streams.video[0]
                    stream = stream or output.add_stream_from_template(video)
                    for packet in part.demux(video):
                        if packet.pts is None or packet.dts is None or packet.time_base is None:
                            continue
                        shift = round((seconds - start) / packet.time_base)
                        packet.pts += shift
                        packet.dts = packet.dts + shift if last is None else max(packet.dts + shift, last + 1)
                        last = packet.dts
                        packet.stream = stream
                        output.mux(packet)
    except (av.FFmpegError, OSError) as error:
        raise OutputError(f"{target}: cannot be written: {error.strerror or error}") from None
