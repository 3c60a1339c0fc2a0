"""The page speaks two languages."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Final

import pytest
from desks import Desk

from pipelines.review.rendering import SCRIPT_WORDS
from pipelines.review.visit import SAID
from pipelines.review.words import english, translated

_HAN: Final = re.compile(r"[\u4e00-\u9fff]")


def words_of_templates() -> set[str]:
    found: set[str] = set()
    for template in files("pipelines.review").joinpath("templates").iterdir():
        text = template.read_text(encoding="utf-8")
        found |= set(re.findall(r"\bt\(\s*[\"']([^\"']+)[\"']", text))
        for choice in re.findall(r"\bt\(\{[^}]*\}", text):
            found |= set(re.findall(r': "([^"]+)"', choice))
    return {one for one in found if _HAN.search(one)}


def test_every_word_of_a_template_and_of_a_script_has_its_english() -> None:
    wanted = words_of_templates() | set(SCRIPT_WORDS) | set(SAID.values())
    assert len(wanted) > 80
    assert sorted(one for one in wanted if one not in english()) == []


def test_no_english_is_left_over() -> None:
    names = re.compile(r"[a-z-]+")
    rest = "".join(
        file.read_text(encoding="utf-8")
        for folder in ("templates", "static")
        for file in files("pipelines.review").joinpath(folder).iterdir()
    )
    rest += "".join(
        file.read_text(encoding="utf-8") for file in files("pipelines.review").iterdir() if file.name.endswith(".py")
    )
    assert [one for one in english() if not names.fullmatch(one) and one not in rest] == []


def test_places_in_words_are_the_same_in_both() -> None:
    for chinese, said in english().items():
        assert sorted(re.findall(r"\{\w+\}", chinese)) == sorted(re.findall(r"\{\w+\}", said)), chinese


@pytest.mark.parametrize("path", ["/candidates", "/issue", "/sources", "/archive", "/login"])
def test_the_page_speaks_english_when_asked(desk: Desk, path: str) -> None:
    desk.client.cookies.set("lang", "en")
    page = desk.get(path).text
    assert '<html lang="en"' in page
    assert "Candidates" in page
    assert translated("候选", "zh") not in re.sub(r"data-words='[^']*'|data-words=\"[^\"]*\"", "", page)
