"""What is drafted, rendered and written: the house style, hostile stories, files that are whole or not there."""

from __future__ import annotations

import json
import os
import stat
from datetime import date
from itertools import takewhile
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from builders import stored
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from crawler.home import bundled
from pipelines import files
from pipelines.issue.entry import read_entry
from pipelines.issue.escape import clean_line, make_printable_url
from pipelines.issue.formats.as_json import render_json
from pipelines.issue.markdown import remove_unprinted_parts, render_back_issues, render_issue, render_item
from pipelines.issue.proposal import propose_entry
from pipelines.issue.reading import read_issue
from pipelines.issue.summary import summarise
from pipelines.model import Candidate, Entry, Issue, Section, StoredArticle, Story, StoryLink
from pipelines.newsletter import Newsletter, load_newsletter

NEWSLETTER = load_newsletter(bundled() / "newsletter.toml")
TEMPLATE = (bundled() / "templates/issue.md.j2").read_text(encoding="utf-8")
GFM = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def candidate(*articles: StoredArticle, links: tuple[StoryLink, ...] = (), lead: int = 1) -> Candidate:
    story = Story(1, tuple(one.id for one in articles), lead)
    return Candidate(story, articles, "论文", {"论文": 1.0}, (), 0.0, (), links)


def current_entry(*links: StoryLink, **values: Any) -> str:
    return propose_entry(candidate(stored(1, **values), links=links), NEWSLETTER).markdown


def written(issue: Issue) -> str:
    return render_issue(issue, NEWSLETTER, TEMPLATE)


# Rendering


def test_an_issue_in_the_house_style_is_byte_for_byte_this() -> None:
    issue = Issue(
        date=date(2021, 3, 5),
        title="简报",
        front_matter="layout: default",
        headline="甲/乙",
        tagline="关注甲乙",
        notice="注：请用手机打开",
        guide="本次三条。",
        preamble="先热身：\n\n- 丙。",
        sections=(
            Section("业界新闻", (Entry("[甲](https://e.org/1)\n摘要：一\n  - 二"), Entry("乙 | 源\n摘要：三"))),
            Section(
                "开源项目", (Entry("[o/r: 丙](https://e.org/2)\n```\ncode\n\n```"),), notes="> 注：x", closing="再见"
            ),
            Section("博文"),
        ),
        back_issues="## 往期回顾\n\n- 无",
        footer="----\n\n版权",
    )
    assert written(issue) == (
        "---\nlayout: default\n---\n\n"
        "# 简报 (2021-03-05) 甲/乙\n\n"
        "**关注甲乙**  \n注：请用手机打开\n\n"
        "> 导读：本次三条。\n\n"
        "先热身：\n\n- 丙。\n\n\n"
        "## 业界新闻\n\n"
        "- [甲](https://e.org/1)  \n摘要：一  \n  - 二  \n- 乙 | 源  \n摘要：三  \n\n\n"
        "## 开源项目\n\n> 注：x\n\n"
        "- [o/r: 丙](https://e.org/2)  \n```\ncode\n\n```\n\n\n再见\n\n\n"
        "## 博文\n\n\n"
        "## 往期回顾\n\n- 无\n\n"
        "----\n\n版权\n"
    )
    assert read_issue(written(issue).encode(), name="2021-03-05.md", newsletter=NEWSLETTER) == issue


def test_the_least_issue_is_its_heading() -> None:
    assert written(Issue(date(2021, 3, 5), "简报")) == "# 简报 (2021-03-05)\n"


def test_a_template_prints_a_part_that_the_issue_does_not_have_as_nothing() -> None:
    template = "{{ issue.title }}[{{ issue.footer }}{{ issue.headline }}]"
    assert render_issue(Issue(date(2021, 3, 5), "试刊"), NEWSLETTER, template).startswith("试刊[]")


def test_an_entry_that_the_editor_emptied_is_not_printed() -> None:
    issue = Issue(date(2021, 3, 5), "简报", (Section("论文", (Entry(" \n"), Entry("[甲](u)"))),))
    assert written(issue).endswith("## 论文\n\n- [甲](u)  \n")


def test_line_ends_of_a_browser_do_not_reach_the_file() -> None:
    issue = Issue(date(2021, 3, 5), "简报", (Section("论文", (Entry("[甲](u)\r\n摘要：x"),)),), guide="一\r\n二")
    assert "\r" not in written(issue)


def test_what_an_issue_holds_is_no_template() -> None:
    issue = Issue(date(2021, 3, 5), "{{ 7 * 7 }}", guide="{% for x in y %}")
    assert "{{ 7 * 7 }}" in written(issue)
    assert "{% for x in y %}" in written(issue)


LINES = st.text("甲乙 ab-#>|*[](){}`:：。1.", min_size=1, max_size=12).map(lambda text: "字" + text.strip())
TEXTS = st.none() | st.lists(LINES, min_size=1, max_size=3).map("\n\n".join)
DRAFTS = st.builds(
    lambda title, source, summary, url: Entry(
        current_entry(title=title, publisher=source, summary=summary, url=url or "ftp://e.org"), story=None
    ),
    st.text(max_size=20),
    st.none() | st.text(max_size=8),
    st.text(max_size=40),
    st.none() | st.text("ab()[]_*/ ", max_size=8).map(lambda tail: f"https://e.org/{tail}"),
)
SECTIONS = st.builds(
    Section,
    st.sampled_from(NEWSLETTER.category_names),
    st.lists(DRAFTS, max_size=3).map(tuple),
    TEXTS.map(lambda text: text and f"> {text}"),
)


@settings(max_examples=100, deadline=None)
@given(
    st.builds(
        Issue,
        date=st.dates(date(1990, 1, 1), date(2099, 12, 31)),
        title=st.just("简报"),
        sections=st.lists(SECTIONS, min_size=1, max_size=3).map(tuple),
        front_matter=st.none() | st.just("layout: default\nlang: zh"),
        headline=st.none() | LINES,
        tagline=st.none() | st.just("关注甲、乙"),
        guide=st.none() | LINES,
        preamble=TEXTS,
        back_issues=st.none() | st.just(render_back_issues([date(2020, 1, 1)], NEWSLETTER)),
        footer=st.none() | st.just("----\n\n版权"),
    )
)
def test_any_drafted_issue_reads_back_as_the_same_issue(issue: Issue) -> None:
    printed = remove_unprinted_parts(issue, NEWSLETTER)
    assert read_issue(written(issue).encode(), name="x.md", newsletter=NEWSLETTER) == printed


# Back issues


def with_back_issues(**values: Any) -> Newsletter:
    return NEWSLETTER.model_copy(update={"back_issues": NEWSLETTER.back_issues.model_copy(update=values)})


def test_the_table_of_back_issues_has_its_newest_on_the_left_of_the_rows_below_their_year() -> None:
    newsletter = with_back_issues(url=None, link="../{date}.md", columns=2)
    past = [date(2020, 1, 6), date(2020, 3, 2), date(2019, 12, 2), date(2020, 2, 16), date(2020, 2, 16)]
    assert render_back_issues(past, newsletter) == (
        "## 往期回顾\n\n"
        "| 2020 |  |\n"
        "|:---:|:---:|\n"
        "|  | [2020-03-02](../2020-03-02.md) |\n"
        "| [2020-02-16](../2020-02-16.md) | [2020-01-06](../2020-01-06.md) |\n"
        "| 2019 |  |\n"
        "|  | [2019-12-02](../2019-12-02.md) |"
    )


def test_a_year_has_a_digit_a_column_where_that_fits() -> None:
    assert "| 2 | 0 | 2 | 1 |\n|:---:|:---:|:---:|:---:|\n" in render_back_issues([date(2021, 3, 5)], NEWSLETTER)


def test_the_list_of_back_issues_is_newest_first() -> None:
    newsletter = with_back_issues(style="list", link="{date}.md", url="https://e.org")
    assert render_back_issues([date(2019, 1, 1), date(2020, 1, 1)], newsletter) == (
        "## [往期回顾](https://e.org)\n\n- [2020-01-01](2020-01-01.md)  \n- [2019-01-01](2019-01-01.md)"
    )


def test_the_first_issue_has_no_back_issues_but_their_heading() -> None:
    assert render_back_issues([], with_back_issues(url=None)) == "## 往期回顾"


# Drafts


def test_an_article_is_drafted_with_source_label_lines_and_its_digest() -> None:
    markdown = current_entry(
        StoryLink("论文", "https://arxiv.org/abs/2006.16669"),
        StoryLink("代码", "https://github.com/owner/my_repo"),
        title="低比特量化：快 2.5 倍",
        publisher="某媒体",
        url="https://mp.weixin.qq.com/s/abc",
        summary="这篇文章讲的是低比特量化，它快了两倍半还不掉精度。",
    )
    assert markdown == (
        "[低比特量化：快 2.5 倍 | 某媒体](https://mp.weixin.qq.com/s/abc)\n"
        "论文：https://arxiv.org/abs/2006.16669\n"
        "代码：https://github.com/owner/my_repo\n"
        "摘要：这篇文章讲的是低比特量化，它快了两倍半还不掉精度。"
    )


def test_a_paper_is_drafted_with_its_id_and_without_source() -> None:
    paper: dict[str, Any] = {
        "kind": "arxiv",
        "keys": ("arxiv:2006.16669",),
        "title": "A Paper",
        "publisher": "arXiv",
        "url": "https://arxiv.org/abs/2006.16669",
    }
    assert current_entry(**paper).startswith("[2006.16669] [A Paper](https://arxiv.org/abs/2006.16669)\n")
    accepted = current_entry(**paper, facts={"comment": "8 pages, accepted at NeurIPS 2020 (oral)"})
    assert accepted.startswith("[NeurIPS2020] [2006.16669] [A Paper]")
    assert current_entry(**paper, facts={"comment": "Submitted to CVPR 2021"}).startswith("[2006.16669]")


def test_a_repository_is_drafted_as_owner_repo_and_what_it_is() -> None:
    markdown = current_entry(
        StoryLink("代码", "https://github.com/Owner/repo"),
        kind="github",
        url="https://github.com/Owner/repo",
        title="Owner/repo",
        publisher="Owner",
        summary="A fast inference engine",
    )
    assert markdown == "[Owner/repo: A fast inference engine](https://github.com/Owner/repo)\n摘要："


def test_a_release_is_drafted_as_owner_repo_and_what_is_new() -> None:
    markdown = current_entry(
        kind="github", url="https://github.com/o/r/releases/tag/v2", title="r v2: 更快", publisher="o", text="修了。"
    )
    assert markdown.startswith("[o/r: r v2: 更快](https://github.com/o/r/releases/tag/v2)\n")


@pytest.mark.parametrize(
    "values",
    [
        {"url": "https://mp.weixin.qq.com/s?src=3&timestamp=1&signature=x", "temporary": True},
        {"url": "javascript:alert(1)"},
        {"url": "ftp://e.org/file"},
    ],
)
def test_an_address_that_dies_or_is_no_web_address_is_not_printed(values: dict[str, Any]) -> None:
    assert current_entry(title="标题", publisher="源", **values) == "标题 | 源\n摘要："


def test_a_label_line_leads_only_to_web_addresses_and_never_twice_to_the_same() -> None:
    links = [
        StoryLink("代码", url) for url in ("javascript:x", "https://e.org/1", "https://e.org/2", "https://e.org/2")
    ]
    assert (
        current_entry(*links, title="标题", url="https://e.org/1")
        == "[标题](https://e.org/1)\n代码：https://e.org/2\n摘要："
    )


def test_the_digest_is_the_first_paragraph_that_says_something_new() -> None:
    said = "第一段真正的内容在这里，它说了一件事情。"
    assert current_entry(title="标题", text=f"图源网络\n{said}\n第二段").endswith(f"摘要：{said}")
    assert current_entry(title=f"甲：{said}", summary=said).endswith("摘要：")
    other = stored(2, summary=said)
    assert propose_entry(candidate(stored(1), other), NEWSLETTER).markdown.endswith(f"摘要：{said}")


def test_an_article_without_title_is_drafted_by_its_address() -> None:
    assert current_entry(title=" ", url="https://e.org/1").startswith("[https://e.org/1](https://e.org/1)\n")


@settings(max_examples=100, deadline=None)
@given(title=st.text(min_size=1, max_size=30), source=st.text(max_size=10), summary=st.text(min_size=20, max_size=60))
def test_what_is_drafted_says_what_the_article_said_escaped_once(title: str, source: str, summary: str) -> None:
    markdown = current_entry(title=title, publisher=source, summary=summary)
    entry = read_entry(markdown, NEWSLETTER)
    assert entry.url == "https://example.org/1"
    assert entry.source == (clean_line(source) or None)
    assert GFM.render(render_item(Entry(markdown))).count("<li>") == 1
    assume(entry.repository is None)
    assert entry.title == (clean_line(title) or "https://example.org/1")


def test_a_hostile_story_is_one_item_with_one_link() -> None:
    markdown = current_entry(
        StoryLink("论文", "https://e.org/{{ x }}_*b*"),
        title="](javascript:alert(1)) {{ site.x }} | <b>\n- 项\n## 栏",
        publisher="{% include x %} | y",
        summary="`code` [x](javascript:y) <script>alert(1)</script>\n\n# 标题 ![](data:x)",
        url="https://e.org/a)(b?{%x%}",
    )
    html = GFM.render(render_item(Entry(markdown)))
    assert html.count("<li>") == 1
    assert html.count("<a ") == 2
    assert "{{" not in markdown
    assert "{%" not in markdown
    assert "<script" not in html
    assert 'href="javascript' not in html
    assert read_entry(markdown, NEWSLETTER).title == "](javascript:alert(1)) {{ site.x }} | <b> - 项 ## 栏"


# JSON


def test_json_holds_the_markdown_and_what_it_says() -> None:
    entry = Entry("[CVPR2020] [标题 | 源](https://e.org/1)\n代码：https://e.org/2\n摘要：说", story=7)
    issue = Issue(date(2021, 3, 5), "简报", (Section("应用", (entry,)), Section("食谱")), state="draft")
    told = json.loads(render_json(issue, NEWSLETTER))
    assert (told["date"], told["state"], told["guide"]) == ("2021-03-05", "draft", None)
    assert [section["category"] for section in told["sections"]] == ["业界新闻", None]
    assert told["sections"][0]["entries"] == [
        {
            "markdown": entry.markdown,
            "story": 7,
            "title": "标题",
            "prefixes": ["CVPR2020"],
            "repository": None,
            "source": "源",
            "url": "https://e.org/1",
            "links": [],
            "labels": [{"label": "代码", "text": "https://e.org/2", "url": "https://e.org/2"}],
            "summary": ["说"],
            "urls": ["https://e.org/1", "https://e.org/2"],
        }
    ]


# Files

# Through another parser


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(st.sampled_from(["甲", "a", *"\\`*_[]()#|<>~&{}!-.:$^= 1", "{%", "]("]), max_size=12).map("".join),
            st.text("甲乙 a*_[<{|#", min_size=1, max_size=20),
            st.text("ab()[]_*/?&= ", max_size=10),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_another_parser_reads_of_an_issue_what_the_articles_said(
    told: list[tuple[str, str, str]],
) -> None:
    articles = [
        stored(
            n,
            title=f"题{title}",
            publisher="源",
            summary=f"{said}：这是一句足够长的、能当摘要的话",
            url=f"https://e.org/{n}/{tail}",
        )
        for n, (title, said, tail) in enumerate(told, 1)
    ]
    candidates = [candidate(one, lead=one.id) for one in articles]
    issue = Issue(
        date(2021, 3, 5), "简报", (Section("论文", tuple(propose_entry(one, NEWSLETTER) for one in candidates)),)
    )
    links: list[tuple[str, str]] = []
    texts: list[str] = []
    for token in GFM.parse(written(issue)):
        children = token.children or [] if token.level > 1 else []
        for at, child in enumerate(children):
            if child.type == "link_open":
                words = "".join(one.content for one in takewhile(lambda one: one.type != "link_close", children[at:]))
                links.append((words, str(child.attrs["href"])))
        texts += (
            ["".join(one.content or "\n" for one in children if not one.type.startswith("link"))] if children else []
        )
    assert [words for words, _ in links] == [f"{clean_line(one.article.title)} | 源" for one in articles]
    assert [unquote(url) for _, url in links] == [
        unquote(make_printable_url(one.article.url) or "") for one in articles
    ]
    summaries = [summarise(one, one.lead.article.title).text for one in candidates]
    expected = [f"摘要：{summary}" if summary else "" for summary in summaries]
    assert [text.partition("\n")[2] for text in texts] == expected


def test_a_file_is_written_with_its_folders_and_left_alone_when_it_says_the_same(tmp_path: Path) -> None:
    path = tmp_path / "issues" / "2021-03-05.md"
    assert files.write(path, "甲\n") is True
    before = path.stat()
    assert files.write(path, "甲\n") is False
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert files.write(path, "乙\n") is True
    assert path.read_text(encoding="utf-8") == "乙\n"
    assert [one.name for one in path.parent.iterdir()] == ["2021-03-05.md"]


def test_permissions_and_a_link_survive_a_new_text(tmp_path: Path) -> None:
    path, link = tmp_path / "a.md", tmp_path / "link.md"
    path.write_text("甲", encoding="utf-8")
    path.chmod(0o640)
    link.symlink_to(path)
    files.write(link, "乙")
    assert link.is_symlink()
    assert path.read_text(encoding="utf-8") == "乙"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_write_that_fails_leaves_the_old_issue_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.md"
    path.write_text("甲", encoding="utf-8")

    def no_space(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match="No space"):
        files.write(path, "乙")
    assert path.read_text(encoding="utf-8") == "甲"
    assert [one.name for one in tmp_path.iterdir()] == ["a.md"]
