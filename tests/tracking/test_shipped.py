"""The model that comes with the package: what it promises, and that it does its work."""

from __future__ import annotations

import json

import numpy as np
import pytest

import vsdmot
from vsdmot.io.json_lines import read_json_lines
from vsdmot.tracking.model_names import DEFAULT, shipped_folder
from vsdmot.tracking.pretrained import load_pretrained

FOLDER = shipped_folder(DEFAULT)


@pytest.fixture(scope="module")
def nano():
    return load_pretrained(DEFAULT)


def test_it_is_small_whole_and_of_half_precision():
    assert (FOLDER / "model.safetensors").stat().st_size <= 12_000_000
    header = (FOLDER / "model.safetensors").read_bytes()
    kinds = {entry["dtype"] for name, entry in json.loads(header[8 : 8 + int.from_bytes(header[:8], "little")]).items()
             if name != "__metadata__"}  # fmt: skip
    assert "F32" not in kinds


def test_every_module_of_the_paper_is_in_it(nano):
    model = nano.model
    assert model.student is not None
    assert model.dswr is not None
    assert vsdmot.Tracker.from_pretrained(DEFAULT, device="cpu").method.proposes
    assert all(bool(parameter.isfinite().all()) for parameter in model.parameters())


def test_it_says_what_it_was_trained_on_and_pets_is_not_among_it(nano):
    facts = nano.provenance
    assert facts["trained"] is True
    assert facts["teacher"]["kind"] == "detector"
    detectors = [facts["detector"], *filter(None, [facts["detector"].get("started_from")])]
    trained_on = [*facts["data"], *(name for one in detectors for name in [*one["data"], *one["sequences"]])]
    assert len(trained_on) > 5
    assert not [name for name in trained_on if "PETS" in name.upper()]
    assert '"/' not in (FOLDER / "config.json").read_text(), "no path of the machine that trained it"


def test_the_card_says_what_a_user_must_know():
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    for word in ("Data", "Licence", "Limits", "seed", "Make it again"):
        assert word in card


def test_it_follows_rendered_people_where_the_picture_is_good(tmp_path):
    from vsdmot.cli.demo import DemoSettings, demo
    from vsdmot.evaluation.evaluate import evaluate
    from vsdmot.io.annotations import read_ground_truth
    from vsdmot.synthesis.figure_clip import FigureClipConfig

    clip = FigureClipConfig(num_frames=40, width=480, height=270, num_people=4, worst_severity=0.0, seed=12)
    demo(DemoSettings(output=tmp_path, clip=clip))
    results = list(read_json_lines(tmp_path / "clip.jsonl"))
    scores = evaluate({"clip": read_ground_truth(tmp_path / "clip.gt.txt")}, {"clip": results}).combined
    assert scores["HOTA"] > 0.4, scores
    weights = np.array([result.semantic_weight for result in results])
    assert ((weights > 0) & (weights < 1)).all()
