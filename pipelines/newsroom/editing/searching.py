"""Reads the search box: terms, and filters among them, as in `来源:量子位 论文 since:30d`."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Final, Literal, get_args
from zoneinfo import ZoneInfo

from crawler.kinds import KINDS, Kind
from crawler.sources.schema import Source
from pipelines.model import CandidateState
from pipelines.store.listing import AccountFilter, CandidateQuery
from pipelines.store.search import fold_text
from pipelines.wording import say

_Filter = Literal["source", "kind", "state", "since", "until"]

FILTER_NAMES: Final[Mapping[str, _Filter]] = {
    "来源": "source",
    "source": "source",
    "类型": "kind",
    "kind": "kind",
    "状态": "state",
    "state": "state",
    "自": "since",
    "since": "since",
    "至": "until",
    "until": "until",
}
"""The filters of the search box, by the names that an editor types."""

ANY_STATE: Final = ("全部", "all")

# 来源:量子位 来源:"Open AI Lab" 端侧
_PART: Final = re.compile(rf'(?:{"|".join(FILTER_NAMES)})[:：]"[^"]*"|\S+', re.IGNORECASE)
_FILTER: Final = re.compile(rf'({"|".join(FILTER_NAMES)})[:：]"?([^"]+)"?', re.IGNORECASE)
# 30d 2w 30天 2周
_SPAN: Final = re.compile(r"(\d{1,4})(?:(d|天)|(?:w|周))")


@dataclass(frozen=True, slots=True)
class SearchText:
    """What an editor searches for.

    Args:
        terms: without the filters.
        accounts: beginnings of the names of accounts; one of them is enough.
        kinds: of sources; one of them is enough. Empty for every kind.
        states: of candidates; empty for every state, None where the text has no such filter.
        since, until: the first and the last moment, aware.
        unread: filters with a setting that means nothing; they count as terms.
    """

    terms: str = ""
    accounts: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    states: tuple[CandidateState, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None
    unread: tuple[str, ...] = ()


def read_search(text: str, now: datetime, zone: ZoneInfo) -> SearchText:
    """Read the terms and the filters of a search box.

    Args:
        text: as the editor typed it; a colon may be of full width, a setting with blanks stands in quotation marks.
        now: aware; spans such as `30d` end there.
        zone: of dates.

    >>> search = read_search("来源：量子位 论文 状态:已选", datetime(2026, 11, 1), ZoneInfo("UTC"))
    >>> search.accounts, search.terms, search.states
    (('量子位',), '论文', ('picked',))
    """
    search, terms = SearchText(), []
    for part in _PART.findall(text):
        match = _FILTER.fullmatch(part)
        changed = _add_filter(search, FILTER_NAMES[match[1].lower()], match[2].strip(), now, zone) if match else None
        if changed is None:
            terms.append(part)
            search = replace(search, unread=(*search.unread, part)) if _is_filter(part) else search
        else:
            search = changed
    return replace(search, terms=" ".join(terms))


def _is_filter(part: str) -> bool:
    return re.split("[:：]", part, maxsplit=1)[0].lower() in FILTER_NAMES and not part.isalpha()


def _add_filter(search: SearchText, name: _Filter, setting: str, now: datetime, zone: ZoneInfo) -> SearchText | None:
    """Add a filter to a search; None where its setting means nothing."""
    match name:
        case "source":
            return replace(search, accounts=(*search.accounts, setting)) if fold_text(setting) else None
        case "kind":
            kind = _find_kind(setting)
            return replace(search, kinds=(*search.kinds, kind)) if kind else None
        case "state":
            if setting.lower() in ANY_STATE:
                return replace(search, states=())
            state = _find_state(setting)
            return replace(search, states=(*(search.states or ()), state)) if state else None
        case "since":
            since = _read_moment(setting, now, zone, time.min)
            return replace(search, since=max(since, search.since or since)) if since else None
        case "until":
            until = _read_moment(setting, now, zone, time.max)
            return replace(search, until=min(until, search.until or until)) if until else None


def _find_kind(setting: str) -> Kind | None:
    folded = fold_text(setting)
    return next(
        (kind for kind, row in KINDS.items() if folded in map(fold_text, (kind, *row.label, *row.article))), None
    )


def _find_state(setting: str) -> CandidateState | None:
    folded = fold_text(setting)
    states: tuple[CandidateState, ...] = get_args(CandidateState)
    names = {state: (state, say(f"state/{state}", {}, "zh"), say(f"state/{state}", {}, "en")) for state in states}
    return next((state for state in states if folded in map(fold_text, names[state])), None)


def _read_moment(setting: str, now: datetime, zone: ZoneInfo, time_of_day: time) -> datetime | None:
    """Read a day, `2026-11-01`, or a span before now, `30d`."""
    if span := _SPAN.fullmatch(setting.lower()):
        return now - timedelta(days=int(span[1]) * (1 if span[2] else 7))
    try:
        return datetime.combine(date.fromisoformat(setting), time_of_day, tzinfo=zone)
    except ValueError:
        return None


def add_search(query: CandidateQuery, search: SearchText, sources: Collection[Source]) -> CandidateQuery:
    """Add a search to a query; a state in the search goes before that of the query.

    Args:
        query: with filters of its own, which hold too.
        search: what the editor typed.
        sources: the rows of the registry; an account is also found by the name or the id of its row.
    """
    since = max(filter(None, (query.since, search.since)), default=None)
    return replace(
        query,
        states=query.states if search.states is None else search.states,
        since=since,
        until=search.until,
        kinds=search.kinds,
        accounts=tuple(AccountFilter(name, _find_sources(name, sources)) for name in search.accounts),
        search=search.terms,
    )


def _find_sources(name: str, sources: Collection[Source]) -> tuple[str, ...]:
    folded = fold_text(name)
    return tuple(
        source.id for source in sources if any(fold_text(text).startswith(folded) for text in (source.id, source.name))
    )
