"""The version of the package, in one place, and of what its numbers depend on."""

__version__ = "0.1.0"


def versions() -> dict[str, str]:
    """Give the versions of what the numbers of a training or a run depend on."""
    import platform

    import numpy
    import torch

    return {
        "vsdmot": __version__,
        "torch": str(torch.__version__),
        "numpy": numpy.__version__,
        "python": platform.python_version(),
    }
