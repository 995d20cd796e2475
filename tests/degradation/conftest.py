"""Pictures and sequences that several tests degrade."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest


def draw(height, width, seed=0, shift=0):
    """Draw clouds at several scales, like a photograph's spectrum, and some shapes with sharp edges."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((height, width, 3), np.float32)
    for cell in (64, 16, 4, 1):
        coarse = rng.random((height // cell + 2, width // cell + 2, 3), np.float32) - 0.5
        picture += cell**0.6 * cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    image = cv2.normalize(picture, None, 20, 235, cv2.NORM_MINMAX, cv2.CV_8U)
    for _ in range(12):
        centre = (int(rng.integers(0, width)) + shift, int(rng.integers(0, height)))
        colour = tuple(int(v) for v in rng.integers(0, 256, 3))
        cv2.ellipse(image, centre, (width // 12 + 1, height // 8 + 1), 0, 0, 360, colour, -1, cv2.LINE_AA)
    return image


@pytest.fixture(scope="session")
def picture():
    """Give a function that draws a real-looking picture; ``shift`` moves its shapes to the right."""
    return draw


@pytest.fixture
def sequence(tmp_path) -> Path:
    """A MOTChallenge sequence of 30 small frames, with files of all kinds beside the images."""
    folder = tmp_path / "source" / "A-1"
    (folder / "img1").mkdir(parents=True)
    (folder / "gt").mkdir()
    for number in range(1, 31):
        image = draw(36, 48, shift=number)
        cv2.imwrite(str(folder / "img1" / f"{number:06d}.jpg"), image)
    (folder / "seqinfo.ini").write_text("[Sequence]\nname=A-1\nimDir=img1\nframeRate=25\nseqLength=30\n")
    (folder / "gt" / "gt.txt").write_bytes(b"1,1,3,4,10,20,1,1,1\r\n2,1,4,4,10,20,1,1,1\r\n")
    (folder / "notes.bin").write_bytes(bytes(range(256)))
    return folder


def all_files(folder: Path) -> dict[str, bytes]:
    """Give the contents of every file below a folder, by its path in it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="session")
def files():
    """Give the function that reads every file below a folder."""
    return all_files
