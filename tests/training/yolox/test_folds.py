"""Leave-one-fold-out: who is where, and that nobody proposes for what they have seen."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from vsdmot.boxes import xyxy_to_xywh
from vsdmot.datasets.splits import SplitEntry, read_split
from vsdmot.detection.yolox.checkpoint import load_yolox, save_yolox
from vsdmot.detection.yolox.detector import DetectorConfig, YoloxDetector
from vsdmot.errors import CheckpointError, ConfigError, OutputError, SourceError
from vsdmot.io.images import open_folder
from vsdmot.io.mot_text import read_mot
from vsdmot.training.yolox.folds import footage_of, propose_by_folds, split_folds, write_folds
from vsdmot.training.yolox.proposing import open_proposer, sequences_of

CONFIG = DetectorConfig(input_size=64)


def entries_of(*names: str) -> list[SplitEntry]:
    return [SplitEntry(name, "clean", Path(name)) for name in names]


class TestSplit:
    names = tuple(f"dancetrack{number:04d}" for number in range(1, 41))

    @pytest.mark.parametrize("num_folds", [2, 3, 5, 40])
    def test_every_sequence_is_held_out_once_and_seen_by_all_others(self, num_folds):
        folds = split_folds(entries_of(*self.names), num_folds)
        held_out = [entry.name for fold in folds for entry in fold.held_out]
        assert sorted(held_out) == sorted(self.names)
        for fold in folds:
            assert {entry.name for entry in fold.seen} == set(self.names) - {entry.name for entry in fold.held_out}
        sizes = [len(fold.held_out) for fold in folds]
        assert max(sizes) - min(sizes) <= 1
        assert [fold.name for fold in folds] == [f"fold{k}of{num_folds}" for k in range(1, num_folds + 1)]

    def test_names_and_seed_decide_not_the_order(self):
        def held_out(names, seed=0):
            return [{entry.name for entry in fold.held_out} for fold in split_folds(entries_of(*names), 3, seed=seed)]

        assert held_out(self.names) == held_out(self.names[::-1])
        assert held_out(self.names) != held_out(self.names, seed=1)

    def test_copies_of_a_footage_and_views_of_a_place_stay_together(self):
        names = [f"MOT17-{n:02d}-{d}" for n in (2, 4, 5) for d in ("DPM", "FRCNN", "SDP")] + ["MOT20-01", "MOT20-02"]
        for fold in split_folds(entries_of(*names), 4):
            held_out, seen = ({footage_of(entry.name) for entry in part} for part in (fold.held_out, fold.seen))
            assert len(held_out) == 1
            assert not held_out & seen

    @pytest.mark.parametrize("num_folds", [0, 1, 3])
    def test_too_few_or_too_many(self, num_folds):
        with pytest.raises(ConfigError, match=r"folds: must be from 2 to the number of different sequences \(2\)"):
            split_folds(entries_of("a", "b-SDP", "b-DPM"), num_folds)

    def test_lists_are_read_back(self, make_sequence, tmp_path):
        for name in "abc":
            make_sequence(name)
        entries = sequences_of(tmp_path)
        folds = split_folds(entries, 3)
        lists = write_folds(folds, tmp_path / "lists")
        assert list(lists) == ["fold1of3", "fold2of3", "fold3of3"]
        for fold in folds:
            assert [entry.name for entry in read_split(lists[fold.name])] == [entry.name for entry in fold.seen]
            held_out = read_split(tmp_path / "lists" / f"{fold.name}.held_out.txt")
            assert [entry.folder.resolve() for entry in held_out] == [entry.folder.resolve() for entry in fold.held_out]


class TestProposing:
    @pytest.fixture
    def folds(self, make_sequence, tmp_path):
        for name in "abcd":
            make_sequence(f"data/{name}", size=(64, 64))
        return split_folds(sequences_of(tmp_path / "data"), 2)

    def weights(self, tmp_path: Path, detector_file: Path, folds) -> dict[str, Path]:
        """One detector for each fold: the second proposes larger boxes than the first."""
        paths, loaded = {}, load_yolox(detector_file)
        for number, fold in enumerate(folds):
            paths[fold.name] = tmp_path / fold.name / "model.safetensors"
            paths[fold.name].parent.mkdir()
            for layer in loaded.network.head.reg_preds:
                layer.bias.data[2:] += 0.5 * number
            save_yolox(paths[fold.name], loaded.network, loaded.convention)
            (tmp_path / fold.name / "config.json").write_text(
                json.dumps({"sequences": [entry.name for entry in fold.seen]})
            )
        return paths

    def test_each_fold_is_proposed_for_by_its_own_detector(self, folds, tmp_path, detector_file):
        paths = self.weights(tmp_path, detector_file, folds)
        notes: list[str] = []
        out = tmp_path / "out"
        counts = list(propose_by_folds(folds, paths, out, config=CONFIG, warn=notes.append))
        assert len(counts) == 8
        assert not notes
        detectors = {name: YoloxDetector.from_checkpoint(path, config=CONFIG) for name, path in paths.items()}
        for fold in folds:
            for entry in fold.held_out:
                with open_folder(entry.folder) as source:
                    boxes = {
                        name: np.concatenate([xyxy_to_xywh(detect(frame).boxes) for frame in source])
                        for name, detect in detectors.items()
                    }
                written = read_mot(out / f"{entry.name}.txt").boxes
                assert written == pytest.approx(boxes.pop(fold.name), rel=1e-4, abs=0.02)
                (others,) = boxes.values()
                assert written.round(1).tolist() != others.round(1).tolist()
                record = json.loads((out / "made_by" / f"{entry.name}.json").read_text())
                assert record["detector"]["score_threshold"] == 0.05
        assert list(propose_by_folds(folds, paths, out, config=CONFIG, warn=notes.append)) == []
        anew = propose_by_folds(folds, paths, out, config=CONFIG, overwrite=True, warn=notes.append)
        assert list(anew) == counts

    def test_a_detector_that_has_seen_its_fold_is_refused_before_anything_is_done(self, folds, tmp_path, detector_file):
        paths = self.weights(tmp_path, detector_file, folds)
        swapped = {"fold1of2": paths["fold1of2"], "fold2of2": paths["fold1of2"]}
        with pytest.raises(ConfigError, match=r"was trained on \w, which fold2of2 holds out \(2 of 2 sequences\)"):
            list(propose_by_folds(folds, swapped, tmp_path / "out", config=CONFIG, warn=print))
        assert not (tmp_path / "out").exists()

    def test_weights_that_do_not_say_are_named(self, folds, tmp_path, detector_file):
        paths = self.weights(tmp_path, detector_file, folds)
        (tmp_path / "fold1of2" / "config.json").unlink()
        notes: list[str] = []
        list(propose_by_folds(folds, paths, tmp_path / "out", config=CONFIG, warn=notes.append))
        assert len(notes) == 1
        assert "does not say what it was trained on" in notes[0]

    def test_a_fold_without_a_detector(self, folds, tmp_path, detector_file):
        with pytest.raises(ConfigError, match="there is none for fold2of2"):
            list(propose_by_folds(folds, {"fold1of2": detector_file}, tmp_path / "out", config=CONFIG, warn=print))

    def test_proposals_that_others_made_are_kept(self, folds, tmp_path, detector_file):
        paths = self.weights(tmp_path, detector_file, folds)
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "a.txt").write_text("1,-1,1,1,5,5,0.5\n")
        with pytest.raises(OutputError, match=r"a\.txt: exists and was made by something else"):
            list(propose_by_folds(folds, paths, tmp_path / "out", config=CONFIG, warn=print))
        assert (tmp_path / "out" / "a.txt").read_text() == "1,-1,1,1,5,5,0.5\n"

    def test_an_image_that_is_broken_is_named_and_left_out(self, folds, tmp_path, detector_file):
        paths = self.weights(tmp_path, detector_file, folds)
        broken = tmp_path / "data" / "a" / "img1" / "000002.png"
        broken.write_bytes(b"nothing")
        notes: list[str] = []
        list(propose_by_folds(folds, paths, tmp_path / "out", config=CONFIG, warn=notes.append))
        assert len(notes) == 1
        assert "000002.png" in notes[0]
        lines = (tmp_path / "out" / "a.txt").read_text().splitlines()
        assert {line.split(",")[0] for line in lines} == {"1"}

    def test_a_damaged_config_beside_the_weights(self, tmp_path, detector_file):
        path = Path(shutil.copy(detector_file, tmp_path / "model.safetensors"))
        (tmp_path / "config.json").write_text("{")
        with pytest.raises(CheckpointError, match=r"config\.json: not readable as JSON"):
            open_proposer(path, config=CONFIG)

    def test_no_sequences(self, tmp_path):
        with pytest.raises(SourceError, match="expected sequences"):
            sequences_of(tmp_path)
