"""The main text of a page, in its own markup."""

from __future__ import annotations

from crawler.markup.html import parse, plain_text
from crawler.markup.main_text import find_main_html
from tests.crawler.markup.pages_of_sites import PARAGRAPH, page_of

TITLE = "四比特推理"
SECOND = PARAGRAPH.replace("两百张图", "三百张图")


def lines_of(body: str) -> list[str]:
    html, _ = find_main_html(page_of(body), TITLE)
    return plain_text(parse(f"<div>{html}</div>")).split("\n")


def test_lines_that_only_link_to_paper_and_code_stay() -> None:
    links = (
        '<p><a href="https://arxiv.org/abs/2610.00001">论文</a></p>'
        '<p><a href="https://github.com/example-lab/int4">代码</a></p>'
    )
    lines = lines_of(f"<div><h1>{TITLE}</h1>{PARAGRAPH}{links}{SECOND}{links}</div>")
    assert (lines.count("论文"), lines.count("代码")) == (2, 2)


def test_the_frame_inside_the_articles_element_goes() -> None:
    frame = (
        '<p class="share"><a href="https://twitter.com/intent/tweet?url=x">分享到推特</a></p>',
        '<div class="related"><p><a href="https://other.example/1">别站的推荐</a></p></div>',
    )
    lines = lines_of(f"<article><h1>{TITLE}</h1>{PARAGRAPH}{SECOND}{''.join(frame)}</article>")
    assert len(lines) == 2
    assert TITLE not in lines


def test_code_keeps_its_lines_and_formulas_stay() -> None:
    body = (
        f"<article>{PARAGRAPH}<pre>int main() {{\n    return 0;\n}}</pre>"
        f"<p>其中</p><p><math><mi>x</mi></math></p>{SECOND}</article>"
    )
    html, text = find_main_html(page_of(body), TITLE)
    assert text == plain_text(parse(f"<div>{html}</div>"))
    assert "int main() {\n    return 0;\n}" in html
    assert "<math>" in html


def test_text_between_blocks_is_the_articles_where_it_was_extracted() -> None:
    loose = parse(PARAGRAPH).text_content()
    lines = lines_of(f"<div>{PARAGRAPH}{loose.replace('手机', '平板')}<br>{SECOND}</div>")
    assert len(lines) == 3


def test_behind_the_text_only_references_stay() -> None:
    behind = (
        '<p>代码地址：<a href="https://code.example/int4">这里</a></p>'
        '<p><a href="https://lab.example/int4">https://lab.example/int4</a></p>'
        '<p><a href="https://github.com/example-lab/int4">仓库</a></p>'
        '<div><a href="https://kettles.example/">茶壶社是这样的一个协会</a></div>'
    )
    lines = lines_of(f"<div><h1>{TITLE}</h1>{PARAGRAPH}{SECOND}{behind}</div>")
    assert lines[2:] == ["代码地址：这里", "https://lab.example/int4", "仓库"]


def test_links_to_the_same_site_under_another_domain_and_headings_of_other_articles_go() -> None:
    between = (
        '<div><a href="https://www.ex-ample.com/b">同一个站的另一篇</a></div>'
        '<h2><a href="https://elsewhere.example/b">别站的另一篇</a></h2>'
    )
    lines = lines_of(f"<div><h1>{TITLE}</h1>{PARAGRAPH}{between}{SECOND}</div>")
    assert len(lines) == 2
