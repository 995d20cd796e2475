"""Going quickly through sources: the same frames, fewer conversions."""

from __future__ import annotations

import av
import numpy as np
import pytest

from vsdmot.io.glances import RASTER_STEP, skim
from vsdmot.io.sources import open_source
from vsdmot.io.video_writer import VideoWriter


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("glances") / "clip.mp4"
    with VideoWriter(path, width=96, height=66, frame_rate=10.0) as writer:
        for number in range(45):
            image = np.full((66, 96, 3), 60 + 3 * number, np.uint8)
            image[10:40, number : number + 20] = (200, 40, 90)
            writer.write(image)
    return path


def test_glances_are_the_frames_of_the_source(clip):
    with open_source(clip) as source:
        frames = [(frame.index, frame.time, frame.image.tobytes()) for frame in source]
        glances = [(glance.index, glance.time, glance.image().tobytes()) for glance in skim(source)]
    assert glances == frames
    assert len(frames) == 45


def test_the_raster_is_the_brightness_of_every_fourth_pixel(clip):
    with open_source(clip) as source:
        for glance in skim(source):
            raster, image = glance.raster(), glance.image()
            assert raster.shape == (17, 24)
            grey = image[::RASTER_STEP, ::RASTER_STEP].astype(float) @ (0.2126, 0.7152, 0.0722)
            levels = (raster - 16.0) * 255 / 219  # video keeps brightness in 16 to 235
            assert np.abs(levels - grey).mean() < 4


def key_frames(path):
    with av.open(str(path)) as container:
        return [index for index, frame in enumerate(container.decode(video=0), start=1) if frame.key_frame]


def test_key_frames_keep_their_time_and_their_place(clip):
    with open_source(clip) as source:
        every = {glance.index: glance for glance in skim(source)}
        keys = list(skim(source, key_frames_only=True))
        assert [glance.index for glance in keys] == key_frames(clip)
        for glance in keys:
            assert glance.time == pytest.approx(every[glance.index].time)
        assert source.report.num_read == len(keys) < 10


def test_images_are_glanced_at_as_they_are(originals):
    folder = originals / "MOT20" / "train" / "MOT20-01"
    with open_source(folder) as source:
        glances, frames = list(skim(source)), list(source)
        assert [glance.index for glance in glances] == [frame.index for frame in frames]
        np.testing.assert_array_equal(glances[0].image(), frames[0].image)
        assert glances[0].raster().shape == (9, 12)
        with pytest.raises(ValueError, match="only video files have key frames"):
            next(skim(source, key_frames_only=True))


def test_ten_bit_video_has_a_raster_too(tmp_path):
    path = tmp_path / "deep.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p10le"
        for value in (40, 200):
            image = np.full((48, 64, 3), value, np.uint8)
            container.mux(
                stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p10le"))
            )
        container.mux(stream.encode())
    with open_source(path) as source:
        dark, bright = (float(glance.raster().mean()) for glance in skim(source))
    assert dark < 70 < 150 < bright
