"""Measure whether the quality score (Sec. III-C, stage 1) falls when a picture gets worse, and what it costs.

Each picture is degraded in one way at eight growing levels; the table gives Spearman's correlation of the score with
the level within a picture, as mean and worst over the pictures (-1 is perfect), and the share of degraded pictures
below their original. ``--data`` names a folder of MOTChallenge sequences; without it, pictures are drawn.

    python benchmarks/quality.py --data path/to/mot
"""

from __future__ import annotations

import argparse
import io
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from scipy.stats import spearmanr

from vsdmot.degradation.chain import apply
from vsdmot.degradation.drawing import draw_parameters
from vsdmot.quality import assess
from vsdmot.structures import FrameQuality, Image

# Constants of the score were chosen on other pictures (docs/quality.md), so these sequences may be reported.
HELD_OUT = {
    "ETH-Sunnyday": 6,
    "TUD-Stadtmitte": 4,
    "TUD-Campus": 3,
    "PETS09-S2L1": 6,
    "MOT17-05-FRCNN": 2,
    "MOT17-10-FRCNN": 2,
    "MOT17-11-FRCNN": 2,
    "MOT17-13-FRCNN": 2,
}
PHOTONS_AT_WHITE = 300.0


@dataclass(frozen=True)
class Degradation:
    """One way to spoil a picture: eight levels, mildest first, and whether its bar is binding."""

    levels: tuple[float, ...]
    apply: Callable[[Image, float, np.random.Generator], Image]
    bar: bool = True


def _to_uint8(values: np.ndarray) -> Image:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def blur(image: Image, sigma: float, _: np.random.Generator) -> Image:
    """Gaussian blur; sigma in pixels."""
    return cv2.GaussianBlur(image, (0, 0), sigma)


def noise(image: Image, sigma: float, rng: np.random.Generator) -> Image:
    """White Gaussian noise, independent in each channel; sigma in grey levels."""
    return _to_uint8(image + sigma * rng.standard_normal(image.shape, np.float32))


def resample(image: Image, factor: float, _: np.random.Generator) -> Image:
    """Shrink by a factor and enlarge to the old size."""
    height, width = image.shape[:2]
    small = cv2.resize(image, (round(width / factor), round(height / factor)), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def jpeg(image: Image, quality: float, _: np.random.Generator) -> Image:
    """Code with JPEG, 4:2:0."""
    coded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(quality)])[1]
    return np.ascontiguousarray(cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1])


def jpeg_anew(image: Image, quality: float, rng: np.random.Generator) -> Image:
    """Shrink to 3/4, which wipes the grid of an earlier coding, then code with JPEG; 100 leaves out the coding."""
    height, width = image.shape[:2]
    small = cv2.resize(image, (width * 3 // 4, height * 3 // 4), interpolation=cv2.INTER_AREA)
    return small if quality == 100 else jpeg(small, quality, rng)


def darken(image: Image, gain: float, _: np.random.Generator) -> Image:
    """Lower the gain and bend the tone curve downwards with it."""
    return _to_uint8(255 * gain * (image / np.float32(255)) ** (1 + 0.8 * (1 - gain)))


def darken_with_shot_noise(image: Image, gain: float, rng: np.random.Generator) -> Image:
    """The same, with the noise of counting photons; Gaussian with the variance of Poisson, ten times faster to draw."""
    light = gain * (image / np.float32(255)) ** (1 + 0.8 * (1 - gain))
    return _to_uint8(255 * (light + rng.standard_normal(image.shape, np.float32) * np.sqrt(light / PHOTONS_AT_WHITE)))


def smear(image: Image, length: float, _: np.random.Generator) -> Image:
    """Motion blur along a line at 25 degrees; length in pixels, odd."""
    kernel = np.zeros((int(length), int(length)), np.float32)
    centre, angle = int(length) // 2, np.deg2rad(25)
    step = np.array([np.cos(angle), np.sin(angle)]) * centre
    cv2.line(kernel, *(tuple(int(v) for v in np.rint(centre + sign * step)) for sign in (-1, 1)), 1.0)
    return cv2.filter2D(image, -1, kernel / kernel.sum())


def h264(image: Image, crf: float, _: np.random.Generator) -> Image:
    """Code as a key frame of H.264 at a constant rate factor; even sides."""
    image = np.ascontiguousarray(image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2])
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": str(int(crf))})
        stream.height, stream.width, stream.pix_fmt = image.shape[0], image.shape[1], "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    buffer.seek(0)
    with av.open(buffer) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")


_GAINS = (0.85, 0.7, 0.55, 0.45, 0.35, 0.27, 0.2, 0.14)
_QUALITIES = (90, 75, 60, 50, 40, 30, 20, 10)
DEGRADATIONS = {
    "blur": Degradation((0.5, 0.8, 1.2, 1.6, 2.0, 2.6, 3.2, 4.0), blur),
    "noise": Degradation((3, 6, 10, 15, 20, 27, 35, 45), noise),
    "down and up": Degradation((1.25, 1.5, 2, 2.5, 3, 4, 5, 6), resample),
    "JPEG": Degradation(_QUALITIES, jpeg_anew),
    "low light": Degradation(_GAINS, darken),
    "low light, shot noise": Degradation(_GAINS, darken_with_shot_noise),
    "motion blur": Degradation((3, 5, 7, 9, 13, 17, 23, 31), smear, bar=False),
    "H.264": Degradation((18, 23, 28, 32, 36, 40, 44, 48), h264, bar=False),
    "JPEG upon JPEG": Degradation(_QUALITIES, jpeg, bar=False),
}


def composite(image: Image, rng: np.random.Generator) -> Image:
    """Degrade by the second-order chain with the published distributions (Eq. 17)."""
    return apply(image, draw_parameters(rng), rng)


def drawn_pictures(count: int, height: int = 360, width: int = 480) -> Iterator[tuple[str, Image]]:
    """Draw pictures with the spectrum of natural ones (amplitude falls as frequency rises) and sharp-edged shapes."""
    for seed in range(count):
        rng = np.random.default_rng(seed)
        radius = np.hypot(np.fft.fftfreq(height)[:, None] * height, np.fft.rfftfreq(width)[None] * width)
        spectrum = np.fft.rfft2(rng.standard_normal((height, width))) / np.maximum(radius, 1) ** rng.uniform(1.0, 1.6)
        texture = np.fft.irfft2(spectrum, s=(height, width))
        grey = rng.uniform(80, 150) + rng.uniform(10, 25) * texture / texture.std()
        image = np.ascontiguousarray(np.repeat(_to_uint8(grey)[..., None], 3, axis=2))
        for _ in range(40):
            x, y, half_width, half_height = (int(rng.integers(0, top)) for top in (width, height, 30, 60))
            colour = tuple(int(v) for v in rng.integers(0, 256, 3))
            cv2.ellipse(image, (x, y), (half_width + 4, half_height + 4), 0, 0, 360, colour, -1, cv2.LINE_AA)
        yield f"drawn {seed}", image


def held_out_pictures(data: Path) -> Iterator[tuple[str, Image]]:
    """Read some frames of each held-out sequence below a folder, spread over time."""
    for name, count in HELD_OUT.items():
        for folder in sorted(data.glob(f"**/{name}/img1"))[:1]:
            paths = sorted(folder.glob("*.jpg"))
            for position in np.linspace(0, len(paths) - 1, min(count, len(paths))).astype(int):
                yield f"{name} {paths[position].stem}", cv2.imread(str(paths[position]))[..., ::-1].copy()


def ladder(image: Image, degradation: Degradation) -> list[FrameQuality]:
    """Qualities at the eight levels; the noise of each level is drawn from its own seed."""
    levels = enumerate(degradation.levels)
    return [assess(degradation.apply(image, level, np.random.default_rng(seed))) for seed, level in levels]


def trend(values: list[float]) -> float:
    """Spearman's correlation of the values with their place in the list; +1 (the worst) if all are the same."""
    return float(spearmanr(values, range(len(values))).statistic) if np.ptp(values) else 1.0


def milliseconds(height: int = 1080, width: int = 1920, repeats: int = 30) -> float:
    """Median time of one assessment after warm-up."""
    image = next(drawn_pictures(1, height, width))[1]
    times = []
    for _ in range(repeats + 5):
        start = time.perf_counter()
        assess(image)
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times[5:])


def second_order(pictures: list[tuple[str, Image]], originals: list[float], draws: int = 16) -> None:
    """Degrade each picture by the whole second-order chain (Eq. 17), and hold the scores against PSNR."""
    below, scores, fidelities, within = [], [], [], []
    for number, ((_, image), original) in enumerate(zip(pictures, originals, strict=True)):
        own_scores, own_fidelities = [], []
        for draw in range(draws):
            rng = np.random.default_rng([number, draw])
            spoilt = composite(image, rng)
            own_scores.append(assess(spoilt).score)
            own_fidelities.append(
                -10 * np.log10(np.mean((spoilt.astype(float) - image) ** 2))
            )  # PSNR but for a constant
        below += [score < original for score in own_scores]
        within.append(spearmanr(own_scores, own_fidelities).statistic)
        scores += own_scores
        fidelities += own_fidelities
    overall = spearmanr(scores, fidelities).statistic
    print(f"second order: {np.mean(below):.1%} of {len(below)} below their original, median {np.median(scores):.2f}")
    print(f"Spearman of Q with PSNR there: {np.mean(within):.2f} within a picture, {overall:.2f} over all")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder with MOTChallenge sequences; drawn pictures without it")
    data = parser.parse_args().data
    pictures = list(held_out_pictures(data) if data else drawn_pictures(6))
    if not pictures:
        parser.error(f"--data {data}: no folder like {next(iter(HELD_OUT))}/img1 with .jpg files below it")
    originals = [assess(image).score for _, image in pictures]
    print(f"{len(pictures)} pictures; originals score {min(originals):.2f} to {max(originals):.2f}")
    print(f"{'degradation':<24}{'bar':>5}{'mean':>8}{'worst':>8}{'below':>8}   median score at levels 1, 4, 6, 8")
    for name, degradation in DEGRADATIONS.items():
        scores = [[quality.score for quality in ladder(image, degradation)] for _, image in pictures]
        trends = [trend(row) for row in scores]
        starts = [assess(jpeg_anew(i, 100, np.random.default_rng())).score for _, i in pictures]
        starts = starts if degradation.apply is jpeg_anew else originals
        below = np.mean([np.mean(np.array(row) < start) for row, start in zip(scores, starts, strict=True)])
        medians = " ".join(f"{np.median([row[k] for row in scores]):.2f}" for k in (0, 3, 5, 7))
        bar = "yes" if degradation.bar else "-"
        print(f"{name:<24}{bar:>5}{np.mean(trends):>8.3f}{max(trends):>8.2f}{below:>8.1%}   {medians}")
    second_order(pictures, originals)
    print(f"time: {milliseconds():.1f} ms a frame at 1920 x 1080 ({cv2.getNumThreads()} OpenCV threads)")


if __name__ == "__main__":
    main()
