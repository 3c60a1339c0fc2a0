"""An issue as a WeChat article: styled in place, without links that WeChat refuses, loading nothing from anywhere."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from browsers import start_chromium
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html
from servers import http, serving

from crawler.home import bundled
from pipelines.issue.formats.html import render_inner_html, render_tree
from pipelines.issue.formats.sanitizer import EXPORTED
from pipelines.issue.formats.wechat import Picture, Reference, WeChatArticle, render_wechat, render_wechat_page
from pipelines.issue.reading import read_issue
from pipelines.model import Entry, Issue, Section
from pipelines.newsletter import load_newsletter

NEWSLETTER = load_newsletter(bundled() / "newsletter.toml")
TEMPLATE = (bundled() / "templates/wechat.html.j2").read_text(encoding="utf-8")
CSS = (bundled() / "templates/wechat.css").read_text(encoding="utf-8")

ISSUE = Issue(
    date(2021, 3, 5),
    "简报",
    (
        Section(
            "论文",
            (
                Entry(
                    "[2103.00001] [小模型 | 某号](https://arxiv.example/abs/2103.00001)\n"
                    "代码：https://code.example/o/r\n"
                    "摘要：快了 **两倍**，见[文档](https://doc.example/x)。\n还支持：\n```sh\nmake <all>\n```"
                ),
                Entry(
                    "[旧文 | 某号](https://mp.weixin.qq.com/s/aaaaaaaaaaaaaaaaaaaaaa)\n摘要：另见[文档](https://doc.example/x)。"
                ),
            ),
            notes="> 注：x",
        ),
        Section("博文"),
    ),
    headline="甲/乙",
    tagline="关注甲乙",
    guide="本次两条。",
    footer="----\n\n![二维码](../qr.jpg)\n\n<a rel='license' href='https://cc.example/'><img alt='许可' src='https://cc.example/88.png'></a>",
)


def article(issue: Issue = ISSUE, css: str = CSS) -> WeChatArticle:
    return render_wechat(issue, NEWSLETTER, TEMPLATE, css)


def elements(text: str) -> Iterator[html.HtmlElement]:
    return (one for one in html.fragment_fromstring(text, create_parent="div").iter() if isinstance(one.tag, str))


def holding(markdown: str) -> str:
    return article(Issue(date(2021, 3, 5), "简报", (Section("论文", (Entry(markdown),)),), preamble=markdown)).html


def test_links_become_numbered_references_and_one_address_has_one_number() -> None:
    made = article()
    assert made.references == (
        Reference("小模型 | 某号", "https://arxiv.example/abs/2103.00001"),
        Reference("文档", "https://doc.example/x"),
        Reference("许可", "https://cc.example/"),
    )
    said = "".join(html.fragment_fromstring(made.html).itertext())
    assert "小模型 | 某号[1]" in said
    assert said.count("文档[2]") == 2
    assert "[2] 文档：https://doc.example/x" in said
    assert "代码：https://code.example/o/r" in said


def test_only_links_into_wechat_that_last_stay_links() -> None:
    assert [one.get("href") for one in elements(article().html) if one.tag == "a"] == [
        "https://mp.weixin.qq.com/s/aaaaaaaaaaaaaaaaaaaaaa"
    ]
    dies = holding("[甲](https://mp.weixin.qq.com/s?src=3&timestamp=1&signature=x)")
    assert not [one for one in elements(dies) if one.tag == "a"]


def test_pictures_are_listed_for_upload_and_marked_where_they_stood() -> None:
    made = article()
    assert made.pictures == (
        Picture(1, "二维码", "../qr.jpg"),
        Picture(2, "许可", "https://cc.example/88.png"),
    )
    assert "图 1：二维码" in made.html
    assert "../qr.jpg" not in made.html
    assert "图 1：二维码（../qr.jpg）" in render_wechat_page(made, ISSUE, NEWSLETTER)


def test_a_picture_in_a_title_is_listed_and_one_that_is_linked_keeps_its_address() -> None:
    made = article(
        Issue(
            date(2021, 3, 5),
            "简报",
            (Section("论文", (Entry("![甲](a.png) 题\n摘要：[![乙](../b.png)](https://e.org/video)"),)),),
        )
    )
    assert made.pictures == (Picture(1, "甲", "a.png"), Picture(2, "乙", "../b.png"))
    assert made.references == (Reference("乙", "https://e.org/video"),)


def test_a_footnote_keeps_its_text() -> None:
    made = holding("题\n摘要：快了[^1]。\n\n[^1]: 与上一版相比\n\n[1]: https://e.org/1")
    assert made.count("[^1]") == 4
    assert made.count("与上一版相比") == 2


def test_style_stands_in_the_elements_and_no_class_is_left() -> None:
    found = list(elements(article().html))
    assert not [one for one in found if one.get("class") or one.get("id")]
    assert not [
        one.tag
        for one in found
        if one.tag in ("p", "h1", "h2", "section", "blockquote", "pre") and not one.get("style")
    ]
    (word,) = [one for one in found if one.text == "摘要：" and "快了" in (one.tail or "")]
    assert "bold" in str(word.get("style"))


def test_every_class_of_the_template_has_a_rule() -> None:
    classes = {name for found in re.findall(r'class="([^"]+)"', TEMPLATE) for name in found.split()}
    classes |= {"word", "reference", "image"}
    assert [name for name in classes if f".{name} " not in CSS] == []


def test_code_and_what_looks_like_markup_stays_text() -> None:
    made = article().html
    assert "make\xa0&lt;all&gt;" in made
    assert "&lt;b&gt;" in holding(r"[\<b>x](https://e.org)" + "\n摘要：x")


@pytest.mark.parametrize(
    "markdown",
    [
        "<script>alert(1)</script>甲",
        "<img src=x onerror=alert(1)>甲",
        "<iframe src='https://e.org'></iframe>甲",
        "<div style='background:url(https://e.org/x)' class='c' id='i' onclick='x()'>甲</div>",
        "[甲](javascript:alert(1))",
        "<a href='&#106;avascript:alert(1)'>甲</a>",
        "<svg><style>*{x:url(//e.org)}</style></svg>甲",
        "<link rel=stylesheet href=https://e.org/x.css><style>@import 'https://e.org/x.css'</style>甲",
        "甲{{ 7 * 7 }}{% include x %}",
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>甲",
        "<b " * 500 + "甲",
        "<blockquote>" * 3000 + "甲",
    ],
)
def test_markup_of_an_entry_runs_loads_and_styles_nothing(markdown: str) -> None:
    made = holding(markdown)
    found = list(elements(made))
    assert {one.tag for one in found} <= EXPORTED.tags | {"div"}
    assert {name for one in found for name in one.attrib} <= {"style", "href", "start"}
    assert "url(" not in "".join(str(one.get("style")) for one in found)
    assert "javascript:" not in "".join(str(one.get("href")) for one in found)
    assert "49" not in made


@pytest.mark.fault("X4")
def test_nothing_is_fetched_while_style_is_set_in() -> None:
    answers: dict[str, bytes] = {"/x.css": http(body="p { color: red }"), "/x.png": http(body="x")}
    with serving(dict(answers)) as site:
        sheet = f"{site.base}/x.css"
        css = f"@import url({sheet});\n@import '{sheet}';\n{CSS}\np {{ background: url({site.base}/x.png) }}"
        linked = f"<link rel='stylesheet' href='{sheet}'>"
        text = f"{linked}\n\n![x]({site.base}/x.png) 甲\n\n<style>@import '{sheet}'</style>"
        template = linked + TEMPLATE
        made = render_wechat(Issue(date(2021, 3, 5), "简报", preamble=text), NEWSLETTER, template, css)
        assert "甲" in made.html
        assert site.seen == []
    assert site.base not in made.html


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80) | st.text("<>&\"'/=[]()!*`_ \nabscript:{}", max_size=80))
def test_any_text_becomes_an_article_of_allowed_elements(markdown: str) -> None:
    found = list(elements(render_inner_html(render_tree(markdown, "https://e.org/"))))
    assert {one.tag for one in found} <= EXPORTED.tags | {"div"}
    assert {name for one in found for name in one.attrib} <= {"href", "src", "alt", "start"}
    assert all(str(one.get("href", "https:")).startswith(("https:", "http:")) for one in found)


@pytest.mark.archive
def test_every_past_issue_becomes_a_whole_article(archive: Path) -> None:
    for path in sorted(archive.glob("*.md")):
        issue = read_issue(path.read_bytes(), name=path.name, newsletter=NEWSLETTER)
        made = article(issue)
        assert made.html.count("摘要：") >= sum(
            "摘要：" in entry.markdown for section in issue.sections for entry in section.entries
        )
        found = list(elements(made.html))
        assert {name for one in found for name in one.attrib} <= {"style", "href", "start"}
        assert not [one for one in found if one.tag not in EXPORTED.tags - {"img"} | {"div"}]


@pytest.mark.browser
def test_chromium_shows_the_article_without_loading_anything(tmp_path: Path) -> None:
    """Where JIANBAO_SCREENSHOTS points, the picture is kept for somebody to look at."""
    path = tmp_path / "issue.wechat.html"
    path.write_text(render_wechat_page(article(), ISSUE, NEWSLETTER), encoding="utf-8")
    asked: list[str] = []
    said: list[str] = []
    with start_chromium() as browser:
        tab = browser.new_page(viewport={"width": 700, "height": 1000})
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("console", lambda message: said.append(message.text))
        tab.goto(path.as_uri())
        look = "one => { const s = getComputedStyle(one); return [s.color, s.fontWeight, s.backgroundColor] }"
        assert tab.locator("h2").first.evaluate(look)[2] == "rgb(47, 111, 159)"
        assert tab.locator("span", has_text="摘要：").first.evaluate(look)[:2] == ["rgb(47, 111, 159)", "700"]
        width = tab.evaluate("document.documentElement.scrollWidth")
        folder = os.environ.get("JIANBAO_SCREENSHOTS")
        tab.screenshot(path=Path(folder or tmp_path) / "wechat.png", full_page=True)
    assert asked == [path.as_uri()]
    assert said == []
    assert width <= 700, "a phone would have to scroll sideways"


@pytest.mark.browser
def test_what_is_copied_in_chromium_has_single_breaks_styles_and_links_into_wechat() -> None:
    page = render_wechat_page(article(), ISSUE, NEWSLETTER)
    answer = http(body=page, content_type="text/html; charset=utf-8")
    with start_chromium() as browser, serving({"/issue": answer}) as site:
        context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
        tab = context.new_page()
        tab.goto(f"{site.base}/issue")
        select = "section => getSelection().selectAllChildren(section)"
        tab.locator("body > section").last.evaluate(select)
        tab.keyboard.press("Control+c")
        read = "async () => (await (await navigator.clipboard.read())[0].getType('text/html')).text()"
        copied = html.fragment_fromstring(tab.evaluate(read), create_parent="div")
    code = next(copied.iter("pre"))
    assert [str(line).replace("\xa0", " ") for line in code.itertext()] == ["make <all>"]
    texts = ["".join(str(copied.text_content()).split())]
    assert "快了两倍，见文档[2]。还支持：" in texts[0]
    assert all(not (one.tail or "").startswith("\n") for one in copied.iter("br"))
    links = [link.get("href") for link in copied.iter("a")]
    assert links == ["https://mp.weixin.qq.com/s/aaaaaaaaaaaaaaaaaaaaaa"]
    assert all(paragraph.get("style") for paragraph in copied.iter("p"))


def test_the_levels_of_a_nested_list_are_shown_by_marks_and_indents() -> None:
    made = article(replace(ISSUE, sections=(Section("论文", (Entry(NESTED),)),)))
    paragraphs = [found for found in elements(made.html) if found.tag == "p"]
    rows = [(str(found.text_content()).strip(), found.get("style") or "") for found in paragraphs]
    levels = {text: re.findall(r"padding-left: ([\d.]+)em", style) for text, style in rows}
    assert levels["1. 先量化"] == ["0"]
    assert levels["2. 再微调"] == ["0"]
    assert levels["◦ 学习率"] == ["1.5"]
    assert "- " not in made.html


NESTED = """\
[甲 | 源](https://arxiv.example/abs/2103.00001)
摘要：三步：
    1. 先量化
    2. 再微调
        - 学习率"""


def test_a_list_of_one_level_stays_a_list() -> None:
    made = article(
        replace(
            ISSUE, sections=(Section("论文", (Entry("[甲 | 源](https://e.example/1)\n摘要：x\n    - 一\n    - 二"),)),)
        )
    )
    assert [found.text for found in elements(made.html) if found.tag == "li"] == ["一", "二"]


def test_code_keeps_its_lines_and_its_indents() -> None:
    made = holding("```c\nint main(void) {\n    return <0>;\n}\n```")
    code = next(found for found in elements(made) if found.tag == "code")
    assert [found.tag for found in code] == ["br", "br"]
    assert code[0].tail == "\xa0\xa0\xa0\xa0return\xa0<0>;"


@pytest.mark.parametrize(
    "words", ["**重点。**下一句", "这是**“重点”**的", "**（注意）**看", "**INT8：**快", "~~作废。~~改"]
)
def test_emphasis_beside_chinese_punctuation_is_emphasis(words: str) -> None:
    made = holding(f"[甲](https://e.example/1)\n摘要：{words}")
    assert re.search("<strong|<s[ >]", made)
    assert "**" not in made
    assert "~~" not in made


def test_a_comment_is_in_no_article() -> None:
    made = holding("[甲](https://e.example/1)\n摘要：说了\n<!--\n- [撤下](https://e.example/2)\n-->")
    assert "撤下" not in made
