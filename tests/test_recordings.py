"""Every recorded reply under tests/recordings is read as its expected.json says; no case needs test code of its own.

A case without expected.json gets one written from what its page function makes of it today, and then fails: review it.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from places import RECORDINGS

from crawler.errors import CrawlError
from crawler.items import Ask, Reply
from crawler.kinds import KINDS
from crawler.pages import PAGES

CASES = sorted(path.parent for path in RECORDINGS.glob("*/*/response.json"))


def recorded(case: Path) -> tuple[Reply, str]:
    about = json.loads((case / "response.json").read_text(encoding="utf-8"))
    fetched_at = datetime.fromisoformat(about["fetched_at"])
    body = (case / "response.body").read_bytes()
    return Reply(about["url"], about["status"], about["headers"], body, fetched_at), about["page"]


def made_of(case: Path) -> dict[str, Any]:
    """What the page function makes of the reply, in the form of expected.json."""
    reply, name = recorded(case)
    try:
        page = PAGES[name](reply)
    except CrawlError as error:
        return {"error": type(error).__name__, "detail": str(error.detail)}
    return {
        "items": [json.loads(item.to_json()) for item in page.items],
        "asks": [as_row(ask) for ask in page.asks],
        "warnings": list(map(str, page.warnings)),
    }


def as_row(ask: Ask) -> dict[str, Any]:
    return {name: value for name, value in asdict(ask).items() if value}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_a_recorded_reply_is_read_as_expected(case: Path) -> None:
    made, expected = made_of(case), case / "expected.json"
    if not expected.is_file():
        expected.write_text(json.dumps(made, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        pytest.fail(f"{expected} was missing and is written now: review it, then run again")
    assert made == json.loads(expected.read_text(encoding="utf-8"))


def test_every_kind_of_source_and_every_page_function_has_a_recording() -> None:
    assert {case.parent.name for case in CASES} >= set(KINDS)
    assert {recorded(case)[1] for case in CASES} == set(PAGES)


def test_recordings_are_trimmed() -> None:
    assert {case.name: size for case in CASES if (size := (case / "response.body").stat().st_size) > 64_000} == {}
