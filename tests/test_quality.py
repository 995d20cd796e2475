import dataclasses
import importlib.util
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from vsdmot.config import attribute_help, from_mapping, to_mapping
from vsdmot.errors import ConfigError
from vsdmot.quality import Measurements, QualityConfig, assess, combine, measure
from vsdmot.structures import Frame


def _load_benchmark():
    path = Path(__file__).resolve().parents[1] / "benchmarks" / "quality.py"
    spec = importlib.util.spec_from_file_location("benchmark_quality", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


bench = _load_benchmark()
BARS = [name for name, degradation in bench.DEGRADATIONS.items() if degradation.bar]


@pytest.fixture(scope="module")
def drawn():
    return [image for _, image in bench.drawn_pictures(4)]


@pytest.fixture(scope="module")
def held_out(shared_data):
    """Real pictures that had no part in choosing the constants; the large ones at half size, to save time."""
    pictures = [image for _, image in bench.held_out_pictures(shared_data)]
    pictures = [cv2.resize(i, (960, 540), interpolation=cv2.INTER_AREA) if i.shape[1] > 1000 else i for i in pictures]
    assert len(pictures) >= 20
    return pictures


def _noise_field(sigma, seed=0, shape=(480, 640), middle=128):
    field = np.random.default_rng(seed).normal(middle, sigma, shape)
    return np.repeat(np.clip(np.rint(field), 0, 255).astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize("name", BARS)
def test_score_falls_with_each_degradation_of_drawn_pictures(name, drawn):
    trends = [bench.trend([q.score for q in bench.ladder(image, bench.DEGRADATIONS[name])]) for image in drawn]
    assert np.mean(trends) <= -0.95
    assert max(trends) <= -0.8


@pytest.mark.parametrize("name", BARS)
def test_score_falls_with_each_degradation_of_held_out_pictures(name, held_out):
    trends = [bench.trend([q.score for q in bench.ladder(image, bench.DEGRADATIONS[name])]) for image in held_out]
    assert np.mean(trends) <= -0.95
    assert max(trends) <= -0.8


def test_the_grid_of_jpeg_is_no_detail_even_where_the_picture_has_little(drawn):
    for image in drawn:
        soft = cv2.GaussianBlur(image, (0, 0), 1.5)
        assert bench.trend([q.score for q in bench.ladder(soft, bench.DEGRADATIONS["JPEG upon JPEG"])]) <= -0.95


@pytest.mark.parametrize(
    ("degradation", "term", "direction"),
    [
        ("noise", "noise", 1),
        ("JPEG", "noise", 1),
        ("blur", "clarity", -1),
        ("down and up", "clarity", -1),
        ("motion blur", "clarity", -1),
        ("low light", "contrast", -1),
        ("low light, shot noise", "contrast", -1),
    ],
)
def test_each_term_follows_its_own_degradation(degradation, term, direction, drawn):
    rows = [[getattr(q, term) for q in bench.ladder(image, bench.DEGRADATIONS[degradation])] for image in drawn]
    average = np.mean(rows, axis=0)
    assert (direction * np.diff(average) > 0).all()


def test_almost_every_twice_degraded_picture_scores_below_its_original(held_out):
    rng = np.random.default_rng(1)
    below = [assess(bench.composite(i, rng)).score < assess(i).score for i in held_out[::2] for _ in range(6)]
    assert np.mean(below) >= 0.97


def test_originals_score_high_and_ruined_pictures_low(held_out):
    rng = np.random.default_rng(2)
    assert min(assess(image).score for image in held_out) > 0.6
    assert np.median([assess(image).score for image in held_out]) > 0.7
    ruined = [bench.noise(bench.resample(image, 4, rng), 15, rng) for image in held_out]
    assert max(assess(image).score for image in ruined) < 0.45


def test_small_compressed_clip_scores_below_the_same_frames_at_full_size(shared_data):
    with bench.av.open(str(shared_data / "clips" / "pets09_s2l1_480x360.mp4")) as container:
        for index, picture in zip(range(1, 41), container.decode(video=0), strict=False):
            if index % 10 == 1:
                path = shared_data / "mot15" / "train" / "PETS09-S2L1" / "img1" / f"{index:06d}.jpg"
                original = cv2.imread(str(path))[..., ::-1]
                assert assess(original).score > assess(picture.to_ndarray(format="rgb24")).score


def test_published_second_order_outputs_score_below_their_originals(shared_golden):
    folder = shared_golden / "degrade" / "png"
    pairs = [
        (clean, spoilt) for clean in folder.glob("*_clean.png") for spoilt in folder.glob(f"{clean.stem[:-6]}_seed*")
    ]
    assert pairs
    for clean, spoilt in pairs:
        scores = [assess(np.ascontiguousarray(cv2.imread(str(path))[..., ::-1])).score for path in (clean, spoilt)]
        assert scores[1] < scores[0] - 0.1, spoilt.name


def test_enlarging_a_small_picture_never_beats_the_large_original(drawn):
    for image in drawn:
        small = cv2.resize(image, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA)
        enlarged = cv2.resize(small, image.shape[1::-1], interpolation=cv2.INTER_LANCZOS4)
        assert assess(enlarged).score < assess(image).score - 0.05


def _checkerboard(height, width, square=1):
    rows, columns = np.mgrid[:height, :width]
    return np.repeat(((rows // square + columns // square) % 2 * 255).astype(np.uint8)[..., None], 3, axis=2)


EDGE_PICTURES = {
    "black": np.zeros((480, 640, 3), np.uint8),
    "white": np.full((480, 640, 3), 255, np.uint8),
    "grey": np.full((480, 640, 3), 128, np.uint8),
    "1 x 1": np.full((1, 1, 3), 90, np.uint8),
    "3 x 2000": np.random.default_rng(0).integers(0, 256, (3, 2000, 3), np.uint8),
    "2000 x 3": np.random.default_rng(0).integers(0, 256, (2000, 3, 3), np.uint8),
    "8 x 8": np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8),
    "33 x 47": np.random.default_rng(0).integers(0, 256, (33, 47, 3), np.uint8),
    "pure noise": np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8),
    "checkerboard of pixels": _checkerboard(480, 640),
    "checkerboard of 8": _checkerboard(480, 640, 8),
    "one white pixel": np.pad(np.full((1, 1, 3), 255, np.uint8), ((99, 100), (99, 100), (0, 0))),
    "half black, half white": np.repeat(np.array([0, 255], np.uint8), 160)[None, :, None].repeat(240, 0).repeat(3, 2),
}


@pytest.mark.parametrize("name", EDGE_PICTURES)
def test_every_picture_gets_finite_values_in_range_twice_the_same(name):
    image = EDGE_PICTURES[name]
    before = image.copy()
    quality = assess(image)  # FrameQuality itself refuses NaN and anything outside [0, 1]
    assert assess(image) == quality
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("name", ["black", "white", "grey", "1 x 1"])
def test_featureless_pictures_score_zero_and_are_not_noisy(name):
    quality = assess(EDGE_PICTURES[name])
    assert (quality.clarity, quality.noise, quality.contrast, quality.score) == (0, 0, 0, 0)


def test_pure_noise_is_called_noise():
    quality = assess(EDGE_PICTURES["pure noise"])
    assert quality.noise > 0.99
    assert quality.clarity < 0.01
    assert quality.score < 0.01


@pytest.mark.parametrize(
    "image",
    [np.zeros((0, 5, 3), np.uint8), np.zeros((5, 5), np.uint8), np.zeros((5, 5, 4), np.uint8), np.zeros((5, 5, 3))],
    ids=["empty", "grey", "RGBA", "float"],
)
def test_anything_but_uint8_rgb_is_refused(image):
    with pytest.raises(ValueError, match=r"\(H, W, 3\) uint8 RGB"):
        assess(image)


def test_a_frame_is_judged_by_its_image(drawn):
    assert assess(Frame(index=7, time=0.2, image=drawn[0])) == assess(drawn[0])


def test_mirrored_and_half_turned_pictures_score_nearly_the_same(drawn):
    for image in drawn:
        for turned in (image[:, ::-1], image[::-1], image[::-1, ::-1]):
            assert assess(turned).score == pytest.approx(assess(image).score, abs=0.01)


def test_views_score_as_their_copies(drawn):
    view = drawn[0][4:-3:2, ::-1]
    assert assess(view) == assess(view.copy())


def test_black_bars_do_not_hide_noise(drawn):
    noisy = bench.noise(drawn[0], 20, np.random.default_rng(0))
    boxed = np.pad(noisy, ((96, 96), (0, 0), (0, 0)))
    assert measure(boxed).fine_noise == pytest.approx(measure(noisy).fine_noise, rel=0.05)


@pytest.mark.parametrize("sigma", [5, 10, 20, 30])
def test_white_noise_is_measured_at_its_true_sigma_at_both_scales(sigma):
    found = measure(_noise_field(sigma))
    assert found.fine_noise == pytest.approx(sigma, rel=0.03)
    assert found.coarse_noise == pytest.approx(sigma / 4, rel=0.1)
    assert found.deviation == pytest.approx(sigma, rel=0.02)
    assert found.laplacian == pytest.approx(20 * sigma**2, rel=0.02)


def test_coarse_noise_shows_where_fine_noise_does_not():
    small = _noise_field(20, shape=(120, 160))
    found = measure(cv2.resize(small, (640, 480), interpolation=cv2.INTER_CUBIC))
    assert found.coarse_noise > 4 * found.fine_noise


def test_grid_is_the_step_across_the_lines_of_the_8_by_8_squares():
    tiles = np.random.default_rng(0).integers(0, 256, (12, 16), np.uint8)
    image = np.repeat(np.kron(tiles, np.ones((8, 8), np.uint8))[..., None], 3, axis=2)
    tiles = tiles.astype(int)
    expected = (np.abs(np.diff(tiles, axis=0)).mean() + np.abs(np.diff(tiles, axis=1)).mean()) / 2
    assert measure(image).grid == pytest.approx(expected)
    assert measure(np.roll(image, 3, axis=(0, 1))[8:-8, 8:-8]).grid == 0  # a grid elsewhere is no JPEG grid


def test_statistics_are_their_definitions_pixel_by_pixel():
    image = cv2.GaussianBlur(np.random.default_rng(3).integers(0, 256, (37, 50, 3), np.uint8), (0, 0), 0.7)
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(float)
    found = measure(image)
    assert found.side == pytest.approx(np.sqrt(37 * 50))
    assert found.deviation == pytest.approx(np.sqrt(np.mean((grey - grey.mean()) ** 2)))
    assert found.laplacian == pytest.approx(_slow_laplacian_variance(grey, skip=(0, 7)), rel=1e-5)
    coarse = np.array([[grey[4 * i : 4 * i + 4, 4 * j : 4 * j + 4].mean() for j in range(12)] for i in range(9)])
    assert found.coarse_detail == pytest.approx(np.sqrt(_slow_laplacian_variance(coarse) / 20), rel=1e-5)
    assert found.fine_noise == pytest.approx(_slow_flat_noise(grey, 16) / 0.892, rel=1e-5)
    assert found.coarse_noise == pytest.approx(_slow_flat_noise(coarse, 4, rows=2, columns=3) / 0.636, rel=1e-5)
    assert found.grid == pytest.approx(_slow_grid(grey), abs=1e-9)


def _at(plane, i, j):
    """Value with the picture mirrored about its border pixels."""
    reflect = [n - 2 * max(0, n - top + 1) for n, top in zip((abs(i), abs(j)), plane.shape, strict=True)]
    return plane[reflect[0], reflect[1]]


def _slow_laplacian_variance(plane, skip=()):
    values = []
    for i in [i for i in range(plane.shape[0]) if i % 8 not in skip]:
        for j in [j for j in range(plane.shape[1]) if j % 8 not in skip]:
            around = _at(plane, i - 1, j) + _at(plane, i + 1, j) + _at(plane, i, j - 1) + _at(plane, i, j + 1)
            values.append(around - 4 * plane[i, j])
    return np.var(values)


def _slow_flat_noise(plane, block, rows=None, columns=None):
    weight = (1, -2, 1)
    sigmas = []
    for top in range(rows or plane.shape[0] // block):
        for left in range(columns or plane.shape[1] // block):
            total = 0.0
            for i in range(top * block, (top + 1) * block):
                for j in range(left * block, (left + 1) * block):
                    terms = [
                        weight[a + 1] * weight[b + 1] * _at(plane, i + a, j + b) for a in (-1, 0, 1) for b in (-1, 0, 1)
                    ]
                    total += abs(sum(terms))
            sigmas.append(total / block**2 * np.sqrt(np.pi / 2) / 6)
    return np.percentile(sigmas, 10)


def _slow_grid(grey):
    excess = 0.0
    for plane in (grey, grey.T):
        steps = [np.mean([abs(row[x + 1] - row[x]) for row in plane]) for x in range(plane.shape[1] - 1)]
        at = np.mean(steps[7::8])
        beside = (np.mean(steps[6::8]) + np.mean(steps[8::8])) / 2
        excess += (at - beside) / 2
    return max(0.0, excess)


def test_score_is_the_documented_formula():
    found = Measurements(
        side=700.0, laplacian=900.0, deviation=50.0, fine_noise=3.0, coarse_noise=1.0, coarse_detail=7.7, grid=2.0
    )
    signal = (50**2 - 3**2) ** 0.5
    tone = signal + 1.5
    x = (3 / tone / 0.25) ** 2 + (2 / tone / 0.18) ** 2 + (1 / 8.0 / 1.0) ** 2
    detail = (900 - 20 * 3**2) ** 0.5 / tone * 700 / 554
    clarity = 1 / (1 + x) * detail / (detail + 0.035)
    contrast = signal / (signal + 25) * (1 + 25 / 64)
    quality = combine(found)
    assert quality.noise == pytest.approx(x / (1 + x))
    assert quality.clarity == pytest.approx(clarity)
    assert quality.contrast == pytest.approx(contrast)
    assert quality.score == pytest.approx(clarity**1.5 * (1 / (1 + x)) ** 0.25 * contrast**0.5)


@pytest.mark.parametrize(
    ("changed", "raised", "effect"),
    [
        ("reference_side", 900.0, -1),
        ("detail_half", 0.2, -1),
        ("noise_half", 1.0, 1),
        ("coarse_half", 3.0, 1),
        ("grid_half", 1.0, 1),
        ("contrast_half", 80.0, -1),
        ("clarity_weight", 3.0, -1),
        ("noise_weight", 2.0, -1),
        ("contrast_weight", 2.0, -1),
    ],
)
def test_raising_a_constant_does_what_its_help_says(changed, raised, effect, drawn):
    rng = np.random.default_rng(0)
    image = bench.jpeg(bench.noise(drawn[0], 5, rng), 40, rng)
    difference = assess(image, QualityConfig(**{changed: raised})).score - assess(image).score
    assert effect * difference > 1e-4


def test_raising_the_tone_floor_discounts_noise_in_the_dark(drawn):
    dark = bench.darken_with_shot_noise(drawn[0], 0.2, np.random.default_rng(0))
    assert assess(dark, QualityConfig(tone_floor=20.0)).noise < assess(dark).noise


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(QualityConfig)])
@pytest.mark.parametrize("value", [-1.0, 1e9, float("nan")])
def test_constants_out_of_range_are_refused_by_name(name, value):
    with pytest.raises(ConfigError, match=name):
        QualityConfig(**{name: value})


def test_constants_survive_the_checkpoint_and_are_all_explained():
    config = QualityConfig(detail_half=0.05, noise_weight=0.0)
    assert from_mapping(QualityConfig, to_mapping(config)) == config
    assert set(attribute_help(QualityConfig)) == {field.name for field in dataclasses.fields(QualityConfig)}


def test_the_formula_in_the_docs_has_the_constants_of_the_code():
    page = (Path(__file__).resolve().parents[1] / "docs" / "quality.md").read_text(encoding="utf-8")
    formula = page.split("```")[1]
    c = QualityConfig()
    for part in (
        f"(fine / (S + {c.tone_floor}) / {c.noise_half})^2",
        f"(grid / (S + {c.tone_floor}) / {c.grid_half})^2",
        f"(coarse / (coarse_detail + 0.3) / {c.coarse_half})^2",
        f"d / (d + {c.detail_half}),  d = D / (S + {c.tone_floor}) * side / {c.reference_side:g}",
        f"S / (S + {c.contrast_half:g})",
        f"clarity^{c.clarity_weight} * (1 - noise)^{c.noise_weight} * contrast^{c.contrast_weight}",
    ):
        assert part in formula


def test_extreme_constants_keep_every_picture_in_range():
    lowest = QualityConfig(
        reference_side=1.0, tone_floor=0.01, detail_half=1e-4, noise_half=1e-3, coarse_half=1e-3, grid_half=1e-3
    )
    for image in EDGE_PICTURES.values():
        assert 0.0 <= assess(image, lowest).score <= 1.0


def test_benchmark_prints_its_table_without_data(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["quality.py"])
    monkeypatch.setattr(bench, "milliseconds", lambda: 0.0)
    monkeypatch.setattr(bench, "drawn_pictures", lambda _: [("small", EDGE_PICTURES["checkerboard of 8"][:96, :128])])
    bench.main()
    printed = capsys.readouterr().out
    assert all(name in printed for name in bench.DEGRADATIONS)


def test_benchmark_says_when_the_folder_holds_no_sequence(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(sys, "argv", ["quality.py", "--data", str(tmp_path)])
    with pytest.raises(SystemExit):
        bench.main()
    assert "ETH-Sunnyday/img1" in capsys.readouterr().err
