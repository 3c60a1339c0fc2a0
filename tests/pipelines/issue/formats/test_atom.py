"""The feed of issues: valid Atom that readers read, whatever the issues hold."""

from __future__ import annotations

import io
import re
from datetime import UTC, date, datetime
from pathlib import Path

import feedparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from places import SCHEMAS

from crawler.home import bundled
from pipelines.issue.formats.atom import ExportedFeed, FeedMemory, render_atom
from pipelines.issue.reading import read_issue
from pipelines.model import Entry, Issue, Section
from pipelines.newsletter import Newsletter, Publish, load_newsletter

NEWSLETTER = load_newsletter(bundled() / "newsletter.toml")
TEMPLATE = (bundled() / "templates/issue.md.j2").read_text(encoding="utf-8")
SCHEMA = etree.RelaxNG(etree.parse(SCHEMAS / "atom.rng"))
LATER = datetime(2021, 6, 1, tzinfo=UTC)
SITE = Publish(url="https://site.example/news", issue="issues/{date}.html", licence="CC BY-SA 4.0")


def issue(
    day: int = 5, title: str = "简报", markdown: str = "[甲](https://e.org/1)\n摘要：一", guide: str = "两条"
) -> Issue:
    return Issue(date(2021, 3, day), title, (Section("论文", (Entry(markdown),)),), guide=guide, headline="甲/乙")


def feed(
    *issues: Issue,
    publish: Publish = SITE,
    before: str = "",
    now: datetime = LATER,
    memory: FeedMemory | None = None,
    **values: object,
) -> str:
    newsletter: Newsletter = NEWSLETTER.model_copy(update={"publish": publish, **values})
    exported = ExportedFeed.read(before, newsletter)
    text = render_atom(issues, newsletter, TEMPLATE, now=now, exported=exported, memory=memory)
    document = etree.fromstring(text.encode())
    assert SCHEMA.validate(document), SCHEMA.error_log
    assert broken(document) == []
    return text


def broken(document: etree._Element) -> list[str]:
    """The assertions of RFC 4287's Appendix B that a grammar of RELAX NG cannot make, as far as they do not hold."""
    names = {"atom": "http://www.w3.org/2005/Atom"}
    wanted = {
        "/atom:feed": "atom:author or not(atom:entry[not(atom:author)])",
        "//atom:entry": "(atom:link[@rel='alternate'] or atom:link[not(@rel)] or atom:content)"
        " and (atom:author or ../atom:author or atom:source/atom:author)",
    }
    return [
        test
        for where, test in wanted.items()
        for one in document.xpath(where, namespaces=names)
        if not one.xpath(f"boolean({test})", namespaces=names)
    ]


def read(text: str) -> feedparser.FeedParserDict:
    found = feedparser.parse(io.BytesIO(text.encode()))
    assert not found.bozo, found.get("bozo_exception")
    return found


def test_the_grammar_refuses_a_feed_that_is_none() -> None:
    text = feed(issue())
    assert not SCHEMA.validate(etree.fromstring(text.replace("<id>", "<x>", 1).replace("</id>", "</x>", 1).encode()))
    bare = re.sub(r"(?s)<author>.*?</author>|<content.*</content>|<link.*?/>", "", text)
    assert len(broken(etree.fromstring(bare.encode()))) == 2
    assert not SCHEMA.validate(etree.fromstring(text.replace("T23:59:59", " ", 1).encode()))


def test_a_reader_sees_the_newest_issue_first_with_its_address_and_its_text() -> None:
    found = read(feed(issue(5), issue(20)))
    assert [one.link for one in found.entries] == [
        f"https://site.example/news/issues/2021-03-{day}.html" for day in ("20", "05")
    ]
    assert found.entries[0].title == "简报 (2021-03-20) 甲/乙"
    assert found.entries[0].updated == "2021-03-20T23:59:59+08:00"
    assert found.entries[0].summary == "两条"
    assert '<a href="https://e.org/1">甲</a>' in found.entries[0].content[0].value
    assert "<h1>" not in found.entries[0].content[0].value
    assert {one.rel for one in found.feed.links} == {"alternate", "self"}
    assert found.feed.rights == "CC BY-SA 4.0"


def test_the_same_issues_give_the_same_feed_in_whatever_order() -> None:
    assert feed(issue(5), issue(20)) == feed(issue(20), issue(5))


def test_a_newsletter_without_a_site_has_identifiers_that_stay() -> None:
    ids = [one.id for one in read(feed(issue(5), issue(20), publish=Publish())).entries]
    assert len(set(ids)) == 2
    assert all(one.startswith("urn:uuid:") for one in ids)
    assert ids[1:] == [one.id for one in read(feed(issue(5), publish=Publish())).entries]


@pytest.mark.parametrize(
    "change",
    [
        {"publish": SITE.model_copy(update={"url": "https://moved.example/"})},
        {"publish": SITE.model_copy(update={"issue": "{date}/"})},
        {"publish": Publish()},
        {"title": "嵌入式 AI 简报"},
    ],
)
def test_identifiers_stay_when_site_pattern_or_title_change(change: dict[str, object]) -> None:
    before = feed(issue(5), issue(20))
    after = feed(issue(5), issue(20), issue(25), before=before, **change)  # type: ignore[arg-type]
    assert read(after).feed.id == read(before).feed.id
    assert [entry.id for entry in read(after).entries[1:]] == [entry.id for entry in read(before).entries]


def test_with_a_name_for_ever_identifiers_depend_on_no_address() -> None:
    named = SITE.model_copy(update={"id": "a1"})
    moved = named.model_copy(update={"url": "https://moved.example/", "issue": "{date}/"})
    assert [entry.id for entry in read(feed(issue(), publish=named)).entries] == [
        entry.id for entry in read(feed(issue(), publish=moved, title="别名")).entries
    ]


def test_a_correction_moves_updated_and_nothing_else_does() -> None:
    before = feed(issue(5), issue(20))
    assert feed(issue(5), issue(20), before=before, now=datetime(2022, 1, 1, tzinfo=UTC)) == before
    corrected = read(feed(issue(5, guide="三条"), issue(20), before=before, now=datetime(2022, 1, 1, tzinfo=UTC)))
    assert [entry.updated[:10] for entry in corrected.entries] == ["2021-03-20", "2022-01-01"]
    assert corrected.feed.updated[:10] == "2022-01-01"


def test_what_the_newsroom_remembers_goes_before_the_exported_feed_and_the_names() -> None:
    memory = FeedMemory({None: "tag:e.org,2021:feed", date(2021, 3, 5): "tag:e.org,2021:5"})
    before = feed(issue(5), issue(20))
    after = read(feed(issue(5), issue(20), before=before, memory=memory, title="别名"))
    former_id = read(before).entries[0].id
    assert [after.feed.id, *(entry.id for entry in after.entries)] == [
        "tag:e.org,2021:feed",
        former_id,
        "tag:e.org,2021:5",
    ]


def test_an_issue_whose_date_changed_keeps_its_identifier_and_shares_it_with_no_other() -> None:
    (first,) = read(feed(issue(5))).entries
    memory = FeedMemory({date(2021, 3, 6): first.id})
    entries = read(feed(issue(5), issue(6), before=feed(issue(5)), memory=memory)).entries
    assert entries[0].id == first.id
    assert entries[1].id != first.id


def test_a_correction_is_dated_when_it_was_made_with_and_without_the_exported_feed() -> None:
    corrected_at = datetime(2021, 4, 1, 8, tzinfo=UTC)
    memory = FeedMemory(corrections={date(2021, 3, 5): corrected_at})
    fixed = issue(5, guide="三条")
    for before in ("", feed(issue(5), issue(20))):
        entries = read(feed(fixed, issue(20), before=before, memory=memory)).entries
        assert [entry.updated for entry in entries] == ["2021-03-20T23:59:59+08:00", "2021-04-01T16:00:00+08:00"]


def test_another_template_after_a_correction_is_dated_now() -> None:
    memory = FeedMemory(corrections={date(2021, 3, 5): datetime(2021, 4, 1, 8, tzinfo=UTC)})
    before = feed(issue(5), memory=memory)
    assert read(feed(issue(5, title="新简报"), before=before, memory=memory)).entries[0].updated[:10] == "2021-06-01"


def test_an_issue_of_today_is_not_updated_in_the_future_and_stays_as_it_was_tomorrow() -> None:
    now = datetime(2021, 3, 5, 2, tzinfo=UTC)
    text = feed(issue(5), now=now)
    (entry,) = read(text).entries
    assert entry.published == entry.updated == read(text).feed.updated == "2021-03-05T10:00:00+08:00"
    assert feed(issue(5), before=text) == text


@given(st.integers(1, 28), st.integers(1, 28), st.booleans())
def test_no_feed_is_updated_in_the_future(day: int, today: int, corrected: bool) -> None:
    now = datetime(2021, 3, today, 3, tzinfo=UTC)
    corrections = {date(2021, 3, day): now} if corrected else {}
    before = feed(issue(day, guide="一条"), now=datetime(2021, 3, today, 1, tzinfo=UTC))
    late = before.replace("<updated>2021-", "<updated>2031-")  # the clock of another machine
    for exported in ("", before, late):
        found = read(feed(issue(day), before=exported, now=now, memory=FeedMemory(corrections=corrections)))
        moments = [datetime.fromisoformat(part.updated) for part in (found.feed, *found.entries)]
        assert max(moments) <= now


def test_the_feed_is_in_the_language_of_the_newsletter() -> None:
    assert 'xml:lang="en"' in feed(issue(), language="en")


def test_the_feed_holds_as_many_issues_as_wanted_and_may_hold_none() -> None:
    many = [issue(day) for day in range(1, 10)]
    assert len(read(feed(*many, publish=SITE.model_copy(update={"feed_entries": 3}))).entries) == 3
    assert feed()


@pytest.mark.fault("X5")
def test_control_characters_do_not_break_it() -> None:
    found = read(
        feed(
            issue(
                title="简\x00报\x0b\ufffe",
                markdown="[甲\x01\ud800](https://e.org/\x02)\n摘要：\x1b[31m一\x7f",
                guide="\x08两",
            )
        )
    )
    assert found.entries[0].title == "简报 (2021-03-05) 甲/乙"


def test_markup_of_an_issue_reaches_no_reader_as_script() -> None:
    found = feed(
        issue(markdown="<script>alert(1)</script>[甲](javascript:x) ]]> &amp;lt;\n摘要：<img src=x onerror=y>")
    )
    assert "script>" not in found
    assert "onerror" not in found
    read(found)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40), st.text(max_size=60), st.text(max_size=40))
def test_any_issue_makes_a_valid_feed(title: str, markdown: str, guide: str) -> None:
    read(feed(issue(title=title, markdown=markdown, guide=guide), title=title or "x", tagline=guide))


@pytest.mark.archive
def test_the_past_issues_make_a_valid_feed(archive: Path) -> None:
    paths = sorted(archive.glob("*.md"))
    past = [read_issue(path.read_bytes(), name=path.name, newsletter=NEWSLETTER) for path in paths]
    assert len(read(feed(*past)).entries) == NEWSLETTER.publish.feed_entries
