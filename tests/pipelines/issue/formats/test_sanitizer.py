"""One sanitizer for every page: each policy lets its own elements through and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html

from pipelines.issue.formats.html import render_inner_html, render_tree
from pipelines.issue.formats.sanitizer import (
    CRAWLED,
    CRAWLED_WITH_PICTURES,
    EXPORTED,
    ON_THE_DESK,
    HtmlPolicy,
    sanitize_html,
)

POLICIES = [EXPORTED, ON_THE_DESK, CRAWLED, CRAWLED_WITH_PICTURES]
PAGE = (
    '<h5 title="t" lang="en">a</h5><a href="https://e.org/" onclick="x()" rel="me">b</a><u style="x">c</u>'
    '<img src="https://e.org/p.png" alt=" d  e " width="1"><table><tbody><tr><td colspan="2" class="f">g</td></tr>'
    '</tbody></table><ol start="3" id="i"><li>h</li></ol><script>alert(1)</script><style>*{}</style>'
)


def test_an_export_keeps_links_pictures_and_the_number_of_a_list() -> None:
    assert sanitize_html(PAGE, EXPORTED) == (
        '<h5>a</h5><a href="https://e.org/">b</a><u>c</u><img src="https://e.org/p.png" alt="d e">'
        '<table><tbody><tr><td>g</td></tr></tbody></table><ol start="3"><li>h</li></ol>'
    )


def test_the_desk_opens_links_in_a_tab_that_does_not_learn_where_it_came_from() -> None:
    assert sanitize_html(PAGE, ON_THE_DESK) == (
        'a<a href="https://e.org/" target="_blank" rel="noopener noreferrer">b</a>c'
        "<table><tbody><tr><td>g</td></tr></tbody></table><ol><li>h</li></ol>"
    )


def test_a_crawled_page_has_no_links_and_pictures_only_when_asked() -> None:
    text = '<h5>a</h5>b<u>c</u>{}<table><tbody><tr><td colspan="2">g</td></tr></tbody></table><ol><li>h</li></ol>'
    assert sanitize_html(PAGE, CRAWLED) == text.format("")
    assert sanitize_html(PAGE, CRAWLED_WITH_PICTURES) == text.format('<img src="https://e.org/p.png" alt="d e">')


@pytest.mark.parametrize("policy", POLICIES)
@settings(max_examples=60, deadline=None)
@given(untrusted=st.text("<>&\"'/=! \nabsvgimathonscriptyle:", max_size=80))
def test_any_text_comes_out_as_allowed_elements_with_allowed_attributes(policy: HtmlPolicy, untrusted: str) -> None:
    root = html.fragment_fromstring(sanitize_html(untrusted, policy), create_parent="x")
    for element in root.iterdescendants():
        assert element.tag in policy.tags
        assert set(element.attrib) <= policy.attributes.get(str(element.tag), set()) | {"rel", "target"}


@pytest.mark.parametrize(
    "address", ["javascript:x", "data:text/html,x", "https://name@e.org/", "//e.org:x/", "ftp://e.org/"]
)
@pytest.mark.parametrize("policy", POLICIES)
def test_an_address_that_must_not_be_printed_is_removed(policy: HtmlPolicy, address: str) -> None:
    clean = sanitize_html(f'<a href="{address}">a</a><img src="{address}">', policy)
    assert address not in clean


def test_html_of_an_editor_is_read_as_a_browser_reads_it() -> None:
    markdown = "<table><tr><td>a</table>\n\nb <div>c</div>\n\n<a name='d'>e</a>"
    assert render_inner_html(render_tree(markdown)) == (
        "<table><tbody><tr><td>a</td></tr></tbody></table>\n<p>b </p>c\n<p>e</p>\n"
    )
