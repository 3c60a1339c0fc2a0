"""Dates in other languages are read where every number of the text is explained, and refused otherwise."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipelines.normalise.dates import read_date

NOW = datetime(2026, 11, 28, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "date", "precision"),
    [
        ("20 novembre 2026 à 14:03", datetime(2026, 11, 20, 14, 3, tzinfo=UTC), "minute"),
        ("20. November 2026", datetime(2026, 11, 20, tzinfo=UTC), "day"),
        ("20 de noviembre de 2026", datetime(2026, 11, 20, tzinfo=UTC), "day"),
        ("20 ноября 2026 г.", datetime(2026, 11, 20, tzinfo=UTC), "day"),
        ("2026년 11월 20일", datetime(2026, 11, 20, tzinfo=UTC), "day"),
        ("il y a 3 heures", datetime(2026, 11, 28, 5, tzinfo=UTC), "minute"),
        ("vor 2 Tagen", datetime(2026, 11, 26, tzinfo=UTC), "day"),
    ],
)
def test_a_date_in_another_language_is_read(text: str, date: datetime, precision: str) -> None:
    instant = read_date(text, NOW, UTC)
    assert instant is not None
    assert (instant.at, instant.precision) == (date, precision)


@pytest.mark.parametrize(
    "text",
    [
        "26-11-16 foo",
        "Vol. 12 2026",
        "3 comments",
        "in 2 Tagen",
        "20 novembre",
        "版本 2.1.1 发布 2026",
        "GPT 4 2026",
        "x" * 40_000 + " 1",
    ],
)
def test_a_text_that_a_date_explains_in_part_is_no_date(text: str) -> None:
    assert read_date(text, NOW, UTC) is None
