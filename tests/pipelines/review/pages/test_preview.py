"""An article to read: whatever its page held, nothing of it runs, loads, links or styles."""

from __future__ import annotations

import re

import pytest
from builders import stored
from hypothesis import given
from hypothesis import strategies as st

from pipelines.review.pages.preview import clean_html, make_body
from pipelines.review.rendering import render_markdown

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='java\tscript:alert(1)'>x</a>",
    "<a href=' &#106;avascript:alert(1)'>x</a>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<iframe src='https://evil.example'></iframe>",
    "<object data='data:text/html,<script>alert(1)</script>'></object>",
    "<embed src='https://evil.example/x.swf'>",
    "<form action='https://evil.example'><button formaction='javascript:alert(1)'>x</button></form>",
    "<link rel=stylesheet href='https://evil.example/x.css'>",
    "<style>@import 'https://evil.example/x.css';</style>",
    "<p style='background:url(https://evil.example/x)'>x</p>",
    "<base href='https://evil.example/'>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<body onload=alert(1)>",
    "<details open ontoggle=alert(1)>x</details>",
    "<p hx-get='/api/session' hx-trigger=load hx-on::load='alert(1)'>x</p>",
    "<div data-do=pick data-words='{}' id=list class=card>x</div>",
    "<video><source onerror=alert(1)></video>",
    "<template><img src=x onerror=alert(1)></template>",
    "<select><style><img src=x onerror=alert(1)></style></select>",
    "<img srcset='https://evil.example/x 1x' src='javascript:alert(1)'>",
    "\0<scr\0ipt>alert(1)</script>",
    "\0<img src=x>",
    "<img src='/api/session'>",
    "<img title='x'>",
    "\0<img title='x'>",
]


@pytest.mark.parametrize("pictures", [False, True])
@pytest.mark.parametrize("html", HOSTILE)
def test_nothing_that_runs_is_left(html: str, pictures: bool) -> None:
    harmless(clean_html(html, pictures=pictures), pictures=pictures)


@given(st.lists(st.sampled_from([*HOSTILE, "<p>", "</p>", "<table>", "文", "<!--", "-->", "]]>", "'", '"', "<"])))
@pytest.mark.fault("C1", "W3")
def test_nothing_that_runs_is_left_however_it_is_put_together(pieces: list[str]) -> None:
    for pictures in (False, True):
        clean = clean_html("".join(pieces), pictures=pictures)
        harmless(clean, pictures=pictures)
        assert clean_html(clean, pictures=False) == clean_html(clean_html(clean, pictures=False), pictures=False)


def harmless(html: str, *, pictures: bool) -> None:
    for tag in re.findall(r"<[^>]*>", html):
        names = set(re.findall(r"\s([a-z-]+)=", tag)) - {"colspan", "rowspan"}
        if pictures and tag.startswith("<img"):
            assert names <= {"src", "alt"}
            assert re.search(r'src="https?://[^"]*"', tag)
        else:
            assert not names, tag
            assert not re.match(r"</?(script|style|svg|math|iframe|form|a|img|link|meta|base|object|embed)\b", tag), tag


@pytest.mark.parametrize("html", HOSTILE)
def test_the_preview_of_an_issue_lets_nothing_run_either(html: str) -> None:
    for markdown in (html, f"[x]({html})", f"- [x](<{html}>)\n", f"![x]({html})", f"> {html}"):
        clean = render_markdown(markdown)
        tags = re.findall(r"<(\w+)", clean)
        assert not {"script", "img", "svg", "iframe", "style", "form", "object", "math"} & set(tags)
        assert all(link.startswith(("http://", "https://")) for link in re.findall(r'href="([^"]*)"', clean))
        assert not re.search(r"<[^>]*\son\w+=", clean)


@pytest.mark.parametrize(
    ("markdown", "address", "name"),
    [
        ("![图一](https://e.org/a.png)", "https://e.org/a.png", "🖼 图一"),
        ("![图一][1]\n\n[1]: https://e.org/a.png", "https://e.org/a.png", "🖼 图一"),
        ("![](https://e.org/a.png)", "https://e.org/a.png", "🖼 a.png"),
        ("[![图一](https://e.org/a.png)](https://e.org/1)", "https://e.org/1", "🖼 图一"),
    ],
)
def test_the_preview_of_an_issue_names_a_picture_and_links_it(markdown: str, address: str, name: str) -> None:
    assert re.findall(r'<p><a href="([^"]*)"[^>]*>([^<]*)</a></p>', render_markdown(markdown)) == [(address, name)]


def test_the_longest_page_is_shown_and_the_text_where_there_is_none() -> None:
    one = stored(1, text="第一段\n<b>第二段</b>")
    assert make_body(one, ["<p>短</p>", "<p>长的一页</p>"], pictures=False) == "<p>长的一页</p>"
    assert make_body(one, [], pictures=False) == "<p>第一段</p>\n<p>&lt;b&gt;第二段&lt;/b&gt;</p>"


@pytest.mark.parametrize("html", ["<div>" * 50_000, "<table><tr>" + "<td>" * 60_000, "<p>" + "字" * 1_000_000])
@pytest.mark.fault("C5")
def test_a_monstrous_page_is_shown_in_time(html: str) -> None:
    assert isinstance(clean_html(html, pictures=True), str)
