"""Detections from files: text and JSON, their scores, and which frame gets which entry."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from vsdmot.detection.det_db import DetDb
from vsdmot.detection.files import MotDetections, open_detections
from vsdmot.detection.writers import DetDbWriter, DetTextWriter
from vsdmot.errors import FormatError, OutputError
from vsdmot.structures import Frame, Proposals


def frame(index: int = 1, path: str | Path | None = None) -> Frame:
    return Frame(index, 0.0, np.zeros((4, 4, 3), np.uint8), Path(path) if path else None)


def text_file(tmp_path: Path, content: str) -> MotDetections:
    path = tmp_path / "det.txt"
    path.write_text(content)
    detections = open_detections(path)
    assert isinstance(detections, MotDetections)
    return detections


def det_db(tmp_path: Path, content: object, *, sequence: str | None = None) -> DetDb:
    path = tmp_path / "det_db.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    detections = open_detections(path, sequence=sequence)
    assert isinstance(detections, DetDb)
    return detections


def lefts(proposals: Proposals) -> list[float]:
    return proposals.boxes[:, 0].tolist()


def random_proposals(seed: int) -> Proposals:
    rng = np.random.default_rng(seed)
    corner, size = rng.uniform(-20, 1900, (30, 2)), rng.uniform(1, 300, (30, 2))
    boxes = np.concatenate([corner, corner + size], axis=1).astype(np.float32)
    return Proposals(boxes=boxes, scores=rng.random(30, dtype=np.float32))


class TestText:
    def test_each_frame_gets_its_rows_in_file_order(self, tmp_path: Path):
        detections = text_file(tmp_path, "3,-1,30,0,5,6,0.1\n1,-1,10,2,5,6,0.9\n3,-1,31,0,5,6,0.8\n")
        np.testing.assert_array_equal(detections(frame(1)).boxes, [[10, 2, 15, 8]])
        assert lefts(detections(frame(3))) == [30, 31]
        np.testing.assert_allclose(detections(frame(3)).scores, [0.1, 0.8], rtol=1e-6)
        assert len(detections(frame(2))) == len(detections(frame(99))) == 0
        assert detections.notes == ()

    @pytest.mark.parametrize("content", ["", "\n"])
    def test_an_empty_file_has_no_proposals_and_says_so(self, tmp_path: Path, content: str):
        detections = text_file(tmp_path, content)
        assert len(detections(frame(1))) == 0
        assert detections.notes == ("the file holds no detections",)

    def test_scores_outside_0_to_1_are_scaled_over_the_file(self, tmp_path: Path):
        detections = text_file(tmp_path, "1,-1,0,0,5,6,-10\n1,-1,0,0,5,6,40\n2,-1,0,0,5,6,90\n")
        np.testing.assert_allclose(detections(frame(1)).scores, [1e-4, 0.5], atol=1e-4)
        assert detections(frame(2)).scores.tolist() == [1]
        assert detections.notes == ("scores run from -10 to 90: scaled to the range 0 to 1 over the whole file",)

    def test_equal_scores_above_1_become_1(self, tmp_path: Path):
        assert text_file(tmp_path, "1,-1,0,0,5,6,7\n1,-1,9,0,5,6,7\n")(frame(1)).scores.tolist() == [1, 1]

    def test_scores_of_0_and_1_stay(self, tmp_path: Path):
        detections = text_file(tmp_path, "1,-1,0,0,5,6,0\n1,-1,9,0,5,6,1\n")
        assert detections(frame(1)).scores.tolist() == [0, 1]
        assert detections.notes == ()

    def test_without_a_score_column_every_score_is_1(self, tmp_path: Path):
        detections = text_file(tmp_path, "1,-1,0,0,5,6\n")
        assert detections(frame(1)).scores.tolist() == [1]
        assert "no score column" in detections.notes[0]

    def test_boxes_without_area_are_dropped_and_counted(self, tmp_path: Path):
        detections = text_file(
            tmp_path, "1,-1,1,0,5,0,0.5\n1,-1,2,0,5,6,0.5\n1,-1,3,0,-5,6,0.5\n2,-1,4,0,0,6,.5\n3,-1,5,0,1,1,.5\n"
        )
        assert [lefts(detections(frame(index))) for index in (1, 2, 3)] == [[2], [], [5]]
        assert detections.notes == ("3 of 5 boxes have no area (width or height not above 0) and were left out",)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("1,-1,0,0,5,6,0.5\n1,-1,0,0,5,6\n", r"det\.txt:2: expected a score as 7th value"),
            ("1,-1,0,0,5,6,0.5\n1,-1,0,0,5,6,nan\n", r"det\.txt:2: expected a finite score, got nan"),
            ("1,-1,0,0,5\n", r"det\.txt:1: expected at least 6 values"),
        ],
    )
    def test_a_broken_file_is_refused_with_its_line(self, tmp_path: Path, content: str, message: str):
        with pytest.raises(FormatError, match=message):
            text_file(tmp_path, content)

    def test_public_detections_of_real_sequences(self, shared_data: Path):
        detections = open_detections(shared_data / "mot15/train/TUD-Stadtmitte/det/det.txt")
        assert len(detections(frame(1))) > 0
        assert any("scaled" in note for note in detections.notes)


class TestDetDb:
    @pytest.mark.parametrize("ending", ["\n", "", ",0\n", ",1"], ids=["5 fields", "no line end", "6 fields", "6, none"])
    def test_fields(self, tmp_path: Path, ending: str):
        detections = det_db(tmp_path, {"s/img1/000001.txt": [f"10,2,5,6,0.9{ending}", f"20,2,5,6,0.25{ending}"]})
        proposals = detections(frame(1, "/data/s/img1/000001.jpg"))
        np.testing.assert_array_equal(proposals.boxes, [[10, 2, 15, 8], [20, 2, 25, 8]])
        np.testing.assert_allclose(proposals.scores, [0.9, 0.25], rtol=1e-6)
        assert detections.notes == ()

    @pytest.mark.parametrize(
        "key",
        [
            "s1/img1/000001.txt",
            "s1/img1/000001.jpg",
            "s1/img1/000001",
            "/s1/img1/000001.txt",
            "./s1/img1/000001.txt",
            "DanceTrack/train/s1/img1/000001.txt",
            "dancetrack/val/s1/img1/000001.txt",
            "/srv/a/DanceTrack/train/s1/img1/000001.txt",
            "D:\\sets\\train\\s1\\img1\\000001.txt",
            "img1/000001.txt",
            "000001.txt",
            "s1/img1/1.txt",
        ],
    )
    def test_a_key_finds_its_frame_however_it_is_written(self, tmp_path: Path, key: str):
        detections = det_db(tmp_path, {key: ["10,2,5,6,0.9\n"]})
        assert lefts(detections(frame(1, "/data/DanceTrack/train/s1/img1/000001.jpg"))) == [10]

    def test_a_relative_frame_path_is_followed_to_its_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        folder = tmp_path / "s1" / "img1"
        folder.mkdir(parents=True)
        monkeypatch.chdir(folder)
        detections = det_db(tmp_path, {"s1/img1/000001.txt": ["1,2,5,6,1"], "s2/img1/000001.txt": ["2,2,5,6,1"]})
        assert lefts(detections(frame(1, "000001.jpg"))) == [1]

    def test_a_missing_key_is_a_frame_without_proposals(self, tmp_path: Path):
        detections = det_db(tmp_path, {"s/img1/000001.txt": ["10,2,5,6,0.9"]})
        assert len(detections(frame(2, "/data/s/img1/000002.jpg"))) == 0

    def test_sequences_do_not_borrow_from_one_another(self, tmp_path: Path):
        """Two folders named img1 are not the same folder, even if the file holds only one of them."""
        detections = det_db(tmp_path, {"s1/img1/000001.txt": ["10,2,5,6,0.9"]})
        with pytest.raises(FormatError, match=r"no key belongs to the folder data/s2/img1; keys look like 's1/img1/"):
            detections(frame(1, "/data/s2/img1/000001.jpg"))

    def test_the_longest_common_end_wins(self, tmp_path: Path):
        keys = {"train/s/img1/000001.txt": ["1,2,5,6,1"], "val/s/img1/000001.txt": ["2,2,5,6,1"]}
        detections = det_db(tmp_path, keys)
        assert lefts(detections(frame(1, "/data/val/s/img1/000001.jpg"))) == [2]
        assert lefts(detections(frame(1, "/data/train/s/img1/000001.jpg"))) == [1]
        with pytest.raises(FormatError, match="may be 'train/s/img1' or 'val/s/img1'"):
            detections(frame(1, "/data/test/s/img1/000001.jpg"))

    def test_images_outside_mot_folders(self, tmp_path: Path):
        detections = det_db(tmp_path, {"crowdhuman/train_image/273271,1a0d6.txt": ["1,2,5,6,1"]})
        assert lefts(detections(frame(7, "/x/crowdhuman/train_image/273271,1a0d6.png"))) == [1]
        assert len(detections(frame(8, "/x/crowdhuman/train_image/273271,9.png"))) == 0

    def test_a_video_is_found_by_sequence_and_number(self, tmp_path: Path):
        keys = {"t/s1/img1/00000002.txt": ["1,2,5,6,1"], "t/s2/img1/00000002.txt": ["2,2,5,6,1"]}
        assert lefts(det_db(tmp_path, keys, sequence="s2")(frame(2))) == [2]
        assert len(det_db(tmp_path, keys, sequence="s2")(frame(1))) == 0
        with pytest.raises(FormatError, match="holds 2 folders: name the sequence"):
            det_db(tmp_path, keys)(frame(2))
        with pytest.raises(FormatError, match="no key belongs to the sequence s3"):
            det_db(tmp_path, keys, sequence="s3")(frame(2))
        with pytest.raises(FormatError, match="both fit equally well"):
            det_db(tmp_path, keys, sequence="t")(frame(2))

    def test_a_video_needs_no_name_if_there_is_one_folder(self, tmp_path: Path):
        assert lefts(det_db(tmp_path, {"s1/img1/frame_0002.txt": ["1,2,5,6,1"]})(frame(2))) == [1]

    def test_images_numbered_from_0_would_be_one_late(self, tmp_path: Path):
        detections = det_db(tmp_path, {"s1/000000.txt": ["1,2,5,6,1"], "s1/000001.txt": ["2,2,5,6,1"]})
        with pytest.raises(FormatError, match="numbers its images from 0"):
            detections(frame(1))
        assert lefts(detections(frame(1, "/data/s1/000000.png"))) == [1]

    def test_an_empty_mapping_has_no_proposals_and_says_so(self, tmp_path: Path):
        detections = det_db(tmp_path, {})
        assert len(detections(frame(1, "/x/y.jpg"))) == len(detections(frame(1))) == 0
        assert detections.notes == ("the file holds no detections",)

    def test_an_empty_list_is_a_frame_without_proposals(self, tmp_path: Path):
        assert len(det_db(tmp_path, {"s/1.txt": [], "s/2.txt": ["1,2,5,6,1"]})(frame(1, "/s/1.jpg"))) == 0

    def test_dropped_boxes_do_not_shift_the_frames_after_them(self, tmp_path: Path):
        keys = {"s/1.txt": ["1,2,0,6,1", "2,2,5,6,1"], "s/2.txt": ["3,2,5,6,1"], "s/3.txt": ["4,2,5,-1,1"]}
        detections = det_db(tmp_path, keys)
        assert [lefts(detections(frame(i, f"/s/{i}.jpg"))) for i in (1, 2, 3)] == [[2], [3], []]
        assert detections.notes == ("2 of 4 boxes have no area (width or height not above 0) and were left out",)

    def test_several_classes_are_pointed_out(self, tmp_path: Path):
        detections = det_db(tmp_path, {"s/1.txt": ["1,2,5,6,1,0", "2,2,5,6,1,2"]})
        assert detections.notes == ("the sixth field names several classes (0, 2): all are used",)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("{", "not readable as JSON"),
            ("[1, 2]", "expected a JSON mapping"),
            ('["a"]', "expected a JSON mapping"),
            ('{"s/1.txt": "1,2,3,4,5"}', r"key 's/1\.txt': expected a list of texts"),
            ('{"s/1.txt": [[1, 2, 3, 4, 5]]}', "expected a list of texts"),
            ('{"s/1.txt": {"a": 1}}', "expected a list of texts"),
            ('{"s/1.txt": ["1,2,3,4"]}', "expected 'left,top,width,height,score', got '1,2,3,4'"),
            ('{"s/1.txt": ["1,2,3,4", "1,2,3,4,5,6"]}', "got '1,2,3,4'"),
            ('{"s/1.txt": ["1,2,3,4,high"]}', "expected numbers: .*high"),
            ('{"s/1.txt": [], "s/2.txt": ["1,2,3,4,nan"]}', "key 's/2': expected finite numbers, got nan"),
            ('{"s/1.txt": [], "s/1.txt": []}', "names an image twice"),
            ('{"s/1.txt": [], "s\\\\1.jpg": []}', "names an image twice"),
            ('{"": []}', "is empty"),
        ],
    )
    def test_a_broken_file_is_refused_with_its_key(self, tmp_path: Path, content: str, message: str):
        with pytest.raises(FormatError, match=message) as caught:
            det_db(tmp_path, content)
        assert "\n" not in str(caught.value)


def test_content_decides_the_format_not_the_name(tmp_path: Path):
    path = tmp_path / "det.txt"
    path.write_text('\ufeff \n{"s/1.txt": []}', encoding="utf-8")
    assert isinstance(open_detections(path), DetDb)
    with pytest.raises(FormatError, match=r"none\.json: cannot read detections: no such file"):
        open_detections(tmp_path / "none.json")


class TestWriters:
    def test_text_round_trip(self, tmp_path: Path):
        path = tmp_path / "det.txt"
        written = {1: random_proposals(1), 2: Proposals.empty(), 4: random_proposals(4)}
        with DetTextWriter(path) as writer:
            for index, proposals in written.items():
                writer.write(frame(index), proposals)
        detections = open_detections(path)
        for index, proposals in written.items():
            np.testing.assert_allclose(detections(frame(index)).boxes, proposals.boxes, atol=0.011)
            np.testing.assert_allclose(detections(frame(index)).scores, proposals.scores, atol=0.6e-4)

    def test_det_db_round_trip_and_keys(self, tmp_path: Path):
        path, root = tmp_path / "det_db.json", tmp_path / "DanceTrack"
        images = [root / "train" / name / "img1" / f"{i:08d}.jpg" for name in ("a", "b") for i in (1, 2)]
        written = {image: random_proposals(i) if i else Proposals.empty() for i, image in enumerate(images)}
        with DetDbWriter(path, root=root) as writer:
            for image, proposals in written.items():
                writer.write(frame(1, image), proposals)
        keys = json.loads(path.read_text())
        assert list(keys) == [f"train/{name}/img1/{i:08d}.txt" for name in ("a", "b") for i in (1, 2)]
        assert keys["train/a/img1/00000001.txt"] == []
        assert all(line.count(",") == 4 and line.endswith("\n") for lines in keys.values() for line in lines)
        detections = open_detections(path)
        for image, proposals in written.items():
            np.testing.assert_allclose(detections(frame(1, image)).boxes, proposals.boxes, atol=0.011)
            np.testing.assert_allclose(detections(frame(1, image)).scores, proposals.scores, atol=0.6e-4)

    def test_det_db_of_a_video(self, tmp_path: Path):
        path = tmp_path / "det_db.json"
        with DetDbWriter(path, sequence="clip") as writer:
            writer.write(frame(12), random_proposals(0))
            with pytest.raises(OutputError, match=r"two frames have the key 'clip/img1/00000012\.txt'"):
                writer.write(frame(12), random_proposals(0))
        assert len(open_detections(path, sequence="clip")(frame(12))) == 30

    def test_keys_that_cannot_be_made(self, tmp_path: Path):
        with DetDbWriter(tmp_path / "a.json") as writer, pytest.raises(OutputError, match="name the sequence"):
            writer.write(frame(1), Proposals.empty())
        with (
            DetDbWriter(tmp_path / "b.json", root=Path("/data")) as writer,
            pytest.raises(OutputError, match="does not lie in the folder /data"),
        ):
            writer.write(frame(1, "/else/1.jpg"), Proposals.empty())

    @pytest.mark.parametrize("writer_type", [DetTextWriter, DetDbWriter])
    def test_nothing_written_is_a_valid_file(self, tmp_path: Path, writer_type):
        path = tmp_path / "out"
        with writer_type(path):
            pass
        assert open_detections(path).notes == ("the file holds no detections",)

    @pytest.mark.parametrize("writer_type", [DetTextWriter, DetDbWriter])
    def test_a_stopped_run_keeps_the_old_file_and_what_was_done_beside_it(self, tmp_path: Path, writer_type):
        path = tmp_path / "out"
        path.write_text("old")

        def run_until_failure() -> None:
            with writer_type(path) as writer:
                writer.write(frame(1, "/s/1.jpg"), random_proposals(0))
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run_until_failure()
        assert path.read_text() == "old"
        assert sorted(os.listdir(tmp_path)) == ["out", "out.part"]
        kept = open_detections(tmp_path / "out.part")(frame(1, "/s/1.jpg"))
        np.testing.assert_allclose(kept.boxes, random_proposals(0).boxes, atol=0.011)

    @pytest.mark.parametrize("writer_type", [DetTextWriter, DetDbWriter])
    def test_until_the_end_nothing_stands_under_the_name(self, tmp_path: Path, writer_type):
        path = tmp_path / "out"
        with writer_type(path) as writer:
            writer.write(frame(1, "/s/1.jpg"), random_proposals(0))
            assert not path.exists()
        assert path.exists()

    @pytest.mark.parametrize("writer_type", [DetTextWriter, DetDbWriter])
    def test_a_missing_folder_is_named(self, tmp_path: Path, writer_type):
        with pytest.raises(OutputError, match="cannot write detections: no such file or directory"):
            writer_type(tmp_path / "missing" / "out")

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk that is always full")
    @pytest.mark.parametrize("writer_type", [DetTextWriter, DetDbWriter])
    def test_a_full_disk_is_an_error_of_ours(self, tmp_path: Path, writer_type):
        path = tmp_path / "out"
        (tmp_path / "out.part").symlink_to("/dev/full")

        def run() -> None:
            with writer_type(path) as writer:
                for index in range(1, 50):
                    writer.write(frame(index, f"/s/{index}.jpg"), random_proposals(0))

        with pytest.raises(OutputError, match=r"the disk is full; what was written is in out\.part"):
            run()
        assert os.listdir(tmp_path) == ["out.part"]
