import numpy as np
import pytest

from vsdmot.degradation.frames import transmit
from vsdmot.degradation.schedule import DegradeSettings, Schedule
from vsdmot.degradation.video_codec import GROUP_FRAMES, H264Group, group_of
from vsdmot.errors import SourceError


def psnr(first, second):
    return 10 * np.log10(255**2 / max(np.mean((first.astype(float) - second.astype(float)) ** 2), 1e-9))


def test_colours_and_places_survive_mild_coding(picture):
    image = picture(97, 131)  # odd sides: padded for the coder, and cut off again
    result = H264Group(10).recode(image)
    assert result.shape == image.shape
    smooth = np.full((64, 64, 3), (200, 40, 90), np.uint8)
    assert np.abs(H264Group(10).recode(smooth).astype(int) - smooth).max() <= 3
    assert psnr(result, image) > 26  # sharp colour edges lose half of their chroma


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (17, 1), (15, 16)])
def test_images_of_any_size_come_back_at_their_size(shape):
    group = H264Group(30)
    for seed in range(3):
        image = np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)
        assert group.recode(image).shape == image.shape


def test_artefacts_depend_on_the_frames_before(picture):
    """A still scene gets better with time, since each frame only adds what is new; a key frame would not."""
    image = picture(96, 128)
    group = H264Group(40)
    first, *_, last = (group.recode(image) for _ in range(12))
    assert not np.array_equal(first, last)
    assert psnr(last, image) > psnr(first, image)
    alone = H264Group(40).recode(picture(96, 128, shift=30))
    after_others = group.recode(picture(96, 128, shift=30))
    assert not np.array_equal(alone, after_others)


def test_groups_know_nothing_of_each_other_and_repeat_their_bits(picture):
    clip = [picture(48, 64, shift=number) for number in range(GROUP_FRAMES + 4)]
    schedule = Schedule(DegradeSettings(mode="fixed", severity=4, only=("h264",)), "clip")
    frames = [(schedule.at(number), image) for number, image in enumerate(clip, start=1)]
    whole = [image for *_, image in transmit(frames, schedule)]
    second_only = [image for *_, image in transmit(frames[GROUP_FRAMES:], schedule)]
    for image, again in zip(whole[GROUP_FRAMES:], second_only, strict=True):
        np.testing.assert_array_equal(image, again)


def test_a_group_is_a_run_of_frames_counted_from_one():
    assert [group_of(frame) for frame in (1, GROUP_FRAMES, GROUP_FRAMES + 1)] == [0, 0, 1]


def test_a_dropped_frame_shows_the_last_one_again_and_the_count_stays(picture):
    schedule = Schedule(DegradeSettings(mode="fixed", severity=5, only=("dropped_frames",)), "clip")
    clip = [(schedule.at(number), picture(8, 8, seed=number)) for number in range(1, 101)]
    result = list(transmit(clip, schedule))
    assert [number for number, *_ in result] == list(range(1, 101))
    dropped = 0
    for position, (number, shows, image) in enumerate(result):
        np.testing.assert_array_equal(image, clip[shows - 1][1])
        if clip[position][0].dropped:
            dropped += 1
            assert shows == result[position - 1][1]
        else:
            assert shows == number
    assert 10 < dropped < 70


def test_the_first_frame_there_is_of_a_group_is_never_dropped(picture):
    """Also where the frames before it are missing."""
    schedule = Schedule(DegradeSettings(mode="fixed", severity=5, only=("dropped_frames",)), "clip")
    dropped = next(n for n in range(2, 500) if schedule.at(n).dropped)
    ((number, shows, _),) = transmit([(schedule.at(dropped), picture(4, 4))], schedule)
    assert (number, shows) == (dropped, dropped)


def test_frames_of_another_size_cannot_be_coded_together(picture):
    schedule = Schedule(DegradeSettings(only=("h264",)), "clip")
    frames = [(schedule.at(1), picture(8, 8)), (schedule.at(2), picture(8, 10))]
    with pytest.raises(SourceError, match=r"clip, frame 2: .* expected 8x8 as before, got 10x8"):
        list(transmit(frames, schedule))


@pytest.mark.parametrize("crf", [-1, 52, float("nan")])
def test_impossible_factors_are_refused(crf):
    with pytest.raises(ValueError, match="crf must lie in 0 to 51"):
        H264Group(crf)
