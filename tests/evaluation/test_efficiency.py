"""Table VIII: what is counted and how times become ratios."""

from __future__ import annotations

import pytest
import torch

from vsdmot.config import from_mapping
from vsdmot.evaluation.efficiency import measure, random_proposals, summarise, variants_of
from vsdmot.synthesis.figure_clip import FigureClipConfig, draw_figures
from vsdmot.tracking.pretrained import TrackerConfig

CPU = torch.device("cpu")


def config(**model):
    return from_mapping(TrackerConfig, {"model": model, "preprocessing": {"short_side": 64, "long_side": 96}})


@pytest.fixture(scope="module")
def small():
    tiny = {"backbone": "resnet18", "hidden_dim": 64, "num_heads": 4, "encoder_layers": 1, "decoder_layers": 1,
            "feedforward_dim": 64, "num_learned_queries": 2,
            "student": {"hidden_dim": 16, "num_layers": 1, "feedforward_dim": 16}}  # fmt: skip
    return variants_of(config(**tiny), CPU)


def test_the_papers_networks_have_as_many_parameters_as_table_viii_says():
    counts = [one.parameters for one in summarise(variants_of(TrackerConfig(), CPU), [[1.0] * 3])]
    assert counts == [41_875_718, 42_602_246, 42_602_248]
    assert [f"{count / 1e6:.1f}" for count in counts] == ["41.9", "42.6", "42.6"]


def test_the_networks_share_what_they_have_in_common(small):
    baseline, student, whole = (method.model.state_dict() for method in small)
    assert set(baseline) < set(student) < set(whole)
    assert all(torch.equal(tensor, whole[name]) for name, tensor in student.items())
    assert all(torch.equal(tensor, whole[name]) for name, tensor in baseline.items())


def test_every_round_times_each_network_and_the_first_is_not_counted(small):
    frames = [drawn.frame for drawn in draw_figures(FigureClipConfig(num_frames=3, width=96, height=64))]
    given = list(measure(small, frames, [random_proposals(frame, 4) for frame in frames]))
    rounds = [one for one in given if one is not None]
    assert len(rounds) == 2
    assert given.count(None) == 9
    assert all(len(one) == 3 and min(one) > 0 for one in rounds)


def test_ratios_are_of_the_same_round(small):
    slow = summarise(small, [[1.0, 2.0, 4.0], [10.0, 20.0, 40.0], [3.0, 6.0, 12.0]])
    assert [one.seconds for one in slow] == [3, 6, 12]
    assert [one.relative_speed for one in slow] == [1, 0.5, 0.25]
    assert [one.fps for one in slow] == [pytest.approx(1 / 3), pytest.approx(1 / 6), pytest.approx(1 / 12)]
    with pytest.raises(ValueError, match="at least one round"):
        summarise(small, [])


def test_proposals_are_as_many_as_asked_and_the_same_in_every_frame():
    frames = [drawn.frame for drawn in draw_figures(FigureClipConfig(num_frames=2, width=96, height=64))]
    first, second = (random_proposals(frame, 7) for frame in frames)
    assert len(first) == 7
    assert first.boxes.tolist() == second.boxes.tolist()
    assert len(random_proposals(frames[0], 0)) == 0
