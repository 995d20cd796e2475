"""Finding originals: detectors of MOT17, what is missing, what is there twice."""

from __future__ import annotations

import re
import shutil

import pytest

from vsdmot.datasets.locating import locate
from vsdmot.datasets.manifest import Manifest
from vsdmot.datasets.membership import PAPER
from vsdmot.errors import ConfigError, SourceError


@pytest.mark.parametrize("name", PAPER)
def test_the_papers_sequences_are_found_in_the_published_layouts(originals, name):
    wanted = [*PAPER[name].train, *PAPER[name].validation]
    found = locate(originals, wanted)
    assert list(found) == wanted
    for sequence, folder in found.items():
        assert folder.name == (f"{sequence}-FRCNN" if sequence.startswith("MOT17") else sequence)
    if name == "lqdancetrack":
        assert locate(originals / "DanceTrack", wanted) == found


@pytest.mark.parametrize(("kept", "taken"), [(("DPM", "SDP"), "SDP"), (("DPM",), "DPM"), (("",), "")])
def test_any_detector_of_mot17_will_do(draw_sequence, tmp_path, kept, taken):
    for detector in kept:
        draw_sequence(tmp_path / "train" / f"MOT17-02{'-' * bool(detector)}{detector}")
    assert locate(tmp_path, ["MOT17-02"])["MOT17-02"].name == f"MOT17-02{'-' * bool(taken)}{taken}"


def test_all_that_is_missing_is_told_at_once(originals):
    expected = "2 of 3 sequences are missing below this folder: MOT17-99, dancetrack9999"
    with pytest.raises(SourceError, match=re.escape(f"{originals}: {expected}")):
        locate(originals, ["MOT17-99", "MOT20-01", "dancetrack9999"])
    expected = (
        r"none of the sequences \(a, b, c and 1 more\) is below this folder; there are MOT20-01, MOT20-02, MOT20-03 "
    )
    with pytest.raises(SourceError, match=expected):
        locate(originals / "MOT20" / "train", ["a", "b", "c", "d"])
    with pytest.raises(SourceError, match="no such folder"):
        locate(originals / "none", ["MOT17-02"])


def test_a_sequence_that_is_there_twice_is_doubtful(draw_sequence, tmp_path):
    for place in ("new", "old"):
        draw_sequence(tmp_path / place / "MOT20-01")
    with pytest.raises(SourceError, match=rf"more than once.*: MOT20-01 \({tmp_path}/new, {tmp_path}/old\)$"):
        locate(tmp_path, ["MOT20-01"])


def test_data_sets_that_were_built_are_not_searched(draw_sequence, tmp_path):
    draw_sequence(tmp_path / "originals" / "MOT20-01")
    shutil.copytree(tmp_path / "originals" / "MOT20-01", tmp_path / "built" / "train" / "MOT20-01")
    Manifest(False, {}, {}, {}).write(tmp_path / "built")
    assert locate(tmp_path, ["MOT20-01"])["MOT20-01"] == tmp_path / "originals" / "MOT20-01"


def test_the_same_footage_cannot_train_and_validate(originals):
    with pytest.raises(
        ConfigError, match=r"more than once: MOT17-02 and MOT17-02-SDP; MOT17-04-DPM and MOT17-04-FRCNN$"
    ):
        locate(originals, ["MOT17-02", "MOT17-04-DPM", "MOT17-02-SDP", "MOT17-04-FRCNN", "MOT20-01"])
