"""Every fault that we claim to survive has a test that names it, and the page of faults is made of these tests."""

from __future__ import annotations

from faults import CASES, PAGE, find_tests, make_page


def test_every_case_has_a_test_and_every_mark_is_a_case() -> None:
    assert find_tests().keys() == CASES.keys()


def test_the_page_of_faults_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == make_page(), "python tests/faults.py writes it"


def test_seventy_cases_at_least_are_claimed() -> None:
    assert len(CASES) >= 70
