"""The page speaks two languages."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.resources import files
from typing import Final

import pytest
from desks import Desk

from pipelines.review.rendering import SCRIPT_TEXTS
from pipelines.wording import sentences

_HAN: Final = re.compile(r"[\u4e00-\u9fff]")


def codes_of(folder: str) -> set[str]:
    """The codes of the desk's sentences in the templates or in the scripts."""
    texts = (file.read_text(encoding="utf-8") for file in files("pipelines.review").joinpath(folder).iterdir())
    return {code for text in texts for code in re.findall(r"[\"'](desk/[a-z0-9-]+)[\"']", text)}


def test_the_page_hands_the_scripts_each_sentence_that_they_show_and_no_other() -> None:
    assert codes_of("static") == set(SCRIPT_TEXTS)


def test_no_template_and_no_script_has_a_sentence_of_its_own() -> None:
    for folder in ("templates", "static"):
        for file in files("pipelines.review").joinpath(folder).iterdir():
            lines = re.sub(r"(?s)/\*.*?\*/|\{#.*?#\}", "", file.read_text(encoding="utf-8")).splitlines()
            shown = [line for line in lines if not line.lstrip().startswith("//")]
            assert not re.search(
                r"\bt\(\s*[\"'][^\"']*[\u4e00-\u9fff]|\bsay\([^)]*[\u4e00-\u9fff]", "\n".join(shown)
            ), file


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
        for name in (*desk.newsroom.newsletter.category_names, "简讯"):
            words = words.replace(name, "")
        assert not _HAN.search(words), words


@pytest.mark.parametrize("path", ["/candidates", "/issue", "/sources", "/archive", "/login"])
def test_the_page_speaks_english_when_asked(desk: Desk, path: str) -> None:
    desk.client.cookies.set("lang", "en")
    page = desk.get(path).text
    assert '<html lang="en"' in page
    assert "Candidates" in page
    assert sentences("zh")["desk/candidates"] not in re.sub(r"data-words='[^']*'|data-words=\"[^\"]*\"", "", page)


@pytest.mark.parametrize(("language", "reason"), [("zh", "今天|天前"), ("en", "Today|d ago")])
def test_a_card_gives_its_reasons_in_the_language_of_the_page(desk: Desk, language: str, reason: str) -> None:
    desk.client.cookies.set("lang", language)
    page = desk.get("/candidates").text
    reasons = re.findall(r'<dd class="reasons">(.*?)</dd>', page, re.DOTALL)
    assert reasons
    assert all(re.search(reason, row) for row in reasons if "<bdi>" in row)
    listed = desk.get("/api/candidates").json()["candidates"]
    assert any(re.search(reason, row["text"]) for candidate in listed for row in candidate["reasons"])
