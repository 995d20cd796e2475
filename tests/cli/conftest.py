"""How the tests of the command line call it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from vsdmot.cli.main import main


@dataclass(frozen=True)
class Outcome:
    """What a command gave back."""

    code: int
    out: str
    err: str


@pytest.fixture
def vsdmot(capsys):
    """Give a function that runs a command line in this process."""

    def call(*words: object) -> Outcome:
        capsys.readouterr()
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


@pytest.fixture
def refused(vsdmot):
    """Give a function that runs a command which must fail with one clear line; gives that line."""

    def call(*words: object) -> str:
        outcome = vsdmot(*words)
        assert outcome.code == 2, outcome
        lines = outcome.err.splitlines()
        assert len(lines) == 1, outcome.err
        assert lines[0].startswith("vsdmot: ")
        assert "Traceback" not in outcome.err
        return lines[0].removeprefix("vsdmot: ")

    return call
