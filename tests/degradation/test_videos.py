import json

import cv2
import numpy as np
import pytest

from vsdmot.degradation import videos
from vsdmot.degradation.frames import spoil
from vsdmot.degradation.schedule import DegradeSettings, Schedule
from vsdmot.degradation.video_codec import GROUP_FRAMES
from vsdmot.degradation.videos import carry_out_video, plan_video
from vsdmot.degradation.workers import Workers
from vsdmot.errors import OutputError, SourceError
from vsdmot.io.images import read_image
from vsdmot.io.sources import open_source
from vsdmot.io.video_writer import VideoWriter

NOISE = DegradeSettings(only=("noise",), severity=4)


@pytest.fixture
def clip(tmp_path, picture):
    """A video of 30 frames at uneven times."""
    path = tmp_path / "clip \u00e4.mp4"
    with VideoWriter(path, width=64, height=48, frame_rate=20, crf=5) as writer:
        for number in range(30):
            writer.write(picture(48, 64, shift=number), number / 20 + (0.013 if number > 12 else 0))
    return path


@pytest.fixture
def short_segments(monkeypatch):
    """One group of H.264 each, the least that can be."""
    monkeypatch.setattr(videos, "SEGMENT_FRAMES", GROUP_FRAMES)


def degrade(source, output, settings=NOISE, workers=1, overwrite=False, stop_after=None):
    with open_source(source) as video, Workers(workers) as pool:
        frames = carry_out_video(plan_video(video, output, settings, overwrite=overwrite), pool)
        for count, _ in enumerate(frames, start=1):
            if count == stop_after:
                frames.close()
                break
    return output


def frames_of(path):
    with open_source(path) as source:
        return [(frame.index, frame.time, frame.image) for frame in source]


def psnr(first, second):
    return 10 * np.log10(255**2 / np.mean((first.astype(float) - second.astype(float)) ** 2))


def test_a_video_keeps_its_frames_times_and_size(clip, tmp_path, short_segments):
    degrade(clip, tmp_path / "out.mp4")
    before, after = frames_of(clip), frames_of(tmp_path / "out.mp4")
    assert [index for index, *_ in after] == list(range(1, 31))
    np.testing.assert_allclose([time for _, time, _ in after], [time for _, time, _ in before], atol=1e-3)
    schedule = Schedule(NOISE, clip.stem)
    for (number, _, image), (*_, clean) in zip(after, before, strict=True):
        spoilt = spoil(clean, schedule.at(number), schedule.noise(number))
        image, spoilt, clean = (cv2.cvtColor(i, cv2.COLOR_RGB2GRAY) for i in (image, spoilt, clean))
        assert psnr(image, spoilt) > psnr(image, clean) + 6  # what was written is the degraded frame
    assert sorted(path.name for path in tmp_path.iterdir()) == [clip.name, "out.degradation.json", "out.mp4"]


def test_the_record_of_a_video_lies_beside_it(clip, tmp_path):
    degrade(clip, tmp_path / "out.mp4", DegradeSettings(only=("dropped_frames",), severity=5))
    record = json.loads((tmp_path / "out.degradation.json").read_text(encoding="utf-8"))
    assert record["source"] == {"name": clip.name, "bytes": clip.stat().st_size}
    assert len(record["frames"]) == 30
    shown = frames_of(tmp_path / "out.mp4")
    repeated = [f for f in record["frames"] if f["shows"] != f["frame"]]
    assert repeated
    for frame in repeated:
        assert psnr(shown[frame["frame"] - 1][2], shown[frame["shows"] - 1][2]) > 38


@pytest.mark.parametrize("only", [("noise",), ("eq17", "h264", "dropped_frames")])
@pytest.mark.parametrize("name", ["out.mp4", "out"])
def test_two_workers_and_a_run_that_went_on_give_the_same_files(clip, tmp_path, files, short_segments, only, name):
    settings = DegradeSettings(only=only)
    results = []
    for folder, workers, stop in (("a", 1, None), ("b", 2, None), ("c", 1, 26)):
        (tmp_path / folder).mkdir()
        if stop:
            degrade(clip, tmp_path / folder / name, settings, stop_after=stop)
            assert not (tmp_path / folder / "out.mp4").exists()
            assert list((tmp_path / folder).rglob("0*.*"))  # what is kept for the next run
        degrade(clip, tmp_path / folder / name, settings, workers)
        results.append(files(tmp_path / folder))
    assert results[0] == results[1] == results[2]


def test_what_a_stopped_run_finished_is_not_made_again(clip, tmp_path, short_segments):
    degrade(clip, tmp_path / "out.mp4", stop_after=26)
    with open_source(clip) as video, Workers(1) as pool:
        plan = plan_video(video, tmp_path / "out.mp4", NOISE)
        assert plan.num_missing() == 6
        assert list(carry_out_video(plan, pool)) == list(range(25, 31))
        assert plan.is_complete()


def test_a_video_becomes_a_sequence_that_can_be_read(clip, tmp_path):
    degrade(clip, tmp_path / "Seq")
    assert (tmp_path / "Seq" / "img1" / "000030.jpg").is_file()
    with open_source(tmp_path / "Seq") as source:
        assert (source.info.name, source.info.num_frames) == ("Seq", 30)
        with open_source(clip) as original:
            assert source.info.frame_rate == pytest.approx(original.info.frame_rate, abs=1e-3)
        assert source.report.notes == []
    assert len(json.loads((tmp_path / "Seq" / "degradation.json").read_text())["frames"]) == 30


def test_a_sequence_can_become_a_video(sequence, tmp_path):
    degrade(sequence, tmp_path / "out.mp4")
    assert len(frames_of(tmp_path / "out.mp4")) == 30


def test_one_frame_is_a_video_too(tmp_path, picture):
    with VideoWriter(tmp_path / "one.mp4", width=32, height=32, frame_rate=25) as writer:
        writer.write(picture(32, 32))
    degrade(tmp_path / "one.mp4", tmp_path / "out.mp4", DegradeSettings(only=("eq17", "h264", "dropped_frames")))
    assert len(frames_of(tmp_path / "out.mp4")) == 1


def test_an_image_becomes_an_image(tmp_path, picture):
    cv2.imwrite(str(tmp_path / "a.png"), picture(30, 40))
    degrade(tmp_path / "a.png", tmp_path / "b.png")
    schedule = Schedule(NOISE, "a")
    expected = spoil(read_image(tmp_path / "a.png"), schedule.at(1), schedule.noise(1))
    np.testing.assert_array_equal(read_image(tmp_path / "b.png"), expected)
    assert (tmp_path / "b.degradation.json").is_file()


def test_a_video_does_not_fit_into_an_image(clip, tmp_path):
    with pytest.raises(SourceError, match=r"expected one image for .*x.png, got a video"):
        degrade(clip, tmp_path / "x.png")


def test_outputs_that_exist_are_replaced_only_when_asked(clip, tmp_path, files):
    (tmp_path / "out.mp4").write_bytes(b"holiday")
    with pytest.raises(OutputError, match="exists; add --overwrite"):
        degrade(clip, tmp_path / "out.mp4")
    degrade(clip, tmp_path / "out.mp4", overwrite=True)
    assert len(frames_of(tmp_path / "out.mp4")) == 30
    with pytest.raises(OutputError, match="severity 4, this run has 2"):
        degrade(clip, tmp_path / "out.mp4", DegradeSettings(only=("noise",), severity=2))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("")
    with pytest.raises(OutputError, match="exists and holds other files"):
        degrade(clip, tmp_path / "full")
    with pytest.raises(OutputError, match="this is the source itself"):
        degrade(clip, clip, overwrite=True)


def test_overwriting_takes_no_images_that_are_not_ours(clip, tmp_path):
    (tmp_path / "mine" / "img1").mkdir(parents=True)
    (tmp_path / "mine" / "img1" / "000001.jpg").write_bytes(b"mine")
    with pytest.raises(OutputError, match="holds an img1 that this command did not make"):
        degrade(clip, tmp_path / "mine", overwrite=True)
    degrade(clip, tmp_path / "ours")
    degrade(clip, tmp_path / "ours", DegradeSettings(only=("blur",)), overwrite=True)
    assert len(list((tmp_path / "ours" / "img1").iterdir())) == 30


def test_overwriting_a_stopped_run_begins_anew(clip, tmp_path, files, short_segments):
    for folder in "ab":
        (tmp_path / folder).mkdir()
    degrade(clip, tmp_path / "a" / "out.mp4", DegradeSettings(only=("blur",)), stop_after=27)
    degrade(clip, tmp_path / "a" / "out.mp4", overwrite=True)
    degrade(clip, tmp_path / "b" / "out.mp4")
    assert files(tmp_path / "a") == files(tmp_path / "b")
