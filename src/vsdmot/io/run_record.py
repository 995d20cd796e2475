"""Records of runs: what made a file of tracks, in a file beside it, ``clip.run.json`` for ``clip.jsonl``.

JSON Lines and MOT text hold a line for each frame or box and nothing else, so that every program can read them; who
made them, with what weights and settings, stands here, with the hash of each file that it is true of.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vsdmot.errors import FormatError, SourceError
from vsdmot.io.exchange.table import sequence_name
from vsdmot.io.hashes import hash_file
from vsdmot.io.whole_files import write_whole

FORMAT = "vsdmot-run/1"
SUFFIX = ".run.json"
_MOST_BYTES = 10_000_000


def record_beside(path: Path) -> Path:
    """Say where the record of a file of tracks lies, if it has one.

    >>> record_beside(Path("out/clip.jsonl")).name, record_beside(Path("clip.mot.txt")).name
    ('clip.run.json', 'clip.run.json')
    """
    return path.with_name(sequence_name(path) + SUFFIX)


def write_record(path: Path, facts: Mapping[str, Any], files: Sequence[Path]) -> None:
    """Write the record of a run.

    Args:
        path: The record.
        facts: What is to be known of the run; plain values.
        files: What the run wrote, complete; their hashes go into the record.

    Raises:
        OutputError: The record cannot be written.
        SourceError: One of the files cannot be read.
    """
    hashes = {file.name: hash_file(file) for file in files}
    text = json.dumps({"format": FORMAT, **facts, "files": hashes}, indent=2, ensure_ascii=False)
    write_whole(path, (text + "\n").encode())


def read_record(path: Path) -> dict[str, Any]:
    """Read the record of a run.

    Raises:
        SourceError: It cannot be read.
        FormatError: It is not a record, or of a newer format.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise FormatError(f"{path}: expected the record of a run, this file is too large for one")
        facts = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SourceError(f"{path}: not readable: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise FormatError(f"{path}: expected the record of a run, this is not JSON") from None
    if not isinstance(facts, dict) or facts.get("format") != FORMAT or not isinstance(facts.get("files"), dict):
        raise FormatError(f'{path}: expected the record of a run with "format": "{FORMAT}"')
    return facts
