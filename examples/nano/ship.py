"""Put trained weights into the form in which they ship: half precision, and what they are made of.

    python examples/nano/ship.py runs/nano/last --detector runs/nano_detector/last -o src/vsdmot/weights/vsdmot-nano

The facts of both trainings (settings, hashes of the data, seeds, versions) come along in config.json. Paths of this
machine do not: give `--rename /where/it/was=nano-data` for each folder.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

from vsdmot.tracking.pretrained import load_pretrained, save_pretrained


def renamed(value: Any, names: dict[str, str]) -> Any:
    """Give the value with beginnings of paths replaced, in all texts and keys."""
    if isinstance(value, dict):
        return {renamed(key, names): renamed(one, names) for key, one in value.items()}
    if isinstance(value, list):
        return [renamed(one, names) for one in value]
    if isinstance(value, str):
        for old, new in names.items():
            value = re.sub(rf"^{re.escape(old)}(?=/|$)", new, value)
    return value


def history(folders: list[Path]) -> dict[str, Any]:
    """Give the facts of a detector's training, those of the one that it was started from within."""
    *before, last = folders
    config = json.loads((last / "config.json").read_text(encoding="utf-8"))
    facts = {**config["provenance"], "sequences": config["sequences"]}
    return {**facts, "started_from": history(before)} if before else facts


def main() -> None:
    """Run the script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="folder of the trained tracker")
    order = "folder of the trained detector; of several that were started from one another, the first first"
    parser.add_argument("--detector", type=Path, required=True, action="append", help=order)
    parser.add_argument("--rename", action="append", default=[], metavar="OLD=NEW")
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    names = dict(pair.split("=", 1) for pair in arguments.rename)
    loaded = load_pretrained(arguments.run)
    facts = renamed({**loaded.provenance, "detector": history(arguments.detector)}, names)
    if left := sorted(set(re.findall(r'"(/[^"]*)"', json.dumps(facts)))):
        sys.exit(f"paths of this machine are left, rename them: {', '.join(left)}")
    save_pretrained(arguments.output, loaded.model, loaded.config, facts, half=True)
    size = (arguments.output / "model.safetensors").stat().st_size
    print(f"{arguments.output}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
