"""Ground truth and results are found in every layout that people have, by name, or an error says what is missing."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from vsdmot.errors import ConfigError, FormatError, SourceError
from vsdmot.evaluation.result_files import find_results
from vsdmot.evaluation.truth_files import find_truth

ROW = "1,1,1,1,4,4,1,1,1\n"


def write(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(ROW)
    return root


def pack(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, ROW)
    return path


def truth(path: Path, **options) -> dict[str, str]:
    """Name of each sequence to its file, relative to the folder above what was given."""
    found = find_truth(path, **options)
    root = options.get("unpack_to") or path.parent
    return {one.name: one.path.relative_to(root).as_posix() for one in found}


def results(path: Path, *names: str, **options) -> dict[str, str]:
    found = find_results(path, names, **options).files
    root = options.get("unpack_to") or path
    return {name: file.relative_to(root).as_posix() for name, file in found.items()}


def error_of(error: type[Exception], call, *arguments, **options) -> str:
    with pytest.raises(error) as raised:
        call(*arguments, **options)
    assert "\n" not in str(raised.value)
    return str(raised.value)


# Ground truth: edge cases first.


def test_a_missing_path_an_empty_folder_and_a_file_of_another_kind_are_told_apart(tmp_path):
    (tmp_path / "empty").mkdir()
    write(tmp_path, "clip.mp4", "gt", "other/notes.md")
    assert "there is no such file or folder" in error_of(SourceError, find_truth, tmp_path / "none")
    assert error_of(SourceError, find_truth, tmp_path / "empty").endswith("there is nothing")
    assert error_of(SourceError, find_truth, tmp_path / "clip.mp4").endswith("got a file .mp4")
    assert error_of(SourceError, find_truth, tmp_path / "gt").endswith("got a file without suffix")
    assert error_of(SourceError, find_truth, tmp_path / "other").endswith("there is notes.md")
    assert "not readable" in error_of(SourceError, find_truth, tmp_path / ("long" * 100))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is unreadable for root")
def test_a_folder_that_cannot_be_read_is_not_taken_for_an_empty_one(tmp_path):
    write(tmp_path, "a.txt", "closed/gt/gt.txt")
    (tmp_path / "closed").chmod(0)
    try:
        assert "not readable" in error_of(SourceError, find_truth, tmp_path)
        assert "not readable" in error_of(SourceError, find_results, tmp_path, ["a"])
    finally:
        (tmp_path / "closed").chmod(0o700)


def test_hidden_files_and_those_of_macos_are_not_seen(tmp_path):
    write(tmp_path, "a.txt", "._a.txt", ".b.txt", "__MACOSX/gt.txt", "__MACOSX/gt/gt.txt")
    assert truth(tmp_path) == {"a": f"{tmp_path.name}/a.txt"}
    assert find_results(tmp_path, ["a"]).unused == ()


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("walk/gt/gt.txt", "walk"),
        ("walk/gt.txt", "walk"),
        ("walk.gt.txt", "walk"),
        ("walk.txt", "walk"),
        ("a.b.txt", "a.b"),
        ("a.b.gt.txt", "a.b"),
        (".gt.txt", ".gt"),
    ],
)
def test_a_file_names_its_sequence(tmp_path, file, name):
    (found,) = find_truth(write(tmp_path, file) / file)
    assert (found.name, found.path) == (name, tmp_path / file)


def test_names_are_known_where_the_path_does_not_say_them(tmp_path, monkeypatch):
    write(tmp_path, "walk/gt/gt.txt")
    monkeypatch.chdir(tmp_path / "walk" / "gt")
    for path in (Path("gt.txt"), Path("."), Path("..")):
        assert [one.name for one in find_truth(path)] == ["walk"]


def test_ground_truth_given_as_a_file_is_as_long_as_its_sequence(tmp_path, draw_sequence):
    folder = draw_sequence(tmp_path / "walk", num_frames=3)
    for path in (folder / "gt" / "gt.txt", folder / "gt", folder, tmp_path):
        (found,) = find_truth(path)
        assert (found.name, found.folder, found.num_frames, found.num_frames_from) == ("walk", folder, 3, "seqinfo.ini")


def test_the_length_is_that_of_seqinfo_then_the_last_image_then_unknown(tmp_path, draw_sequence):
    folder = draw_sequence(tmp_path / "a", num_frames=3)
    info = folder / "seqinfo.ini"
    info.write_text(info.read_text().replace("seqLength=3", "seqLength=9"))
    assert find_truth(folder)[0].num_frames == 9
    (folder / "img1" / "000002.jpg").unlink()
    (folder / "img1" / "000003.jpg").write_bytes(b"not opened")
    for without in (info.read_text().replace("seqLength=9\n", ""), None):
        info.unlink() if without is None else info.write_text(without)
        (found,) = find_truth(folder)
        assert (found.num_frames, found.num_frames_from) == (3, "images")
    (found,) = find_truth(write(tmp_path / "bare", "b/gt/gt.txt"))
    assert (found.folder, found.num_frames, found.num_frames_from) == (tmp_path / "bare" / "b", None, "")
    (found,) = find_truth(write(tmp_path / "loose", "b.txt"))
    assert (found.folder, found.num_frames, found.num_frames_from) == (None, None, "")


def test_a_seqinfo_that_leads_elsewhere_or_is_malformed_is_an_error(tmp_path):
    write(tmp_path, "a/gt/gt.txt")
    (tmp_path / "a" / "seqinfo.ini").write_text("[Sequence]\nimDir=../b\n")
    assert "imDir: expected a folder inside the sequence" in error_of(FormatError, find_truth, tmp_path)
    (tmp_path / "a" / "seqinfo.ini").write_text("[Sequence]\nseqLength=many\n")
    assert "seqLength: expected a number" in error_of(FormatError, find_truth, tmp_path)


def test_a_data_set_a_split_and_a_sequence_are_found_and_test_sequences_passed_over(originals):
    dance = originals / "DanceTrack"
    assert len(find_truth(dance / "train")) == 40
    assert len(find_truth(dance)) == 65  # without test/
    names = [one.name for one in find_truth(originals / "MOT17")]
    assert names[:3] == ["MOT17-02-DPM", "MOT17-02-FRCNN", "MOT17-02-SDP"]
    assert len(names) == 21
    (one,) = find_truth(originals / "MOT20" / "train" / "MOT20-02")
    assert (one.name, one.num_frames) == ("MOT20-02", 3)
    message = error_of(SourceError, find_truth, dance / "test")
    assert message.startswith(
        f"{dance / 'test'}: expected sequences with gt/gt.txt, there is none in dancetrack0003, as"
    )


def test_sequences_come_in_natural_order_of_their_numbers(tmp_path):
    write(tmp_path / "tree", "s10/gt/gt.txt", "s9/gt/gt.txt")
    write(tmp_path / "flat", "s10.txt", "s9.txt")
    for root in ("tree", "flat"):
        assert list(truth(tmp_path / root)) == ["s9", "s10"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["a.txt", "b.txt", "labels.txt", "c.mot.txt", "notes.md"], {"a": "a.txt", "b": "b.txt"}),
        (["a.gt.txt", "a.txt", "a.mot.txt", "b.gt.txt"], {"a": "a.gt.txt", "b": "b.gt.txt"}),  # results beside them
        (["a/gt.txt", "a/tracker.txt", "b/gt.txt", "c/tracker.txt"], {"a": "a/gt.txt", "b": "b/gt.txt"}),
        (["a/gt.txt", "seqmap.txt"], {"a": "a/gt.txt"}),
        (["gt.txt", "labels.txt", "det.txt", "tracker.txt"], {"loose": "gt.txt"}),
        (["a/gt/gt.txt", "seqmap.txt"], {"a": "a/gt/gt.txt"}),
        (["a/seqinfo.ini", "a/gt.txt"], None),  # a sequence whose truth lies beside its images
    ],
)
def test_loose_layouts(tmp_path, files, expected):
    root = write(tmp_path / "loose", *files)
    if expected is None:
        (root / "a" / "seqinfo.ini").write_text("[Sequence]\nseqLength=7\n")
        (found,) = find_truth(root)
        assert (found.path, found.num_frames) == (root / "a" / "gt.txt", 7)
        return
    assert truth(root) == {name: f"loose/{file}" for name, file in expected.items()}


def test_published_inputs_are_found_as_they_lie(shared_golden):
    found = find_truth(shared_golden / "metrics" / "inputs" / "mot17_first100")
    assert [one.name for one in found][:2] == ["MOT17-02-FRCNN", "MOT17-04-FRCNN"]
    assert len(found) == 7
    assert all(one.path.name == "gt.txt" and one.folder is None for one in found)


def test_a_real_data_set_is_as_long_as_its_seqinfo_says(shared_data):
    for one in find_truth(shared_data / "mot15" / "train"):
        assert one.num_frames_from == "seqinfo.ini"
        assert one.num_frames > 0


def test_equal_names_in_two_splits_ask_for_one_of_them(tmp_path):
    write(tmp_path, "val/a/gt/gt.txt", "val_clean/a/gt/gt.txt", "val/b/gt/gt.txt")
    message = error_of(SourceError, find_truth, tmp_path)
    assert message.endswith(f"a is in {tmp_path / 'val'} and {tmp_path / 'val_clean'}: give one of these folders")
    assert list(truth(tmp_path, sequences=["b"])) == ["b"]
    assert list(truth(tmp_path / "val")) == ["a", "b"]


def test_sequences_are_selected_by_their_exact_names(tmp_path):
    write(tmp_path, "MOT17-02-SDP/gt/gt.txt", "MOT17-09-SDP/gt/gt.txt", "test-1/seqinfo.ini")
    assert list(truth(tmp_path, sequences=["MOT17-09-SDP", "MOT17-09-SDP"])) == ["MOT17-09-SDP"]
    near = error_of(ConfigError, find_truth, tmp_path, sequences=["MOT17-02-SDP", "MOT17-09"])
    assert near.endswith("'MOT17-09' in " + f"{tmp_path}; did you mean MOT17-09-SDP?")
    far = error_of(ConfigError, find_truth, tmp_path, sequences=["x"])
    assert far.endswith("there are MOT17-02-SDP, MOT17-09-SDP")
    assert "has no gt/gt.txt" in error_of(ConfigError, find_truth, tmp_path, sequences=["test-1"])
    assert "at least one name" in error_of(ConfigError, find_truth, tmp_path, sequences=[])


def test_only_selected_sequences_are_looked_into(tmp_path):
    write(tmp_path, "a/gt/gt.txt", "b/gt/gt.txt", "b/seqinfo.ini")  # b's is malformed
    assert list(truth(tmp_path, sequences=["a"])) == ["a"]


def test_an_export_of_cvat_is_a_sequence_named_by_the_archive(cvat_export, tmp_path):
    (found,) = find_truth(cvat_export, unpack_to=tmp_path)
    assert (found.name, found.path) == ("task_7", tmp_path / "task_7" / "gt" / "gt.txt")
    assert (found.num_frames, found.num_frames_from) == (4, "images")  # counted from 0 in the names
    assert (tmp_path / "task_7" / "gt" / "labels.txt").is_file()


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        (["gt/gt.txt", "gt/labels.txt"], {"x": "x/gt/gt.txt"}),  # CVAT without images
        (["a.txt", "b.txt", "__MACOSX/a.txt"], {"a": "x/a.txt", "b": "x/b.txt"}),
        (["MOT/train/a.txt"], {"a": "x/MOT/train/a.txt"}),
        (["MOT/train/a/gt/gt.txt"], {"a": "x/MOT/train/a/gt/gt.txt"}),
        (["wrapped/a/gt.txt"], {"a": "x/wrapped/a/gt.txt"}),
    ],
)
def test_archives(tmp_path, members, expected):
    assert truth(pack(tmp_path / "x.zip", *members), unpack_to=tmp_path / "unpacked") == expected


def test_archives_without_ground_truth_damaged_ones_and_those_without_a_place_are_errors(tmp_path):
    empty = pack(tmp_path / "empty.zip", "readme.md")
    assert "no text files" in error_of(SourceError, find_truth, empty, unpack_to=tmp_path / "a")
    assert "needs a folder to be unpacked to" in error_of(SourceError, find_truth, empty)
    (tmp_path / "cut.zip").write_bytes(empty.read_bytes()[:20])
    assert "zip archive that is whole" in error_of(SourceError, find_truth, tmp_path / "cut.zip", unpack_to=tmp_path)


# Results: edge cases first.


def test_names_must_be_there_and_differ(tmp_path):
    for names in ([], ["a", "a"]):
        with pytest.raises(ValueError, match="at least one name, and each once"):
            find_results(tmp_path, names)


def test_nothing_there_is_told_in_one_line(tmp_path):
    (tmp_path / "empty").mkdir()
    write(tmp_path, "video/clip.mp4", "clip.mp4")
    assert "there is no such file or folder" in error_of(SourceError, find_results, tmp_path / "none", ["a"])
    assert error_of(SourceError, find_results, tmp_path / "empty", ["a"]).endswith(
        "each sequence: a), there is nothing"
    )
    assert error_of(SourceError, find_results, tmp_path / "video", ["a"]).endswith("there is clip.mp4")
    assert error_of(SourceError, find_results, tmp_path / "clip.mp4", ["a"]).endswith("got a file .mp4")


@pytest.mark.parametrize("name", ["anything.txt", "anything.mot.txt", "anything.jsonl"])
def test_a_file_is_the_result_of_the_only_sequence_whatever_its_name(tmp_path, name):
    found = find_results(write(tmp_path, name) / name, ["walk"])
    assert (found.files, found.unused, found.notes) == ({"walk": tmp_path / name}, (), ())


def test_a_file_is_not_the_result_of_several_sequences(tmp_path):
    write(tmp_path, "b.mot.txt", "out.txt")
    message = error_of(SourceError, find_results, tmp_path / "b.mot.txt", ["a", "b"])
    assert message.endswith("(a, b), got one file; --sequences b evaluates a single one")
    assert "--sequences NAME" in error_of(SourceError, find_results, tmp_path / "out.txt", ["a", "b"])


@pytest.mark.parametrize(
    "place",
    [
        "walk.txt", "walk.mot.txt", "walk.jsonl", "data/walk.txt", "walk/walk.txt", "walk/walk.mot.txt",
        "walk/pred.txt", "walk/tracks.txt", "walk/walk.jsonl", "walk/gt/gt.txt",
    ],
)  # fmt: skip
def test_every_place_of_a_result(tmp_path, place):
    assert results(write(tmp_path, place), "walk") == {"walk": place}


def test_a_single_file_of_another_name_is_not_guessed_to_be_meant(tmp_path):
    write(tmp_path, "Walk.txt")  # upper and lower case differ
    message = error_of(SourceError, find_results, tmp_path, ["walk"])
    assert message == (
        f"{tmp_path}: no results for walk: looked for walk.txt, .mot.txt and .jsonl, data/walk.txt and files in walk/; "
        "there is Walk.txt; if Walk.txt is meant, give that file itself"
    )
    write(tmp_path, "zzz/noisysort.txt")
    assert "there are Walk.txt, zzz/noisysort.txt" in error_of(SourceError, find_results, tmp_path, ["run"])


def test_missing_results_are_named(tmp_path):
    write(tmp_path, "s1.txt", "s03.txt")
    message = error_of(SourceError, find_results, tmp_path, [f"s{number}" for number in range(1, 8)])
    assert message == (
        f"{tmp_path}: no results for 6 of 7 sequences (s2, s3, s4 and 3 more): looked for s2.txt, .mot.txt and .jsonl, "
        "data/s2.txt and files in s2/; besides there is s03.txt; rename s03.txt if it is that of s2, or evaluate a "
        "part with --sequences"
    )
    none = error_of(SourceError, find_results, tmp_path, ["walk", "run"])
    assert "no results for 2 sequences (walk, run)" in none
    assert none.endswith("there are s1.txt, s03.txt; name them by sequence")


def test_files_come_in_the_order_asked_for_and_others_are_told(tmp_path):
    write(tmp_path, "a.txt", "b.txt", "c.txt", "c.gt.txt", "notes/x.txt", "d.jsonl")
    found = find_results(tmp_path, ["b", "a"])
    assert list(found.files) == ["b", "a"]
    assert found.unused == (tmp_path / "c.txt",)  # where results were found, and no ground truth
    assert found.notes == ()


def test_summaries_beside_the_data_of_trackeval_are_no_results(tmp_path):
    write(tmp_path, "pedestrian_summary.txt", "data/a.txt", "data/b.txt")
    found = find_results(tmp_path, ["a"])
    assert (found.files, found.unused) == ({"a": tmp_path / "data" / "a.txt"}, (tmp_path / "data" / "b.txt",))


def test_the_order_of_places_is_fixed_and_what_is_passed_over_is_noted(tmp_path):
    write(tmp_path, "a.txt", "a.mot.txt", "a.jsonl", "b.mot.txt", "b.jsonl", "c.mot.txt", "c.jsonl")
    found = find_results(tmp_path, ["a", "b", "c"])
    assert [path.name for path in found.files.values()] == ["a.txt", "b.mot.txt", "c.mot.txt"]
    assert found.notes == (
        f"{tmp_path}: NAME.txt is evaluated, NAME.mot.txt is there too and is not: a",
        f"{tmp_path}: NAME.txt is evaluated, NAME.jsonl is there too and is not: a",
        f"{tmp_path}: NAME.mot.txt is evaluated, NAME.jsonl is there too and is not: b, c",
    )
    assert found.unused == ()


def test_results_beside_the_sequences_are_not_filled_up_with_ground_truth(tmp_path):
    write(tmp_path, "a.mot.txt", "a/gt/gt.txt", "b/gt/gt.txt")
    assert "1 of 2 sequences (b)" in error_of(SourceError, find_results, tmp_path, ["a", "b"])
    found = find_results(tmp_path, ["a"])
    assert (found.files, found.notes) == ({"a": tmp_path / "a.mot.txt"}, ())


@pytest.mark.parametrize(
    ("there", "taken"),
    [
        (["MOT17-02.txt"], "MOT17-02.txt"),
        (["MOT17-02-SDP.txt"], "MOT17-02-SDP.txt"),
        (["MOT17-02-SDP.txt", "MOT17-02.mot.txt", "MOT17-02-DPM.txt"], "MOT17-02.mot.txt"),
        (["MOT17-02-SDP/MOT17-02-SDP.txt"], "MOT17-02-SDP/MOT17-02-SDP.txt"),
        (["MOT17-02-SDP.txt", "MOT17-02-DPM.txt"], None),  # which of them?
        (["MOT17-02-SDP/gt/gt.txt"], None),
        (["MOT17-020.txt"], None),
    ],
)
def test_a_result_of_another_copy_of_the_footage_is_taken_and_noted(tmp_path, there, taken):
    write(tmp_path, *there)
    if taken is None:
        error_of(SourceError, find_results, tmp_path, ["MOT17-02-FRCNN"])
        return
    found = find_results(tmp_path, ["MOT17-02-FRCNN"])
    assert found.files == {"MOT17-02-FRCNN": tmp_path / taken}
    note = f"{tmp_path}: taken for another copy of the same footage: {Path(taken).name} for MOT17-02-FRCNN"
    assert found.notes == (note,)


def test_a_result_of_its_own_name_comes_before_that_of_a_copy(tmp_path):
    write(tmp_path, "MOT17-02.txt", "data/MOT17-02-FRCNN.txt")
    found = find_results(tmp_path, ["MOT17-02-FRCNN"])
    assert (found.files["MOT17-02-FRCNN"], found.notes) == (tmp_path / "data" / "MOT17-02-FRCNN.txt", ())


def test_a_result_is_not_taken_for_several_copies(tmp_path):
    write(tmp_path, "MOT17-02.txt")
    message = error_of(SourceError, find_results, tmp_path, ["MOT17-02-FRCNN", "MOT17-02-SDP"])
    assert "no results for 2 sequences" in message


def test_results_named_by_detector_fit_ground_truth_that_is_not(tmp_path):
    assert results(write(tmp_path, "MOT17-02-SDP.txt"), "MOT17-02") == {"MOT17-02": "MOT17-02-SDP.txt"}


@pytest.mark.parametrize("members", [["gt/gt.txt", "gt/labels.txt"], ["task/gt/gt.txt", "task/gt/labels.txt"]])
def test_an_export_of_cvat_holds_the_tracks_of_one_sequence(tmp_path, members):
    archive = pack(tmp_path / "task_9.zip", *members)
    assert results(archive, "walk", unpack_to=tmp_path / "1") == {"walk": f"task_9/{members[0]}"}
    message = error_of(SourceError, find_results, archive, ["a", "b"], unpack_to=tmp_path / "2")
    assert "no results for 2 sequences (a, b)" in message


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        (["a.txt", "b.txt"], {"a": "x/a.txt", "b": "x/b.txt"}),
        (["data/a.txt", "data/b.txt"], {"a": "x/data/a.txt", "b": "x/data/b.txt"}),
        (["tracker/data/a.txt", "tracker/data/b.txt"], {"a": "x/tracker/data/a.txt", "b": "x/tracker/data/b.txt"}),
        (["a/gt/gt.txt", "b/gt/gt.txt"], {"a": "x/a/gt/gt.txt", "b": "x/b/gt/gt.txt"}),
    ],
)
def test_archives_of_results(tmp_path, members, expected):
    assert results(pack(tmp_path / "x.zip", *members), "a", "b", unpack_to=tmp_path / "unpacked") == expected


def test_what_an_archive_lacks_is_told_by_the_archive_s_name(tmp_path):
    archive = pack(tmp_path / "x.zip", "c.txt", "a.jsonl")
    message = error_of(SourceError, find_results, archive, ["a"], unpack_to=tmp_path / "1")
    assert message.startswith(f"{archive}: no results for a:")
    assert "(only .txt is taken out of archives); there is c.txt" in message
    empty = pack(tmp_path / "y.zip", "a.jsonl")
    assert error_of(SourceError, find_results, empty, ["a"], unpack_to=tmp_path / "2").endswith(
        "there are no text files"
    )
