"""The store of compiled loops."""

import numba

from vsdmot.synthesis.compiled import compiled, fingerprint


def test_any_change_of_a_source_or_its_name_changes_the_store(tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "a.py").write_text("one")
    (tmp_path / "inner" / "b.py").write_text("two")
    first = fingerprint(tmp_path)
    assert fingerprint(tmp_path) == first
    (tmp_path / "inner" / "b.py").write_text("three")
    second = fingerprint(tmp_path)
    (tmp_path / "inner" / "b.py").rename(tmp_path / "inner" / "c.py")
    assert len({first, second, fingerprint(tmp_path)}) == 3
    (tmp_path / "notes.txt").write_text("no source")
    assert fingerprint(tmp_path) != second


@compiled
def doubled(x: float) -> float:
    """Only for this test."""
    return 2 * x


def test_a_compiled_function_runs_and_leaves_numba_s_own_setting_alone():
    assert doubled(1.5) == 3.0
    assert doubled.signatures
    assert "compiled-" not in str(numba.config.CACHE_DIR)
