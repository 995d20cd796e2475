"""Which formats there are, and which one a file is in."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal, get_args

from vsdmot.errors import ConfigError, SourceError
from vsdmot.io.archives import open_archive
from vsdmot.io.exchange.coco_video import read_coco_tracks, write_coco_tracks
from vsdmot.io.exchange.csv_table import read_csv_tracks, write_csv_tracks
from vsdmot.io.exchange.cvat_mot import LIMITS, read_cvat_mot_tracks, write_cvat_mot_tracks, zipped
from vsdmot.io.exchange.cvat_video import write_cvat_video_tracks
from vsdmot.io.exchange.cvat_video_reader import read_cvat_video_tracks
from vsdmot.io.exchange.json_lines import read_json_line_tracks, write_json_line_tracks
from vsdmot.io.exchange.mot import read_mot_tracks, write_mot_tracks
from vsdmot.io.exchange.parquet import read_parquet_tracks, write_parquet_tracks
from vsdmot.io.exchange.table import TrackTable

FormatName = Literal["mot", "jsonl", "csv", "parquet", "cvat-mot", "cvat-video", "coco"]


@dataclass(frozen=True, kw_only=True)
class TrackFormat:
    """How a format is read and written.

    Attributes:
        title: What people call it.
        suffix: How the names of its files end.
        read: Makes a table of a file; raises `VsdmotError`.
        write: Makes the file's bytes of a table; raises `FormatError` for what the format cannot hold.
        needs_size: Whether it holds the picture's size.
    """

    title: str
    suffix: str
    read: Callable[[Path], TrackTable]
    write: Callable[[TrackTable], bytes]
    needs_size: bool = False


FORMATS: dict[FormatName, TrackFormat] = {
    "mot": TrackFormat(title="MOTChallenge text", suffix=".txt", read=read_mot_tracks, write=write_mot_tracks),
    "jsonl": TrackFormat(title="JSON Lines", suffix=".jsonl", read=read_json_line_tracks, write=write_json_line_tracks),
    "csv": TrackFormat(title="CSV", suffix=".csv", read=read_csv_tracks, write=write_csv_tracks),
    "parquet": TrackFormat(title="Parquet", suffix=".parquet", read=read_parquet_tracks, write=write_parquet_tracks),
    "cvat-mot": TrackFormat(
        title='CVAT "MOT 1.1"', suffix=".zip", read=read_cvat_mot_tracks, write=write_cvat_mot_tracks
    ),
    "cvat-video": TrackFormat(
        title='"CVAT for video 1.1"',
        suffix=".xml",
        read=read_cvat_video_tracks,
        write=write_cvat_video_tracks,
        needs_size=True,
    ),
    "coco": TrackFormat(
        title="COCO for video", suffix=".json", read=read_coco_tracks, write=write_coco_tracks, needs_size=True
    ),
}
_BY_SUFFIX = {one.suffix: name for name, one in FORMATS.items()}


def format_of_source(path: Path) -> FormatName:
    """Tell the format of a file by its suffix; of a zip archive, by what is in it; a folder is a MOTChallenge sequence.

    Raises:
        SourceError: It is not there, or it is in none of the formats.
    """
    if not path.exists():
        raise SourceError(f"{path}: no such file")
    if path.is_dir():
        if (path / "gt" / "gt.txt").is_file():
            return "mot"
        raise SourceError(f"{path}: expected a file of tracks, or a folder with gt/gt.txt")
    name = _BY_SUFFIX.get(path.suffix.lower())
    if name is None:
        raise SourceError(f"{path}: no format of tracks ends in {path.suffix or 'nothing'}; say which with --from")
    if name != "cvat-mot":
        return name
    with open_archive(path, limits=LIMITS) as archive:
        members = {PurePosixPath(member).name for member in archive.namelist()}
    if "gt.txt" in members:
        return "cvat-mot"
    if "annotations.xml" in members:
        return "cvat-video"
    raise SourceError(f"{path}: expected gt.txt or annotations.xml in the archive, as CVAT exports them")


def format_of_output(path: Path) -> FormatName:
    """Tell the format that a file to be written should have by its suffix.

    Raises:
        ConfigError: No format has this suffix.
    """
    name = _BY_SUFFIX.get(path.suffix.lower())
    if name is None:
        raise ConfigError(f"-o must end in {', '.join(_BY_SUFFIX)}, or --to must say the format, got {path}")
    return name


def file_contents(table: TrackTable, name: FormatName, path: Path) -> bytes:
    """Make the bytes of a file; XML for a file that ends in ``.zip`` is packed as CVAT packs it.

    Raises:
        FormatError: The format cannot hold the table.
    """
    contents = FORMATS[name].write(table)
    if name == "cvat-video" and path.suffix.lower() == ".zip":
        return zipped({"annotations.xml": contents})
    return contents


def read_tracks_of(path: Path, name: FormatName, *, video: str | None = None) -> TrackTable:
    """Read a file in a format.

    Args:
        path: The file.
        name: The format.
        video: Which video, where a COCO file holds several.

    Raises:
        SourceError: It is not there, or an archive is damaged or hostile.
        FormatError: It is broken.
    """
    if not path.exists():
        raise SourceError(f"{path}: no such file")
    if name != "mot" and path.is_dir():
        raise SourceError(f"{path}: expected a file in the format {name}, this is a folder")
    if name == "cvat-mot" and not zipfile.is_zipfile(path):
        raise SourceError(f"{path}: expected a zip archive ({FORMATS[name].title})")
    return read_coco_tracks(path, video=video) if name == "coco" else FORMATS[name].read(path)


assert set(FORMATS) == set(get_args(FormatName))
