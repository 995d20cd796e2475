"""From files to clips: the same bits whoever draws them, and what belongs to a frame stays with it."""

from __future__ import annotations

import itertools
import json
import pickle

import numpy as np
import PIL.Image
import pytest
import torch

from vsdmot.config import from_mapping, to_mapping
from vsdmot.errors import ConfigError, SourceError
from vsdmot.io.images import read_image
from vsdmot.quality import QualityConfig, assess
from vsdmot.tracking.preprocess import MEAN, SPREAD, PreprocessConfig, preprocess
from vsdmot.training.clips.augment import AugmentConfig
from vsdmot.training.clips.clip import ClipFrame
from vsdmot.training.clips.data import ClipDataConfig, ClipDataset
from vsdmot.training.clips.loader import make_loader
from vsdmot.training.clips.online_degradation import OnlineDegradationConfig
from vsdmot.training.clips.pictures import read_picture
from vsdmot.training.clips.sampling import SamplingConfig
from vsdmot.training.clips.sources import ClipSourceConfig
from vsdmot.training.task import Place

SIZE = PreprocessConfig(short_side=64, long_side=128)
COLOURS = {1: (250, 20, 20), 2: (20, 250, 20), 3: (20, 20, 250)}


@pytest.fixture(scope="module")
def footage(tmp_path_factory):
    """Two sequences of squares that slide, each person in a colour of its own; PNG, so that colours are exact."""
    root = tmp_path_factory.mktemp("footage")
    for name, num_frames in (("long", 24), ("short", 3)):
        (root / name / "img1").mkdir(parents=True)
        (root / name / "gt").mkdir()
        (root / name / "det").mkdir()
        rows, detections = [], []
        for frame in range(1, num_frames + 1):
            picture = np.full((96, 144, 3), 20, np.uint8)
            for person in (1, 2, 3):
                left, top = 4 + 4 * frame + 8 * (person - 1), 4 + 30 * (person - 1)
                picture[top : top + 24, left : left + 16] = COLOURS[person]
                if left < 144:
                    rows.append(f"{frame},{person},{left},{top},16,24,1,1,1\n")
                    if person > 1:
                        detections.append(f"{frame},-1,{left},{top},16,24,0.{person}\n")
            PIL.Image.fromarray(picture).save(root / name / "img1" / f"{frame:06d}.png")
        (root / name / "gt" / "gt.txt").write_text("".join(rows))
        (root / name / "det" / "det.txt").write_text("".join(detections))
    return root


def _config(root, **settings):
    source = {key: settings.pop(key) for key in ("proposals", "clean", "weight", "max_interval") if key in settings}
    return ClipDataConfig(
        sources=(ClipSourceConfig(root=root, **source),),
        **{"augment": AugmentConfig.around(SIZE), "sampling": SamplingConfig(max_interval=3), **settings},
    )


def _equal(first, second):
    pairs = list(zip(first, second, strict=True))
    tensors = ("image", "boxes", "ids", "proposals", "scores")
    return len(pairs) > 0 and all(
        all(torch.equal(getattr(a, name), getattr(b, name)) for name in tensors)
        and (a.quality, a.name) == (b.quality, b.name)
        for a, b in pairs
    )


def _pixels(frame):
    mean, spread = torch.tensor(MEAN)[:, None, None], torch.tensor(SPREAD)[:, None, None]
    return ((frame.image * spread + mean) * 255).permute(1, 2, 0).numpy()


def test_the_colour_of_every_person_lies_in_their_box_in_every_clip(footage):
    dataset = ClipDataset(
        _config(footage, proposals="own", augment=AugmentConfig(**{**to_mapping_of_small(), "hsv_probability": 0.0}))
    )
    num_people = num_proposals = 0
    for slot in range(len(dataset)):
        for frame in dataset[0, slot]:
            pixels = _pixels(frame)
            height, width = pixels.shape[:2]
            for boxes, people in ((frame.boxes, frame.ids), (frame.proposals, (frame.scores * 10).round().long())):
                for (cx, cy, w, h), person in zip(boxes.tolist(), people.tolist(), strict=True):
                    if min(w * width, h * height) < 4:
                        continue
                    weights = np.clip((pixels[..., person - 1] - 20) / 230, 0, 1)
                    weights *= pixels.argmax(axis=2) == person - 1
                    x = weights.sum(axis=0) @ (np.arange(width) + 0.5) / weights.sum()
                    y = weights.sum(axis=1) @ (np.arange(height) + 0.5) / weights.sum()
                    visible = np.clip([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 0, 1) * ([width, height] * 2)
                    num_people += 1
                    assert abs(x - (visible[0] + visible[2]) / 2) < 0.7
                    assert abs(y - (visible[1] + visible[3]) / 2) < 0.7
            num_proposals += len(frame.scores)
    assert num_people > 300
    assert num_proposals > 100


def to_mapping_of_small():
    return {name: tuple(v) if isinstance(v, list) else v for name, v in to_mapping(AugmentConfig.around(SIZE)).items()}


def test_with_augmentation_off_a_clip_is_what_the_tracker_sees(footage):
    dataset = ClipDataset(_config(footage, augment=AugmentConfig.off(SIZE)))
    for frame in dataset[0, 0]:
        name, number = frame.name.split("/")
        image = read_image(footage / name / "img1" / f"{number}.png")
        assert torch.equal(frame.image, preprocess(image, SIZE, torch.device("cpu"))[0])
        lines = [line.split(",") for line in (footage / name / "gt" / "gt.txt").read_text().split()]
        expected = [
            [(float(x) + 8) / 144, (float(y) + 12) / 96, 16 / 144, 24 / 96]
            for f, _, x, y, *_ in lines
            if int(f) == int(number)
        ]
        np.testing.assert_allclose(frame.boxes, np.array(expected).reshape(-1, 4), rtol=1e-6)
        assert frame.quality == assess(image).score
        assert frame.teacher is None


def test_a_clip_follows_one_sequence_forwards(footage):
    dataset = ClipDataset(_config(footage))
    seen = set()
    for slot in range(len(dataset)):
        sequences, numbers = zip(*(frame.name.split("/") for frame in dataset[0, slot]), strict=True)
        assert len(set(sequences)) == 1
        steps = np.diff(np.array(numbers, int))
        assert len(set(steps.tolist())) == 1 or sequences[0] == "short"
        assert len({frame.image.shape for frame in dataset[0, slot]}) == 1
        seen.add((sequences[0], int(steps[0])))
    assert seen == {("long", 1), ("long", 2), ("long", 3), ("short", 1)}


def test_a_source_may_have_a_longest_interval_of_its_own(footage):
    sampling = SamplingConfig(min_interval=2, max_interval=3)
    for longest, expected in ((None, {2, 3}), (1, {1}), (2, {2}), (4, {2, 3, 4})):
        dataset = ClipDataset(_config(footage, sampling=sampling, max_interval=longest))
        numbers = [[int(frame.name.split("/")[1]) for frame in dataset[0, slot][:2]] for slot in range(len(dataset))]
        long = [pair for slot, pair in enumerate(numbers) if dataset[0, slot][0].name.startswith("long")]
        # Of 24 frames, 5 with the longest interval begin at the 8th at the latest; later ones shrink.
        assert {second - first for first, second in long if first <= 8} == expected, longest


def test_a_sequence_of_one_frame_and_one_shorter_than_a_clip_repeat_their_last(tmp_path, draw_sequence):
    for name, num_frames in (("one", 1), ("three", 3)):
        draw_sequence(tmp_path / name, num_frames=num_frames)
    dataset = ClipDataset(_config(tmp_path))
    assert len(dataset) == 2
    clips = {clip[0].name.split("/")[0]: clip for clip in (dataset[0, 0], dataset[0, 1])}
    assert [frame.name for frame in clips["one"]] == ["one/000001"] * 5
    assert [frame.name[-1] for frame in clips["three"]] == ["1", "2", "3", "3", "3"]
    assert torch.equal(clips["one"][0].image, clips["one"][4].image)


def test_a_frame_without_people_or_proposals_is_legal(tmp_path, draw_sequence):
    folder = draw_sequence(tmp_path / "a", num_frames=5, with_detections=False)
    (folder / "gt" / "gt.txt").write_text("1,1,1,1,30,30,1,1,1\n5,1,1,1,30,30,1,1,1\n")
    clip = ClipDataset(_config(tmp_path, augment=AugmentConfig.off(SIZE)))[0, 0]
    assert [len(frame.ids) for frame in clip] == [1, 0, 0, 0, 1]
    for frame in clip:
        assert isinstance(frame, ClipFrame)
        assert frame.proposals.shape == (0, 4)
        assert (frame.boxes.dtype, frame.ids.dtype, frame.scores.dtype) == (torch.float32, torch.int64, torch.float32)


@pytest.fixture(scope="module")
def everything(footage, originals):
    """All kinds of clips at once."""
    still = ClipSourceConfig(
        root=originals / "CrowdHuman" / "annotation_train.odgt", kind="crowdhuman", proposals="imitated", weight=1.0
    )
    video = ClipSourceConfig(root=footage, proposals="own", weight=3.0)
    return ClipDataConfig(
        sources=(video, still),
        augment=AugmentConfig.around(SIZE),
        sampling=SamplingConfig(clips_per_epoch=13),
        degradation=OnlineDegradationConfig(probability=0.3),
        seed=7,
    )


def test_the_same_bits_whatever_the_number_of_workers(everything):
    runs = []
    for workers in (0, 2):
        loader = make_loader(ClipDataset(everything), Place(epoch=3), global_batch=4, workers=workers)
        assert len(loader) == 3
        runs.append([clip for step in loader for clip in step])
    assert len(runs[0]) == 12
    assert all(_equal(first, second) for first, second in zip(*runs, strict=True))
    kinds = {clip[0].name.split("/")[0] for clip in runs[0]}
    assert "crowdhuman" in kinds
    assert any("+degraded-" in clip[0].name for clip in runs[0])


def test_two_processes_together_take_what_one_takes(everything):
    def names(**place):
        dataset = ClipDataset(everything)
        loader = make_loader(dataset, Place(**place), global_batch=4, workers=0)
        return [[tuple(frame.name for frame in clip) for clip in step] for step in loader]

    one, first, second = names(), names(rank=0, world=2), names(rank=1, world=2)
    for whole, left, right in zip(one, first, second, strict=True):
        assert [whole[0], whole[2]] == left
        assert [whole[1], whole[3]] == right


def test_going_on_at_a_step_gives_the_same_bits_without_reading_what_came_before(everything):
    whole = list(make_loader(ClipDataset(everything), Place(), global_batch=4, workers=0))
    rest = list(make_loader(ClipDataset(everything), Place(step=2), global_batch=4, workers=0))
    assert len(rest) == 1
    assert all(_equal(first, second) for first, second in zip(whole[2], rest[0], strict=True))


def test_epochs_and_seeds_differ(footage):
    first, other_seed = ClipDataset(_config(footage)), ClipDataset(_config(footage, seed=1))
    assert sorted(first.items(0).tolist()) == list(range(len(first)))
    assert _equal(first[0, 3], ClipDataset(_config(footage))[0, 3])
    assert not _equal(first[0, 3], first[1, 3])
    assert not _equal(first[0, 3], other_seed[0, 3])


def test_a_copy_in_another_process_draws_the_same(everything):
    dataset = ClipDataset(everything)
    assert _equal(pickle.loads(pickle.dumps(dataset))[1, 5], dataset[1, 5])


def test_sources_are_mixed_by_weight(everything):
    dataset = ClipDataset(everything)
    num_video = dataset.index.sizes[0]
    for epoch in range(3):
        assert int((dataset.items(epoch) < num_video).sum()) in (9, 10)  # three quarters of 13
    assert len(dataset) == 13
    with pytest.raises(ConfigError, match="expected a weight for every source"):
        ClipDataset(ClipDataConfig(sources=(everything.sources[0], ClipSourceConfig(root=everything.sources[0].root))))


def test_a_still_becomes_a_moving_clip_with_the_quality_of_the_whole_still(originals):
    config = ClipDataConfig(
        sources=(ClipSourceConfig(root=originals / "CrowdHuman" / "annotation_train.odgt", kind="crowdhuman"),),
        augment=AugmentConfig.off(SIZE),
    )
    dataset = ClipDataset(config)
    assert len(dataset) == 2
    clip = dataset[0, 0]
    assert len({frame.name for frame in clip}) == 1
    assert len({frame.quality for frame in clip}) == 1
    assert all(set(frame.ids.tolist()) <= {0} for frame in clip)
    assert clip[0].ids.tolist() == [0]
    moved = [torch.equal(a.image, b.image) for a, b in itertools.pairwise(clip)]
    assert not any(moved)


def test_quality_is_measured_once_with_the_constants_of_the_model(footage, monkeypatch):
    constants = QualityConfig(contrast_weight=2.0)
    dataset = ClipDataset(_config(footage), quality=constants)
    first = dataset[0, 0]
    for frame in first:
        sequence, number = frame.name.split("/")
        image = read_image(footage / sequence / "img1" / f"{number}.png")
        assert frame.quality == assess(image, constants).score != assess(image).score
    calls = []
    monkeypatch.setattr("vsdmot.training.clips.data.assess", lambda *given: calls.append(given))
    assert _equal(dataset[0, 0], first)
    assert not calls


def test_degraded_frames_have_their_own_quality_and_the_boxes_of_clean_ones(footage):
    plain = ClipDataset(_config(footage, proposals="own", augment=AugmentConfig.off(SIZE)))
    degraded = ClipDataset(
        _config(
            footage,
            proposals="own",
            augment=AugmentConfig.off(SIZE),
            degradation=OnlineDegradationConfig(probability=1.0, severity=4),
        )
    )
    for slot in range(3):
        for clean, poor in zip(plain[0, slot], degraded[0, slot], strict=True):
            assert torch.equal(clean.boxes, poor.boxes)
            assert torch.equal(clean.proposals, poor.proposals)
            assert poor.name.startswith(f"{clean.name}+degraded-")
            assert not torch.equal(clean.image, poor.image)
            assert poor.quality != clean.quality


def test_sequences_that_are_degraded_on_disk_are_left_as_they_are(tmp_path, draw_sequence):
    folder = draw_sequence(tmp_path / "a", num_frames=5)
    (folder / "degradation.json").write_text("{}")
    dataset = ClipDataset(_config(tmp_path, degradation=OnlineDegradationConfig(probability=1.0)))
    assert [frame.name for frame in dataset[0, 0]] == [f"a/{number:06d}" for number in range(1, 6)]


def _mean_of(name, image):
    """A teacher that sees one number."""
    return torch.tensor([[float(image.mean()), float(image.shape[0]), float(len(name))]])


def test_the_teacher_sees_whole_frames_as_the_student_or_clean(tmp_path, draw_sequence):
    degraded, original = (draw_sequence(tmp_path / where / "a", num_frames=5) for where in ("lq", "hq"))
    (degraded / "degradation.json").write_text("{}")
    for image in (degraded / "img1").iterdir():
        PIL.Image.new("RGB", (48, 36), (9, 9, 9)).save(image)
    same = ClipDataset(_config(degraded, clean=tmp_path / "hq"), teacher=_mean_of)
    clean = ClipDataset(_config(degraded, clean=tmp_path / "hq", teacher_view="clean"), teacher=_mean_of)
    pictures = dict(clean.teacher_pictures())
    for seen, looked in zip(same[0, 0], clean[0, 0], strict=True):
        image = read_image(original / "img1" / f"{seen.name.split('/')[1]}.jpg")
        assert seen.teacher.tolist() == [[9.0, 36.0, 8.0]]
        assert looked.teacher.tolist() == [[pytest.approx(image.mean()), 36.0, 8.0]]
        np.testing.assert_array_equal(pictures[seen.name], image)
        assert torch.equal(seen.image, looked.image)
    assert sorted(pictures) == [f"a/{number:06d}" for number in range(1, 6)]
    with pytest.raises(ConfigError, match="teacher_view: a and 0 other sequences are degraded"):
        ClipDataset(_config(degraded, teacher_view="clean"), teacher=_mean_of)
    ClipDataset(_config(degraded, teacher_view="clean"))  # nobody looks


def test_the_teacher_sees_what_was_degraded_just_now_or_before_it_was(footage):
    settings = {"degradation": OnlineDegradationConfig(probability=1.0), "augment": AugmentConfig.around(SIZE)}
    same = ClipDataset(_config(footage, **settings), teacher=_mean_of)[0, 0]
    clean = ClipDataset(_config(footage, teacher_view="clean", **settings), teacher=_mean_of)[0, 0]
    for seen, looked in zip(same, clean, strict=True):
        name = looked.name.split("+")[0]
        sequence, number = name.split("/")
        image = read_image(footage / sequence / "img1" / f"{number}.png")
        assert looked.teacher.tolist() == [[pytest.approx(image.mean()), 96.0, len(name)]]
        assert seen.teacher[0, 0] != looked.teacher[0, 0]
        assert seen.teacher[0, 2] == len(seen.name)


@pytest.fixture
def damaged(tmp_path, draw_sequence):
    for name in ("a", "b"):
        draw_sequence(tmp_path / name, num_frames=6)
    image = tmp_path / "a" / "img1" / "000004.jpg"
    image.write_bytes(image.read_bytes()[:300])
    return tmp_path


@pytest.mark.parametrize("workers", [0, 1])
def test_a_damaged_image_ends_the_run_with_one_line_that_names_it(damaged, workers):
    loader = make_loader(ClipDataset(_config(damaged)), Place(), global_batch=1, workers=workers)
    with pytest.raises(SourceError) as caught:
        list(loader)
    message = str(caught.value)
    assert message.startswith(f"{damaged / 'a' / 'img1' / '000004.jpg'}: not ")
    assert message.endswith("; replace it, or set skip_damaged to go on without")
    assert "\n" not in message


@pytest.mark.parametrize("workers", [0, 1])
def test_damaged_images_can_be_skipped_and_are_counted(damaged, workers):
    dataset = ClipDataset(_config(damaged, skip_damaged=True))
    loader = make_loader(dataset, Place(), global_batch=1, workers=workers)
    clips = [step[0] for step in loader]
    assert len(clips) == len(dataset) == 4
    assert "a/000004" not in {frame.name for clip in clips for frame in clip}
    assert len(loader.skipped) >= 2
    assert all("000004.jpg" in line for line in loader.skipped)


def test_nothing_but_damage_ends_the_run_all_the_same(tmp_path, draw_sequence):
    folder = draw_sequence(tmp_path / "a", num_frames=5)
    (folder / "img1" / "000003.jpg").write_bytes(b"")
    with pytest.raises(SourceError, match="21 clips drawn one after another are damaged"):
        ClipDataset(_config(tmp_path, skip_damaged=True))[0, 0]


def test_frames_of_different_sizes_are_refused(tmp_path, draw_sequence):
    folder = draw_sequence(tmp_path / "a", num_frames=5)
    PIL.Image.new("RGB", (40, 36)).save(folder / "img1" / "000003.jpg")
    with pytest.raises(SourceError, match=r"000003\.jpg: expected 48x36 like 000001\.jpg, got 40x36"):
        ClipDataset(_config(tmp_path))[0, 0]


def test_stopping_early_leaves_nothing_behind_and_loading_draws_nothing_from_torch(footage):
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    for _ in make_loader(ClipDataset(_config(footage)), Place(), global_batch=2, workers=1):
        break
    assert torch.equal(torch.rand(1), expected)


def test_settings_are_plain_values_that_can_be_read_back(everything):
    plain = json.loads(json.dumps(to_mapping(everything)))
    assert plain["sources"][1]["kind"] == "crowdhuman"
    assert from_mapping(ClipDataConfig, plain) == everything
    with pytest.raises(ConfigError, match="sources: must be one or more data sets"):
        ClipDataConfig(sources=())


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_pictures_are_read_as_elsewhere(tmp_path, mode, orientation):
    noise = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
    picture = PIL.Image.fromarray(noise).resize((64, 48)).convert(mode)
    exif = picture.getexif()
    exif[0x0112] = orientation
    picture.save(tmp_path / "a.jpg", exif=exif)
    difference = read_picture(tmp_path / "a.jpg").astype(int) - read_image(tmp_path / "a.jpg")
    assert np.abs(difference).max() <= (mode == "CMYK")
    data = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(data + b"\0" * 100)
    assert np.abs(read_picture(tmp_path / "a.jpg").astype(int) - read_image(tmp_path / "a.jpg")).max() <= 1
    for kept in (len(data) // 2, len(data) - 30, 1, 0):
        (tmp_path / "a.jpg").write_bytes(data[:kept])
        with pytest.raises(SourceError, match=r"a\.jpg: not"):
            read_picture(tmp_path / "a.jpg")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is CUDA")
def test_page_locked_memory_needs_a_gpu(footage):
    with pytest.raises(ConfigError, match="pin: page-locked memory needs CUDA"):
        make_loader(ClipDataset(_config(footage)), Place(), global_batch=2, pin=True)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_clips_arrive_in_page_locked_memory(footage):
    for step in make_loader(ClipDataset(_config(footage)), Place(), global_batch=2, workers=1, pin=True):
        for frame in step[0]:
            assert frame.image.is_pinned()
            assert frame.boxes.is_pinned()
