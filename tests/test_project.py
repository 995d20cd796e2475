"""The structure of the project itself: what it promises to newcomers and to its maintainers."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from vsdmot.cli.main import VERBS
from vsdmot.config import load
from vsdmot.models.vsdmot import VSDMOT
from vsdmot.tracking.pretrained import TrackerConfig

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "vsdmot"

LAYERS = (
    {"errors", "version"},
    {"structures", "boxes", "config", "devices"},
    {"quality", "degradation", "synthesis", "io", "triage"},
    {"models", "detection", "datasets"},
    {"tracking"},
    {"evaluation"},
    {"training"},
    {"report"},
    {"cli", "__main__"},
)
"""From the ground up; a module imports from its own layer or from lower ones."""


def layer_of(module: str) -> int:
    part = module.removeprefix("vsdmot").removeprefix(".").partition(".")[0]
    if not part:  # the package itself gives out names of every layer, when asked
        return len(LAYERS)
    return next(level for level, names in enumerate(LAYERS) if part in names)


def imports_of(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = {f"vsdmot.{alias.name}" for alias in node.names} if node.module == "vsdmot" else {node.module or ""}
            found.update(names)
        elif isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
    return found


MODULES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path):
    if path == PACKAGE / "__init__.py":
        pytest.skip("gives out names of every layer, when asked")
    own = layer_of("vsdmot." + path.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", "."))
    ours = {name for name in imports_of(path) if name == "vsdmot" or name.startswith("vsdmot.")}
    too_high = sorted(name for name in ours if layer_of(name) > own)
    assert not too_high


def test_networks_know_no_files_video_or_yaml():
    allowed = {"torch", "math", "copy", "dataclasses", "typing", "collections", "__future__", "re"}
    for path in (PACKAGE / "models").rglob("*.py"):
        foreign = {name.partition(".")[0] for name in imports_of(path)} - allowed - {"vsdmot"}
        assert not foreign, path
        ours = {name for name in imports_of(path) if name.startswith("vsdmot.")}
        assert all(name.startswith(("vsdmot.models", "vsdmot.config", "vsdmot.errors")) for name in ours), path


def test_importing_the_package_stays_light():
    heavy = ["torch", "cv2", "av", "supervision", "trackers", "scipy", "PIL", "rich", "numpy"]
    code = f"import sys, vsdmot; print([name for name in {heavy} if name in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


def test_public_names_can_be_had():
    import vsdmot

    for name in vsdmot.__all__:
        assert getattr(vsdmot, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'Tracke'"):
        _ = vsdmot.Tracke


def commands() -> list[tuple[str, ...]]:
    """Every verb, and every second word that a verb of several commands takes."""
    every: list[tuple[str, ...]] = []
    for verb in VERBS:
        further = getattr(importlib.import_module(f"vsdmot.cli.{verb}"), "SUBVERBS", None)
        every += [(verb, word) for word in further] if further else [(verb,)]
    return every


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_option_in_help_is_turned_on_by_a_test(words, capsys):
    """A flag that no test uses may be accepted and ignored."""
    verb, *further = words
    module = importlib.import_module(f"vsdmot.cli.{verb}")
    with pytest.raises(SystemExit) as ended:
        module.main([*further, "--help"])
    assert ended.value.code == 0
    flags = set(re.findall(r"(?<![\w-])--[a-z][\w.-]*", capsys.readouterr().out.partition("options:")[2])) - {"--help"}
    texts = {path: path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "cli").glob("*.py")}
    used = set(re.findall(r"--[a-z][\w.-]*", texts[ROOT / "tests" / "cli" / f"test_{verb}.py"]))
    assert flags <= used, f"no test in tests/cli/test_{verb}.py uses {sorted(flags - used)}"


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda path: path.name)
def test_every_preset_makes_the_network_that_its_comment_describes(path):
    model = VSDMOT(load(TrackerConfig, path).model)
    count = sum(p.numel() for p in model.parameters())
    comment = path.read_text(encoding="utf-8").splitlines()[0]
    stated = re.search(r"([\d,.]+)( M)? parameters", comment)
    assert stated, comment
    expected = float(stated[1].replace(",", "")) * (1e6 if stated[2] else 1)
    assert count == pytest.approx(expected, rel=0.01 if stated[2] else 0)


def readme_blocks(language: str, page: str = "README.md") -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)


def commands_in(page: str) -> list[str]:
    lines = [line for block in readme_blocks("bash", page) for line in block.replace("\\\n", " ").splitlines()]
    commands = [line.partition("  #")[0].strip() for line in lines]
    return [command for command in commands if command.startswith(("./run ", "vsdmot ", "python ", "printf "))]


PAGES = ["README.md", *sorted(str(page.relative_to(ROOT)) for page in (ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES)
def test_commands_of_the_documentation_run(page, playground, monkeypatch):
    """Every command in a bash block, in order, in a folder that holds the files they name."""
    from vsdmot.cli.main import main

    monkeypatch.chdir(playground)
    commands = commands_in(page)
    if page == "README.md":
        assert "./run demo" in commands
        assert "./run test" in commands
    for command in commands:
        program, *words = shlex.split(command)
        if program == "python":
            subprocess.run([sys.executable, *words], check=True, capture_output=True, text=True)
        elif program == "printf":
            subprocess.run(command, shell=True, check=True)
        elif words[0] != "test":  # that one runs this very test
            assert main(words) == 0, command


@pytest.mark.parametrize("page", PAGES)
def test_python_of_the_documentation_runs(page, playground, monkeypatch):
    monkeypatch.chdir(playground)
    for block in readme_blocks("python", page):
        exec(compile(block, page, "exec"), {})


@pytest.mark.parametrize("page", PAGES)
def test_links_of_the_documentation_lead_somewhere(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        if "://" not in target:
            assert ((ROOT / page).parent / target).exists(), target


def test_every_equation_of_the_paper_is_mapped_to_code_that_exists():
    text = (ROOT / "docs" / "equations.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| Eq\. ([\d-]+) \|[^|]*\| (.*?) \|", text, re.MULTILINE)
    numbers: set[int] = set()
    for label, where in rows:
        first, _, last = label.partition("-")
        numbers.update(range(int(first), int(last or first) + 1))
        for module, symbol in re.findall(r"`(vsdmot(?:\.\w+)+):([\w.]+)`", where):
            target = importlib.import_module(module)
            for part in symbol.split("."):
                target = getattr(target, part)
    assert numbers == set(range(1, 18))
