"""Queries of arXiv, evaluated here: which papers they choose, and which texts are no query."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.errors import NotUnderstood
from crawler.home import Home, bundled
from crawler.items import RawItem
from crawler.markup.arxiv_query import Operation, Query, Term, categories_of, matches, read_query
from crawler.sources.file import load_sources

PAPER = RawItem(
    kind="arxiv",
    url="https://arxiv.org/abs/2611.00001",
    title="Post-Training Quantizations of Naïve Kettles",
    fetched_at=datetime(2026, 11, 2, tzinfo=UTC),
    published="2026-11-01T12:00:00Z",
    author="Geoffrey Hinton, Adrian Del Maestro",
    summary="We boil on-device with a neural network.",
    ids=("arxiv:2611.00001",),
    tags=("cs.LG", "eess.IV"),
    facts={"comment": "ICML 2026", "journal_ref": "J. Kettles 3"},
)


@pytest.mark.parametrize(
    "query",
    [
        "ti:quantization",
        'ti:"post-training quantization"',
        'ti:"post training"',
        "ti:naive",
        "abs:network",
        'abs:"neural networks"',
        'abs:"on-device"',
        "ti:quanti*",
        "cat:cs.LG",
        "cat:eess.*",
        "au:hinton",
        "au:hinton_g",
        'au:"del maestro"',
        "co:ICML",
        "jr:kettles",
        "all:boil",
        "all:hinton",
        "id:2611.00001v2",
        "kettle",
        "ti:(pruning OR kettle)",
        "abs:boil AND cat:cs.LG",
        "abs:boil ANDNOT cat:cs.CV",
        "abs:boil AND NOT cat:cs.CV",
        "ti:pruning OR ti:kettle AND abs:boil",
        "submittedDate:[202611010000 TO 202611020000]",
        "ti:nothing ti:kettle",
    ],
)
def test_a_query_chooses_the_paper(query: str) -> None:
    assert matches(read_query(query), PAPER)


@pytest.mark.parametrize(
    "query",
    [
        "ti:network",
        'ti:"training post"',
        "cat:cs.L",
        "cat:cs",
        "au:hinton_a",
        'au:"geoffrey maestro"',
        "abs:boil ANDNOT cat:cs.LG",
        "(ti:pruning OR ti:kettle) AND abs:freeze",
        "submittedDate:[202611020000 TO 202611030000]",
        "rn:17",
    ],
)
def test_a_query_passes_the_paper_over(query: str) -> None:
    assert not matches(read_query(query), PAPER)


@pytest.mark.parametrize(
    "text", ["", "(", "a AND", "AND a", "ti:", 'ti:"', "ti:()", "nofield:x", "a)", "submittedDate:[x TO y]", "(" * 500]
)
def test_a_text_that_is_no_query_is_named(text: str) -> None:
    with pytest.raises(NotUnderstood) as raised:
        read_query(text)
    assert raised.value.detail.code == "query-syntax"


@given(st.text(alphabet='abti:cs.LG "()[]*ANDORT_ -0', max_size=60))
def test_any_text_is_a_query_or_is_named(text: str) -> None:
    try:
        query = read_query(text)
    except NotUnderstood:
        return
    matches(query, PAPER)


TERMS = st.sampled_from(
    [Term("ti", ("kettle",)), Term("cat", ("cs.cv",)), Term("cat", ("cs.lg",)), Term("abs", ("boil",))]
)
QUERIES: st.SearchStrategy[Query] = st.recursive(
    TERMS, lambda inner: st.builds(Operation, st.sampled_from(["AND", "OR", "ANDNOT"]), inner, inner), max_leaves=8
)


@given(QUERIES)
def test_a_chosen_paper_is_always_of_a_category_that_the_query_is_limited_to(query: Query) -> None:
    categories = categories_of(query)
    if matches(query, PAPER) and categories is not None:
        assert categories & {"cs.lg", "eess.iv"}


def test_each_query_of_the_starting_set_can_be_evaluated_here() -> None:
    queries = [source.query or "" for source in load_sources(Home(bundled())).sources if source.kind == "arxiv"]
    assert len(queries) >= 10
    for query in queries:
        read_query(query)
