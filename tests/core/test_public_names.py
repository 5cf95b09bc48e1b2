"""The names that a plugin author imports from `corral`."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import corral


@pytest.mark.parametrize("name", corral.__all__)
def test_every_public_name_can_be_imported(name: str) -> None:
    assert getattr(corral, name) is not None


def test_type_checkers_and_interpreters_see_the_same_names() -> None:
    tree = ast.parse(Path(corral.__file__).read_text())
    guarded = next(node for node in tree.body if isinstance(node, ast.If))
    imported = {alias.name for node in guarded.body if isinstance(node, ast.ImportFrom) for alias in node.names}

    assert imported | {"__version__"} == set(corral.__all__)


def test_a_misspelt_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Promt'"):
        _ = corral.Promt  # type: ignore[attr-defined]


def test_importing_corral_imports_nothing_else_of_it() -> None:
    script = "import corral, sys; print(sorted(m for m in sys.modules if m.startswith('corral.') or m == 'pluggy'))"

    result = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)

    assert result.stdout.strip() == "[]"


def test_dir_lists_the_public_names() -> None:
    assert dir(corral) == sorted(corral.__all__)
