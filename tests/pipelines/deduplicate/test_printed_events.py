"""An entry that reports the event of a story in other words is found near its issue, and a topic alone is no event."""

from __future__ import annotations

from datetime import date, timedelta

from builders import article

from crawler.home import Home, bundled
from pipelines.deduplicate.event_model import load_event_model
from pipelines.deduplicate.event_profiles import EventProfile, read_event_profile
from pipelines.deduplicate.events import WINDOW, make_event_keys
from pipelines.deduplicate.memory import Printed
from pipelines.deduplicate.printed_events import (
    REACH,
    DatedProfile,
    PrintedEvent,
    find_printed_event,
    follow_newsletter,
)
from pipelines.rules import load_rules

MODEL = load_event_model()
RULES = load_rules(Home(bundled())).events
JUNE = date(2026, 6, 15)
LAUNCH = "鲲鹏 KP-7 芯片发布：端侧推理提速 85%"
REWORDED = "KP-7 来了！鲲鹏的芯片让端侧推理提速 85%"


def read_profile(title: str) -> EventProfile:
    digest = "鲲鹏发布 KP-7。" if "鲲鹏" in title else "今天聊聊别的。"
    profile = read_event_profile(article(1, title=title, publisher=title, summary=digest), RULES)
    assert profile is not None
    return profile


def printed(title: str = LAUNCH, day: date = JUNE) -> PrintedEvent:
    return PrintedEvent.of(Printed(day, title), read_profile(title), MODEL)


def dated(title: str = REWORDED, days: int = 0) -> DatedProfile:
    profile = read_profile(title)
    return DatedProfile((JUNE + timedelta(days=days)).toordinal(), profile, make_event_keys(profile, MODEL.rarity))


def find(*profiles: DatedProfile, reporting: int = 1, events: tuple[PrintedEvent, ...] = (printed(),)) -> str | None:
    entry = find_printed_event(profiles, reporting, events, MODEL)
    return entry.text if entry else None


def test_an_entry_in_other_words_is_found_from_three_weeks_before_its_issue_to_days_after_it() -> None:
    days = [days for days in range(-REACH - 3, WINDOW + 4) if find(dated(days=days))]
    assert days[0] == -REACH
    assert 0 in days
    assert days[-1] <= WINDOW


def test_an_equal_title_is_the_same_and_another_event_is_not() -> None:
    assert find(dated(LAUNCH)) == LAUNCH
    assert find(dated("骁龙手表芯片跑分曝光")) is None
    assert find(dated("短题目"), events=(printed("短题目"),)) is None


def test_one_article_of_many_does_not_speak_for_its_story() -> None:
    assert find(dated(), reporting=1) == LAUNCH
    assert find(dated(), reporting=9) is None


def test_what_the_newsletter_prints_in_every_issue_identifies_no_event() -> None:
    entries = [read_profile(f"鲲鹏 KP-7 芯片{matter}，端侧推理提速 85%") for matter in "的的跑分价格之争评测上市拆解"]
    model = follow_newsletter(MODEL, entries)
    assert find_printed_event([dated()], 1, [printed()], MODEL)
    assert find_printed_event([dated()], 1, [printed()], model) is None
    others = [read_profile(f"别的事{chr(0x4E00 + 31 * number)}{chr(0x5E00 + 17 * number)}") for number in range(12)]
    assert find_printed_event([dated()], 1, [printed()], follow_newsletter(MODEL, others))
