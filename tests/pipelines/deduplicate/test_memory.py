"""What past issues printed: a repeat says where, a follow-up is told from it, and neither waits for an order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from builders import NOON, about, article, stored, stored_candidates
from databases import open_new_store
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.home import Home, bundled
from pipelines.deduplicate.event_model import load_event_model
from pipelines.deduplicate.memory import (
    Printed,
    PrintedEntries,
    Recalled,
    keep_news_apart,
    make_memory_keys,
    recall_story,
)
from pipelines.deduplicate.printed_events import REACH, DatedProfile, find_printed_event, follow_newsletter
from pipelines.deduplicate.stories import RARE
from pipelines.group.candidates import GroupRules
from pipelines.issue.keys import find_entry_keys
from pipelines.issue.reading import read_issue
from pipelines.model import WORK_PREFIXES, Article, Entry, Evidence, Issue, Reference, Section, StoredArticle
from pipelines.newsletter import load_newsletter
from pipelines.newsroom.editing.issues import save_issue
from pipelines.newsroom.stages.memory import _read_event
from pipelines.newsroom.stages.run import group
from pipelines.rules import Rules, load_rules
from pipelines.store import Store

NEWSLETTER = load_newsletter(bundled() / "newsletter.toml")
PAPER, CODE = "arxiv:2511.00001", "github:tiny/quant"
MARCH, JUNE = date(2026, 3, 15), date(2026, 6, 15)


def recalled(
    *articles: StoredArticle, counts: Mapping[str, int] | None = None, **printed: list[tuple[date, str]]
) -> Recalled:
    """What issues say of a story that printed `paper`, `code` ... with these entries."""
    keys = {"paper": PAPER, "code": CODE, "release": f"{CODE}@v1.0", "post": "https://example.org/1"}
    entries = {keys[name]: [Printed(*one) for one in told] for name, told in printed.items()}
    told = recall_story(articles, PrintedEntries(entries), counts or {})
    assert (told.entry is None) == (told == Recalled())
    assert told.entry is None or told.entry.day in (told.published_in, told.follows)
    return replace(told, entry=None)


def keys_of(markdown: str) -> set[str]:
    """The strong keys of an entry, addresses aside."""
    rules = load_rules(Home(bundled()))
    return {key for key in find_entry_keys(Entry(markdown), NEWSLETTER, rules) if not key.startswith("http")}


# ---- a repeat


def test_a_story_is_a_repeat_where_an_issue_printed_one_of_its_addresses() -> None:
    post = stored(1, title="量化库 3.0 发布")
    assert recalled(post, stored(2), post=[(JUNE, "旧"), (MARCH, "更旧")]) == Recalled(published_in=MARCH)


def test_a_printed_paper_or_repository_itself_is_a_repeat_whatever_its_name() -> None:
    paper = stored(3, kind="arxiv", keys=(PAPER,), title="TinyNet v2: 4.5 bits")
    assert recalled(paper, paper=[(JUNE, "低比特量化"), (MARCH, "低比特量化")]) == Recalled(published_in=MARCH)
    code = stored(4, kind="github", keys=(CODE,), references=about(PAPER))
    assert recalled(paper, code, paper=[(MARCH, "低比特量化")]) == Recalled(published_in=MARCH)


def test_a_story_whose_event_an_issue_printed_in_other_words_is_a_repeat() -> None:
    event = Printed(MARCH, "[鲲鹏 KP-7 发布](https://example.org/9)")
    assert recall_story([stored(3)], PrintedEntries(), {}, event) == Recalled(published_in=MARCH, entry=event)


def test_a_story_is_a_repeat_where_an_issue_printed_it_under_an_address_of_its_own() -> None:
    entry = Printed(MARCH, "[改写的条目](https://example.org/elsewhere)")
    told = recall_story([stored(3), stored(4)], PrintedEntries(by_article={4: [entry]}), {})
    assert told == Recalled(published_in=MARCH, entry=entry)


# ---- a follow-up


@pytest.mark.parametrize("title", ["Quant 2.0 发布", "Quant 怎么用", "论文解读：Quant", "正式版 v1.0 发布"])
def test_a_post_about_a_printed_paper_or_repository_follows_it_whatever_its_title_says(title: str) -> None:
    post = stored(3, references=about(PAPER, CODE), title=title)
    assert recalled(post, paper=[(MARCH, "低比特量化")]) == Recalled(follows=MARCH)
    assert recalled(post, code=[(MARCH, "量化库 v1.0"), (JUNE, "量化库 v2.0")], paper=[(MARCH, "量化")]) == Recalled(
        follows=JUNE
    )
    paper = stored(4, kind="arxiv", keys=(PAPER,))
    assert recalled(post, paper, paper=[(MARCH, "低比特量化")]) == Recalled(follows=MARCH)
    assert recalled(post) == Recalled()


def test_a_post_follows_whatever_its_label_lines_name() -> None:
    page = "https://example.org/1"
    label_line = Reference(page, page, "项目地址", primary=True)
    assert recalled(stored(3, references=(label_line,)), post=[(MARCH, "框架")]) == Recalled(follows=MARCH)
    assert recalled(stored(3, references=about(page)), post=[(MARCH, "框架")]) == Recalled()


def test_a_mention_a_round_up_and_a_household_name_follow_nothing() -> None:
    mention = stored(3, references=(Reference(CODE, "https://github.com/tiny/quant"),))
    round_up = stored(4, references=about(CODE, *(f"github:a/{n}" for n in range(9))))
    post = stored(5, references=about(CODE))
    for article_without_subject in (mention, round_up):
        assert recalled(article_without_subject, code=[(MARCH, "量化库")]) == Recalled()
    assert recalled(post, code=[(MARCH, "量化库")], counts={CODE: RARE + 1}) == Recalled()
    assert recalled(post, code=[(MARCH, "量化库")], counts={CODE: RARE}) == Recalled(follows=MARCH)


def test_a_release_that_no_issue_printed_follows_its_repository() -> None:
    release = stored(3, kind="github", keys=(f"{CODE}@v1.0",), title="quant v1.0")
    printed = [(MARCH, "量化库"), (JUNE, "量化库再更新")]
    assert recalled(release, code=printed) == Recalled(follows=JUNE)
    assert recalled(release, code=printed, release=[(JUNE, "量化库 v1.0")]) == Recalled(published_in=JUNE)


names = [PAPER, CODE, f"{CODE}@v1.0", f"{CODE}@v2.0", "github:tiny/prune"]


@pytest.mark.parametrize("page", ["tree/main/edge", "blob/main/docs/npu.md", "issues/7", "pull/8"])
def test_an_issue_that_printed_a_page_of_a_repository_printed_neither_it_nor_its_other_pages(page: str) -> None:
    assert keys_of(f"[题](https://github.com/tiny/models/{page})") == set()


def test_a_story_is_never_both_and_only_printed_keys_count() -> None:
    @settings(max_examples=150, deadline=None)
    @given(
        st.lists(st.tuples(st.sampled_from(["wechat", "arxiv", "github"]), st.sampled_from(names)), max_size=4),
        st.dictionaries(st.sampled_from(names), st.sampled_from([MARCH, JUNE])),
    )
    def check(rows: list[tuple[str, str]], days: dict[str, date]) -> None:
        articles = [
            stored(n, kind=kind, keys=(name,)) if kind != "wechat" else stored(n, references=about(name))
            for n, (kind, name) in enumerate(rows, 1)
        ]
        printed = {name: [Printed(day, "条目")] for name, day in days.items()}
        wanted = frozenset().union(*map(make_memory_keys, articles))
        told = recall_story(articles, PrintedEntries(printed), {})
        concerned = {key: entries for key, entries in printed.items() if key in wanted}
        assert told == recall_story(articles, PrintedEntries(concerned), {})
        assert None in (told.published_in, told.follows)
        assert (told == Recalled()) == wanted.isdisjoint(printed)

    check()


# ---- what an entry printed


def test_an_entry_printed_what_stands_before_its_title() -> None:
    assert keys_of("[2006.16669] [低比特量化 | 某号](https://example.org/1)\n摘要：无。") == {"arxiv:2006.16669"}
    assert keys_of("[Tiny/Quant：一个量化库](https://example.org/1)\n摘要：无。") == {CODE}
    assert keys_of("[CVPR 2020] [2006.16669v2] [标题](https://example.org/1)") == {"arxiv:2006.16669"}


def test_an_entry_printed_what_its_label_lines_and_its_words_name() -> None:
    entry = "[标题 | 某号](https://example.org/1)\n论文：arXiv:2006.16669\n摘要：代码在 github.com/Tiny/Quant 。"
    assert keys_of(entry) == {"arxiv:2006.16669", CODE}
    assert "https://example.org/1" in find_entry_keys(Entry(entry), NEWSLETTER, load_rules(Home(bundled())))


def test_a_printed_release_is_its_repositorys_too() -> None:
    assert keys_of("[quant v1.0](https://github.com/tiny/quant/releases/tag/v1.0)") == {f"{CODE}@v1.0", CODE}


def test_a_round_up_printed_its_own_address_and_no_work_that_it_lists() -> None:
    listed = "\n".join(f"- https://github.com/a/{n}" for n in range(10))
    entry = f"[十个量化工具 | 某号](https://mp.weixin.qq.com/s/aaaaaaaaaaaaaaaaaaaaaa)\n{listed}"
    assert keys_of(entry) == {"wechat:aaaaaaaaaaaaaaaaaaaaaa"}
    assert keys_of(f"[tiny/quant：一个量化库](https://example.org/1)\n{listed}") == {CODE}
    assert len(keys_of(entry.partition("\n- https://github.com/a/3")[0])) == 4


def test_an_entry_without_a_web_address_printed_nothing() -> None:
    assert find_entry_keys(Entry("[标题](mailto:a@b.example)"), NEWSLETTER, load_rules(Home(bundled()))) == ()


# ---- through the store

PAST = Issue(
    JUNE,
    "试刊",
    (
        Section(
            "开源项目",
            (
                Entry("[tiny/quant：一个量化库](https://gitee.example/tiny/quant)\n摘要：开源了。"),
                Entry("[2511.00001] 低比特量化\n摘要：没有链接。"),
            ),
        ),
        Section(
            "业界新闻",
            (Entry("[鲲鹏 KP-7 芯片发布：端侧推理提速 85% | 甲](https://elsewhere.example/1)\n摘要：鲲鹏发布 KP-7。"),),
        ),
    ),
)
DAYS_TO_JUNE = (JUNE - NOON.date()).days
NEWS = [
    article(1, title="量化库怎么用", references=about(CODE)),
    article(2, title="quant v2.0", kind="github", keys=(f"{CODE}@v2.0",), references=about(CODE)),
    article(3, title="论文解读：低比特", references=about(PAPER), days=60),
    article(4, title="别的事"),
    article(5, title="量化库 v3.0 发布", references=about(CODE), days=90),
    article(6, title="KP-7 来了！鲲鹏的芯片让端侧推理提速 85%", summary="鲲鹏发布 KP-7。", days=DAYS_TO_JUNE - 6),
    article(7, title="鲲鹏又发了新芯片，端侧推理提速 85%", summary="KP-7 之后的 KP-8。", days=DAYS_TO_JUNE + 60),
]
TOLD = dict.fromkeys((1, 2, 3, 5), ("new", None, JUNE))
TOLD |= {4: ("new", None, None), 6: ("published", JUNE, None), 7: ("new", None, None)}


def told_after(
    store: Store, rules: Rules, *steps: Article | Issue | None
) -> dict[int, tuple[str, date | None, date | None]]:
    """State, issue and what it follows, by the number of the article, when things come in this order.

    Args:
        steps: None has what came so far grouped.
    """
    grading = GroupRules.of(NEWSLETTER, {}, {}, events=rules.events)
    for step in (*steps, None):
        if step is None:
            group(store, grading)
            continue
        with store.transaction() as tx:
            if isinstance(step, Issue):
                save_issue(tx, step, NEWSLETTER, rules)
            else:
                tx.articles.save([step])
    with store.reading() as tx:
        found = stored_candidates(tx, states=("new", "published"))
    return {int(one.lead.article.url.rpartition("/")[2]): (one.state, one.published_in, one.follows) for one in found}


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(order=st.permutations([*NEWS, PAST, None, None]))
def test_whether_an_issue_or_an_article_came_first_makes_no_difference(order: list[Article | Issue | None]) -> None:
    with TemporaryDirectory() as folder, closing(open_new_store(Path(folder) / "jianbao.db")) as store:
        assert told_after(store, load_rules(Home(bundled())), *order) == TOLD


def test_an_issue_that_is_saved_otherwise_takes_its_word_back(tmp_path: Path, rules: Rules) -> None:
    store = open_new_store(tmp_path / "jianbao.db")
    found = told_after(store, rules, *NEWS, PAST, None, Issue(JUNE, "试刊"))
    store.close()
    assert set(found.values()) == {("new", None, None)}


# ---- news of a printed work stays apart from the story that was printed


def edge(kind: str, low: int, high: int, key: str = PAPER) -> Evidence:
    return Evidence(kind, "evidence/key", (low, high), {"key": key})


def test_an_issue_divides_the_articles_about_a_work_that_it_printed() -> None:
    day = (JUNE - NOON.date()).days
    paper = stored(1, kind="arxiv", keys=(PAPER,), days=day - 9)
    articles = [
        paper,
        stored(2, references=about(PAPER), days=day - 5),
        stored(3, references=about(PAPER), days=day),
        stored(4, references=about(PAPER), days=day + 1),
        stored(5, references=about(PAPER), days=day + 20),
    ]
    evidence = [
        *(edge("names", 1, number) for number in (2, 3, 4, 5)),
        *(edge("shared-reference", *pair) for pair in combinations((2, 3, 4, 5), 2)),
        edge("same-title", 2, 5),
    ]

    def list_joined(**printed: object) -> set[tuple[int, int]]:
        kept = keep_news_apart(evidence, articles, PrintedEntries(**printed), UTC)  # type: ignore[arg-type]
        return {piece.articles for piece in kept}

    entry = Printed(JUNE, "低比特量化")
    divided = {(1, 2), (1, 3), (2, 3), (4, 5), (2, 5)}
    assert list_joined(by_key={PAPER: [entry]}) == divided
    assert list_joined(by_key={articles[1].article.url: [entry]}) == divided, "it printed a post about the paper"
    assert list_joined(by_article={1: [entry]}) == divided
    assert list_joined() == {piece.articles for piece in evidence}


def test_news_about_a_printed_paper_is_a_story_of_its_own(tmp_path: Path, rules: Rules) -> None:
    store = open_new_store(tmp_path / "jianbao.db")
    paper = article(10, kind="arxiv", keys=(PAPER,), title="Low bits", days=DAYS_TO_JUNE - 9)
    early = article(11, title="低比特量化的一篇论文", references=about(PAPER), days=DAYS_TO_JUNE - 8)
    late = article(12, title="低比特量化有了新进展", references=about(PAPER), days=DAYS_TO_JUNE + 9)
    found = told_after(store, rules, paper, early, None, PAST, None, late)
    store.close()
    assert found == {11: ("new", None, JUNE), 12: ("new", None, JUNE)}


# ---- the real archive


@pytest.mark.archive
def test_all_that_the_archive_printed_twice_is_found_and_nothing_else(archive: Path) -> None:
    from benchmarks.repeats import counted_plainly, printed_twice  # noqa: PLC0415 - reads the newsletter's own past

    plain, found = counted_plainly(archive), printed_twice(archive)
    assert plain
    keys = {key for thing in found for key in thing.keys}
    missing = {key for key in plain if key not in keys}
    assert [key for key in missing if not re.search(r"[?&]signature=", key)] == [], "which dies within hours"
    assert [thing.keys for thing in found if plain.keys().isdisjoint(thing.keys)] == []


@pytest.mark.archive
def test_a_pick_of_the_archive_is_hidden_only_where_its_own_address_was_printed(archive: Path) -> None:
    from benchmarks.repeats import printed_twice  # noqa: PLC0415 - reads the newsletter's own past

    by_place: dict[object, set[str]] = {}
    for repeat in printed_twice(archive):
        for place in repeat.places:
            by_place.setdefault(place, set()).update(repeat.keys)
    hidden = {place: keys for place, keys in by_place.items() if place.recalled.published_in}  # type: ignore[attr-defined]
    follow_ups = [place for place in by_place if place.recalled.follows]  # type: ignore[attr-defined]
    assert [place for place, keys in hidden.items() if all(key.startswith(WORK_PREFIXES) for key in keys)] == []
    assert len(follow_ups) > 10


@pytest.mark.archive
def test_no_pick_of_the_archive_is_hidden_by_an_event_of_another_issue(archive: Path) -> None:
    rules, model = load_rules(Home(bundled())), load_event_model()
    events = []
    for path in sorted(archive.glob("*.md")):
        issue = read_issue(path.read_bytes(), name=path.name, newsletter=NEWSLETTER)
        events.extend(
            _read_event(Printed(issue.date, entry.markdown), NEWSLETTER, rules.events, model)
            for section in issue.sections
            for entry in section.entries
            if not any(key.startswith(WORK_PREFIXES) for key in find_entry_keys(entry, NEWSLETTER, rules))
        )
    news = [event for event in events if event]
    model = follow_newsletter(model, [event.profile for event in news])
    hidden = [
        (event.printed.text, recalled_entry.text)
        for event in news
        for earlier in [[other for other in news if other.printed.day < event.printed.day]]
        for near in [[other for other in earlier if (event.printed.day - other.printed.day).days <= REACH]]
        for dated in [DatedProfile(event.printed.day.toordinal() - REACH, event.profile, event.keys)]
        if (recalled_entry := find_printed_event([dated], 1, near, model))
    ]
    assert len(news) > 300
    assert hidden == []
