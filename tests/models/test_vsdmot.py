"""The whole network: size, switches, masks, batches."""

from __future__ import annotations

import pytest
import torch

from vsdmot.errors import ConfigError
from vsdmot.models.queries import Queries, denoising_mask
from vsdmot.models.student import StudentConfig
from vsdmot.models.vsdmot import VSDMOT, ModelConfig

SMALL = {
    "backbone": "resnet18",
    "hidden_dim": 64,
    "num_heads": 4,
    "encoder_layers": 1,
    "decoder_layers": 2,
    "feedforward_dim": 32,
    "num_learned_queries": 3,
    "student": StudentConfig(hidden_dim=16, num_layers=1, feedforward_dim=16),
}


def small_model(**changes) -> VSDMOT:
    torch.manual_seed(0)
    model = VSDMOT(ModelConfig(**{**SMALL, **changes})).eval()
    if model.student is not None:  # a new one adds nothing
        torch.nn.init.normal_(model.student.output_proj.weight)
    return model


def predict(model: VSDMOT, quality: float = 0.5, queries: Queries | None = None, images=None):
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(1, 3, 64, 96, generator=generator) if images is None else images
    boxes = torch.rand(1, 2, 4, generator=generator) * 0.3 + 0.3
    queries = queries or model.query_source(boxes, torch.tensor([[0.9, 0.2]]))
    with torch.no_grad():
        return model.decode(model.encode(images), queries, torch.tensor([quality]))


@pytest.mark.parametrize(
    ("config", "parameters"),
    [
        (ModelConfig(student=None, dswr=None), 41_875_718),  # the released MOTRv2
        (ModelConfig(dswr=None), 41_875_718 + 726_528),
        (ModelConfig(), 42_602_248),  # the paper's 42.6 M
    ],
    ids=["MOTRv2", "student", "VSD-MOT"],
)
def test_number_of_parameters_is_the_published_one(config, parameters):
    assert sum(p.numel() for p in VSDMOT(config).parameters()) == parameters


def test_without_student_quality_changes_nothing():
    model = small_model(student=None, dswr=None)
    low, high = predict(model, 0.0), predict(model, 1.0)
    torch.testing.assert_close(low.decoded.logits, high.decoded.logits, rtol=0, atol=0)
    assert low.semantic is None
    assert low.semantic_weight is None


def test_with_dswr_quality_changes_weight_and_prediction():
    model = small_model()
    low, high = predict(model, 0.0), predict(model, 1.0)
    assert low.semantic_weight.item() > high.semantic_weight.item()
    assert (low.decoded.embeddings - high.decoded.embeddings).abs().max() > 1e-4


def test_student_without_dswr_fuses_at_the_fixed_weight_whatever_the_quality():
    model = small_model(dswr=None, fixed_semantic_weight=0.25)
    low, high = predict(model, 0.0), predict(model, 1.0)
    assert low.semantic_weight.item() == 0.25
    torch.testing.assert_close(low.decoded.logits, high.decoded.logits, rtol=0, atol=0)
    unfused = predict(small_model(dswr=None, fixed_semantic_weight=0.0))
    assert (unfused.decoded.embeddings - low.decoded.embeddings).abs().max() > 1e-4


def test_zero_semantic_weight_is_plain_motrv2():
    student = small_model(dswr=None, fixed_semantic_weight=0.0)
    plain = small_model(student=None, dswr=None)
    plain.load_state_dict({k: v for k, v in student.state_dict().items() if not k.startswith("student.")})
    torch.testing.assert_close(predict(student).decoded.logits, predict(plain).decoded.logits)


def test_a_new_network_is_plain_motrv2_at_every_quality():
    torch.manual_seed(0)
    new = VSDMOT(ModelConfig(**SMALL)).eval()
    plain = small_model(student=None, dswr=None)
    plain.load_state_dict({k: v for k, v in new.state_dict().items() if not k.startswith(("student.", "dswr."))})
    for quality in (0.0, 0.5, 1.0):
        torch.testing.assert_close(predict(new, quality).decoded.boxes, predict(plain).decoded.boxes)


def test_dswr_without_student_is_refused():
    with pytest.raises(ConfigError, match="dswr: needs a student"):
        ModelConfig(student=None)


def test_a_frame_without_any_query_but_the_learned_ones_is_legal():
    model = small_model()
    queries = model.query_source(torch.zeros(1, 0, 4), torch.zeros(1, 0))
    assert predict(model, queries=queries).decoded.logits.shape == (2, 1, 3)


def test_padding_does_not_leak_into_predictions():
    model = small_model()
    images = torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(2))
    mask = torch.zeros(1, 64, 96, dtype=torch.bool)
    mask[:, :, 64:] = True
    queries = model.query_source(torch.full((1, 1, 4), 0.3), torch.ones(1, 1))
    quality = torch.tensor([0.5])
    with torch.no_grad():
        maps, positions = model.neck(model.backbone(images), mask)
        changed = maps.tokens.clone()
        changed[:, maps.padding_mask[0]] = 100.0
        for tokens in (maps.tokens, changed):
            poisoned = type(maps)(tokens, maps.sizes, maps.padding_mask, maps.valid_ratios)
            result = model.decode(model.encoder(poisoned, positions), queries, quality).decoded.boxes
            if tokens is maps.tokens:
                first = result
    torch.testing.assert_close(result, first)


def test_frames_of_a_batch_do_not_touch_each_other():
    model = small_model()
    generator = torch.Generator().manual_seed(3)
    images = torch.randn(2, 3, 64, 64, generator=generator)
    boxes, scores = torch.rand(2, 3, 4, generator=generator), torch.rand(2, 3, generator=generator)
    quality = torch.tensor([0.2, 0.8])
    with torch.no_grad():
        both = model.decode(model.encode(images), model.query_source(boxes, scores), quality)
        for b in range(2):
            one = slice(b, b + 1)
            alone = model.decode(model.encode(images[one]), model.query_source(boxes[one], scores[one]), quality[one])
            torch.testing.assert_close(both.decoded.boxes[:, one], alone.decoded.boxes, atol=1e-5, rtol=1e-4)
            torch.testing.assert_close(both.semantic_weight[one], alone.semantic_weight)


def test_denoising_queries_are_not_seen_by_the_others_and_bypass_the_student():
    model = small_model()
    images = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(4))
    queries = model.query_source(torch.full((1, 2, 4), 0.4), torch.ones(1, 2))
    quality = torch.tensor([0.3])
    with torch.no_grad():
        memory = model.encode(images)
        without = model.decode(memory, queries, quality)
        denoising = model.query_source.denoise(torch.full((1, 4, 4), 0.2))
        with_them = model.decode(memory, queries, quality, denoising)
    assert with_them.decoded.logits.shape[-1] == 5 + 4
    assert with_them.semantic.shape[1] == 5
    torch.testing.assert_close(with_them.decoded.boxes[:, :, :5], without.decoded.boxes)


def test_denoising_mask_hides_only_denoising_columns_from_real_rows():
    mask = denoising_mask(2, 1, torch.device("cpu"))
    assert mask.tolist() == [[False, False, True], [False, False, True], [False, False, False]]


def test_levels_follow_the_image_size_rounded_up():
    memory = small_model(num_levels=5).encode(torch.zeros(1, 3, 100, 131))
    assert memory.sizes == ((13, 17), (7, 9), (4, 5), (2, 3), (1, 2))


@pytest.mark.parametrize("backbone", ["resnet18", "resnet34", "resnet50", "resnet101"])
def test_every_backbone_gives_strides_8_16_32(backbone):
    model = small_model(backbone=backbone)
    with torch.no_grad():
        maps = model.backbone(torch.randn(1, 3, 64, 96))
    assert [tuple(m.shape[1:]) for m in maps] == [
        (channels, 64 // stride, 96 // stride)
        for channels, stride in zip(model.backbone.channels, (8, 16, 32), strict=True)
    ]


def test_a_student_with_image_context_sees_the_frame_and_the_literal_one_does_not():
    for context, differs in (("image", True), ("queries", False)):
        model = small_model(student=StudentConfig(hidden_dim=16, num_heads=2, feedforward_dim=16, context=context))
        content, quality = torch.randn(1, 5, model.config.hidden_dim), torch.tensor([0.3])
        with torch.no_grad():
            said = [model.fuse(content, quality, model.encode(torch.rand(1, 3, 64, 96) * s))[1] for s in (1, 3)]
        assert bool((said[0] - said[1]).abs().max() > 1e-4) is differs, context
