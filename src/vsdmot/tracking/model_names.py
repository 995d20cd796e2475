"""Names of trackers that come with the package: ``Tracker.from_pretrained("vsdmot-nano")``."""

from __future__ import annotations

from pathlib import Path

from vsdmot.errors import CheckpointError

SHIPPED = ("vsdmot-nano",)
"""Names of folders in ``vsdmot/weights``."""

DEFAULT = "vsdmot-nano"
"""What is tracked with where nothing else is named."""


def weights_folder() -> Path:
    """Give the folder of the package that holds a folder for each shipped model."""
    return Path(__file__).resolve().parents[1] / "weights"


def is_shipped(name: str) -> bool:
    """Tell whether a model is there: a package may have been built without weights."""
    return name in SHIPPED and (weights_folder() / name / "model.safetensors").is_file()


def shipped_folder(name: str) -> Path | None:
    """Give the folder of a model that comes with the package; None for what is no name of one.

    Raises:
        CheckpointError: It is such a name, but this package was built without the weights.
    """
    if name not in SHIPPED:
        return None
    if not is_shipped(name):
        raise CheckpointError(
            f"{name}: this package was built without these weights; install a release of vsdmot, "
            "or give the path of a folder with model.safetensors and config.json"
        )
    return weights_folder() / name
