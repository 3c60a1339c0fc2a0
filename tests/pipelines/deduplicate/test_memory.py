"""What past issues printed: a repeat says where, a follow-up is told from it, and neither waits for an order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import closing
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from builders import about, article, stored, stored_candidates
from costs import assert_twice_costs_at_most_three_times
from databases import open_new_store
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.home import Home, bundled
from pipelines.deduplicate.contradictions import find_versions
from pipelines.deduplicate.memory import Printed, Recalled, make_memory_keys, recall_story
from pipelines.deduplicate.stories import RARE
from pipelines.group.candidates import GroupRules
from pipelines.issue.keys import find_entry_keys
from pipelines.model import Article, Entry, Issue, Reference, Section, StoredArticle
from pipelines.newsletter import load_newsletter
from pipelines.newsroom.issues import save_issue
from pipelines.newsroom.run import group
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
    return recall_story(articles, entries, counts or {})


def keys_of(markdown: str) -> set[str]:
    """The strong keys of an entry, addresses aside."""
    rules = load_rules(Home(bundled()))
    return {key for key in find_entry_keys(Entry(markdown), NEWSLETTER, rules) if not key.startswith("http")}


# ---- a repeat


def test_a_story_is_a_repeat_where_an_issue_printed_one_of_its_addresses() -> None:
    post = stored(1, title="量化库 3.0 发布")
    assert recalled(post, stored(2), post=[(JUNE, "旧"), (MARCH, "更旧")]) == Recalled(published_in=MARCH)


def test_a_post_about_a_printed_paper_or_repository_is_a_repeat() -> None:
    post = stored(3, references=about(PAPER, CODE))
    assert recalled(post, paper=[(MARCH, "低比特量化")]) == Recalled(published_in=MARCH)
    assert recalled(post, code=[(JUNE, "量化库")], paper=[(MARCH, "量化")]) == Recalled(published_in=MARCH)
    assert recalled(post) == Recalled()


def test_a_printed_paper_or_repository_itself_is_a_repeat_whatever_its_name() -> None:
    paper = stored(3, kind="arxiv", keys=(PAPER,), title="TinyNet v2: 4.5 bits")
    assert recalled(paper, paper=[(MARCH, "低比特量化")]) == Recalled(published_in=MARCH)
    post = stored(4, references=about(PAPER), title="解读 TinyNet v2")
    assert recalled(paper, post, paper=[(MARCH, "低比特量化")]) == Recalled(published_in=MARCH)


def test_whatever_a_label_line_names_is_what_the_post_is_about() -> None:
    page = "https://example.org/1"
    named = Reference(page, page, "项目地址", primary=True)
    assert recalled(stored(3, references=(named,)), post=[(MARCH, "框架")]) == Recalled(published_in=MARCH)
    assert recalled(stored(3, references=about(page)), post=[(MARCH, "框架")]) == Recalled()


def test_a_mention_a_round_up_and_a_household_name_are_no_repeat() -> None:
    mention = stored(3, references=(Reference(CODE, "https://github.com/tiny/quant"),))
    round_up = stored(4, references=about(CODE, *(f"github:a/{n}" for n in range(9))))
    post = stored(5, references=about(CODE))
    for one in (mention, round_up):
        assert recalled(one, code=[(MARCH, "量化库")]) == Recalled()
    assert recalled(post, code=[(MARCH, "量化库")], counts={CODE: RARE + 1}) == Recalled()
    assert recalled(post, code=[(MARCH, "量化库")], counts={CODE: RARE}) == Recalled(published_in=MARCH)


# ---- a follow-up


def test_a_release_that_no_issue_printed_follows_its_repository() -> None:
    release = stored(3, kind="github", keys=(f"{CODE}@v1.0",), title="quant v1.0")
    printed = [(MARCH, "量化库"), (JUNE, "量化库再更新")]
    assert recalled(release, code=printed) == Recalled(follows=JUNE)
    assert recalled(release, code=printed, release=[(JUNE, "量化库 v1.0")]) == Recalled(published_in=JUNE)


def test_a_post_about_a_new_release_follows_though_it_says_no_version() -> None:
    post = stored(3, references=about(f"{CODE}@v1.1", CODE), title="量化库又更新了")
    assert recalled(post, code=[(MARCH, "量化库 v1.0")], release=[(MARCH, "量化库 v1.0")]) == Recalled(follows=MARCH)


@pytest.mark.parametrize(
    ("title", "printed", "news"),
    [
        ("Quant 2.0 发布", "[Quant 开源](https://example.org/9)", True),
        ("Quant 2.0 发布", "[Quant 2.0 来了](https://example.org/9)", False),
        ("Quant 2 发布", "[Quant 2.1 来了](https://example.org/9)", False),
        ("Quant 2.1 发布", "[Quant 2 来了](https://example.org/9)", True),
        ("Quant 3 发布", "[Quant 2 来了](https://example.org/9)", True),
        ("正式版 v1.0 发布", "[Quant 开源](https://example.org/9)", True),
        ("正式版 v1.0 发布", "[Quant 开源](https://example.org/9)\n摘要：v1.0 支持 INT8。", False),
        ("正式版 v1.0 发布", "[Quant 开源](https://example.org/9)\n摘要：比 TF 1.0 和 1.5 都快。", True),
        ("Quant 解读（下）", "[Quant 解读（上）](https://example.org/9)", True),
        ("Quant 支持 INT8，快 2.5 倍", "[Quant 开源](https://example.org/9)", False),
        ("CVPR2026 论文：Quant", "[Quant 开源](https://example.org/9)", False),
        ("2026 年的 Quant", "[Quant 开源](https://example.org/9)", False),
    ],
)
def test_a_title_with_a_version_that_the_entry_lacks_is_news(title: str, printed: str, news: bool) -> None:
    told = recalled(stored(3, references=about(CODE), title=title), code=[(MARCH, printed)])
    assert told == (Recalled(follows=MARCH) if news else Recalled(published_in=MARCH))


def test_the_number_in_a_repositorys_own_name_is_no_version() -> None:
    post = stored(3, references=about("github:a/yolov5"), title="YOLOv5 来了")
    assert recall_story([post], {"github:a/yolov5": [Printed(MARCH, "检测器")]}, {}) == Recalled(published_in=MARCH)


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
        told = recall_story(articles, printed, {})
        assert told == recall_story(articles, {key: found for key, found in printed.items() if key in wanted}, {})
        assert None in (told.published_in, told.follows)
        assert (told == Recalled()) == wanted.isdisjoint(printed)

    check()


@pytest.mark.parametrize("unit", ["v1.", "1.2", "第", "v", "2.0."])
def test_twice_as_long_a_text_costs_twice_as_much_to_read_for_versions(unit: str) -> None:
    half = unit * (5_000 // len(unit))
    assert_twice_costs_at_most_three_times(find_versions, half, half * 2)


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
    ),
)
NEWS = [
    article(1, title="量化库怎么用", references=about(CODE)),
    article(2, title="quant v2.0", kind="github", keys=(f"{CODE}@v2.0",), references=about(CODE)),
    article(3, title="论文解读：低比特", references=about(PAPER), days=60),
    article(4, title="别的事"),
    article(5, title="量化库 v3.0 发布", references=about(CODE), days=90),
]
TOLD = {1: ("published", JUNE, None), 2: ("new", None, JUNE), 3: ("published", JUNE, None), 4: ("new", None, None)}
TOLD[5] = ("new", None, JUNE)


def told_after(
    store: Store, rules: Rules, *steps: Article | Issue | None
) -> dict[int, tuple[str, date | None, date | None]]:
    """State, issue and what it follows, by the number of the article, when things come in this order.

    Args:
        steps: None has what came so far grouped.
    """
    grading = GroupRules.of(NEWSLETTER, {}, {})
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
