"""Text and URLs from the web come back from Markdown as they were, and nothing in them takes effect."""

from __future__ import annotations

import re

import pytest
from costs import assert_twice_costs_at_most_three_times
from hostile import HOSTILE, MARKUP
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml

from pipelines.issue import inline
from pipelines.issue.escape import (
    clean_line,
    escape_around_code,
    escape_markdown,
    make_autolink,
    make_link,
    make_printable_url,
)

GFM = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def heard(text: str) -> str:
    """What a paragraph of just this text renders to."""
    return f"<p>{escapeHtml(clean_line(text))}</p>\n" if clean_line(text) else ""


@pytest.mark.parametrize("title", HOSTILE)
@pytest.mark.fault("C1", "X1")
def test_a_hostile_title_is_only_text(title: str) -> None:
    assert GFM.render(escape_markdown(title)) == heard(title)
    assert re.search(r"\{\{|\{%", escape_markdown(title)) is None, "Liquid would run it"


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60) | MARKUP)
@example("[\\]: x")
@pytest.mark.fault("X1")
def test_any_text_comes_back_from_markdown(text: str) -> None:
    said = escape_markdown(text)
    assert "\n" not in said
    assert GFM.render(said) == heard(text)
    assert inline.strip_marks(said) == clean_line(text)


@settings(max_examples=200, deadline=None)
@given(MARKUP)
def test_any_text_stays_within_the_item_the_link_and_the_line_it_was_put_into(text: str) -> None:
    said, html = escape_markdown(text), escapeHtml(clean_line(text))
    assert GFM.render(f"- {make_link(f'{said} | 源', 'https://e.org/a')}") == (
        f'<ul>\n<li><a href="https://e.org/a">{html} | 源</a></li>\n</ul>\n'
    )
    assert GFM.render(f"前  \n摘要：{said}") == f"<p>前<br />\n摘要：{html}</p>\n"
    if said:
        assert GFM.render(f"前  \n{said}") == f"<p>前<br />\n{html}</p>\n"
        assert GFM.render(f"- {said}  \n摘要：") == f"<ul>\n<li>{html}<br />\n摘要：</li>\n</ul>\n"


@settings(max_examples=200, deadline=None)
@given(st.lists(MARKUP | st.just("`"), max_size=5).map("".join))
@example("`{{ x }}` `{% y %}` `a | b`")
def test_words_between_backticks_are_code_and_nothing_around_them_takes_effect(text: str) -> None:
    said = escape_around_code(text)
    plain = re.sub(r"</?code>", "`", GFM.render(said))
    assert re.sub(r"\s+", "", plain).replace("`", "") == re.sub(r"\s+", "", heard(text)).replace("`", "")
    assert not re.search(r"\{\{|\{%|(?<!\\)\|", said)
    assert "`" in text or said == escape_markdown(text)


@settings(max_examples=200, deadline=None)
@given(MARKUP)
@pytest.mark.fault("X2")
def test_liquid_and_kramdown_find_nothing_to_run(text: str) -> None:
    said = escape_markdown(text)
    assert not re.search(r"\{\{|\{%", said)
    assert not re.search(r"(?<!\\)(?:\\\\)*\{:", said), "attributes"
    assert "]:" not in said, "the definition of a link"
    assert not re.match(r"\^|:\s|[-+]\s|#", said), "end of block, definition, list, heading"


@pytest.mark.parametrize(
    "title",
    [
        "某公司发布 7nm 芯片：性能提升 2.5 倍，功耗仅 1.2W！",
        "YOLOv3 - 更快（1-bit）的 end-to-end 检测 #1 + C++/C#",
        'int8 / fp16: "W4A16" vs. face_swap? 90% & 100%',
        "详见 https://github.com/owner/some_repo/tree/main 。",
        "-1与+1的二值网络",
        "2.4.0 候选版本",
        "{ggplot2} 4.0.0 for {shiny}",
    ],
)
def test_ordinary_titles_stay_as_an_editor_would_type_them(title: str) -> None:
    assert escape_markdown(title) == title


def test_a_bare_url_whose_word_needs_escapes_is_no_link_on_github() -> None:
    assert escape_markdown("https://a.example/*b*") == r"https\://a.example/\*b\*"
    assert escape_markdown("www.a.example/*") == r"www\.a.example/\*"


@pytest.mark.fault("E3")
def test_controls_overrides_of_direction_and_lone_surrogates_are_dropped() -> None:
    assert escape_markdown("a\x00b\x1b\u202ec\ud800d\u2066") == "abcd"


@pytest.mark.parametrize("mark", ["[a](", "*a", "_a ", "`", "<a", "&a", "{%", "[", "\\", "https://a)", "**a "])
def test_twice_as_many_marks_cost_twice_as_much_to_escape_and_to_read(mark: str) -> None:
    half = mark * (5_000 // len(mark))
    assert inline.strip_marks(escape_markdown(half * 2)) == clean_line(half * 2)
    for read in (escape_markdown, inline.strip_marks, inline.find_urls):
        assert_twice_costs_at_most_three_times(read, half, half * 2)
    address = "https://a.example/"
    assert_twice_costs_at_most_three_times(make_printable_url, address + half, address + half * 2)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "//evil.example/x",
        "/local",
        "",
        "https://",
        "https:evil.example",
        "https://[::1",
        "https://github.com@evil.example/",
        "https://user:password@example.org/",
        "https://good.example\\@evil.example/",
    ],
)
@pytest.mark.fault("X3")
def test_what_is_no_public_web_address_is_not_printed(url: str) -> None:
    assert make_printable_url(url) is None


@pytest.mark.parametrize(
    ("url", "printed"),
    [
        ("https://example.org/a b", "https://example.org/a%20b"),
        (" HTTPS://Example.org/a\n", "https://Example.org/a"),
        ('https://example.org/"x"<y>', "https://example.org/%22x%22%3Cy%3E"),
        ("https://example.org/{{ x }}{% y %}", "https://example.org/%7B%7B%20x%20%7D%7D%7B%%20y%20%%7D"),
        ("https://example.org/?a=1&lt;=2", "https://example.org/?a=1&lt%3B=2"),
        ("https://example.org/a|b\\c`d", "https://example.org/a%7Cb%5Cc%60d"),
        ("https://example.org/中文?q=a_b*c", "https://example.org/中文?q=a_b*c"),
    ],
)
@pytest.mark.fault("X3")
def test_a_url_keeps_its_meaning_and_loses_its_markup(url: str, printed: str) -> None:
    assert make_printable_url(url) == printed


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30) | MARKUP)
def test_a_link_leads_where_its_url_says_and_a_bare_url_says_itself(tail: str) -> None:
    url = make_printable_url(f"https://example.org/{tail}")
    assert url is not None
    (token,) = [one for one in GFM.parseInline(make_link("文", url))[0].children or () if one.type == "link_open"]
    assert token.attrs["href"] == GFM.normalizeLink(url)
    assert inline.find_links(make_link("文", url))[0].url == url
    assert re.sub(r"<[^>]*>", "", GFM.renderInline(make_autolink(url))) in (
        escapeHtml(url),
        escapeHtml(GFM.normalizeLinkText(url)),
    )
