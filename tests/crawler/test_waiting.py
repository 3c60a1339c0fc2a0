"""When a site may be asked again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.waiting import LONGEST_WAIT, retry_after

NOW = datetime(2026, 11, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 120 ", 120),
        ("9" * 50, LONGEST_WAIT.total_seconds()),
        ("Mon, 02 Nov 2026 00:05:00 GMT", 300),
        ("Mon, 02 Nov 2026 08:05:00 +0800", 300),
        ("Mon, 02 Nov 2026 00:05:00", 300),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("Wed, 21 Oct 2065 07:28:00 GMT", LONGEST_WAIT.total_seconds()),
    ],
)
def test_a_wait_is_seconds_or_a_date_and_stays_within_reason(value: str, seconds: float) -> None:
    assert retry_after({"retry-after": value}, NOW) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "value", ["", "soon", "-5", "１２", "1e9", "Mon, 99 Foo 2026", "W:d, 21 Oct 2515607128:00 70002"]
)
def test_what_says_no_time_asks_for_none(value: str) -> None:
    assert retry_after({"retry-after": value}, NOW) is None


@settings(max_examples=300)
@given(st.text(max_size=80) | st.text("0123456789:-+ ,GMTOctWed", max_size=60))
def test_no_header_makes_it_fail(value: str) -> None:
    named = retry_after({"retry-after": value}, NOW)
    assert named is None or NOW <= named <= NOW + LONGEST_WAIT
