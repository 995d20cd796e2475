"""The quality of frames is read from results or measured on images, of exactly the sequences that are asked for."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from vsdmot.errors import FormatError, SourceError
from vsdmot.evaluation.frame_quality import MeasuredQuality, WrittenQuality, open_qualities
from vsdmot.io.images import read_image
from vsdmot.io.json_lines import JsonLinesWriter
from vsdmot.io.sources import open_source
from vsdmot.quality import assess
from vsdmot.structures import FrameQuality, FrameResult, Tracks


def write_results(path: Path, scores: dict[int, float]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with JsonLinesWriter(path) as writer:
        for index, score in scores.items():
            quality = FrameQuality(clarity=0.5, noise=0.1, contrast=0.2, score=score)
            writer.write(FrameResult(index, index / 20, Tracks.empty(), quality, None, 0))
    return path


def one(source: str | Path, name: str = "walk") -> list[tuple[int, float]]:
    (found,) = open_qualities(source, [name]).values()
    return list(found)


def measured(folder: Path) -> list[tuple[int, float]]:
    return [(index, assess(read_image(path)).score) for index, path in enumerate(sorted(folder.glob("*.jpg")), start=1)]


def error_of(error: type[Exception], source: str | Path, *names: str) -> str:
    with pytest.raises(error) as raised:
        open_qualities(source, names)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_names_must_be_there_and_differ(tmp_path):
    for names in ([], ["a", "a"]):
        with pytest.raises(ValueError, match="at least one name, and each once"):
            open_qualities(tmp_path, names)


def test_nothing_there_is_told_in_one_line(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("nothing to see")
    assert "no such file" in error_of(SourceError, tmp_path / "none", "walk")
    assert "there is no such file" in error_of(SourceError, tmp_path / "none.jsonl", "walk")
    assert error_of(SourceError, tmp_path / "none", "a", "b").endswith("there is no such folder")
    assert error_of(SourceError, tmp_path / "empty", "walk").endswith("the folder holds nothing")
    assert "notes.txt" in error_of(SourceError, tmp_path / "notes.txt", "walk")
    assert "not readable" in error_of(SourceError, tmp_path / ("long" * 100), "walk")


def test_missing_sequences_are_named(tmp_path):
    write_results(tmp_path / "a.jsonl", {1: 0.5})
    message = error_of(SourceError, tmp_path, "a", "b", "c", "d", "e")
    assert message.startswith(f"{tmp_path}: nothing to take the quality of 4 of 5 sequences (b, c, d and 1 more) from:")
    assert message.endswith("the folder holds a.jsonl")


def test_one_source_is_not_enough_for_several_sequences(tmp_path, clip_folder):
    path = write_results(tmp_path / "a.jsonl", {1: 0.5})
    for source in (path, clip_folder / "clip.mp4"):
        message = error_of(SourceError, source, "a", "b")
        assert "expected a folder that holds, for each of 2 sequences (a, b)" in message
        assert "no such folder" not in message


def test_results_give_the_quality_that_they_hold(tmp_path):
    scores = {1: 0.25, 2: 0.5, 5: 1.0}  # frames 3 and 4 were broken
    path = write_results(tmp_path / "any_name.jsonl", scores)
    (source,) = open_qualities(path, ["walk"]).values()
    assert source.num_frames is None
    assert list(source) == list(source) == list(scores.items())
    assert list(WrittenQuality(write_results(tmp_path / "nobody.jsonl", {}))) == []


def test_results_are_read_only_while_iterated_over(tmp_path):
    path = write_results(tmp_path / "a.jsonl", {1: 0.5})
    with path.open("a") as file:
        file.write("no JSON\n")
    (source,) = open_qualities(path, ["a"]).values()
    frames = iter(source)
    assert next(frames) == (1, 0.5)
    with pytest.raises(FormatError, match=r"a\.jsonl:2: expected a JSON object"):
        next(frames)


def test_a_folder_of_results_gives_each_sequence_its_own_in_the_order_asked_for(tmp_path):
    for name, score in (("a", 0.25), ("b", 0.5), ("c", 0.75)):
        write_results(tmp_path / f"{name}.jsonl", {1: score})
    found = open_qualities(str(tmp_path), ["c", "a"])
    assert {name: list(source) for name, source in found.items()} == {"c": [(1, 0.75)], "a": [(1, 0.25)]}
    assert list(found) == ["c", "a"]


def test_images_of_a_data_set_are_measured_as_they_are(tmp_path, draw_sequence):
    folders = {name: draw_sequence(tmp_path / "MOT" / "train" / name, num_frames=2) for name in ("a", "b")}
    found = open_qualities(tmp_path, ["a", "b"])
    for name, source in found.items():
        assert isinstance(source, MeasuredQuality)
        assert source.num_frames == 2
        assert list(source) == measured(folders[name] / "img1")


def test_a_sequence_or_folder_of_images_of_any_name_serves_a_single_sequence(tmp_path, draw_sequence):
    folder = draw_sequence(tmp_path / "other", num_frames=2)
    assert one(folder) == one(folder / "img1") == one(str(folder / "img1" / "*.jpg")) == measured(folder / "img1")


def test_a_folder_of_images_or_a_video_is_found_by_the_name_of_the_sequence(tmp_path, draw_sequence, clip_folder):
    folder = draw_sequence(tmp_path / "s", num_frames=2)
    shutil.copytree(folder / "img1", tmp_path / "in" / "walk")
    shutil.copy(clip_folder / "clip.mp4", tmp_path / "in" / "run.MP4")
    shutil.copy(clip_folder / "clip.mp4", tmp_path / "in" / "run.tracked.mp4")
    found = open_qualities(tmp_path / "in", ["walk", "run"])
    assert list(found["walk"]) == measured(folder / "img1")
    with open_source(clip_folder / "clip.mp4") as video:
        expected = [(frame.index, assess(frame).score) for frame in video]
    assert found["run"].num_frames == len(expected) == 30
    assert list(found["run"]) == expected


def test_annotations_without_images_do_not_hide_the_video_beside_them(tmp_path, clip_folder):
    (tmp_path / "walk" / "gt").mkdir(parents=True)
    shutil.copy(clip_folder / "gt.txt", tmp_path / "walk" / "gt" / "gt.txt")
    assert "walk" in error_of(SourceError, tmp_path, "walk")
    shutil.copy(clip_folder / "clip.mp4", tmp_path / "walk.mp4")
    assert open_qualities(tmp_path, ["walk"])["walk"].num_frames == 30


def test_results_come_before_images_because_nothing_is_decoded(tmp_path, draw_sequence):
    draw_sequence(tmp_path / "walk")
    write_results(tmp_path / "walk.jsonl", {1: 0.5})
    assert one(tmp_path) == [(1, 0.5)]


def test_the_same_name_twice_is_an_error_only_where_it_is_asked_for(tmp_path, draw_sequence, clip_folder):
    for name in ("val/a", "val_clean/a", "val/b"):
        draw_sequence(tmp_path / name)
    message = error_of(SourceError, tmp_path, "a")
    assert "expected a once" in message
    assert str(tmp_path / "val_clean" / "a") in message
    assert list(open_qualities(tmp_path, ["b"])) == ["b"]
    for suffix in ("mp4", "mkv"):
        shutil.copy(clip_folder / "clip.mp4", tmp_path / f"walk.{suffix}")
    assert "expected walk once" in error_of(SourceError, tmp_path, "walk")


def test_broken_and_missing_frames_do_not_appear_and_the_others_keep_their_number(tmp_path, draw_sequence):
    folder = draw_sequence(tmp_path / "walk", num_frames=4)
    (folder / "img1" / "000002.jpg").write_bytes(b"no image")
    (folder / "img1" / "000003.jpg").unlink()
    (source,) = open_qualities(tmp_path, ["walk"]).values()
    assert [index for index, _ in source] == [1, 4]
    assert source.source.report.num_broken == 1


def test_frames_are_measured_one_at_a_time_from_the_first_on(tmp_path, draw_sequence):
    folder = draw_sequence(tmp_path / "walk", num_frames=3)
    (source,) = open_qualities(folder, ["walk"]).values()
    first = next(iter(source))
    PIL.Image.fromarray(np.zeros((36, 48, 3), np.uint8)).save(folder / "img1" / "000003.jpg")
    scores = [score for _, score in source]
    assert (scores[0], scores[2]) == (first[1], 0.0)  # the third was not read before it was its turn


def test_a_sequence_without_images_is_an_error_before_anything_is_measured(tmp_path, draw_sequence):
    draw_sequence(tmp_path / "a")
    shutil.rmtree(draw_sequence(tmp_path / "b") / "img1")
    assert "the image folder img1/, it is not there" in error_of(SourceError, tmp_path, "a", "b")


def test_the_module_is_light_until_pictures_are_measured():
    code = "import sys, vsdmot.evaluation.frame_quality; print([n for n in ('torch', 'cv2', 'av') if n in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
