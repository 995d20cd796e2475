"""CSV with a header: a row for each box, as `vsdmot.io.exchange.columns` lays it out."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

from vsdmot.errors import FormatError
from vsdmot.io.exchange.columns import COLUMNS, NEEDED, Cell, add_row, to_columns
from vsdmot.io.exchange.decimals import text
from vsdmot.io.exchange.table import TableBuilder, TrackTable, printable, sequence_name
from vsdmot.io.problems import some

_WHOLE = ("frame", "id")
_FLAGS = {"true": True, "false": False, "1": True, "0": False}


def read_csv_tracks(path: Path) -> TrackTable:
    """Read tracks from a CSV file whose header names the columns, in any order.

    Raises:
        FormatError: The file cannot be read, a column is missing, or a row is broken.
    """
    builder = TableBuilder(path)
    try:
        contents = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise FormatError(f"{path}: cannot read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise FormatError(f"{path}: expected UTF-8 text, got byte 0x{error.object[error.start]:02x}") from None
    reader = csv.reader(io.StringIO(contents, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        missing = [name for name in NEEDED if name not in header]
        if missing:
            raise builder.fault(":1", f"a header with the columns {', '.join(NEEDED)}", some(header, 8) or "nothing")
        if len(set(header)) < len(header):
            raise builder.fault(":1", "each column once", some(header, 20))
        for cells in reader:
            place = f":{reader.line_num}"
            if not cells:
                continue
            if len(cells) != len(header):
                raise builder.fault(place, f"{len(header)} cells, as in the header", len(cells))
            row = {name: _value(builder, place, name, cell) for name, cell in zip(header, cells, strict=True)}
            add_row(builder, place, row)
    except csv.Error as error:
        raise builder.fault(f":{reader.line_num}", "CSV", error) from None
    others = [name for name in header if name not in COLUMNS]
    notes = (f"columns that no other format knows left out: {printable(some(others, 8))}",) if others else ()
    return builder.build(name=sequence_name(path), notes=notes)


def write_csv_tracks(table: TrackTable) -> bytes:
    """Write the columns in which anything is known."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    columns = to_columns(table)
    writer.writerow(columns)
    writer.writerows([map(_cell, row) for row in zip(*columns.values(), strict=True)])
    return file.getvalue().encode("utf-8")


def _value(builder: TableBuilder, place: str, name: str, cell: str) -> Cell:
    cell = cell.strip()
    if not cell or name not in COLUMNS:
        return None
    if name == "label":
        return cell
    if name == "considered":
        if cell.lower() not in _FLAGS:
            raise builder.fault(place, "true or false in the column considered", repr(cell))
        return _FLAGS[cell.lower()]
    try:
        value = float(cell) if "_" not in cell else math.nan  # Python reads 1_000 as a number
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise builder.fault(place, f"a number in the column {name}", repr(cell))
    if name not in _WHOLE:
        return value
    if value != int(value):
        raise builder.fault(place, f"a whole number in the column {name}", repr(cell))
    return int(value)


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return text(value) if isinstance(value, float) else str(value)
