"""How many training frames a second the loader delivers, and where the time of a frame goes.

    python benchmarks/clip_loader.py [--frames 60] [--clips 24] [--rounds 3] [--workers 1 2]

Frames are drawn: JPEG of 1920x1080, clouds at several scales, whose files are about as long as those of photographs.
``published`` is MOTRv2's recipe (short side 608 to 992, long side up to 1536); ``nano`` is the same recipe in
proportion to an input of 256 x 448. Each round runs every number of workers once, in turn. "First epoch" measures the
quality of each frame, later ones know it. The first table stands beside it what the original's steps take: Pillow
decodes, scales with antialiasing, cuts, scales again, changes colours in int16, and torch normalises.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import torch

from vsdmot.quality import assess
from vsdmot.tracking.preprocess import MEAN, SPREAD, PreprocessConfig
from vsdmot.training.clips.augment import AugmentConfig, ClipView, draw_view
from vsdmot.training.clips.data import ClipDataConfig, ClipDataset
from vsdmot.training.clips.drawn_clip import normalise
from vsdmot.training.clips.loader import make_loader
from vsdmot.training.clips.online_degradation import OnlineDegradationConfig, draw_degradation
from vsdmot.training.clips.pictures import read_picture
from vsdmot.training.clips.sampling import SamplingConfig
from vsdmot.training.clips.sources import ClipSourceConfig
from vsdmot.training.task import Place

HEIGHT, WIDTH = 1080, 1920
RECIPES = {"published": AugmentConfig(), "nano": AugmentConfig.around(PreprocessConfig(short_side=256, long_side=448))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=60, help="frames on disk")
    parser.add_argument("--clips", type=int, default=24, help="clips of a measurement, of five frames each")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "drawn"
        draw_footage(root, arguments.frames)
        busy = os.getloadavg()[0]
        print(f"{WIDTH}x{HEIGHT}, OpenCV {cv2.__version__}, torch {torch.__version__}, load average {busy:.1f}\n")
        print_steps(root)
        print_rates(root, arguments)


def draw_footage(root: Path, num_frames: int) -> None:
    """Write a sequence with 20 people in each frame."""
    rng = np.random.default_rng(0)
    for name in ("img1", "gt"):
        (root / name).mkdir(parents=True)
    rows = []
    for frame in range(1, num_frames + 1):
        cv2.imwrite(str(root / "img1" / f"{frame:08d}.jpg"), clouds(rng), [cv2.IMWRITE_JPEG_QUALITY, 92])
        rows += [f"{frame},{person},{40 + 90 * person},300,60,180,1,1,1\n" for person in range(1, 21)]
    (root / "gt" / "gt.txt").write_text("".join(rows))


def clouds(rng: np.random.Generator) -> np.ndarray:
    """Draw noise at several scales, the coarser the stronger."""
    picture = np.full((HEIGHT, WIDTH, 3), 128, np.float32)
    for cells, strength in ((4, 60), (16, 30), (64, 15), (256, 8)):
        noise = rng.normal(0, strength, (cells, 2 * cells, 3)).astype(np.float32)
        picture += cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return picture.clip(0, 255).astype(np.uint8)


def print_steps(root: Path) -> None:
    """Time each step of a frame on one thread."""
    cv2.setNumThreads(1)
    path = next((root / "img1").iterdir())
    image = read_picture(path)
    names = ("decode", "quality (first epoch)", "crop, scale, mirror, recolour", "normalise", "the original's way")
    columns = {recipe: time_steps(path, image, config) for recipe, config in RECIPES.items()}
    degradation = draw_degradation(OnlineDegradationConfig(probability=1.0), np.random.default_rng(0))
    assert degradation is not None
    columns["published"]["degradation (if asked for)"] = columns["nano"]["degradation (if asked for)"] = median_ms(
        lambda: [degradation.apply(image, 0)], rounds=3
    )
    print("| CPU ms per frame | " + " | ".join(columns) + " |\n| --- |" + " --- |" * len(columns))
    for name in (*names, "degradation (if asked for)"):
        print(f"| {name} | " + " | ".join(f"{column[name]:.1f}" for column in columns.values()) + " |")
    print()


def time_steps(path: Path, image: np.ndarray, config: AugmentConfig) -> dict[str, float]:
    views = [draw_view(HEIGHT, WIDTH, config, np.random.default_rng(seed)) for seed in range(40)]
    outs = [np.empty((view.height, view.width, 3), np.uint8) for view in views]
    planes = [torch.empty((3, view.height, view.width)) for view in views]

    def each(step: Callable[[ClipView, np.ndarray, torch.Tensor], object]) -> float:
        return median_ms(lambda: [step(*given) for given in zip(views, outs, planes, strict=True)], rounds=3)

    return {
        "decode": median_ms(lambda: [read_picture(path)], rounds=15),
        "quality (first epoch)": median_ms(lambda: [assess(image)], rounds=15),
        "crop, scale, mirror, recolour": each(lambda view, out, _: view.show(image, out)),
        "normalise": each(lambda _, out, plane: normalise(out, plane)),
        "the original's way": each(lambda view, _, __: original_way(path, view)),
    }


def original_way(path: Path, view: ClipView) -> torch.Tensor:
    """Take the same view in the steps of the published loader."""
    with PIL.Image.open(path) as opened:
        picture = opened.convert("RGB")
    if view.is_cropped:
        left, top, right, bottom = view.window
        scale = 1000 / HEIGHT
        picture = picture.resize((round(WIDTH * scale), 1000), PIL.Image.Resampling.BILINEAR)
        picture = picture.crop(tuple(round(edge * scale) for edge in (left, top, right, bottom)))
    picture = picture.resize((view.width, view.height), PIL.Image.Resampling.BILINEAR)
    if view.flip:
        picture = picture.transpose(PIL.Image.Transpose.FLIP_LEFT_RIGHT)
    hsv = cv2.cvtColor(np.array(picture), cv2.COLOR_RGB2HSV).astype(np.int16)
    hsv[..., 0] = (hsv[..., 0] + view.hsv[0]) % 180
    hsv[..., 1] = np.clip(hsv[..., 1] + view.hsv[1], 0, 255)
    hsv[..., 2] = np.clip(hsv[..., 2] + view.hsv[2], 0, 255)
    pixels = torch.from_numpy(cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB))
    channels = pixels.permute(2, 0, 1).contiguous().float().div(255)
    return channels.sub_(torch.tensor(MEAN)[:, None, None]).div_(torch.tensor(SPREAD)[:, None, None])


def print_rates(root: Path, arguments: argparse.Namespace) -> None:
    """Time the whole loader, process to process."""
    kinds = {"later epochs": 0.0, "first epoch": 0.0, "all degraded online": 1.0}
    found: dict[tuple[str, str, int], list[tuple[float, float]]] = {}
    for _ in range(arguments.rounds):
        for recipe, augment in RECIPES.items():
            for kind, probability in kinds.items():
                num_clips = arguments.clips if probability == 0 else arguments.clips // 8
                for workers in arguments.workers:
                    dataset = make_dataset(root, augment, probability, num_clips)
                    if kind == "later epochs":
                        dataset._qualities.fill_(0.5)
                    found.setdefault((recipe, kind, workers), []).append(measure(dataset, workers))
    heads = [f"{workers} worker{'s' * (workers > 1)}, frames/s" for workers in arguments.workers]
    print("| | CPU ms per frame | " + " | ".join(heads) + " |\n| --- | --- |" + " --- |" * len(heads))
    for recipe in RECIPES:
        for kind in kinds:
            runs = [found[recipe, kind, workers] for workers in arguments.workers]
            spent = statistics.median(ms for several in runs for _, ms in several)
            rates = [[rate for rate, _ in several] for several in runs]
            cells = [f"{statistics.median(r):.1f} ({min(r):.1f} - {max(r):.1f})" for r in rates]
            print(f"| {recipe}, {kind} | {spent:.1f} | " + " | ".join(cells) + " |")


def make_dataset(root: Path, augment: AugmentConfig, probability: float, num_clips: int) -> ClipDataset:
    return ClipDataset(
        ClipDataConfig(
            sources=(ClipSourceConfig(root=root, proposals="imitated"),),
            sampling=SamplingConfig(clips_per_epoch=num_clips + 4),
            augment=augment,
            degradation=OnlineDegradationConfig(probability=probability),
        )
    )


def measure(dataset: ClipDataset, workers: int) -> tuple[float, float]:
    """Give frames per second, from the fifth clip on, and CPU milliseconds per frame, all processes together."""
    cpu = cpu_seconds()
    loader = iter(make_loader(dataset, Place(), global_batch=1, workers=workers))
    first = sum(len(clip) for _ in range(4) for clip in next(loader))
    start = time.perf_counter()
    num_frames = sum(len(clip) for step in loader for clip in step)
    rate = num_frames / (time.perf_counter() - start)
    return rate, 1e3 * (cpu_seconds() - cpu) / (first + num_frames)


def cpu_seconds() -> float:
    """CPU time of this process and of the workers that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def median_ms(call: Callable[[], list[object]], rounds: int) -> float:
    """Median CPU time of a call by the number of things it did, after one to warm up; on one thread."""
    call()
    times = []
    for _ in range(rounds):
        start = time.process_time()
        count = len(call())
        times.append((time.process_time() - start) / count)
    return 1e3 * statistics.median(times)


if __name__ == "__main__":
    main()
