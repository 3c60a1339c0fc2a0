"""The window of a Hacker News search, and where its slices lead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from crawler.items import SourceState
from crawler.sources.schema import Source
from crawler.spiders.hn import DEFAULT_POINTS, FIRST_WINDOW, OVERLAP, HnSpider
from crawler.spiders.reading import Reading

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def parameters(state: SourceState | None = None, now: datetime = NOW, **fields: object) -> dict[str, str]:
    """The query of the first request of a source."""
    source = Source.model_validate({"id": "a", "kind": "hn", "name": "A", **fields})
    (ask,) = HnSpider(now=now).first_asks(Reading(source, state or SourceState()))
    return {name: values[0] for name, values in parse_qs(urlsplit(ask.url).query).items()}


def start(query: dict[str, str]) -> datetime:
    points, since = query["numericFilters"].split(",")
    assert points.startswith("points>=")
    return datetime.fromtimestamp(int(since.removeprefix("created_at_i>=")), UTC)


def test_a_first_run_reads_a_month_and_the_next_one_a_week_before_the_last() -> None:
    midnight = timedelta(hours=12)
    assert start(parameters()) == NOW - FIRST_WINDOW - midnight
    last = SourceState(cursor={"until": (NOW - timedelta(days=1)).isoformat()})
    assert start(parameters(last)) == NOW - timedelta(days=1) - OVERLAP - midnight


def test_two_runs_of_a_day_ask_for_the_same_address() -> None:
    last = SourceState(cursor={"until": NOW.isoformat()})
    later = SourceState(cursor={"until": (NOW + timedelta(hours=3)).isoformat()})
    assert parameters(last) == parameters(later, NOW + timedelta(hours=6))


@pytest.mark.parametrize(("fields", "points"), [({}, DEFAULT_POINTS), ({"points": 0}, 0), ({"points": 150}, 150)])
def test_a_row_says_from_how_many_points_on(fields: dict[str, object], points: int) -> None:
    assert parameters(**fields)["numericFilters"].startswith(f"points>={points},")
