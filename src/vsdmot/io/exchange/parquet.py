"""Parquet, as `vsdmot.io.exchange.columns` lays it out; name and size are in the file's metadata. Needs pyarrow."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path
from typing import Any

from vsdmot.errors import ConfigError, FormatError
from vsdmot.io.exchange.columns import COLUMNS, NEEDED, Cell, add_row, to_columns
from vsdmot.io.exchange.table import TableBuilder, TrackTable, printable, sequence_name
from vsdmot.io.problems import some

_METADATA = b"vsdmot"
_WHOLE = ("frame", "id")


def read_parquet_tracks(path: Path) -> TrackTable:
    """Read tracks from a Parquet file whose columns have the names of `COLUMNS`, in any order.

    Raises:
        ConfigError: pyarrow is not installed.
        FormatError: The file cannot be read, a column is missing, or a row is broken.
    """
    arrow, parquet = _pyarrow()
    builder = TableBuilder(path)
    try:
        with parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            missing = [name for name in NEEDED if name not in names]
            if missing:
                raise builder.fault("", f"the columns {', '.join(NEEDED)}", some(names, 8) or "none")
            metadata = (file.schema_arrow.metadata or {}).get(_METADATA, b"{}")
            columns = file.read(columns=[name for name in names if name in COLUMNS]).to_pydict()
    except (arrow.ArrowException, OSError) as error:
        raise FormatError(f"{path}: not readable as Parquet: {str(error).splitlines()[0]}") from None
    for number, cells in enumerate(zip(*columns.values(), strict=True), start=1):
        place = f": row {number}"
        row = {name: _value(builder, place, name, cell) for name, cell in zip(columns, cells, strict=True)}
        add_row(builder, place, row)
    name, size = _about(metadata)
    others = [name for name in names if name not in COLUMNS]
    notes = (f"columns that no other format knows left out: {printable(some(others, 8))}",) if others else ()
    return builder.build(name=name or sequence_name(path), size=size, notes=notes)


def write_parquet_tracks(table: TrackTable) -> bytes:
    """Write the columns in which anything is known, with their types.

    Raises:
        ConfigError: pyarrow is not installed.
    """
    arrow, parquet = _pyarrow()
    types = dict.fromkeys(COLUMNS, arrow.float64())
    types |= {"frame": arrow.int64(), "id": arrow.int64(), "label": arrow.string(), "considered": arrow.bool_()}
    about = {"name": table.name, "size": table.size}
    columns = to_columns(table)
    schema = arrow.schema([(name, types[name]) for name in columns], metadata={_METADATA: json.dumps(about)})
    file = io.BytesIO()
    parquet.write_table(arrow.table(columns, schema=schema), file)
    return file.getvalue()


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise ConfigError("Parquet needs the package pyarrow: pip install 'vsdmot[tables]'") from None
    return pyarrow, pyarrow.parquet


def _value(builder: TableBuilder, place: str, name: str, cell: object) -> Cell:
    """Check a cell; NaN is an empty one, as pandas writes it."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return None
    kind = {"label": str, "considered": bool}.get(name)
    if kind is not None:
        if not isinstance(cell, kind):
            raise builder.fault(place, f"{'text' if kind is str else 'true or false'} in the column {name}", repr(cell))
        return cell  # type: ignore[return-value]
    if isinstance(cell, bool) or not isinstance(cell, int | float) or not math.isfinite(cell):
        raise builder.fault(place, f"a number in the column {name}", repr(cell))
    if name in _WHOLE:
        if cell != int(cell):
            raise builder.fault(place, f"a whole number in the column {name}", repr(cell))
        return int(cell)
    return float(cell)


def _about(metadata: bytes) -> tuple[str | None, tuple[int, int] | None]:
    """Take name and size from our metadata; what is not as we write it says nothing."""
    try:
        about = json.loads(metadata)
        name, size = about.get("name"), about.get("size")
    except (ValueError, AttributeError, RecursionError):
        return None, None
    is_size = isinstance(size, list) and len(size) == 2 and all(isinstance(side, int) and side > 0 for side in size)
    return name if isinstance(name, str) and name.strip() else None, (size[0], size[1]) if is_size else None
