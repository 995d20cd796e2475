"""``vsdmot convert``: tracks from one file format into another."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vsdmot.cli.arguments import make_parser, parse
from vsdmot.cli.console import say, show_files, warn
from vsdmot.config import at_least, check
from vsdmot.errors import ConfigError, FormatError
from vsdmot.io.exchange.formats import (
    FORMATS,
    FormatName,
    file_contents,
    format_of_output,
    format_of_source,
    read_tracks_of,
)
from vsdmot.io.exchange.losses import losses
from vsdmot.io.exchange.table import TrackTable
from vsdmot.io.outputs import check_output
from vsdmot.io.problems import counted
from vsdmot.io.whole_files import write_whole

_SIZE = re.compile(r"([1-9]\d{0,5})x([1-9]\d{0,5})")


@dataclass(frozen=True, kw_only=True)
class ConvertSettings:
    """Write tracks in the format of another program.

    The suffixes decide: .txt MOTChallenge, .jsonl JSON Lines of `vsdmot track`, .csv and .parquet tables, .zip CVAT
    "MOT 1.1", .xml "CVAT for video 1.1", .json COCO for video. What the new format cannot hold is told, a line each.

    Attributes:
        source: A file of tracks, or the folder of a MOTChallenge sequence.
        output: The file to write.
        from_: The source's format; null goes by its suffix and, for a zip archive, by what is in it.
        to: The output's format; null goes by its suffix.
        size: Width and height of the picture in pixels, such as 1920x1080; null takes them from the source. CVAT's XML
            and COCO need them.
        length: Frames of the video; null takes it from the source, or ends with the last box.
        name: The sequence; null takes it from the source. It also chooses among several videos of a COCO file.
        label: What people are called, as in the labels of your CVAT task; null keeps the source's word.
        overwrite: Replace an output file that exists.
    """

    source: Path
    output: Path
    from_: FormatName | None = None
    to: FormatName | None = None
    size: str | None = None
    length: int | None = None
    name: str | None = None
    label: str | None = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        check(
            self,
            size=lambda size: None if _SIZE.fullmatch(size) else "WIDTHxHEIGHT, such as 1920x1080",
            length=at_least(1),
            name=_printable,
            label=_printable,
        )


def main(arguments: Sequence[str]) -> None:
    """Run the verb from the words after ``vsdmot convert``."""
    parser = make_parser(ConvertSettings, prog="vsdmot convert", positional=["source"], short={"output": "-o"})
    convert(parse(parser, ConvertSettings, arguments))


def convert(settings: ConvertSettings) -> TrackTable:
    """Read the tracks that the settings name, and write them.

    Returns:
        What was written.

    Raises:
        VsdmotError: The source is broken, the output cannot be written, or the format cannot hold the tracks.
    """
    to = settings.to or format_of_output(settings.output)
    source_format = settings.from_ or format_of_source(settings.source)
    check_output(settings.output, settings.overwrite, source=settings.source)
    table = _adjusted(read_tracks_of(settings.source, source_format, video=settings.name), settings)
    title = FORMATS[to].title
    if FORMATS[to].needs_size and table.size is None:
        raise ConfigError(f"{title} holds the picture's size, which {settings.source} does not say: --size 1920x1080")
    write_whole(settings.output, file_contents(table, to, settings.output))
    for note in table.notes:
        warn(f"{settings.source}: {note}")
    for loss in losses(table, read_tracks_of(settings.output, to), title):
        warn(f"{settings.output}: {loss}")
    tracks = len(set(table.ids.tolist()))
    say(
        f"{counted(len(table), 'box', 'boxes')} of {counted(tracks, 'track')} in {counted(table.length, 'frame')}: "
        f"{FORMATS[source_format].title} to {title}"
    )
    show_files([settings.output])
    return table


def _adjusted(table: TrackTable, settings: ConvertSettings) -> TrackTable:
    """Put in what the user knows better than the source."""
    if settings.size is not None and (found := _SIZE.fullmatch(settings.size)):
        table = dataclasses.replace(table, size=(int(found[1]), int(found[2])))
    if settings.name is not None:
        table = dataclasses.replace(table, name=settings.name)
    if settings.length is not None:
        if table.length > settings.length:
            raise FormatError(
                f"{settings.source}: expected at most {settings.length} frames, as --length says, got {table.length}"
            )
        table = table.with_length(settings.length)
    return table if settings.label is None else table.with_person_label(settings.label)


def _printable(text: str) -> str | None:
    return None if text.strip() and text.isprintable() else "a text that can be printed"
