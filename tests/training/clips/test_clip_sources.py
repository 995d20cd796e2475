"""What clips are drawn from."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from vsdmot.datasets.splits import SplitEntry, write_split
from vsdmot.errors import ConfigError, FormatError, SourceError
from vsdmot.training.clips.sources import ClipSourceConfig, open_clip_source


def _open(root, **settings):
    return open_clip_source(ClipSourceConfig(root=root, **settings))


def _sequence(root, **settings):
    (sequence,) = _open(root, **settings).sequences
    return sequence


def _lines_of(folder: Path) -> list[list[float]]:
    return [[float(value) for value in line.split(",")] for line in (folder / "gt" / "gt.txt").read_text().split()]


def test_people_of_each_frame_are_the_lines_of_the_file(tmp_path, draw_sequence):
    folder = draw_sequence(tmp_path / "street", num_frames=4)
    sequence = _sequence(folder)
    assert sequence.frames.tolist() == [1, 2, 3, 4]
    for position in range(4):
        assert sequence.path(position) == folder / "img1" / f"{position + 1:06d}.jpg"
        boxes, ids = sequence.people.at(position)
        lines = [line for line in _lines_of(folder) if line[0] == position + 1]
        assert ids.tolist() == [line[1] for line in lines]
        assert boxes.tolist() == [[x, y, x + w, y + h] for _, _, x, y, w, h, *_ in lines]
    assert sequence.label(2) == "street/000003"
    assert sequence.ground_truth == folder / "gt" / "gt.txt"
    assert sequence.proposals is not None
    assert len(sequence.proposals.at(0)[0]) == 0


def test_only_people_who_count_are_taken(tmp_path, draw_sequence):
    folder = draw_sequence(tmp_path / "a")
    lines = ["1,1,1,1,9,9,1,1,1", "1,2,1,1,9,9,0,1,1", "1,3,1,1,9,9,1,8,1", "2,4,1,1,0,9,1,1,1", "2,5,1,1,9,9,1,1,0.1"]
    (folder / "gt" / "gt.txt").write_text("\n".join(lines) + "\n")
    source = _open(folder)
    assert source.sequences[0].people.values.tolist() == [1, 5]
    assert any("1 box without area" in note for note in source.notes)


def test_a_frame_without_people_between_annotations_is_a_frame(tmp_path, draw_sequence):
    folder = draw_sequence(tmp_path / "a", num_frames=6)
    (folder / "gt" / "gt.txt").write_text("2,1,1,1,9,9,1,1,1\n5,1,1,1,9,9,1,1,1\n")
    source = _open(folder)
    assert source.sequences[0].frames.tolist() == [2, 3, 4, 5]
    assert [len(source.sequences[0].people.at(position)[1]) for position in range(4)] == [1, 0, 0, 1]
    assert any("2 frames before or after the annotations (frames 2 to 5)" in note for note in source.notes)


def test_missing_images_are_left_out_and_told(tmp_path, draw_sequence):
    folder = draw_sequence(tmp_path / "a", num_frames=5)
    (folder / "img1" / "000003.jpg").unlink()
    source = _open(folder)
    sequence = source.sequences[0]
    assert sequence.frames.tolist() == [1, 2, 4, 5]
    assert sequence.people.at(2)[0].tolist() == [
        [x, y, x + w, y + h] for frame, _, x, y, w, h, *_ in _lines_of(folder) if frame == 4
    ]
    assert any("1 of 5 annotated frames have no image" in note for note in source.notes)


def test_an_empty_sequence_is_left_out_and_a_source_of_nothing_is_an_error(tmp_path, draw_sequence):
    for name in ("a", "b"):
        draw_sequence(tmp_path / name)
    (tmp_path / "a" / "gt" / "gt.txt").write_text("")
    source = _open(tmp_path)
    assert [sequence.name for sequence in source.sequences] == ["b"]
    assert "a: shows no people and is left out" in source.notes
    with pytest.raises(SourceError, match=r"a: expected annotated images, found none; a: shows no people"):
        _open(tmp_path / "a")


def test_sequences_without_ground_truth_are_left_out(tmp_path, draw_sequence):
    draw_sequence(tmp_path / "a")
    draw_sequence(tmp_path / "b", with_truth=False)
    source = _open(tmp_path)
    assert [sequence.name for sequence in source.sequences] == ["a"]
    assert "b: has no gt/gt.txt and is left out" in source.notes


def test_an_id_twice_in_a_frame_is_an_error_with_its_line(tmp_path, draw_sequence):
    folder = draw_sequence(tmp_path / "a")
    (folder / "gt" / "gt.txt").write_text("1,7,1,1,9,9,1,1,1\n2,7,1,1,9,9,1,1,1\n2,7,5,1,9,9,1,1,1\n")
    with pytest.raises(FormatError, match=r"gt\.txt:3: expected each id once in a frame, got id 7 again in frame 2"):
        _open(folder)


def test_the_three_copies_of_mot17_count_once(originals):
    source = _open(originals / "MOT17" / "train")
    assert [sequence.name for sequence in source.sequences] == [
        f"MOT17-{number}-FRCNN" for number in ("02", "04", "05", "09", "10", "11", "13")
    ]
    assert "MOT17-02-FRCNN: counts once; the same footage is left out as MOT17-02-DPM, MOT17-02-SDP" in source.notes


def test_a_folder_that_holds_what_validates_is_refused(originals):
    with pytest.raises(ConfigError, match=r"holds sequences in train, val: name one of these folders"):
        _open(originals / "DanceTrack")
    assert len(_open(originals / "DanceTrack" / "train").sequences) == 40
    # MOT17 and MOT20 both have theirs in train/; those in test/ have no ground truth.
    assert len(_open(originals / "MOT17").sequences) == 7


def test_a_list_says_which_sequences_there_are_and_which_are_degraded(tmp_path, draw_sequence):
    for name in ("a", "b", "c"):
        draw_sequence(tmp_path / "train" / name)
    entries = [
        SplitEntry("a", "degraded", tmp_path / "train" / "a"),
        SplitEntry("c", "clean", tmp_path / "train" / "c"),
    ]
    (tmp_path / "train.txt").write_text(write_split(entries, tmp_path))
    sequences = _open(tmp_path / "train.txt").sequences
    assert [(sequence.name, sequence.quality) for sequence in sequences] == [("a", "degraded"), ("c", "clean")]
    assert sequences[0].clean_path(0) is None
    assert sequences[1].clean_path(0) == sequences[1].path(0)


def test_clean_originals_are_found_by_name(tmp_path, draw_sequence):
    degraded = draw_sequence(tmp_path / "lq" / "a")
    original = draw_sequence(tmp_path / "originals" / "a")
    (degraded / "degradation.json").write_text("{}")
    sequence = _sequence(tmp_path / "lq", clean=tmp_path / "originals")
    assert sequence.quality == "degraded"
    assert sequence.clean_path(1) == original / "img1" / "000002.jpg"
    (original / "img1" / "000002.jpg").unlink()
    with pytest.raises(SourceError, match=r"expected the clean image of every frame, 000002\.jpg is not there"):
        _open(tmp_path / "lq", clean=tmp_path / "originals")


def test_own_proposals_are_det_txt(tmp_path, draw_sequence):
    folder = draw_sequence(tmp_path / "a", num_frames=3)
    (folder / "det" / "det.txt").write_text("1,-1,4,8,10,20,0.9\n3,-1,5,8,10,20,0.05\n3,-1,6,8,10,20,0.06\n")
    proposals = _sequence(folder, proposals="own").proposals
    assert [proposals.at(position)[0].tolist() for position in range(3)] == [[[4, 8, 14, 28]], [], [[6, 8, 16, 28]]]
    np.testing.assert_allclose(proposals.at(2)[1], [0.06])
    assert len(_sequence(folder, proposals="own", min_score=0.0).proposals.boxes) == 3


def test_proposals_that_were_asked_for_and_are_missing_are_an_error(tmp_path, draw_sequence):
    folder = draw_sequence(tmp_path / "a", with_detections=False)
    with pytest.raises(SourceError, match=r"det\.txt: expected the proposals of a here; use proposals: none"):
        _open(folder, proposals="own")
    with pytest.raises(FormatError, match="cannot read detections"):
        _open(folder, proposals=str(tmp_path / "nowhere.json"))


def test_imitated_proposals_are_not_read(tmp_path, draw_sequence):
    assert _sequence(draw_sequence(tmp_path / "a"), proposals="imitated").proposals is None


def test_a_folder_of_texts_gives_each_sequence_its_own(tmp_path, draw_sequence):
    for name, left in (("a", 3), ("b", 7)):
        draw_sequence(tmp_path / "data" / name)
        (tmp_path / f"{name}.txt").write_text(f"2,-1,{left},8,10,20,0.9\n")
    for sequence, left in zip(_open(tmp_path / "data", proposals=str(tmp_path)).sequences, (3, 7), strict=True):
        assert len(sequence.proposals.at(0)[0]) == 0
        assert sequence.proposals.at(1)[0].tolist() == [[left, 8, left + 10, 28]]
    with pytest.raises(ConfigError, match="is the text of one sequence, and there are 2"):
        _open(tmp_path / "data", proposals=str(tmp_path / "a.txt"))
    assert len(_sequence(tmp_path / "data" / "a", proposals=str(tmp_path / "a.txt")).proposals.boxes) == 1


def test_det_db_serves_all_sequences_and_an_image_without_key_has_none(tmp_path, draw_sequence):
    for name in ("a", "b"):
        draw_sequence(tmp_path / "set" / name, num_frames=3, digits=8)
    db = {"set/a/img1/00000001.txt": ["1,2,3,4,0.5\n"], "set/b/img1/00000003.txt": ["5,6,7,8,0.25\n", "9,9,9,9,0.01\n"]}
    (tmp_path / "db.json").write_text(json.dumps(db))
    first, second = (s.proposals for s in _open(tmp_path / "set", proposals=str(tmp_path / "db.json")).sequences)
    assert [len(first.at(position)[0]) for position in range(3)] == [1, 0, 0]
    assert second.at(2)[0].tolist() == [[5, 6, 12, 14]]
    assert second.at(2)[1].tolist() == [0.25]


def test_crowdhuman_gives_full_bodies_and_leaves_out_who_is_ignored(originals):
    root = originals / "CrowdHuman" / "annotation_train.odgt"
    sequence = _sequence(root, kind="crowdhuman")
    assert sequence.is_still
    assert len(sequence) == 2
    boxes, ids = sequence.people.at(0)
    assert boxes.tolist() == [[-3, 4, 17, 44]]
    assert ids.tolist() == [0]
    assert sequence.label(1) == "crowdhuman/273271,1b9330008da38cd6"
    assert sequence.path(1).is_file()


@pytest.mark.parametrize("folder", ["crowdhuman/train_image", "CrowdHuman/Images"])
def test_crowdhuman_finds_its_proposals_under_published_keys_and_its_own(tmp_path, originals, folder):
    db = {f"{folder}/273271,1b9330008da38cd6.txt": ["1,2,3,4,0.5\n"], "other/img1/00000001.txt": ["1,1,1,1,0.5"]}
    (tmp_path / "db.json").write_text(json.dumps(db))
    root = originals / "CrowdHuman" / "annotation_train.odgt"
    proposals = _sequence(root, kind="crowdhuman", proposals=str(tmp_path / "db.json")).proposals
    assert len(proposals.at(0)[0]) == 0
    assert proposals.at(1)[0].tolist() == [[1, 2, 4, 6]]


def test_crowdhuman_tells_what_is_missing(tmp_path, originals):
    root = originals / "CrowdHuman" / "annotation_train.odgt"
    images = tmp_path / "pictures"
    with pytest.raises(SourceError, match="expected CrowdHuman's images here"):
        _open(root, kind="crowdhuman", images=images)
    images.mkdir()
    PIL.Image.new("RGB", (64, 48)).save(images / "273271,c9db000d5146c15.jpg")
    source = _open(root, kind="crowdhuman", images=images)
    assert len(source.sequences[0]) == 1
    assert any("1 of 2 images are not there" in note for note in source.notes)
    (images / "273271,c9db000d5146c15.jpg").unlink()
    with pytest.raises(SourceError, match="expected annotated images, found none"):
        _open(root, kind="crowdhuman", images=images)
    (tmp_path / "det.txt").write_text("1,-1,4,8,10,20,0.9\n")
    with pytest.raises(ConfigError, match="still images need a det_db"):
        _open(root, kind="crowdhuman", proposals=str(tmp_path / "det.txt"))


def test_settings_that_contradict_each_other_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="images: only crowdhuman"):
        ClipSourceConfig(root=tmp_path, images=tmp_path)
    with pytest.raises(ConfigError, match="kind: crowdhuman"):
        ClipSourceConfig(root=tmp_path, kind="crowdhuman", proposals="own")
    with pytest.raises(ConfigError, match="min_visibility"):
        ClipSourceConfig(root=tmp_path, kind="crowdhuman", min_visibility=0.2)
    with pytest.raises(ConfigError, match="max_interval"):
        ClipSourceConfig(root=tmp_path, kind="crowdhuman", max_interval=2)


def test_training_data_need_neither_video_nor_drawing_packages():
    blocked = "av supervision trackers numba rich trackeval"
    code = (
        f"import sys; sys.modules.update(dict.fromkeys('{blocked}'.split()));"
        "import vsdmot.training.clips.loader, vsdmot.training.clips.data"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_people_who_are_hardly_seen_count_as_absent_where_that_is_asked_for(tmp_path, draw_sequence):
    folder = draw_sequence(tmp_path / "street", num_frames=3)
    shares = iter([0.05, 0.5, 1.0, 0.1, 0.0, 0.3])
    rows = [row.rsplit(",", 1)[0] for row in (folder / "gt" / "gt.txt").read_text().split()]
    (folder / "gt" / "gt.txt").write_text("".join(f"{row},{next(shares)}\n" for row in rows))
    everybody, seen = _sequence(folder), _sequence(folder, min_visibility=0.1)
    assert [len(everybody.people.at(position)[1]) for position in range(3)] == [2, 2, 2]
    left = [row.split(",") for row, share in zip(rows, (0.05, 0.5, 1.0, 0.1, 0.0, 0.3), strict=True) if share >= 0.1]
    for position in range(3):
        expected = sorted(int(row[1]) for row in left if int(row[0]) == position + 1)
        assert sorted(seen.people.at(position)[1].tolist()) == expected
