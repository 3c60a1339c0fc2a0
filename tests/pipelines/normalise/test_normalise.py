"""From what a page said to an article."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from builders import NOON
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.home import Home, bundled
from crawler.items import Link, RawItem
from crawler.kinds import Kind
from pipelines.model import Article
from pipelines.normalise import normalise
from pipelines.normalise.references import add_references
from pipelines.normalise.url import NotAWebAddress
from pipelines.rules import Rules, RulesMisconfigured, load_rules

TOKEN = "AbC-dEf_0123456789xyzQ"
BODY = "我们把模型量化到八位，精度几乎不变。"
RULES = load_rules(Home(bundled()))


@dataclass(frozen=True)
class Watch:
    """A source, as far as normalise looks at it."""

    id: str = "watch"
    kind: Kind = "wechat"
    name: str = "端侧观察"


def article(**values: Any) -> Article:
    fixed = {"kind": "wechat", "url": "https://blog.example/1", "title": "标题", "fetched_at": NOON}
    return normalise(RawItem(**(fixed | values)), Watch(), RULES)


def test_an_item_becomes_an_article() -> None:
    one = article(
        url=f"http://mp.weixin.qq.com/s/{TOKEN}?scene=1#rd",
        title="重磅｜某厂\n开源推理框架 | 端侧观察",
        published="2026-10-31 08:30",
        updated="3小时前",
        author=" 张三 ",
        publisher="端侧\u200b观察",
        html=f"<p>{BODY}</p>",
        summary=f"点击上方“端侧观察” 即可关注我们哦{BODY}",
        image="//img.example/1.jpg",
        links=(Link("original", "https://site.example/1", " 原文 "),),
        ids=("wechat:MzA5MDEyMzQ1Ng==/1/1",),
        tags=("量化", " 量化 ", ""),
        metrics={"votes": 3},
        facts={"version": "v1\x00"},
    )
    assert one.kind == "wechat"
    assert one.source == "watch"
    assert one.url == f"https://mp.weixin.qq.com/s/{TOKEN}"
    assert one.seen_url == f"http://mp.weixin.qq.com/s/{TOKEN}?scene=1#rd"
    assert one.keys == ("wechat:MzA5MDEyMzQ1Ng==/1/1", f"wechat:{TOKEN}", one.url)
    assert (one.title, one.title_lead, one.title_tail) == ("某厂 开源推理框架", "重磅", "端侧观察")
    assert (one.author, one.publisher, one.language) == ("张三", "端侧观察", "zh")
    assert (one.text, one.summary) == (BODY, BODY)
    assert one.published.at.isoformat() == "2026-10-31T08:30:00+08:00"
    assert one.updated is not None
    assert one.updated.at == NOON - timedelta(hours=3)
    assert one.image == "https://img.example/1.jpg"
    assert [(link.url, link.label, link.relation) for link in one.links] == [
        ("https://site.example/1", "原文", "original")
    ]
    assert (one.tags, one.metrics, one.facts) == (("量化",), {"votes": 3}, {"version": "v1"})
    assert one.fetched_at == NOON


# ---- Addresses


def test_short_and_long_wechat_urls_are_one_article_where_the_page_tells_both() -> None:
    long = article(url="https://mp.weixin.qq.com/s?__biz=MzA5MDEyMzQ1Ng==&mid=1&idx=1&sn=ab")
    short = article(url=f"https://mp.weixin.qq.com/s/{TOKEN}", ids=("wechat:MzA5MDEyMzQ1Ng==/1/1",))
    assert set(long.keys) & set(short.keys)


def test_a_temporary_link_is_marked() -> None:
    signed = "https://mp.weixin.qq.com/s?src=11&timestamp=1&ver=1&signature=x"
    assert article(url=signed).temporary
    assert article(url="https://mp.weixin.qq.com/s/short", facts={"temporary": "yes"}).temporary


def test_a_temporary_link_gives_way_to_a_lasting_one_that_the_page_knows() -> None:
    signed = "https://mp.weixin.qq.com/s?src=11&timestamp=1&ver=1&signature=x"
    one = article(url=signed, ids=("wechat:MzA5MDEyMzQ1Ng==/1/1", f"wechat:{TOKEN}"))
    assert (one.url, one.temporary) == (f"https://mp.weixin.qq.com/s/{TOKEN}", False)
    assert one.url in one.keys


def test_an_item_without_a_web_address_is_no_article() -> None:
    with pytest.raises(NotAWebAddress):
        article(url="javascript:alert(1)")


@pytest.mark.parametrize("image", ["javascript:x", "data:image/png;base64,AA", "", "1.jpg"])
def test_a_lead_image_has_a_web_address_or_none(image: str) -> None:
    assert article(image=image).image is None


# ---- Dates


def test_without_a_date_that_can_be_it_was_published_when_first_seen() -> None:
    one = article(published="2100-01-01").published
    assert (one.at, one.precision, one.source, one.raw) == (NOON, "first-seen", "first-seen", "2100-01-01")
    assert article().published.raw is None


@pytest.mark.parametrize(
    ("published", "further_dates", "precision"),
    [
        ("soon", ("2026-10-30T08:00:00Z",), "second"),
        ("Fri, 30 Oct 2026 08:00:00 XYZT", ("2026-10-30T08:00:00Z",), "second"),
        ("Fri, 30 Oct 2026 08:00:00 XYZT", ("soon",), "day"),
    ],
)
def test_the_publication_date_that_can_be_read_wholly_counts(
    published: str, further_dates: tuple[str, ...], precision: str
) -> None:
    chosen = article(published=published, further_dates=further_dates, updated="2026-10-31").published
    assert (chosen.source, chosen.at.day, chosen.precision) == ("published", 30, precision)


def test_an_update_is_better_than_nothing() -> None:
    one = article(published="unknown", updated="2026-10-30").published
    assert (one.at.date().isoformat(), one.source, one.precision) == ("2026-10-30", "updated", "day")


# ---- Titles


def test_an_item_without_a_title_is_called_by_its_first_line() -> None:
    assert article(title=" ", text=f"第一句话。\n{BODY}").title == "第一句话。"
    assert article(title="", summary=BODY).title == BODY
    assert article(title="").title == "https://blog.example/1"


def test_a_title_that_is_the_whole_text_gives_its_first_sentence() -> None:
    whole = f"今天的新闻只有一句话要说。{BODY * 20}"
    one = article(title=whole)
    assert (one.title, one.text) == ("今天的新闻只有一句话要说。", whole)
    assert len(article(title="量" * 500).title) <= 120


# ---- Text


def test_plain_text_serves_where_html_has_none() -> None:
    assert article(html="<img src='x.png'>", text=BODY).text == BODY
    assert article(html=f"<p>{BODY}</p>", text="旧").text == BODY


def test_the_language_is_that_of_the_words_not_of_the_feed() -> None:
    assert article(title="How to quantize a model", language="zh-cn").language == "en"


# ---- Whatever comes


WORDS = st.text(max_size=30) | st.sampled_from(["\x00", "\ud800", "<p>", "https://github.com/a/b", "昨天", BODY])
ITEMS = st.builds(
    RawItem,
    kind=st.sampled_from(["wechat", "zhihu", "arxiv", "github", "feed", "web"]),
    url=st.just("https://blog.example/1"),
    title=WORDS,
    fetched_at=st.just(NOON),
    published=st.none() | WORDS,
    author=st.none() | WORDS,
    html=st.none() | st.lists(WORDS, max_size=4).map("<br>".join),
    text=st.none() | WORDS,
    summary=st.none() | WORDS,
    image=st.none() | WORDS,
    links=st.lists(st.builds(Link, st.sampled_from(["original", "related"]), WORDS), max_size=2).map(tuple),
    tags=st.lists(WORDS, max_size=2).map(tuple),
    language=st.none() | WORDS,
)


@settings(max_examples=150, deadline=None)
@given(ITEMS)
def test_whatever_a_page_says_becomes_an_article_that_can_be_stored(raw: RawItem) -> None:
    one = add_references(normalise(raw, Watch(), RULES), RULES)
    assert one == add_references(normalise(raw, Watch(), RULES), RULES)
    assert one.title
    for text in (one.title, one.text, one.summary, one.author or "", one.image or "", *one.tags):
        text.encode()
        assert "\x00" not in text
    assert one.published.at.tzinfo is not None


# ---- The tables


def test_a_newsletter_may_have_tables_of_its_own(tmp_path: Path) -> None:
    shutil.copy(bundled() / "newsletter.toml", tmp_path)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "titles.toml").write_text('leads = ["号外"]\n', encoding="utf-8")
    own = load_rules(Home(tmp_path))
    raw = RawItem("feed", "https://blog.example/1", "号外｜重磅｜某芯片量产", NOON)
    assert normalise(raw, Watch(), own).title == "重磅｜某芯片量产"
    assert own.urls == RULES.urls


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("urls.toml", "[[pages]]\nhosts = ['a.cn']\npath = '/(?P<id>x)'\nurl = 'https://a.cn/{number}'\n", "number"),
        ("urls.toml", "[[pages]]\nhosts = ['a.cn']\npath = '('\nurl = 'x'\n", "pages.0.path"),
        ("urls.toml", "[[page]]\n", "page"),
        ("titles.toml", "leads = [", "titles.toml"),
        ("languages.toml", "[prior]\nen = 0.5\nxx = 0.5\n", "xx"),
        ("references.toml", "[labels]\nsong = ['歌']\n", "labels"),
    ],
)
def test_a_mistake_in_a_table_is_named(name: str, content: str, complaint: str, tmp_path: Path) -> None:
    shutil.copy(bundled() / "newsletter.toml", tmp_path)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / name).write_text(content, encoding="utf-8")
    with pytest.raises(RulesMisconfigured, match=complaint) as raised:
        load_rules(Home(tmp_path))
    assert str(tmp_path / "rules" / name) in str(raised.value)


def test_labels_are_printed_as_the_newsletter_prints_them(tmp_path: Path) -> None:
    text = (bundled() / "newsletter.toml").read_text(encoding="utf-8")
    assert 'project = "项目地址"' in text
    (tmp_path / "newsletter.toml").write_text(
        text.replace('project = "项目地址"', 'project = "仓库"'), encoding="utf-8"
    )
    own = load_rules(Home(tmp_path))
    raw = RawItem(
        "feed", "https://blog.example/1", "某框架", NOON, text=f"项目地址：https://github.com/owner/repo\n{BODY}"
    )
    (reference,) = add_references(normalise(raw, Watch(), own), own).references
    assert reference.label == "仓库"


def test_no_stage_loads_a_network_or_a_database() -> None:
    program = "import sys, pipelines.normalise.references; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "pipelines.normalise" in loaded
    assert not {"scrapy", "sqlalchemy", "twisted"} & loaded


@pytest.mark.parametrize("field", ["urls", "titles", "text", "languages", "references"])
def test_rules_do_not_fill_a_screen(field: str, rules: Rules) -> None:
    assert f"{field}=" not in repr(rules)


@pytest.mark.parametrize(("kind", "printed"), [("feed", "量子位"), ("wechat", "QbitAI")])
def test_a_feed_is_called_what_the_editor_calls_it_and_a_mirrored_account_what_it_calls_itself(
    kind: Kind, printed: str
) -> None:
    raw = RawItem(kind=kind, url="https://a.example/1", title="t", fetched_at=NOON, publisher="QbitAI")
    assert normalise(raw, Watch(kind=kind, name="量子位"), RULES).publisher == printed
    assert normalise(replace(raw, publisher=None), Watch(kind=kind, name="量子位"), RULES).publisher == "量子位"
