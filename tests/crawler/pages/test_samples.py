"""A sample line, with the month when its shape was seen, stands above each regular expression of a page function."""

from __future__ import annotations

import ast
import re
from importlib import import_module

import pytest
from places import ROOT

SAMPLE = re.compile(r"# Seen 20\d\d-\d\d: (.+)")


def patterns() -> list[tuple[str, str, str]]:
    """Module, name and the line above of each pattern that a page's module compiles by itself."""
    rows = []
    for path in sorted((ROOT / "crawler/pages").glob("*.py")):
        text = path.read_text(encoding="utf-8")
        compiled = [
            node
            for node in ast.parse(text).body
            if isinstance(node, ast.AnnAssign) and "re.compile(" in ast.unparse(node)
        ]
        module, lines = f"crawler.pages.{path.stem}", text.splitlines()
        rows += [(module, ast.unparse(node.target), lines[node.lineno - 2]) for node in compiled]
    return rows


@pytest.mark.parametrize(("module", "name", "line"), patterns(), ids=lambda text: text if text[:1] != "#" else "")
def test_a_pattern_fits_the_sample_above_it(module: str, name: str, line: str) -> None:
    sample = SAMPLE.fullmatch(line)
    assert sample, f"{module}.{name} has no sample: # Seen 2026-11: …"
    pattern = getattr(import_module(module), name)
    if isinstance(pattern, re.Pattern):  # a table of patterns has a line for a person
        text = sample[1]
        assert pattern.search(text.encode() if isinstance(pattern.pattern, bytes) else text)
