"""The table of holidays: a span that ends before it begins is named in the reader's language."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from crawler.home import Home, bundled
from pipelines.errors import describe_error
from pipelines.rules import RulesMisconfigured, load_rules


def test_a_holiday_that_ends_before_it_begins_is_named_in_both_languages(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    shutil.copy(bundled() / "newsletter.toml", tmp_path)
    table = '[[holidays]]\nname = "春节"\nspans = [[2026-02-23, 2026-02-15]]\n'
    (tmp_path / "rules" / "holidays.toml").write_text(table, encoding="utf-8")
    with pytest.raises(RulesMisconfigured) as raised:
        load_rules(Home(tmp_path))
    assert "2026-02-23 在 2026-02-15 之后" in describe_error(raised.value, "zh")
    assert "2026-02-23 is after 2026-02-15" in describe_error(raised.value, "en")
