"""Fixtures that several test files share."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


def _shared_folder(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"needs the folder {name}/ beside the checkout (shared/{name})")
    return folder


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real video with ground truth and published YOLOX weights; never part of the repository."""
    return _shared_folder("data")


@pytest.fixture(scope="session")
def shared_golden() -> Path:
    """Numbers that the published implementations gave."""
    return _shared_folder("golden")
