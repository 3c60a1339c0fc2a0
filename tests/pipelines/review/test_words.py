"""The page speaks two languages."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Final

import pytest
from desks import Desk
from places import ROOT

from pipelines.review.answering import ERROR_TEXTS
from pipelines.review.rendering import SCRIPT_TEXTS
from pipelines.review.words import load_english, translate_text

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
    wanted = words_of_templates() | set(SCRIPT_TEXTS) | set(ERROR_TEXTS.values())
    assert len(wanted) > 80
    assert sorted(one for one in wanted if one not in load_english()) == []


def speaking_modules() -> list[Path]:
    """The modules that say something to an editor."""
    return [path for room in ("issue", "newsroom", "review") for path in (ROOT / "pipelines" / room).rglob("*.py")]


def test_errors_speak_english_when_asked(desk: Desk, open_desk: Callable[..., Desk]) -> None:
    desk.client.cookies.set("lang", "en")
    desk.decide(1, "pick", seen="0-new")
    desk.decide(2, "drop")
    open_desk("编辑乙").decide(2, "later")
    for answer in (
        desk.post("/api/undo"),
        desk.decide(1, "drop", seen="0-new"),
        desk.decide(1, "categorise", category="{x}"),
        desk.post("/api/candidates/1/splits", {"seen": None}),
        desk.get("/api/issues/2001-01-01"),
    ):
        assert answer.status_code in {404, 409, 422}
        words = answer.json()["error"].replace("高通骁龙芯片的低比特量化", "")
        for name in desk.newsroom.newsletter.category_names:
            words = words.replace(name, "")
        assert not _HAN.search(words), words


def test_no_english_is_left_over() -> None:
    names = re.compile(r"[a-z-]+")
    rest = "".join(
        file.read_text(encoding="utf-8")
        for folder in ("templates", "static")
        for file in files("pipelines.review").joinpath(folder).iterdir()
    )
    rest += "".join(path.read_text(encoding="utf-8") for path in speaking_modules())
    rest += (ROOT / "crawler" / "kinds.py").read_text(encoding="utf-8")  # labels in both languages
    assert [one for one in load_english() if not names.fullmatch(one) and one not in rest] == []


def test_places_in_words_are_the_same_in_both() -> None:
    for chinese, said in load_english().items():
        assert sorted(re.findall(r"\{\w+\}", chinese)) == sorted(re.findall(r"\{\w+\}", said)), chinese


@pytest.mark.parametrize("path", ["/candidates", "/issue", "/sources", "/archive", "/login"])
def test_the_page_speaks_english_when_asked(desk: Desk, path: str) -> None:
    desk.client.cookies.set("lang", "en")
    page = desk.get(path).text
    assert '<html lang="en"' in page
    assert "Candidates" in page
    assert translate_text("候选", "zh") not in re.sub(r"data-words='[^']*'|data-words=\"[^\"]*\"", "", page)
