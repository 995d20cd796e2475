import dataclasses
import json
import math
from collections import Counter

import numpy as np
import pytest
from scipy import stats

from vsdmot.config import attribute_help, from_mapping, to_mapping
from vsdmot.degradation.drawing import (
    KERNEL_SIZES,
    DegradationConfig,
    SecondStageConfig,
    StageConfig,
    draw_parameters,
)
from vsdmot.degradation.parameters import DegradationParameters
from vsdmot.errors import ConfigError

NUM_DRAWS = 6000


@pytest.fixture(scope="module")
def draws():
    rng = np.random.default_rng(20)
    return [draw_parameters(rng) for _ in range(NUM_DRAWS)]


def assert_shares(values, expected):
    """Each share within four standard deviations of what it should be, and nothing else drawn."""
    counts, total = Counter(values), len(list(values))
    assert set(counts) == set(expected)
    for value, share in expected.items():
        assert abs(counts[value] / total - share) < 4 * math.sqrt(share * (1 - share) / total), value


def assert_uniform(values, low, high):
    assert len(values) > 60
    assert stats.kstest(values, "uniform", (low, high - low)).pvalue > 0.002


@pytest.mark.parametrize(("stage", "widest", "blurred"), [("first", 3.0, 1.0), ("second", 1.5, 0.8)])
def test_kernels_follow_the_published_laws(draws, stage, widest, blurred):
    kernels = [getattr(draw, stage).blur for draw in draws]
    assert abs(sum(k is not None for k in kernels) / NUM_DRAWS - blurred) < 4 * math.sqrt(0.2 * 0.8 / NUM_DRAWS)
    kernels = [k for k in kernels if k is not None]
    assert blurred < 1 or len(kernels) == NUM_DRAWS
    assert_shares([k.size for k in kernels], dict.fromkeys(KERNEL_SIZES, 1 / 8))
    shares = {
        ("sinc", True): 0.1,
        ("gaussian", True): 0.9 * 0.45,
        ("gaussian", False): 0.9 * 0.25,
        ("generalised", True): 0.9 * 0.12,
        ("generalised", False): 0.9 * 0.03,
        ("plateau", True): 0.9 * 0.12,
        ("plateau", False): 0.9 * 0.03,
    }
    assert_shares([(k.family, k.sigma_y is None) for k in kernels], shares)
    gaussians = [k for k in kernels if k.family != "sinc"]
    assert_uniform([k.sigma_x for k in gaussians], 0.2, widest)
    anisotropic = [k for k in gaussians if k.sigma_y is not None]
    assert_uniform([k.sigma_y for k in anisotropic], 0.2, widest)
    assert_uniform([k.angle for k in anisotropic], -math.pi, math.pi)
    assert {k.angle for k in kernels if k.sigma_y is None} == {0.0}
    assert_uniform([k.cutoff for k in kernels if k.family == "sinc" and k.size < 13], math.pi / 3, math.pi)
    assert_uniform([k.cutoff for k in kernels if k.family == "sinc" and k.size >= 13], math.pi / 5, math.pi)


def test_low_cut_offs_are_for_kernels_of_thirteen_pixels_and_more(draws):
    sincs = [draw.first.blur for draw in draws if draw.first.blur.family == "sinc"]
    assert {sinc.size for sinc in sincs if sinc.cutoff < math.pi / 3} == {13, 15, 17, 19, 21}


@pytest.mark.parametrize("stage", ["first", "second"])
def test_exponents_lie_below_and_above_one_equally_often(draws, stage):
    kernels = [blur for draw in draws if (blur := getattr(draw, stage).blur) is not None]
    generalised = [k.beta for k in kernels if k.family == "generalised"]
    assert_shares([beta < 1 for beta in generalised], {True: 0.5, False: 0.5})
    assert_uniform([beta for beta in generalised if beta < 1], 0.5, 1)
    assert_uniform([beta for beta in generalised if beta >= 1], 1, 4)
    plateau = [k.beta for k in kernels if k.family == "plateau"]
    assert_shares([beta == 1 for beta in plateau], {True: 0.5, False: 0.5})  # the published range starts at 1
    assert_uniform([beta for beta in plateau if beta > 1], 1, 2)


@pytest.mark.parametrize(
    ("stage", "shares", "low", "high", "sigma", "poisson"),
    [("first", (0.2, 0.7, 0.1), 0.15, 1.5, 30, 3.0), ("second", (0.3, 0.4, 0.3), 0.3, 1.2, 25, 2.5)],
)
def test_sizes_noise_and_jpeg_follow_the_published_laws(draws, stage, shares, low, high, sigma, poisson):
    stages = [getattr(draw, stage) for draw in draws]
    scales = [s.resize.scale for s in stages]
    assert_shares(np.sign(np.subtract(scales, 1)).tolist(), dict(zip((1.0, -1.0, 0.0), shares, strict=True)))
    assert_uniform([scale for scale in scales if scale > 1], 1, high)
    assert_uniform([scale for scale in scales if scale < 1], low, 1)
    assert_shares([s.resize.mode for s in stages], dict.fromkeys(("area", "bilinear", "bicubic"), 1 / 3))
    noise = {(kind, gray): 0.5 * (0.4 if gray else 0.6) for kind in ("gaussian", "poisson") for gray in (True, False)}
    assert_shares([(s.noise.kind, s.noise.gray) for s in stages], noise)
    assert_uniform([s.noise.strength for s in stages if s.noise.kind == "gaussian"], 1, sigma)
    assert_uniform([s.noise.strength for s in stages if s.noise.kind == "poisson"], 0.05, poisson)
    assert_uniform([s.jpeg_quality for s in stages], 30, 95)


def test_the_end_of_the_chain_follows_the_published_laws(draws):
    assert_shares([draw.jpeg_last for draw in draws], {True: 0.5, False: 0.5})
    assert_shares([draw.final_mode for draw in draws], dict.fromkeys(("area", "bilinear", "bicubic"), 1 / 3))
    assert_shares([draw.final_sinc is not None for draw in draws], {True: 0.8, False: 0.2})
    sincs = [draw.final_sinc for draw in draws if draw.final_sinc is not None]
    assert {sinc.family for sinc in sincs} == {"sinc"}
    assert_shares([sinc.size for sinc in sincs], dict.fromkeys(KERNEL_SIZES, 1 / 8))
    assert_uniform([sinc.cutoff for sinc in sincs], math.pi / 3, math.pi)
    assert not any(draw.sharpen for draw in draws)


def test_draws_of_the_two_stages_are_independent(draws):
    qualities = [(draw.first.jpeg_quality, draw.second.jpeg_quality) for draw in draws]
    assert abs(stats.spearmanr(qualities).statistic) < 4 / math.sqrt(NUM_DRAWS)


def test_the_same_seed_draws_the_same_parameters():
    first, again, other = (draw_parameters(np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert first == again
    assert first != other


def test_parameters_survive_json(draws):
    for draw in draws[:200]:
        text = json.dumps(to_mapping(draw))
        assert from_mapping(DegradationParameters, json.loads(text)) == draw


def test_every_kernel_that_can_be_drawn_can_be_made(draws):
    for draw in draws[:300]:
        kernel = draw.first.blur.kernel()
        assert kernel.shape == (draw.first.blur.size,) * 2
        assert kernel.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("option", "holds"),
    [
        ({"blur_probability": 0.0}, lambda s: s.blur is None),
        ({"sinc_probability": 1.0}, lambda s: s.blur.family == "sinc"),
        ({"sinc_probability": 0.0, "sigma": (5.0, 6.0)}, lambda s: 5 <= s.blur.sigma_x <= 6),
        ({"resize_probabilities": (0.0, 0.0, 1.0)}, lambda s: s.resize.scale == 1),
        ({"resize_probabilities": (1.0, 0.0, 0.0), "scale": (0.5, 4.0)}, lambda s: 1 <= s.resize.scale <= 4),
        ({"resize_probabilities": (0.0, 1.0, 0.0), "scale": (0.9, 1.0)}, lambda s: 0.9 <= s.resize.scale <= 1),
        ({"gaussian_probability": 1.0, "gaussian_sigma": (50.0, 60.0)}, lambda s: 50 <= s.noise.strength <= 60),
        ({"gaussian_probability": 0.0, "poisson_scale": (5.0, 6.0)}, lambda s: 5 <= s.noise.strength <= 6),
        ({"gray_probability": 1.0}, lambda s: s.noise.gray),
        ({"jpeg_quality": (7.0, 7.0)}, lambda s: s.jpeg_quality == 7),
    ],
)
def test_every_setting_of_a_stage_is_obeyed(option, holds):
    rng = np.random.default_rng(0)
    config = DegradationConfig(
        first=StageConfig(**option), second=SecondStageConfig(**{"blur_probability": 1.0, **option})
    )
    for _ in range(40):
        draw = draw_parameters(rng, config)
        assert holds(draw.first)
        assert holds(draw.second)


def test_settings_of_the_chain_are_obeyed():
    config = DegradationConfig(final_sinc_probability=0.0, sharpen=True)
    draws = [draw_parameters(np.random.default_rng(seed), config) for seed in range(40)]
    assert all(draw.sharpen and draw.final_sinc is None for draw in draws)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"first": {"sigma": [3.0, 0.2]}}, "first.sigma: must be two numbers, the lower first"),
        ({"first": {"resize_probabilities": [0.5, 0.6, 0.1]}}, "must be probabilities that sum to 1"),
        ({"first": {"resize_probabilities": [1.5, -0.5, 0.0]}}, "must be probabilities that sum to 1"),
        ({"second": {"scale": [0.5, 0.9]}}, "second.scale: must be 0.01 to 1, then 1 to 4"),
        ({"second": {"jpeg_quality": [0, 50]}}, "from 1 to 100"),
        ({"final_sinc_probability": 1.5}, "must be from 0 to 1, got 1.5"),
        ({"sharp": True}, "did you mean 'sharpen'"),
    ],
)
def test_impossible_settings_are_refused(values, message):
    with pytest.raises(ConfigError, match=message):
        from_mapping(DegradationConfig, values)


def test_settings_survive_json():
    config = DegradationConfig(final_sinc_probability=0.3)
    assert from_mapping(DegradationConfig, json.loads(json.dumps(to_mapping(config)))) == config


def test_one_changed_setting_of_the_second_stage_leaves_its_others_at_their_own_defaults():
    config = from_mapping(DegradationConfig, {"second": {"sigma": [0.5, 0.6]}})
    assert config.second == SecondStageConfig(sigma=(0.5, 0.6))
    assert config.second.scale == (0.3, 1.2)


@pytest.mark.parametrize("cls", [StageConfig, SecondStageConfig, DegradationConfig, DegradationParameters])
def test_every_setting_is_documented(cls):
    assert list(attribute_help(cls)) == [field.name for field in dataclasses.fields(cls)]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("first.blur.size", 8, "first.blur.size: must be odd, from 1 to 99, got 8"),
        ("first.blur.sigma_x", 0.0, "sigma_x: must be greater than 0"),
        ("first.blur.cutoff", 4.0, "cutoff: must be greater than 0 and at most pi"),
        ("first.blur.family", "box", "first.blur.family: expected"),
        ("second.resize.scale", 0.0, "second.resize.scale: must be from 0.01 to 4"),
        ("second.noise.strength", -1.0, "strength: must be at least 0"),
        ("second.jpeg_quality", 0.0, "second.jpeg_quality: must be from 1 to 100"),
        ("final_mode", "cubic", "final_mode: expected"),
    ],
)
def test_impossible_parameters_in_a_file_are_refused(path, value, message):
    tree = to_mapping(draw_parameters(np.random.default_rng(0)))
    *parents, last = path.split(".")
    node = tree
    for name in parents:
        node = node[name]
    node[last] = value
    with pytest.raises(ConfigError, match=message):
        from_mapping(DegradationParameters, tree)
