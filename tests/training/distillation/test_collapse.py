"""The ways in which distillation empties itself, brought about on purpose: the monitor must tell, and else be quiet."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from vsdmot.training.distillation.collapse import CollapseMonitor, FrameMemory, relative_spread
from vsdmot.training.distillation.dcsd import DistillationConfig, Distiller

DIM, WIDTH, FRAMES, CUES = 16, 32, 40, 8


def teacher_of_frames() -> Tensor:
    """What a teacher might say of 40 frames: much the same, and something of each."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(WIDTH, generator=generator) + 0.6 * torch.randn(FRAMES, WIDTH, generator=generator)


def distil(distiller: Distiller, student: nn.Module, cues: Tensor, steps: int) -> tuple[CollapseMonitor, list[float]]:
    """Train on the distillation loss; frames come in any order, each with 6 queries that carry its cue."""
    teacher = teacher_of_frames()
    parameters = [*student.parameters(), *distiller.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    generator = torch.Generator().manual_seed(1)
    monitor, totals = CollapseMonitor(), []
    for _ in range(steps):
        frame = int(torch.randint(FRAMES, (1,), generator=generator))
        queries = cues[frame] + 0.1 * torch.randn(1, 6, CUES, generator=generator)
        loss = distiller(student(queries), teacher[frame, None])
        optimiser.zero_grad()
        loss.total.backward()
        optimiser.step()
        schedule.step()
        monitor.update(loss.monitors)
        totals.append(float(loss.total.detach()))
    return monitor, totals


def student_network() -> nn.Module:
    return nn.Sequential(nn.Linear(CUES, 64), nn.ReLU(), nn.Linear(64, DIM))


def telling_cues() -> Tensor:
    """Queries in which the teacher's features can be read."""
    mixing = torch.randn(WIDTH, CUES, generator=torch.Generator().manual_seed(2)) / WIDTH**0.5
    return teacher_of_frames() @ mixing


class Decided(nn.Module):
    """A student whose features another loss has settled: they are rows about a mean, whatever the frame."""

    def __init__(self) -> None:
        super().__init__()
        self.mean = torch.randn(DIM, generator=torch.Generator().manual_seed(3))

    def forward(self, queries: Tensor) -> Tensor:
        return self.mean + 0.1 * queries[..., :1].expand(*queries.shape[:2], DIM)


def test_literal_projection_becomes_the_students_constant_and_the_monitor_tells():
    distiller = Distiller(DIM, WIDTH)
    monitor, totals = distil(distiller, Decided(), telling_cues(), steps=1500)
    assert totals[-1] < 0.1 * totals[0]  # the loss looks like success, though no student has learned anything
    projected = distiller.project(teacher_of_frames()).detach()
    assert relative_spread(projected) < 0.2 * relative_spread(teacher_of_frames())
    assert any("the teacher projection has become constant" in line for line in monitor.warnings())


def test_literal_training_of_both_sides_ends_near_zero_with_one_loss_left_and_the_monitor_tells():
    distiller = Distiller(DIM, WIDTH)
    monitor, totals = distil(distiller, student_network(), telling_cues(), steps=800)
    assert totals[-1] < 0.02 * totals[0]
    assert distiller.project(teacher_of_frames()).square().mean().sqrt() < 0.15
    assert distiller.balance.softmax(0).max() > 0.95
    vanished, drifted = monitor.warnings()
    assert vanished.startswith("the projected teacher has nearly vanished")
    assert drifted.startswith("the loss weights have run away: the global loss (Eq. 11)")


@pytest.mark.parametrize("method", ["dcsd", "plain"])
def test_anchored_training_teaches_and_the_monitor_keeps_quiet(method):
    torch.manual_seed(0)
    distiller = Distiller(DIM, WIDTH, DistillationConfig(method=method, variant="anchored"))
    student, cues = student_network(), telling_cues()
    monitor, totals = distil(distiller, student, cues, steps=800)
    assert monitor.warnings() == []
    assert sum(totals[-50:]) < 0.5 * sum(totals[:50])
    said, taught = student(cues), distiller.project(nn.functional.layer_norm(teacher_of_frames(), (WIDTH,)))
    distances = torch.cdist(said, taught)
    assert (distances.argmin(1) == torch.arange(FRAMES)).float().mean() > 0.6  # it tells frames apart


def test_a_student_that_says_the_same_of_every_frame_is_told_though_the_loss_is_sound():
    distiller = Distiller(DIM, WIDTH, DistillationConfig(variant="anchored"))
    monitor, _ = distil(distiller, Decided(), telling_cues(), steps=250)
    (line,) = monitor.warnings()
    assert line.startswith("the student says nearly the same of every frame")


HEALTHY = {
    "teacher_spread": 0.4, "projected_spread": 0.38, "projected_scale": 0.6, "semantic_spread": 0.3,
    "w_local": 0.6, "w_global": 0.4, "distill_share": 0.2,
}  # fmt: skip


def judged(steps: int = 200, **values: float) -> list[str]:
    monitor = CollapseMonitor()
    for _ in range(steps):
        monitor.update({name: torch.tensor(value) for name, value in {**HEALTHY, **values}.items()})
    return monitor.warnings()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"teacher_spread": 0.001}, "the teacher says the same of every frame"),
        ({"projected_spread": 0.01}, "the teacher projection has become constant: it keeps 2.5% of the teacher's"),
        ({"projected_scale": 0.01}, "the projected teacher has nearly vanished"),
        ({"semantic_spread": 0.01}, "the student says nearly the same of every frame"),
        ({"w_local": 0.01, "w_global": 0.99}, "run away: the local loss (Eq. 10) counts 0.01, the other 0.99"),
        ({"w_local": 0.99, "w_global": 0.01}, "run away: the global loss (Eq. 11) counts 0.01, the other 0.99"),
        ({"distill_share": 0.001}, "distillation is 0.001 of the whole loss"),
        ({"projected_spread": float("nan")}, "distillation is no longer finite (projected_spread)"),
        ({"w_local": float("inf")}, "distillation is no longer finite (w_local)"),
    ],
)
def test_each_sign_has_its_sentence(values, words):
    (line,) = judged(**values)
    assert words in line
    assert "\n" not in line


def test_a_student_is_not_judged_by_a_projection_that_teaches_nothing():
    (line,) = judged(projected_spread=0.01, semantic_spread=0.0001)
    assert "the teacher projection has become constant" in line


def test_healthy_values_say_nothing():
    assert judged() == []


def test_nothing_is_said_before_a_run_has_settled():
    assert judged(steps=199, w_local=0.0) == []
    assert CollapseMonitor(settle_steps=0).warnings() == []


def test_only_recent_steps_count():
    monitor = CollapseMonitor(settle_steps=1)
    for value in (0.0, 0.5):
        for _ in range(60):
            monitor.update({"w_local": torch.tensor(value), "w_global": torch.tensor(1 - value)})
    assert monitor.warnings() == []


def test_monitors_that_are_not_there_are_not_judged():
    monitor = CollapseMonitor(settle_steps=1)
    monitor.update({})
    assert monitor.warnings() == []


def test_spread_is_the_loop_over_pairs():
    rows = torch.randn(5, 3, generator=torch.Generator().manual_seed(0)) + 1
    products = sum(float(a @ b) for a in rows for b in rows) / 25
    lengths = sum(float(a @ a) for a in rows) / 5
    assert float(relative_spread(rows)) == pytest.approx((1 - products / lengths) ** 0.5, rel=1e-5)


@pytest.mark.parametrize("rows", [torch.zeros(4, 3), torch.ones(4, 3), torch.ones(1, 3)])
def test_rows_that_are_equal_have_no_spread(rows):
    assert float(relative_spread(rows)) == 0


def test_a_projection_that_moves_but_stays_constant_over_frames_has_no_spread():
    memory = FrameMemory()
    for step, row in enumerate(teacher_of_frames()):
        memory.add(row, torch.full((DIM,), float(step)))
        moved = memory.monitors(lambda rows, step=step: torch.full((len(rows), DIM), float(step + 1)))
    assert float(moved["projected_spread"]) == 0
    assert float(moved["teacher_spread"]) > 0.3


def test_memory_is_bounded_and_a_frame_without_queries_has_no_student():
    memory = FrameMemory(size=3)
    for _ in range(5):
        memory.add(torch.ones(WIDTH, requires_grad=True), None)
    assert len(memory.teacher) == 3
    assert not memory.teacher[0].requires_grad
    assert float(memory.monitors(lambda rows: rows)["semantic_spread"]) == 0
