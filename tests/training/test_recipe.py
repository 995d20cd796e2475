"""Recipes: bases, changes, places of data, and every recipe that the project brings."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsdmot.errors import ConfigError
from vsdmot.training.recipe import DetectorRecipe, TrackerRecipe, read_recipe

CONFIGS = Path(__file__).resolve().parents[2] / "configs" / "train"

MINIMAL = """
train: tracker
data: {sources: [{root: scenes}]}
teacher: {kind: none}
"""

YOLOX = """
train: tracker
data: {sources: [{root: scenes}]}
teacher: {kind: none}
tracker: {model: {backbone: yolox, detector: {depth: 0.33, width: 0.125}}, preprocessing: {multiple: 32}}
"""


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder / f"{next(iter(files))}.yaml"


def test_a_recipe_takes_what_it_leaves_out_from_its_base(tmp_path):
    path = write(
        tmp_path,
        near="base: far.yaml\nloop: {epochs: 3}\ndata: {sampling: {length: 4}}\n",
        far=MINIMAL + "loop: {epochs: 9, log_every: 7}\nloss: {alpha: 0.3}\n",
    )
    recipe = read_recipe(path)
    assert isinstance(recipe, TrackerRecipe)
    assert (recipe.loop.epochs, recipe.loop.log_every, recipe.loss.alpha) == (3, 7, 0.3)
    assert recipe.data.sampling.length == 4
    assert recipe.data.sources[0].root == Path("scenes")


def test_a_recipe_cannot_be_based_on_itself(tmp_path):
    path = write(tmp_path, one="base: two.yaml\n", two="base: one.yaml\n")
    with pytest.raises(ConfigError, match=r"base: expected the name of another recipe, not of itself, got 'two\.yaml'"):
        read_recipe(path)
    with pytest.raises(ConfigError, match=r"lost\.yaml: no such settings file"):
        read_recipe(write(tmp_path, three="base: lost.yaml\n"))


def test_changes_win_over_the_file_and_reach_any_depth(tmp_path):
    path = write(tmp_path, one=MINIMAL)
    recipe = read_recipe(
        path, {"tracker.model.num_learned_queries": "20", "loop.max_minutes": 1.5, "loss.alpha": "0.6"}
    )
    assert recipe.tracker.model.num_learned_queries == 20
    assert (recipe.loop.max_minutes, recipe.loss.alpha) == (1.5, 0.6)
    with pytest.raises(ConfigError, match=r"loop\.epoch: unknown setting; did you mean 'loop\.epochs'\?"):
        read_recipe(path, {"loop.epoch": "3"})
    with pytest.raises(ConfigError, match=r"train is 'tracker' in .*, not a group of settings"):
        read_recipe(path, {"train.it": "1"})


def test_data_is_looked_for_below_the_root(tmp_path):
    path = write(
        tmp_path,
        one="""
train: tracker
root: /data
data:
  sources:
    - {root: a/train.txt, proposals: a/proposals, clean: originals}
    - {root: /elsewhere/ch.odgt, kind: crowdhuman, images: pictures, proposals: imitated}
validation: {sources: [{root: b, proposals: own}]}
teacher: {kind: none}
""",
    )
    recipe = read_recipe(path)
    first, second = recipe.data.sources
    assert (first.root, first.proposals, first.clean) == (
        Path("/data/a/train.txt"),
        "/data/a/proposals",
        Path("/data/originals"),
    )
    assert (second.root, second.images, second.proposals) == (
        Path("/elsewhere/ch.odgt"),
        Path("/data/pictures"),
        "imitated",
    )
    assert (recipe.validation.sources[0].root, recipe.validation.sources[0].proposals) == (Path("/data/b"), "own")
    detector = read_recipe(
        write(tmp_path, two="train: detector\nroot: /d\ndetector: {train: [a, /b], epochs: 7, seed: 3}\n")
    )
    assert isinstance(detector, DetectorRecipe)
    assert detector.detector.train == (Path("/d/a"), Path("/b"))
    assert (detector.epochs, detector.loop.epochs, detector.loop.seed) == (7, 7, 3)
    assert detector.optimiser.kind == "sgd"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("loop: {epochs: 3}\n", "train: expected tracker or detector, got None"),
        ("train: teacher\n", "train: expected tracker or detector, got 'teacher'"),
        ("train: tracker\n", "data: missing, and there is no default"),
        (MINIMAL + "start: a\nbackbone: b\n", "backbone: start brings a backbone already"),
        (YOLOX, "backbone: a detector as backbone is not trained any more; name its weights, or a start"),
        (YOLOX + "backbone: d.safetensors\n", r"data\.augment\.multiple: must be a multiple of 32"),
        (
            YOLOX.replace(", preprocessing: {multiple: 32}", "") + "backbone: d.safetensors\n",
            r"preprocessing\.multiple: must be a multiple of 32 for this backbone, got 1",
        ),
        (MINIMAL + "loss: {propose: true}\n", r"loss\.propose: needs a network with a detector"),
        (MINIMAL + "validation: {propose: true}\n", r"validation\.propose: needs a network with a detector"),
        (
            YOLOX.replace("root: scenes", "root: scenes, proposals: own") + "loss: {propose: true}\n",
            r"loss\.propose: takes the place of proposals, and own are given",
        ),
        (
            "train: tracker\ndata: {sources: [{root: a}]}\ntracker: {model: {student: null, dswr: null}}\n",
            "teacher: there is no student to teach",
        ),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message):
        read_recipe(write(tmp_path, one=text))


SCHEDULES = {
    "lqmot": (60, (40,), 0.4), "lqdancetrack": (10, (5,), 0.4), "table5_1_baseline": (60, (40,), 0.4),
    "table7_alpha_0.2": (60, (40,), 0.2), "table7_alpha_0.6": (60, (40,), 0.6), "motr_lqdancetrack": (10, (5,), 0.4),
}  # fmt: skip


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_recipe_is_valid_and_the_papers_are_as_printed(path):
    recipe = read_recipe(path)
    if isinstance(recipe, DetectorRecipe):
        assert recipe.epochs == {"yolox_lqmot": 50, "yolox_lqdancetrack": 20}.get(path.stem, recipe.epochs)
        return
    if path.stem in SCHEDULES:
        assert (recipe.epochs, recipe.schedule.drop_epochs, recipe.loss.alpha) == SCHEDULES[path.stem]
        sampling = recipe.data.sampling
        assert (sampling.length, sampling.min_interval, sampling.max_interval) == (5, 1, 10)
        assert (recipe.optimiser.lr, recipe.loading.global_batch) == (2e-4, 8)
        assert all(source.min_score == 0.05 for source in recipe.data.sources)


@pytest.mark.parametrize(
    ("name", "student", "dswr", "method"),
    [
        ("table5_1_baseline", False, False, None),
        ("table5_2_distillation", True, False, "plain"),
        ("table5_3_dcsd", True, False, "dcsd"),
        ("lqmot", True, True, "dcsd"),
    ],
)
def test_the_rows_of_table_5_add_one_component_each(name, student, dswr, method):
    recipe = read_recipe(CONFIGS / f"{name}.yaml")
    assert ((recipe.tracker.model.student is not None), (recipe.tracker.model.dswr is not None)) == (student, dswr)
    assert (recipe.teacher.kind == "clip") == student
    if method:
        assert (recipe.distillation.method, recipe.distillation.variant) == (method, "literal")
