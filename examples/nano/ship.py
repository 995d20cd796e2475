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


def main() -> None:
    """Run the script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="folder of the trained tracker")
    parser.add_argument("--detector", type=Path, required=True, help="folder of the trained detector")
    parser.add_argument("--rename", action="append", default=[], metavar="OLD=NEW")
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    names = dict(pair.split("=", 1) for pair in arguments.rename)
    loaded = load_pretrained(arguments.run)
    detector = json.loads((arguments.detector / "config.json").read_text(encoding="utf-8"))
    provenance = {**loaded.provenance, "detector": {**detector["provenance"], "sequences": detector["sequences"]}}
    facts = renamed(provenance, names)
    if left := sorted(set(re.findall(r'"(/[^"]*)"', json.dumps(facts)))):
        sys.exit(f"paths of this machine are left, rename them: {', '.join(left)}")
    save_pretrained(arguments.output, loaded.model, loaded.config, facts, half=True)
    size = (arguments.output / "model.safetensors").stat().st_size
    print(f"{arguments.output}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
