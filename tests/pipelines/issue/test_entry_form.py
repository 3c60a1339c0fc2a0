"""How newsletter.toml gives entries and sections the form of a newsletter."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import count, islice
from typing import Any

import pytest
from builders import stored

from crawler.home import bundled
from pipelines.issue.entry_form import EntryParts, assemble_entry
from pipelines.issue.markdown import render_issue
from pipelines.issue.proposal import propose_entry
from pipelines.issue.reading import read_issue
from pipelines.issue.sections import make_draft
from pipelines.model import Candidate, Entry, Issue, Story
from pipelines.newsletter import Newsletter

TEMPLATE = (bundled() / "templates/issue.md.j2").read_text(encoding="utf-8")
DAY = date(2026, 8, 28)


def make_newsletter(**values: Any) -> Newsletter:
    values.setdefault("categories", [{"name": "甲栏"}, {"name": "乙栏"}])
    return Newsletter.model_validate({"title": "试刊", "editor": "lin", "labels": {"summary": ""}, **values})


def fill(issue: Issue, *counts: int) -> Issue:
    """Put so many entries into the sections of the categories, in their order."""
    numbers = count(1)
    filled = []
    left = iter(counts)
    for section in issue.sections:
        amount = next(left) if section.name in ("甲栏", "乙栏") else 0
        entries = tuple(Entry(f"[题{number}](https://example.org/{number})") for number in islice(numbers, amount))
        filled.append(replace(section, entries=entries))
    return replace(issue, sections=tuple(filled))


@pytest.mark.parametrize(
    ("frame", "summary", "printed"),
    [
        ({}, ["说了。"], "[题](https://example.org/1)\n代码：x\n说了。"),
        ({"marker": "{n}、"}, ["一。", "二。"], "[题](https://example.org/1)\n\n代码：x\n\n一。\n\n二。"),
        ({"entry": "[{title}]({url})", "summary": "：{summary}"}, ["说了。"], "[题](https://example.org/1)：说了。\n代码：x"),
        ({"entry": "[{title}]({url})", "summary": "：{summary}"}, [""], "[题](https://example.org/1)\n代码：x"),
        ({"entry": "🐎 [{title}]({url})", "summary": ""}, ["说了。"], "🐎 [题](https://example.org/1)\n代码：x"),
        ({"summary": "\n[@{editor}](u): {summary}"}, ["说"], "[题](https://example.org/1)\n代码：x\n[@lin](u): 说"),
    ],
)  # fmt: skip
def test_an_entry_has_the_form_that_the_newsletter_gives_it(
    frame: dict[str, str], summary: list[str], printed: str
) -> None:
    newsletter = make_newsletter(frame=frame)
    parts = EntryParts("题", "https://example.org/1", label_lines=["代码：x"], summary=summary)
    assert assemble_entry(parts, "甲栏", newsletter) == printed


def test_a_title_without_a_link_stands_where_the_link_would() -> None:
    newsletter = make_newsletter(frame={"entry": "🐎 [{title}]({url})", "summary": ""})
    assert assemble_entry(EntryParts("题", summary=[""]), "甲栏", newsletter) == "🐎 题"


def test_an_address_on_a_line_of_its_own_is_left_out_where_there_is_none() -> None:
    newsletter = make_newsletter(frame={"entry": "**{title}**\n{url}", "summary": "\n{summary}"})
    parts = EntryParts("题", "https://example.org/1", summary=["说了。"])
    assert assemble_entry(parts, "甲栏", newsletter) == "**题**\nhttps://example.org/1\n说了。"
    assert assemble_entry(replace(parts, url=None), "甲栏", newsletter) == "**题**\n说了。"


def test_a_section_has_a_form_of_its_own() -> None:
    own = {"name": "乙栏", "style": {"marker": "* ", "summary": ": {summary}"}}
    newsletter = make_newsletter(categories=[{"name": "甲栏"}, own], frame={"marker": "{n}、", "summary": ""})
    draft = make_draft(DAY, newsletter)
    assert [section.marker for section in draft.sections] == ["{n}、", "* "]
    parts = EntryParts("题", "https://e.org/1", summary=["说"])
    printed = [assemble_entry(parts, name, newsletter) for name in ("甲栏", "乙栏")]
    assert printed == ["[题](https://e.org/1)", "[题](https://e.org/1): 说"]


def test_numbers_run_on_over_the_sections_and_blank_lines_are_those_of_the_settings() -> None:
    frame = {
        "dateline": "第 {number} 期",
        "marker": "{n}、",
        "level": 3,
        "numbers_run_on": True,
        "blank_lines": {"opening": 0, "heading": 1, "notes": 0, "entries": 0, "between": 0},
        "sections": [
            {"name": "内容", "level": 2, "text": "> 每月 28 号", "above": "甲栏"},
            {"name": "声明", "text": "完"},
        ],
    }
    newsletter = make_newsletter(
        frame=frame,
        reading={"sections": [2, 3]},
        preamble="> 第 {number} 期 {读者}",
        numbering={"first": date(2016, 5, 28), "months": 1},
    )
    issue = fill(make_draft(DAY, newsletter), 2, 1)
    text = render_issue(issue, newsletter, TEMPLATE)
    link = "[题{0}](https://example.org/{0})"
    assert text == (
        "# 试刊第 124 期\n> 第 124 期 {读者}\n\n## 内容\n> 每月 28 号\n\n### 甲栏\n"
        f"1、{link.format(1)}\n2、{link.format(2)}\n\n### 乙栏\n3、{link.format(3)}\n\n### 声明\n完\n"
    )
    again = read_issue(text.encode(), name="124.md", newsletter=newsletter)
    assert [len(section.entries) for section in again.sections] == [0, 2, 1, 0]
    assert render_issue(again, newsletter, TEMPLATE) == text


def test_a_bold_paragraph_stands_in_the_place_of_a_heading() -> None:
    newsletter = make_newsletter(frame={"level": 7, "marker": "{circled} ", "blank_lines": {"heading": 1}})
    text = render_issue(fill(make_draft(DAY, newsletter), 1, 0), newsletter, TEMPLATE)
    assert "\n\n**甲栏**\n\n① [题1](https://example.org/1)\n\n**乙栏**\n" in text


def test_fields_of_the_issue_are_filled_into_front_matter_and_fields_above_the_heading() -> None:
    newsletter = make_newsletter(
        front_matter="layout: {{ page }}\nday: {date:%Y.%m.%d}",
        numbering={"first": date(2026, 8, 21)},
        footer="见 {slug}",
    )
    draft = make_draft(DAY, newsletter)
    assert draft.front_matter == "layout: {{ page }}\nday: 2026.08.28"
    assert draft.footer == "见 2"
    fields = make_newsletter(above_heading="Title: x\nNumber: {number}", numbering={"first": date(2026, 8, 21)})
    assert make_draft(DAY, fields).above_heading == "Title: x\nNumber: 2"


def test_the_description_of_a_repository_is_its_summary_where_the_title_does_not_have_it() -> None:
    address = "https://github.com/Tencent/ncnn"
    ncnn = stored(1, kind="github", url=address, title="ncnn", summary="高性能的前向推理框架。")
    candidate = Candidate(Story(1, (1,), 1), (ncnn,), "甲栏", {}, (), 0.0, ())
    frame = {"entry": "[{title}]({url})", "summary": "：{summary}"}
    entry = propose_entry(candidate, make_newsletter(frame=frame))
    assert entry.markdown == "[ncnn](https://github.com/Tencent/ncnn)：高性能的前向推理框架。"
