"""The feature cache: never stale, never half written, shared by processes, whatever dies or fills up."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import pickle
import shutil
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from vsdmot.errors import CheckpointError, OutputError
from vsdmot.training.distillation.cache import FeatureCache, Precomputed, fingerprint, precompute


class CountingTeacher:
    """Says the mean colour of a frame, and counts what it was shown."""

    def __init__(self, identity: str = "counting-1", rows: int = 1, delay: float = 0.0) -> None:
        self.width, self.tokens, self.identity = 3, rows, identity
        self.provenance = {"kind": "counting", "identity": identity}
        self.shown: list[int] = []
        self.delay = delay

    def __call__(self, images: Tensor) -> Tensor:
        assert images.dtype == torch.float32
        assert images.amin() >= 0
        assert images.amax() <= 1
        self.shown.append(len(images))
        time.sleep(self.delay)
        return images.mean((2, 3))[:, None].expand(-1, self.tokens, -1)


def picture(seed: int, height: int = 6, width: int = 8) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def frames(count: int, start: int = 0) -> list[tuple[str, np.ndarray]]:
    return [(f"walk/{index:06d}", picture(index)) for index in range(start, start + count)]


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def cache(tmp_path) -> FeatureCache:
    return FeatureCache(tmp_path / "features", "counting-1")


class TestGetAndPut:
    def test_what_was_put_comes_back(self, cache):
        rows = torch.randn(4, 5, generator=torch.Generator().manual_seed(0))
        kept = cache.put("walk/000001", picture(0), rows)
        assert kept.dtype == torch.float32
        torch.testing.assert_close(kept, rows, rtol=1e-3, atol=1e-3)  # float16
        assert torch.equal(cache.get("walk/000001", picture(0)), kept)
        assert torch.equal(cache.get("walk/000001", fingerprint(picture(0))), kept)

    def test_nothing_is_there_at_first(self, cache):
        assert cache.get("walk/000001", picture(0)) is None
        assert cache.damaged == []
        assert not cache.folder.exists()

    def test_another_picture_under_the_same_name_is_not_served(self, cache):
        cache.put("walk/000001", picture(0), torch.ones(1, 3))
        degraded = picture(0)
        degraded[5, 7, 2] ^= 1  # one bit
        assert cache.get("walk/000001", degraded) is None
        cache.put("walk/000001", degraded, torch.zeros(1, 3))
        assert float(cache.get("walk/000001", picture(0)).sum()) == 3  # clean and degraded live side by side
        assert float(cache.get("walk/000001", degraded).sum()) == 0

    def test_another_teacher_finds_nothing(self, cache, tmp_path):
        cache.put("walk/000001", picture(0), torch.ones(1, 3))
        assert FeatureCache(tmp_path / "features", "counting-2").get("walk/000001", picture(0)) is None

    def test_another_name_with_the_same_picture_is_another_frame(self, cache):
        cache.put("walk/000001", picture(0), torch.ones(1, 3))
        assert cache.get("walk/000002", picture(0)) is None

    def test_the_fingerprint_sees_the_shape_and_not_the_layout(self):
        flat = np.zeros((4, 6, 3), np.uint8)
        assert fingerprint(flat) != fingerprint(flat.reshape(6, 4, 3))
        whole = picture(0, 8, 8)
        assert fingerprint(whole[:, ::2]) == fingerprint(np.ascontiguousarray(whole[:, ::2]))

    @pytest.mark.parametrize(
        "name",
        [
            "1",
            "a/b/c/000001",
            "/absolute/1",
            "../../out",
            "a/../b",
            ".hidden",
            "a b/ü.jpg",
            "a:b*?\\c",
            "x" * 200,
            "a//b",
        ],
    )
    def test_any_name_stays_inside_the_folder(self, cache, tmp_path, name):
        kept = cache.put(name, picture(0), torch.ones(1, 3))
        assert torch.equal(cache.get(name, picture(0)), kept)
        (file,) = files(tmp_path)
        assert file.startswith("features/counting-1/")

    def test_numbers_too_large_for_float16_are_kept_in_full(self, cache):
        rows = torch.tensor([[1e6, -3e38, 1.0]])
        assert torch.equal(cache.put("1", picture(0), rows), rows)
        assert torch.equal(cache.get("1", picture(0)), rows)

    @pytest.mark.parametrize("value", [float("nan"), float("inf")])
    def test_a_teacher_that_says_nothing_finite_is_told(self, cache, value):
        with pytest.raises(CheckpointError, match="walk/1: the teacher gives values that are not finite"):
            cache.put("walk/1", picture(0), torch.tensor([[1.0, value]]))
        assert not cache.folder.exists()

    def test_gradients_and_views_are_no_obstacle(self, cache):
        rows = torch.randn(3, 4, requires_grad=True).T[:, ::2]
        kept = cache.put("1", picture(0), rows)
        assert not kept.requires_grad
        torch.testing.assert_close(kept, rows.detach(), rtol=1e-3, atol=1e-3)

    def test_a_frame_of_one_row_is_small(self, cache):
        cache.put("walk/000001", picture(0), torch.randn(1, 1024))
        assert cache.path("walk/000001", picture(0)).stat().st_size < 2400

    def test_workers_may_take_a_copy(self, cache):
        kept = cache.put("1", picture(0), torch.ones(1, 3))
        assert torch.equal(pickle.loads(pickle.dumps(cache)).get("1", picture(0)), kept)


class TestDamage:
    @pytest.fixture
    def file(self, cache) -> Path:
        cache.put("1", picture(0), torch.ones(2, 3))
        return cache.path("1", picture(0))

    def test_every_cut_is_noticed(self, cache, file):
        whole = file.read_bytes()
        for length in range(len(whole)):
            file.write_bytes(whole[:length])
            assert cache.get("1", picture(0)) is None, length
        assert set(cache.damaged) == {file}

    def test_every_flipped_bit_is_noticed_or_harmless(self, cache, file):
        """Harmless are bits of the frame's name and of padding; numbers never change."""
        whole, expected = file.read_bytes(), cache.get("1", picture(0))
        for position in range(len(whole)):
            for bit in (0, 5):
                broken = bytearray(whole)
                broken[position] ^= 1 << bit
                file.write_bytes(broken)
                found = cache.get("1", picture(0))
                assert found is None or torch.equal(found, expected), (position, bit)
        file.write_bytes(whole[:-2] + b"\x00\x00")  # the last number
        assert cache.get("1", picture(0)) is None

    @pytest.mark.parametrize("contents", [b"", b"\x00" * 500, b"no weights at all" * 40])
    def test_a_damaged_file_is_computed_again_and_counted(self, cache, contents):
        teacher = CountingTeacher()
        assert precompute(teacher, frames(3), cache) == Precomputed(3, 0, 0)
        cache.path(*frames(3)[1]).write_bytes(contents)
        assert precompute(teacher, frames(3), cache) == Precomputed(computed=1, reused=2, damaged=1)
        assert precompute(teacher, frames(3), cache) == Precomputed(0, 3, 0)
        assert cache.get(*frames(3)[1]) is not None


class TestPrecompute:
    def test_each_frame_is_shown_once(self, cache):
        teacher, seen = CountingTeacher(rows=2), []
        assert precompute(teacher, frames(7), cache, batch_size=3, progress=seen.append) == Precomputed(7, 0, 0)
        assert teacher.shown == [3, 3, 1]
        assert seen == [name for name, _ in frames(7)]
        assert precompute(teacher, frames(9), cache, progress=seen.append) == Precomputed(2, 7, 0)
        assert sum(teacher.shown) == 9
        assert len(seen) == 16

    def test_what_is_kept_is_what_the_teacher_says_of_this_frame(self, cache):
        precompute(CountingTeacher(), frames(7), cache, batch_size=3)
        for name, image in frames(7):
            expected = torch.from_numpy(image).float().mean((0, 1)) / 255
            torch.testing.assert_close(cache.get(name, image)[0], expected, rtol=1e-3, atol=1e-3)

    def test_pictures_of_several_sizes(self, cache):
        sizes = [(6, 8), (6, 8), (8, 6), (6, 8), (1, 1)]
        mixed = [(f"f/{i}", picture(i, *size)) for i, size in enumerate(sizes)]
        teacher = CountingTeacher()
        assert precompute(teacher, mixed, cache) == Precomputed(5, 0, 0)
        assert teacher.shown == [2, 1, 1, 1]

    def test_frames_are_taken_as_they_are_needed(self, cache):
        taken, done = [], []

        def endless():
            for index in range(10**9):
                taken.append(index)
                yield f"f/{index}", picture(index)

        def stop(name):
            done.append(name)
            assert len(taken) - len(done) < 4
            if len(done) == 10:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            precompute(CountingTeacher(), endless(), cache, batch_size=4, progress=stop)
        assert len(taken) == 12

    def test_no_frames(self, cache):
        assert precompute(CountingTeacher(), [], cache) == Precomputed(0, 0, 0)

    def test_it_says_whose_features_they_are(self, cache):
        precompute(CountingTeacher(), frames(1), cache)
        assert json.loads((cache.folder / "teacher.json").read_text()) == CountingTeacher().provenance

    def test_the_cache_of_another_teacher_is_refused(self, cache):
        with pytest.raises(ValueError, match="the cache is of teacher counting-1, not of counting-2"):
            precompute(CountingTeacher("counting-2"), frames(1), cache)


def fill(folder: Path, start: int, count: int, results) -> None:
    """In a process of its own."""
    cache, teacher = FeatureCache(folder, "counting-1"), CountingTeacher(delay=0.002)
    results.put(precompute(teacher, frames(count, start), cache, batch_size=2))


class TestProcesses:
    def test_two_fill_it_at_once_with_frames_in_common(self, cache, tmp_path):
        context = multiprocessing.get_context("fork")
        results = context.Queue()
        workers = [
            context.Process(target=fill, args=(tmp_path / "features", start, 40, results)) for start in (0, 20, 0)
        ]
        for worker in workers:
            worker.start()
        done = [results.get(timeout=60) for _ in workers]
        for worker in workers:
            worker.join()
            assert worker.exitcode == 0
        assert all(one.computed + one.reused == 40 and one.damaged == 0 for one in done)
        assert len(list(cache.folder.rglob("*.safetensors"))) == 60
        assert not list(cache.folder.rglob("*.part"))
        for name, image in frames(60):
            expected = torch.from_numpy(image).float().mean((0, 1)) / 255
            torch.testing.assert_close(cache.get(name, image)[0], expected, rtol=1e-3, atol=1e-3)

    def test_a_reader_never_sees_half_a_file(self, cache):
        """One process writes the same frame over and over; another reads it all the while."""
        context = multiprocessing.get_context("fork")
        rows = torch.arange(2000.0).view(2, 1000) / 2000
        kept = cache.put("1", picture(0), rows)

        def write():
            until = time.monotonic() + 1.0
            while time.monotonic() < until:
                cache.put("1", picture(0), rows)

        writer = context.Process(target=write)
        writer.start()
        reads = 0
        while writer.is_alive():
            assert torch.equal(cache.get("1", picture(0)), kept)
            reads += 1
        writer.join()
        assert writer.exitcode == 0
        assert reads > 20

    def test_a_run_that_was_killed_goes_on_where_it_was(self, cache, tmp_path):
        context = multiprocessing.get_context("fork")
        worker = context.Process(target=fill, args=(tmp_path / "features", 0, 5000, context.Queue()))
        worker.start()
        deadline = time.monotonic() + 30
        while len(list(cache.folder.rglob("*.safetensors"))) < 20 and time.monotonic() < deadline:
            time.sleep(0.005)
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()
        there = len(list(cache.folder.rglob("*.safetensors")))
        assert 20 <= there < 5000
        teacher = CountingTeacher()
        assert precompute(teacher, frames(there + 5), cache) == Precomputed(computed=5, reused=there, damaged=0)

    def test_what_killed_runs_left_is_removed_and_what_others_are_writing_is_not(self, cache):
        precompute(CountingTeacher(), frames(1), cache)
        old, new, foreign = (cache.folder / name for name in (".a.1.part", ".b.2.part", "notes.part"))
        for file in (old, new, foreign):
            file.write_bytes(b"half")
        for file in (old, foreign):
            os.utime(file, (0, 0))
        precompute(CountingTeacher(), frames(1), cache)
        assert [file.exists() for file in (old, new, foreign)] == [False, True, True]


class TestFullDisk:
    def check(self, cache: FeatureCache, make_room) -> None:
        """Fill until it is full; then nothing is lost, and the next run goes on."""
        wide = [(name, np.repeat(image, 20, axis=0)) for name, image in frames(60)]
        teacher = CountingTeacher(rows=1000)
        with pytest.raises(OutputError) as raised:
            precompute(teacher, wide, cache, batch_size=4)
        assert "\n" not in str(raised.value)
        assert "No space left on device" in str(raised.value)
        kept = [name for name, image in wide if cache.get(name, image) is not None]
        assert 0 < len(kept) < 60
        assert not list(cache.folder.rglob("*.part"))
        assert cache.damaged == []
        make_room()
        assert precompute(teacher, wide, cache) == Precomputed(60 - len(kept), len(kept), 0)

    def test_one_that_is_really_full(self, tmp_path):
        """On a file system of 200 kB, which only root can make."""
        place = tmp_path / "small disk"
        place.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(place)]
        if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode != 0:
            pytest.skip("needs the right to mount a small file system")
        try:
            more = ["mount", "-o", "remount,size=4m", str(place)]
            self.check(FeatureCache(place, "counting-1"), lambda: subprocess.run(more, check=True))
        finally:
            subprocess.run(["umount", str(place)], check=True)

    def test_one_that_says_so(self, cache, monkeypatch):
        left, replace = [25], os.replace

        def fill_up(*arguments, **named):
            left[0] -= 1
            if left[0] < 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return replace(*arguments, **named)

        monkeypatch.setattr("vsdmot.io.whole_files.os.replace", fill_up)
        self.check(cache, lambda: left.__setitem__(0, 10**6))

    def test_a_folder_that_cannot_be_made(self, tmp_path):
        (tmp_path / "features").write_text("a file")
        with pytest.raises(OutputError, match="cannot be written"):
            precompute(CountingTeacher(), frames(1), FeatureCache(tmp_path / "features", "counting-1"))

    def test_a_name_longer_than_file_systems_allow(self, cache):
        with pytest.raises(OutputError, match="File name too long"):
            cache.put("x" * 300, picture(0), torch.ones(1, 3))


def test_a_detector_as_teacher_fills_it(detector_file, tmp_path):
    from vsdmot.training.distillation.detector_teacher import DetectorTeacher

    teacher = DetectorTeacher.from_checkpoint(detector_file, size=64)
    cache = FeatureCache(tmp_path, teacher.identity)
    shots = [("a", picture(0, 36, 64)), ("b", picture(1, 36, 64)), ("c", picture(2, 50, 40))]
    assert precompute(teacher, shots, cache, batch_size=2) == Precomputed(3, 0, 0)
    for name, image in shots:
        shown = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
        torch.testing.assert_close(cache.get(name, image), teacher(shown)[0], rtol=2e-3, atol=2e-3)
