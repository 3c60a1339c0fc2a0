"""Which articles are one story, and which must not be."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

from builders import about, stored
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.deduplicate.stories import RARE, find_evidence, make_stories
from pipelines.model import StoredArticle, Story

PAPER = "arxiv:2511.00001"
CODE = "github:tiny/quant"


def stories_of(articles: Sequence[StoredArticle], counts: dict[str, int] | None = None) -> tuple[Story, ...]:
    evidence = find_evidence(articles, counts or {})
    return make_stories(articles, evidence, {})


def test_a_post_its_paper_and_its_repository_are_one_story_led_by_the_post() -> None:
    post = stored(3, references=about(PAPER, CODE))
    paper = stored(1, kind="arxiv", keys=(PAPER,))
    code = stored(2, kind="github", keys=(CODE,))
    (story,) = stories_of([paper, code, post])
    assert story.members == (1, 2, 3)
    assert story.lead == 3
    assert {edge.kind for edge in story.evidence} == {"names"}


def test_two_posts_on_one_paper_are_one_story_even_when_the_paper_is_not_stored() -> None:
    (story,) = stories_of([stored(1, references=about(PAPER)), stored(2, references=about(PAPER), days=2)])
    assert story.evidence[0].kind == "shared-reference"
    assert story.evidence[0].text("zh") == PAPER


def test_two_posts_on_one_paper_in_different_months_are_two_stories() -> None:
    assert len(stories_of([stored(1, references=about(PAPER)), stored(2, references=about(PAPER), days=60)])) == 2


def test_a_round_up_of_many_repositories_joins_nothing() -> None:
    repositories = [stored(n, kind="github", keys=(f"github:a/{n}",)) for n in range(1, 11)]
    round_up = stored(11, references=about(*(f"github:a/{n}" for n in range(1, 11))))
    assert len(stories_of([*repositories, round_up])) == 11


def test_a_work_that_everybody_names_joins_nothing() -> None:
    posts = [stored(1, references=about(CODE)), stored(2, references=about(CODE))]
    assert len(stories_of(posts, {CODE: RARE + 1})) == 2
    assert len(stories_of(posts, {CODE: RARE})) == 1


def test_two_releases_of_one_repository_are_two_stories() -> None:
    releases = [stored(n, kind="github", keys=(f"{CODE}@v{n}",), references=about(CODE)) for n in (1, 2)]
    assert len(stories_of(releases)) == 2


def test_a_reprint_joins_its_original_and_does_not_lead() -> None:
    reprint = stored(1, references=about("wechat:B/1/1"))
    original = stored(2, keys=("wechat:B/1/1",), days=1)
    (story,) = stories_of([reprint, original])
    assert story.lead == 2
    assert story.evidence[0].kind == "reprint"


def test_a_full_report_leads_before_an_earlier_notice_of_it_and_an_unread_text_is_no_notice() -> None:
    notice = stored(1, references=about(PAPER), text="快讯：" + "一句话" * 10)
    unread = stored(2, references=about(PAPER), days=0.5, text="")
    report = stored(3, references=about(PAPER), days=1, text="全文说得很清楚。" * 100)
    assert stories_of([notice, report])[0].lead == 3
    assert stories_of([unread, report])[0].lead == 2
    assert make_stories([notice, report], find_evidence([notice, report], {}), {"watch": 2.0})[0].lead == 3


def test_the_more_trusted_source_leads() -> None:
    one, other = stored(1, references=about(PAPER)), stored(2, references=about(PAPER), source="lab")
    evidence = find_evidence([one, other], {})
    (story,) = make_stories([one, other], evidence, {"lab": 2.0})
    assert story.lead == 2


def test_a_temporary_link_leads_only_where_there_is_no_other() -> None:
    fading = stored(1, references=about(PAPER), temporary=True)
    lasting = stored(2, references=about(PAPER), days=1)
    assert stories_of([fading, lasting])[0].lead == 2
    assert stories_of([fading])[0].lead == 1


keys = st.sampled_from([PAPER, CODE, "arxiv:2511.00002", "github:tiny/prune", "wechat:B/1/1"])
some_articles = st.lists(
    st.tuples(st.sampled_from(["wechat", "arxiv", "github", "zhihu"]), st.lists(keys, max_size=2), st.integers(0, 40)),
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(some_articles, st.randoms(use_true_random=False))
def test_stories_partition_the_articles_whatever_their_order(
    rows: list[tuple[str, list[str], int]], order: random.Random
) -> None:
    articles = [
        stored(
            n, kind=kind, keys=tuple(named[:1]) if kind in ("arxiv", "github") else (), references=about(*named), days=d
        )
        for n, (kind, named, d) in enumerate(rows, 1)
    ]
    taken = Counter(key for one in articles for key in one.article.keys)
    articles = [one for one in articles if all(taken[key] == 1 for key in one.article.keys)]
    shuffled = list(articles)
    order.shuffle(shuffled)
    stories = stories_of(articles)
    assert stories == stories_of(shuffled)
    assert sorted(member for story in stories for member in story.members) == sorted(one.id for one in articles)
    assert all(story.id == min(story.members) and story.lead in story.members for story in stories)
