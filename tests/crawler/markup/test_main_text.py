"""The main text of a page, in its own markup."""

from __future__ import annotations

from crawler.markup.html import parse, plain_text
from crawler.markup.main_text import find_main_html
from tests.crawler.markup.pages_of_sites import PARAGRAPH, page_of

TITLE = "四比特推理"
SECOND = PARAGRAPH.replace("两百张图", "三百张图")


def lines_of(body: str) -> list[str]:
    html = find_main_html(page_of(body), TITLE)
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
    html = find_main_html(page_of(body), TITLE)
    assert "int main() {\n    return 0;\n}" in html
    assert "<math>" in html


def test_text_between_blocks_is_the_articles_where_it_was_extracted() -> None:
    loose = parse(PARAGRAPH).text_content()
    lines = lines_of(f"<div>{PARAGRAPH}{loose.replace('手机', '平板')}<br>{SECOND}</div>")
    assert len(lines) == 3
