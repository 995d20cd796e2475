"""The loss of a clip: people who come and go, what gradients reach, and that nothing depends on how it is computed."""

from __future__ import annotations

import dataclasses
import itertools
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from vsdmot.boxes import cxcywh_to_xyxy
from vsdmot.config import from_mapping
from vsdmot.detection.yolox.proposing import ProposingConfig, propose
from vsdmot.errors import ConfigError, TrainingError
from vsdmot.models.vsdmot import VSDMOT, ModelConfig
from vsdmot.models.yolox.network import YOLOX
from vsdmot.training.clips.clip import Clip, ClipFrame, num_boxes
from vsdmot.training.objective.clip_forward import ClipLossConfig, ClipModel, freeze_stem
from vsdmot.training.objective.losses import KINDS
from vsdmot.training.objective.matcher import NOBODY

TINY = {
    "backbone": "resnet18", "hidden_dim": 64, "num_heads": 4, "encoder_layers": 1, "decoder_layers": 2,
    "feedforward_dim": 64, "num_learned_queries": 2,
    "student": {"hidden_dim": 16, "num_layers": 1, "feedforward_dim": 16},
}  # fmt: skip


@pytest.fixture(autouse=True)
def _one_thread():
    """Threads only wait for each other on networks this small."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def tiny_model(**changes: object) -> VSDMOT:
    """Make a network that leaves every box where its anchor is, so that a proposal on a person becomes a track."""
    torch.manual_seed(0)
    model = VSDMOT(from_mapping(ModelConfig, {**TINY, **changes})).train()
    with torch.no_grad():
        for head in model.decoder.box_heads:
            head.layers[-1].bias.zero_()
    return model


def stirred_model(**changes: object) -> VSDMOT:
    """Make a network whose heads all say something, so that every parameter matters."""
    model = tiny_model(**changes)
    with torch.no_grad():
        for box_head, class_head in zip(model.decoder.box_heads, model.decoder.class_heads, strict=True):
            box_head.layers[-1].weight.normal_(std=0.02)
            class_head.weight.normal_(std=0.1)
            class_head.bias.fill_(1.5)
    return model


SPOTS = torch.tensor([[0.2, 0.5, 0.2, 0.5], [0.5, 0.5, 0.2, 0.5], [0.8, 0.5, 0.2, 0.5]])


def make_frame(
    t: int, people: tuple[int, ...] = (0, 1), proposed: tuple[int, ...] | None = None, size: tuple[int, int] = (32, 64)
) -> ClipFrame:
    """Give a frame in which person k stands at spot k and has id ``10 + k``."""
    generator = torch.Generator().manual_seed(t)
    proposals = SPOTS[list(people if proposed is None else proposed)]
    return ClipFrame(
        image=torch.randn(3, *size, generator=generator),
        boxes=SPOTS[list(people)] + 0.01 * torch.rand(len(people), 4, generator=generator),
        ids=torch.tensor([10 + k for k in people], dtype=torch.int64),
        proposals=proposals,
        scores=torch.rand(len(proposals), generator=generator),
        quality=0.3 + 0.1 * t,
        teacher=torch.randn(3, 8, generator=generator),
        name=f"video/{t + 1}",
    )


def make_clip(*people: tuple[int, ...], **changes: object) -> Clip:
    return tuple(make_frame(t, who, **changes) for t, who in enumerate(people))


@dataclass(frozen=True, eq=False)
class Said:
    """What a distiller says."""

    total: Tensor
    parts: dict[str, Tensor]
    monitors: dict[str, Tensor] = field(default_factory=dict)


class StandIn(nn.Module):
    """A distiller: the distance of the mean semantics and the projected mean of the teacher."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.projection = nn.Linear(8, 64)

    def forward(self, semantic: Tensor, teacher: Tensor) -> Said:
        towards = self.projection(teacher.mean(0))
        distance = (semantic[0] - towards).square().mean() if semantic.shape[1] else 0 * towards.sum() + semantic.sum()
        return Said(distance, {"distance": distance.detach()}, {"spread": teacher.std()})


def gradients(module: nn.Module) -> Tensor:
    return torch.cat([p.grad.flatten() for p in module.parameters() if p.requires_grad])


def loss_and_gradients(clip_model: ClipModel, clip: Clip, **arguments: object) -> tuple[float, Tensor]:
    clip_model.zero_grad(set_to_none=True)
    generator = torch.Generator().manual_seed(5)
    loss = clip_model(clip, float(max(num_boxes(clip), 1)), generator, **arguments)
    loss.total.backward()
    return float(loss.total.detach()), gradients(clip_model)


COMING_AND_GOING = make_clip((0, 1), (0, 2), (0, 1, 2))

EDGES = {
    "usual": (COMING_AND_GOING, {}),
    "one frame": (make_clip((0, 1)), {}),
    "no people": (make_clip((), (), proposed=(0, 1)), {}),
    "no proposals": (make_clip((0, 1), (0, 1), proposed=()), {}),
    "neither": (make_clip((), ()), {}),
    "no queries": (make_clip((0,), (0,), proposed=()), {"num_learned_queries": 0}),
    "no queries and no people": (make_clip((), (), proposed=()), {"num_learned_queries": 0}),
    "people only at the end": (make_clip((), (0, 1)), {}),
    "people only at the beginning": (make_clip((0, 1), ()), {}),
    "more people than queries": (make_clip((0, 1, 2), (0, 1, 2), proposed=()), {}),
    "duplicated proposals": (make_clip((0,), (0,), proposed=(0, 0, 0)), {}),
}


@pytest.mark.parametrize(
    ("case", "checkpointing"),
    [*((case, False) for case in EDGES), *((case, True) for case in ("usual", "neither", "no queries and no people"))],
)
def test_every_parameter_has_a_finite_gradient_whatever_the_clip(case, checkpointing):
    clip, changes = EDGES[case]
    config = ClipLossConfig(encode_together=not checkpointing, checkpointing=checkpointing)
    clip_model = ClipModel(tiny_model(**changes), config, StandIn())
    loss = clip_model(clip, float(max(num_boxes(clip), 1)), torch.Generator().manual_seed(0))
    loss.total.backward()
    for name, parameter in clip_model.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


def follow(*people: tuple[int, ...], **changes: object):
    """Unroll a clip and give, for each frame, the ids that came in and those of the matched queries."""
    config = ClipLossConfig(**changes)
    steps = ClipModel(tiny_model(), config).unroll(make_clip(*people), torch.Generator().manual_seed(0))
    return [(sorted(step.query_ids[step.query_ids != NOBODY].tolist()), step.judged.matches) for step in steps]


def test_a_person_who_leaves_and_returns_keeps_the_track():
    came_in = [ids for ids, _ in follow((0, 1), (0,), (), (0, 1))]
    assert came_in == [[], [10, 11], [10, 11], [10, 11]]


def test_a_newcomer_becomes_a_track_and_the_absent_person_background():
    (_, _), (came_in, matches), (later, _) = follow((0,), (2,), ())
    assert came_in == [10]
    assert matches.queries.shape[1] == 1
    track = int(np.flatnonzero(matches.ids == 10)[0])
    assert matches.person_of[track] == NOBODY
    assert later == [10, 12]


def test_dropped_tracks_must_be_born_again():
    steps = follow((0, 1), (0, 1), (0, 1), drop_rate=1.0)
    assert [ids for ids, _ in steps] == [[], [], []]
    assert all(sorted(matches.ids[matches.ids != NOBODY]) == [10, 11] for _, matches in steps)


def test_false_positives_go_on_without_id_and_beside_the_tracks():
    clip = tuple(make_frame(t, (0,), proposed=(0, 0)) for t in range(2))
    plain, with_companions = (
        ClipModel(tiny_model(), ClipLossConfig(false_positive_rate=rate)).unroll(clip)[1].query_ids for rate in (0, 1)
    )
    num_fresh = 2 + 2
    assert plain[num_fresh:].tolist() == [10]
    assert sorted(with_companions[num_fresh:].tolist()) == [NOBODY, 10]


def test_options_and_noise_depend_on_the_generator_alone():
    config = ClipLossConfig(drop_rate=0.5, false_positive_rate=0.5)
    clip_model = ClipModel(stirred_model(), config)
    losses = [
        float(clip_model(COMING_AND_GOING, 8.0, torch.Generator().manual_seed(seed)).total.detach())
        for seed in (0, 0, 1)
    ]
    assert losses[0] == losses[1] != losses[2]
    global_draws = []
    for _ in range(2):
        torch.manual_seed(3)
        global_draws.append(float(clip_model(COMING_AND_GOING, 8.0).total.detach()))
    assert global_draws[0] == global_draws[1]


def test_the_total_is_the_weighted_sum_of_the_parts_which_are_sums_over_frames_and_layers():
    clip_model = ClipModel(stirred_model(), ClipLossConfig())
    loss = clip_model(COMING_AND_GOING, 7.0, torch.Generator().manual_seed(0))
    steps = clip_model.unroll(COMING_AND_GOING, torch.Generator().manual_seed(0))
    expected = dict.fromkeys(["ce", "l1", "giou", "aux_ce", "aux_l1", "aux_giou", "denoise_l1", "denoise_giou"], 0.0)
    for step, layer, (k, kind) in itertools.product(steps, range(2), enumerate(KINDS)):
        name = f"aux_{kind}" if layer == 0 and "denoise" not in kind else kind
        expected[name] += float(step.judged.terms[layer, k].detach()) / 7
    assert {name: float(value) for name, value in loss.parts.items()} == pytest.approx(expected, rel=1e-5)
    by_hand = sum({"ce": 2, "l1": 5, "giou": 2}[name.rpartition("_")[2]] * value for name, value in expected.items())
    assert float(loss.total.detach()) == pytest.approx(by_hand, rel=1e-5)


def test_distillation_and_tracking_are_mixed_by_eq_15():
    clip, model, teacher = COMING_AND_GOING, stirred_model(), StandIn()
    alone = ClipModel(model, ClipLossConfig())(clip, 8.0, torch.Generator().manual_seed(0))
    both = ClipModel(model, ClipLossConfig(alpha=0.3), teacher)(clip, 8.0, torch.Generator().manual_seed(0), clips=4.0)
    steps = ClipModel(model, ClipLossConfig()).unroll(clip, torch.Generator().manual_seed(0))
    distances = [
        float(teacher(step.prediction.semantic, frame.teacher).total.detach())
        for step, frame in zip(steps, clip, strict=True)
    ]
    distill = sum(distances) / 3 / 4
    assert float(both.parts["distill"]) == pytest.approx(distill, rel=1e-5)
    assert float(both.parts["distance"]) == pytest.approx(distill, rel=1e-5)
    assert float(both.total.detach()) == pytest.approx(0.3 * distill + 0.7 * float(alone.total.detach()), rel=1e-5)
    spread = sum(float(frame.teacher.std()) for frame in clip) / 3
    assert float(both.monitors["spread"]) == pytest.approx(spread, rel=1e-5)
    weights = [float(step.prediction.semantic_weight.detach()) for step in steps]
    assert float(both.monitors["semantic_weight"]) == pytest.approx(sum(weights) / 3, rel=1e-5)


def test_the_distiller_sees_the_semantics_of_all_queries_but_those_of_denoising():
    clip_model = ClipModel(tiny_model(), ClipLossConfig(), StandIn())
    counts = []
    clip_model.distiller.register_forward_hook(lambda _, arguments, __: counts.append(arguments[0].shape[1]))
    steps = clip_model.unroll(COMING_AND_GOING)
    assert counts == [len(step.query_ids) for step in steps]


def test_denoising_queries_change_nothing_for_the_others():
    model = stirred_model()
    with_them, without = (
        ClipModel(model, ClipLossConfig(denoising=on)).unroll(COMING_AND_GOING) for on in (True, False)
    )
    for one, other in zip(with_them, without, strict=True):
        real = len(other.query_ids)
        assert one.prediction.decoded.logits.shape[-1] > real == other.prediction.decoded.logits.shape[-1]
        torch.testing.assert_close(
            one.prediction.decoded.boxes[:, :, :real], other.prediction.decoded.boxes, rtol=0, atol=1e-6
        )
        torch.testing.assert_close(one.judged.terms[:, :3], other.judged.terms[:, :3], rtol=1e-5, atol=1e-6)
        assert (one.judged.terms[:, 3:] > 0).all()
        assert (other.judged.terms[:, 3:] == 0).all()


@pytest.mark.parametrize(
    "how",
    [{"encode_together": False}, {"encode_together": False, "checkpointing": True}],
    ids=["frame by frame", "checkpointed"],
)
def test_how_a_clip_is_computed_does_not_matter(how):
    model, options = stirred_model(), {"drop_rate": 0.3, "false_positive_rate": 0.3}
    expected = loss_and_gradients(ClipModel(model, ClipLossConfig(**options), StandIn()), COMING_AND_GOING)
    found = loss_and_gradients(ClipModel(model, ClipLossConfig(**options, **how), StandIn()), COMING_AND_GOING)
    assert found[0] == pytest.approx(expected[0], rel=1e-6)
    assert float((found[1] - expected[1]).abs().max() / expected[1].abs().max()) < 1e-5


def test_checkpointing_gives_the_very_same_numbers_with_dropout_too():
    model = stirred_model(dropout=0.3)
    results = []
    for checkpointing in (False, True):
        torch.manual_seed(7)
        config = ClipLossConfig(encode_together=False, checkpointing=checkpointing)
        results.append(loss_and_gradients(ClipModel(model, config), COMING_AND_GOING))
    assert results[0][0] == results[1][0]
    assert torch.equal(results[0][1], results[1][1])


def test_checkpointing_computes_all_frames_but_the_last_a_second_time():
    clip_model = ClipModel(tiny_model(), ClipLossConfig(encode_together=False, checkpointing=True))
    calls = []
    clip_model.model.encoder.register_forward_hook(lambda *_: calls.append(1))
    loss = clip_model(COMING_AND_GOING, 7.0)
    assert len(calls) == 3
    loss.total.backward()
    assert len(calls) == 5


def test_bf16_is_close_to_fp32_and_leaves_the_delicate_parts_alone():
    model = stirred_model()
    dtypes = {}

    def note(name: str) -> Callable[..., None]:
        return lambda _, __, output: dtypes.update({name: getattr(output, "features", output).dtype})

    clip_model = ClipModel(model, ClipLossConfig(precision="bf16"), StandIn())
    handles = [
        part.register_forward_hook(note(name))
        for name, part in (
            ("backbone", model.backbone.layer4),
            ("offsets", model.encoder.layers[0].attention.sampling_offsets),
            ("decoder", model.decoder.layers[0]),
            ("student", model.student),
            ("query interaction", model.query_interaction.content_norm),
        )
    ]
    handles.append(
        model.encoder.layers[0].register_forward_pre_hook(
            lambda _, arguments: dtypes.update(tokens=arguments[0].dtype, references=arguments[2].dtype)
        )
    )
    found = loss_and_gradients(clip_model, COMING_AND_GOING)
    for handle in handles:
        handle.remove()
    assert {name for name, dtype in dtypes.items() if dtype == torch.bfloat16} == {"backbone", "offsets"}
    assert {name for name, dtype in dtypes.items() if dtype == torch.float32} == {
        "tokens", "references", "decoder", "student", "query interaction",
    }  # fmt: skip
    features = clip_model._extract(COMING_AND_GOING[0].image[None])
    assert clip_model._encode(features).tokens.dtype == torch.float32
    expected = loss_and_gradients(ClipModel(model, ClipLossConfig(), StandIn()), COMING_AND_GOING)
    assert found[0] == pytest.approx(expected[0], rel=1e-2)
    assert float(torch.cosine_similarity(found[1], expected[1], dim=0)) > 0.99


def test_gradients_flow_through_time_by_content_and_not_by_boxes():
    steps = ClipModel(stirred_model(), ClipLossConfig()).unroll(COMING_AND_GOING)
    decoded, later = steps[0].prediction.decoded, steps[2].judged.terms.sum()
    by_content, by_boxes, by_logits = torch.autograd.grad(
        later, [decoded.embeddings, decoded.boxes, decoded.logits], allow_unused=True
    )
    assert by_content.abs().max() > 0
    assert by_boxes is None
    assert by_logits is None


def test_the_gradients_of_the_clips_of_a_step_add_up():
    """Each person weighs the same, in whichever clip."""
    clip_model = ClipModel(stirred_model(), ClipLossConfig(denoising=False), StandIn())
    crowded, lonely = COMING_AND_GOING, make_clip((0,), ())
    total = float(num_boxes(crowded) + num_boxes(lonely))
    clip_model(crowded, total, clips=2.0).total.backward()
    clip_model(lonely, total, clips=2.0).total.backward()
    together = gradients(clip_model)
    shares = []
    for clip in (crowded, lonely):
        clip_model.zero_grad()
        steps = clip_model.unroll(clip)
        mot = sum((step.judged.terms * torch.tensor([2.0, 5, 2, 5, 2])).sum() for step in steps)
        distill = sum(step.distillation.total for step in steps) / len(steps)
        shares.append((mot, distill))
    (mot_a, distill_a), (mot_b, distill_b) = shares
    clip_model.zero_grad()
    (0.6 * (mot_a + mot_b) / total + 0.4 * (distill_a + distill_b) / 2 + clip_model._nothing()).backward()
    torch.testing.assert_close(together, gradients(clip_model), rtol=1e-4, atol=1e-6)


def test_clips_may_differ_in_size():
    clip_model = ClipModel(tiny_model(), ClipLossConfig())
    for size in ((64, 96), (50, 71)):
        assert torch.isfinite(clip_model(make_clip((0,), (0,), size=size), 2.0).total)


@pytest.mark.parametrize(
    ("poison", "people", "message"),
    [
        ("decoder.class_heads.1.bias", (0, 1), "video/1: the logits of decoder layer 2 are not finite; lower the lear"),
        ("decoder.class_heads.1.bias", (), "video/1: the loss ce of decoder layer 2 is nan; lower the learning rate"),
        ("decoder.box_heads.0.layers.2.bias", (0, 1), "video/1: the boxes of decoder layer 1 are not finite"),
    ],
)
def test_what_is_not_finite_is_named_with_its_frame(poison, people, message):
    model = tiny_model()
    with torch.no_grad():
        model.get_parameter(poison).fill_(float("nan"))
    with pytest.raises(TrainingError, match=message):
        ClipModel(model, ClipLossConfig())(make_clip(people, people), 4.0)


def test_a_frame_in_the_middle_is_found():
    clip = list(COMING_AND_GOING)
    clip[1] = dataclasses.replace(clip[1], image=clip[1].image * float("inf"))
    with pytest.raises(TrainingError, match="video/2: the logits of decoder layer 1 are not finite"):
        ClipModel(tiny_model(), ClipLossConfig())(tuple(clip), 7.0)
    clip = list(COMING_AND_GOING)
    clip[2] = dataclasses.replace(clip[2], boxes=clip[2].boxes * float("nan"))
    with pytest.raises(TrainingError, match="video/3: the boxes of people are not finite; correct the data"):
        ClipModel(tiny_model(), ClipLossConfig())(tuple(clip), 7.0)
    clip[2] = dataclasses.replace(COMING_AND_GOING[2], teacher=torch.full((3, 8), float("inf")))
    with pytest.raises(TrainingError, match=r"video/3: the distillation loss is (inf|nan); lower"):
        ClipModel(tiny_model(), ClipLossConfig(), StandIn())(tuple(clip), 7.0)


def test_what_training_needs_is_asked_for():
    with pytest.raises(ConfigError, match="denoising: must be false"):
        ClipModel(tiny_model(denoising=False), ClipLossConfig())
    with pytest.raises(ConfigError, match="distillation: needs a network with a student"):
        ClipModel(tiny_model(student=None, dswr=None), ClipLossConfig(), StandIn())
    with pytest.raises(ConfigError, match="checkpointing: must be false while encode_together is true, got True"):
        from_mapping(ClipLossConfig, {"checkpointing": True})
    untaught = dataclasses.replace(COMING_AND_GOING[0], teacher=None)
    with pytest.raises(TrainingError, match="video/1: has no features of the teacher"):
        ClipModel(tiny_model(), ClipLossConfig(), StandIn())((untaught,), 2.0)


def test_a_frozen_stem_is_the_stem_and_the_first_layer():
    model = tiny_model()
    freeze_stem(model)
    frozen = {name for name, parameter in model.named_parameters() if not parameter.requires_grad}
    assert frozen
    assert all(name.startswith(("backbone.conv1.", "backbone.layer1.")) for name in frozen)
    loss_and_gradients(ClipModel(model, ClipLossConfig()), COMING_AND_GOING)
    assert model.backbone.conv1.weight.grad is None


def test_plain_motrv2_trains_without_student():
    loss, gradient = loss_and_gradients(
        ClipModel(stirred_model(student=None, dswr=None), ClipLossConfig()), COMING_AND_GOING
    )
    assert np.isfinite(loss)
    assert gradient.abs().max() > 0


def test_a_few_steps_lower_the_loss():
    clip_model = ClipModel(tiny_model(), ClipLossConfig(), StandIn())
    optimiser = torch.optim.AdamW(clip_model.parameters(), lr=1e-3)
    losses = []
    for step in range(12):
        optimiser.zero_grad()
        loss = clip_model(COMING_AND_GOING, 7.0, torch.Generator().manual_seed(step))
        loss.total.backward()
        optimiser.step()
        losses.append(float(loss.total.detach()))
    assert losses[-1] < 0.6 * losses[0]


def test_nothing_that_reads_or_draws_video_is_needed():
    code = (
        "import sys, vsdmot.training.objective.clip_forward;"
        "print([name for name in ('av', 'supervision', 'trackers', 'torchvision', 'cv2') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


CLIPS_OF_A_STEP = (COMING_AND_GOING, make_clip((), (), proposed=(0,)))


def train_as_one_of_two(rank: int, folder: Path) -> None:
    """Take a step as a process among two, each with its own clip, and keep the gradients."""
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    clip_model = ClipModel(stirred_model(), ClipLossConfig(denoising=False), StandIn())
    parallel = nn.parallel.DistributedDataParallel(clip_model)
    boxes = float(sum(num_boxes(clip) for clip in CLIPS_OF_A_STEP))
    loss = parallel(CLIPS_OF_A_STEP[rank], boxes, clips=2.0)
    (loss.total * 2).backward()  # the wrapper averages over processes; a step is a sum
    torch.save(gradients(clip_model), folder / f"gradients{rank}.pt")
    torch.distributed.destroy_process_group()


def test_two_processes_give_the_gradients_of_one_even_if_one_sees_nobody(tmp_path):
    workers = [
        subprocess.Popen([sys.executable, __file__, str(rank), str(tmp_path)], stderr=subprocess.PIPE, text=True)
        for rank in range(2)
    ]
    for worker in workers:
        _, complaints = worker.communicate(timeout=120)
        assert worker.returncode == 0, complaints
    clip_model = ClipModel(stirred_model(), ClipLossConfig(denoising=False), StandIn())
    for clip in CLIPS_OF_A_STEP:
        clip_model(clip, float(sum(num_boxes(clip) for clip in CLIPS_OF_A_STEP)), clips=2.0).total.backward()
    expected = gradients(clip_model)
    for rank in range(2):
        found = torch.load(tmp_path / f"gradients{rank}.pt", weights_only=True)
        assert float((found - expected).abs().max() / expected.abs().max()) < 1e-5


if __name__ == "__main__":
    train_as_one_of_two(int(sys.argv[1]), Path(sys.argv[2]))


@pytest.mark.parametrize("update_matched", [True, False])
def test_only_with_updates_of_the_unsure_does_training_from_random_weights_get_off_the_ground(update_matched):
    """The same people, proposed in every frame: tracks must win over the proposals that repeat them."""
    model = tiny_model(trust_proposals=True, overlap_bias=True, student=None, dswr=None)
    config = ClipLossConfig(update_matched=update_matched, denoising=False)
    clips = ClipModel(model, config)
    clip = tuple(dataclasses.replace(make_frame(t), scores=torch.full((2,), 0.8)) for t in range(3))
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=2e-3)
    for _ in range(25):
        optimiser.zero_grad()
        clips(clip, float(num_boxes(clip))).total.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.1)
        optimiser.step()
    with torch.no_grad():
        last = clips.unroll(clip)[-1]
    scores = last.prediction.decoded.logits[-1, 0].sigmoid().numpy()
    is_track = last.query_ids != NOBODY
    margin = scores[is_track].min() - scores[~is_track].max()
    assert (margin > 0.2) if update_matched else (margin < 0.05), scores


def yolox_model(lively_network: Callable[..., YOLOX]) -> VSDMOT:
    torch.manual_seed(0)
    config = {**TINY, "backbone": "yolox", "encoder_layers": 0, "detector": {"depth": 0.33, "width": 0.125}}
    model = VSDMOT(from_mapping(ModelConfig, config)).train()
    model.backbone.load(lively_network(0.3, num_classes=1))
    return model


def test_proposals_of_the_own_detector_are_those_of_inference(lively_network):
    model = yolox_model(lively_network)
    proposing = ProposingConfig(score_threshold=0.02, max_proposals=30)
    clips = ClipModel(model, ClipLossConfig(propose=True, denoising=False), proposing=proposing)
    clip = tuple(make_frame(t, size=(32, 64)) for t in range(2))
    found, _ = clips._prepare(clip, torch.stack([frame.image for frame in clip]))
    for given, frame in zip(clip, found, strict=True):
        features = model.backbone(given.image[None])
        expected = propose(model.backbone.detect(features), (1, 1), proposing)
        assert len(frame.scores) == len(expected) > 3
        np.testing.assert_allclose(frame.scores.numpy(), expected.scores, rtol=1e-4)
        pixels = cxcywh_to_xyxy(frame.proposals.numpy()) * np.float32([64, 32, 64, 32])
        np.testing.assert_allclose(pixels, expected.boxes, atol=1e-2)
    assert len(clips.unroll(clip)[0].query_ids) == 2 + len(found[0].scores)


def test_proposals_of_the_own_detector_need_one():
    with pytest.raises(ConfigError, match="has no detector"):
        ClipModel(tiny_model(), ClipLossConfig(propose=True))
    with pytest.raises(ConfigError, match="encode_together"):
        ClipLossConfig(propose=True, encode_together=False)
