"""The page of a picked story without a text is fetched, and its summary drafted, never over an editor's words."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from builders import NOON
from servers import ROOT, Site, http, newsroom, serving
from waiting import MOST_SECONDS

from crawler.home import Home
from crawler.items import Batch, RawItem
from crawler.sources.schema import Source
from pipelines.issue.changes import list_entries
from pipelines.issue.entry import read_summary, read_title, reword_entry
from pipelines.model import Decision
from pipelines.newsroom import Newsroom
from pipelines.newsroom.crawling.pages import list_stories_without_text
from pipelines.newsroom.editing.decisions import decide
from pipelines.newsroom.editing.drafts import write_entry
from pipelines.newsroom.editing.linting import lint_issue
from pipelines.newsroom.editor import Editor
from pipelines.newsroom.stages.run import group, ingest

MIRROR = Source.model_construct(id="mirror", kind="wechat", name="边缘智讯")
CLAIM = "作者提出一种四比特量化方法，在手机上把推理速度提升到原来的 2.5 倍，精度只下降 0.3%。"
TEXT = [
    CLAIM,
    "该方法先按通道统计权重的分布，再为每个通道选择缩放系数，因此不需要重新训练模型。",
    "实验在三款手机芯片上进行，模型体积从 98 MB 压缩到 25 MB，内存占用下降到四分之一。",
    "代码和模型都已经开源，支持常见的卷积网络和 Transformer 结构，部署只需要一个头文件。",
    "研究团队表示，下一步会把同样的方法用到语音模型上，并公开更多芯片上的测试结果。",
]
PAGE = (
    "<html><head><title>四比特量化</title></head><body><article><h1>四比特量化</h1>{}</article></body></html>".format(
        "".join(f"<p>{paragraph}</p>" for paragraph in TEXT)
    )
)


@pytest.fixture
def site() -> Iterator[Site]:
    with serving({"/good": http(200, PAGE, content_type="text/html; charset=utf-8")}) as one:
        yield one


@pytest.fixture
def room(tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Newsroom]:
    """Two picked stories of a mirror that gives titles only: the page of the first is there, of the second not."""
    monkeypatch.delenv("JIANBAO_DB", raising=False)
    one = Newsroom(Home(newsroom(tmp_path / "newsletter", "", site.place)))
    titles = {f"{site.base}/good": "四比特量化", f"{site.base}/gone": "移动端部署的一次会议"}
    items = [
        RawItem("wechat", url, title, NOON, published=NOON.isoformat(), publisher="边缘智讯")
        for url, title in titles.items()
    ]
    ingest(one.store, Batch(MIRROR.id, tuple(items), (), finished=True), MIRROR, one.rules, NOON)
    group(one.store, one.group_rules)
    for story in (1, 2):
        decide(one, Decision(story, "pick", "编辑甲", NOON))
    yield one
    one.store.close()


def fetch(one: Newsroom, *stories: int) -> list[dict[str, Any]]:
    command = [
        sys.executable,
        "-m",
        "pipelines.cli",
        "--home",
        str(one.home.path),
        "fetch",
        "--json",
        *map(str, stories),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=MOST_SECONDS, check=False)
    assert done.returncode in (0, 1), done.stderr
    pages: list[dict[str, Any]] = json.loads(done.stdout)["pages"]
    return pages


def drafted(one: Newsroom) -> dict[int | None, str]:
    with one.store.reading() as tx:
        (issue,) = tx.issues.list_drafts()
    return {entry.story: entry.markdown for entry in list_entries(issue)}


@pytest.mark.slow
def test_the_text_comes_its_summary_is_drafted_and_a_failure_says_why(room: Newsroom) -> None:
    assert list_stories_without_text(room) == [1, 2]
    assert read_summary(drafted(room)[1], room.newsletter) == ""
    pages = fetch(room)
    assert [(page["story"], page["failed"] is None) for page in pages] == [(1, True), (2, False)]
    assert "404" in pages[1]["failed"]
    assert CLAIM in read_summary(drafted(room)[1], room.newsletter)
    assert list_stories_without_text(room) == [2]


@pytest.mark.slow
def test_lint_does_not_say_that_an_article_changed_whose_text_came(room: Newsroom) -> None:
    fetch(room)
    with room.store.reading() as tx:
        (issue,) = tx.issues.list_drafts()
        codes = {finding.code for finding in lint_issue(tx, issue, room)}
    assert not any(code.startswith("changed") for code in codes)


@pytest.mark.slow
@pytest.mark.parametrize("part", ["title", "summary"])
def test_what_the_editor_wrote_stays(room: Newsroom, part: str) -> None:
    editor = Editor(room, "编辑甲", NOON + timedelta(minutes=1))
    with room.store.reading() as tx:
        (issue,) = tx.issues.list_drafts()
    position = next(index for index, entry in enumerate(list_entries(issue)) if entry.story == 1)
    texts = {"title": "我的标题" if part == "title" else "", "summary": "我的摘要。" if part == "summary" else ""}
    markdown = reword_entry(drafted(room)[1], room.newsletter, **texts)
    write_entry(editor, issue.date, position, markdown)
    fetch(room, 1)
    if part == "summary":
        assert drafted(room)[1] == markdown
    else:
        assert read_title(drafted(room)[1], room.newsletter) == "我的标题"
        assert CLAIM in read_summary(drafted(room)[1], room.newsletter)


def test_an_article_added_by_hand_never_names_its_source_added(room: Newsroom) -> None:
    with room.store.reading() as tx:
        candidate = tx.stories.find_by_article(1)
    assert candidate is not None
    nameless = replace(candidate.lead.article, source="added", publisher=None, url="https://www.e.org/1")
    assert nameless.source_name == "e.org"
    assert replace(nameless, source="watch").source_name == "watch"
    assert drafted(room)[1].startswith("[四比特量化 | 边缘智讯](")
