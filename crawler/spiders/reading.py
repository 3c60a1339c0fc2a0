"""The run of one source: its open requests, its items, and the state for the next run. No network, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from hashlib import blake2b
from operator import itemgetter
from typing import Any, Final

from crawler.errors import Detail
from crawler.items import WARNING, Ask, Batch, Page, Problem, RawItem, Reply, SourceState, Traffic
from crawler.sources.schema import Source
from crawler.urls import host_of

REMEMBERED: Final = 400
"""Fingerprints of items in a cursor; for a source with many lists, `REMEMBERED_OF_A_LIST` of each."""
REMEMBERED_OF_A_LIST: Final = 60

TRIES: Final = 3
"""Runs that ask for an article's page until it is given up."""

PAGES_AT_ONCE: Final = 40
"""Articles' pages that a source asks for in one run; the others wait for the next."""

MOST_WAITING: Final = 200
"""Articles' pages that wait for the next run; the oldest are forgotten."""

MOST_ITEMS: Final = 3000
"""Items of a source that one run takes. The longest list that is asked for on purpose has 2,000 papers."""

_LONGEST_VALIDATOR: Final = 1024

Validators = tuple[str | None, str | None]
"""ETag and Last-Modified."""


@dataclass(slots=True)
class ArticlePages:
    """Pages of single articles that a source wants besides its lists; asked for one after another.

    Args:
        asks: by the article's address, in order.
        tries: how often earlier runs asked in vain.
    """

    asks: dict[str, Ask] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)
    _asked: set[str] = field(default_factory=set)
    _stopped: bool = False

    def want(self, ask: Ask) -> None:
        """Queue the page of the article `ask.expects`, once."""
        self.asks.setdefault(ask.expects, ask)

    def next(self) -> Ask | None:
        """The next to ask for in this run."""
        if self._stopped or len(self._asked) >= PAGES_AT_ONCE:
            return None
        ask = next((article_ask for article, article_ask in self.asks.items() if article not in self._asked), None)
        if ask is not None:
            self._asked.add(ask.expects)
        return ask

    def done(self, ask: Ask) -> None:
        """This one is read, or is not to be had at all."""
        self.asks.pop(ask.expects, None)

    def failed(self, ask: Ask) -> bool:
        """This one gave nothing.

        Returns:
            Whether it is given up.
        """
        self.tries[ask.expects] = self.tries.get(ask.expects, 0) + 1
        if self.tries[ask.expects] < TRIES:
            return False
        self.done(ask)
        return True

    def stop(self) -> None:
        """Ask for no more in this run: their host does not want us now. It does not count as a try."""
        self._stopped = True

    def left(self) -> dict[str, int]:
        """Article pages that the next run asks for, with the number of tries so far, fewest first."""
        tries = sorted(((article, self.tries.get(article, 0)) for article in self.asks), key=itemgetter(1))
        return dict(tries[:MOST_WAITING])


@dataclass(frozen=True, slots=True)
class Way:
    """One way to a source's entries. The next one is taken where this one fails, or gives nothing new for too long.

    Args:
        asks: its lists.
        name: the fact that names it to the editor: a mirror, an interface; None for the only way of a source.
        items: entries that need no request: saved pages.
        problems: with these entries.
        reaches_back: whether its lists hold all since the last run, so that the spider's notes on this run count.
        slices: how many slices of a list a run follows; None for the row's `max_pages`.
        patience: after this time without a new entry the way counts as silent; None where silence proves nothing.
    """

    asks: tuple[Ask, ...] = ()
    name: Detail | None = None
    items: tuple[RawItem, ...] = ()
    problems: tuple[Problem, ...] = ()
    reaches_back: bool = True
    slices: int | None = None
    patience: timedelta | None = None

    @property
    def label(self) -> str:
        """The way's name in a cursor."""
        return str(self.name) if self.name else ""


@dataclass(frozen=True, slots=True)
class WayLeft:
    """A way that a run left for the next one.

    Args:
        way: the way.
        problem: why; None for a way that was silent.
        reason: the same as a fact.
    """

    way: Way
    problem: Problem | None
    reason: Detail


_OWN_FAULT: Final = frozenset({"SourceMisconfigured", "Gone"})
"""Errors that concern one list of a row and no other: a repository that does not exist."""


@dataclass(slots=True)
class Reading:
    """The run of one source, from its first asks to its last batch.

    Args:
        source: its row.
        state: of the last run.
        notes: entries that the kind's spider adds to the cursor.
        reads_past_known: whether the next slice is asked for although the last item of this one is known.
        ways: to the source's entries, in order.
        now: aware; when the run began. Needed where a way has a patience.
    """

    source: Source
    state: SourceState = field(default_factory=SourceState)
    notes: dict[str, Any] = field(default_factory=dict)
    reads_past_known: bool = False
    ways: Iterator[Way] = field(default_factory=lambda: iter(()))
    now: datetime | None = None
    pages: ArticlePages = field(default_factory=ArticlePages)
    _way: Way = field(default_factory=Way)
    _left: list[WayLeft] = field(default_factory=list)
    _lost: list[Problem] = field(default_factory=list)
    _judged: bool = False
    _main: str = ""
    _lists: tuple[str, ...] = ()
    _open: int = 0
    _complete: bool = True
    _reaches_back: bool = True
    _problems: list[Problem] = field(default_factory=list)
    _validators: dict[str, Validators] = field(default_factory=dict)
    _seen: dict[str, None] = field(default_factory=dict)
    _news: dict[str, str] = field(default_factory=dict)
    _answered_by: str = ""
    _item_count: int = 0
    _traffic: Traffic = field(default_factory=Traffic)

    def start(self, asks: Iterable[Ask]) -> tuple[Ask, ...]:
        """Open the lists of a source that has one way."""
        self.ways = iter([Way(tuple(asks))])
        return self.open_next_way().asks

    def open_next_way(self) -> Way:
        """Open the lists of the next way; where there is none any more, the way is empty and the source has failed.

        A way without lists is over at once; its items are the caller's to hand on.
        """
        way = next(self.ways, None)
        if way is None:
            self._conclude_in_vain()
            return Way()
        self._way, self._lost, self._judged = way, [], False
        self._lists = tuple(ask.url for ask in way.asks)
        self._main = self._main or next(iter(self._lists), "")
        self._open += len(way.asks)
        self._reaches_back = way.reaches_back
        self._lost += (problem for problem in way.problems if problem.fails_source)
        self._problems += (problem for problem in way.problems if not problem.fails_source)
        self._note_news(way.items)
        self.remember(way.items)
        return way

    def wants_next_way(self, *, may_leave: bool = True) -> bool:
        """Judge the way when its lists are over: whether the next one has to be tried.

        Args:
            may_leave: whether the errors of this way leave hope for another.
        """
        if self._judged or self._open:
            return False
        self._judged = True
        problem = self._failure_of_way()
        if may_leave and problem is None and self._is_silent():
            days = self._way.patience.days if self._way.patience else 0
            self._left.append(WayLeft(self._way, None, Detail.of("way-silent", count=days)))
        elif problem is not None and may_leave and self._way.name is not None:
            self._left.append(WayLeft(self._way, problem, problem.detail))
        else:
            self._accept_way(failed=problem is not None)
            return False
        return True

    @property
    def lost(self) -> tuple[Problem, ...]:
        """Problems of the lists that this way could not give."""
        return tuple(self._lost)

    def _failure_of_way(self) -> Problem | None:
        """The problem that the way failed by. A list that is its own fault fails alone while others were read."""
        by_host = [problem for problem in self._lost if problem.error not in _OWN_FAULT]
        if by_host or (self._lost and len(self._lost) >= len(self._lists)):
            return (by_host or self._lost)[0]
        return None

    def _is_silent(self) -> bool:
        if self._way.patience is None or self.now is None:
            return False
        news_at = self._news.get(self._way.label)
        return news_at is None or self.now - datetime.fromisoformat(news_at) > self._way.patience

    def _accept_way(self, *, failed: bool) -> None:
        for problem in self._lost:
            if failed:
                self.fail(problem)
            else:
                self.note(replace(problem, fails_source=False))
        if self._left and not failed:
            self.warn("", [Detail.of("came-by", way=self._way.name, reasons=self._reasons())])

    def _conclude_in_vain(self) -> None:
        """No way is left. It is no failure where one of them did answer, though it had nothing new."""
        failed = [left for left in self._left if left.problem is not None]
        if len(failed) < len(self._left):
            self.warn("", [Detail.of("nothing-new-by", reasons=self._reasons())])
        elif failed and failed[0].problem is not None:
            self.fail(failed[0].problem)
            if further := self._reasons()[1:]:
                self.warn("", [Detail.of("no-other-way", reasons=further)])

    def _reasons(self) -> tuple[Detail, ...]:
        return tuple(Detail.of("way-left", way=left.way.name, reason=left.reason) for left in self._left)

    def _note_news(self, items: Sequence[RawItem], *, unchanged: bool = False) -> None:
        """Note when the way last gave something new; the first list that it ever gave counts as new.

        Args:
            items: of one of its lists.
            unchanged: the list has not changed (304).
        """
        if self._way.patience is None or self.now is None:
            return
        earlier = self.state.cursor.get("news", {}).get(self._way.label)
        is_first = earlier is None and (unchanged or bool(items))
        news_at = self.now.isoformat(timespec="minutes") if is_first or any(map(self.is_new, items)) else earlier
        if news_at is not None:
            self._news[self._way.label] = max(news_at, self._news.get(self._way.label, ""))

    def validators(self, url: str) -> Validators:
        """ETag and Last-Modified that the last run got for one of the lists."""
        if self._main == url:
            return self.state.etag, self.state.last_modified
        etag, last_modified = self.state.cursor.get("validators", {}).get(url, (None, None))
        return etag, last_modified

    def is_new(self, item: RawItem) -> bool:
        """Whether no earlier run has seen the item."""
        return fingerprint(item) not in self.state.cursor.get("seen", ())

    def remember(self, items: Iterable[RawItem]) -> None:
        """Let the next run know these items, which are not handed on."""
        self._seen |= dict.fromkeys(map(fingerprint, items))

    def limit(self, ask: Ask, page: Page) -> Page:
        """Leave out the oldest items of a page where the run has more than `MOST_ITEMS`, with a warning.

        Args:
            ask: of the page.
            page: as its function read it.
        """
        room = max(MOST_ITEMS - self._item_count, 0)
        if len(page.items) <= room:
            return page
        self.warn(ask.url, [Detail.of("items-left-out", count=len(page.items) - room, most=MOST_ITEMS)])
        return replace(page, items=keep_newest(page.items, room), asks=())

    def read(self, ask: Ask, reply: Reply, page: Page, depth: int) -> tuple[Ask, ...]:
        """Take in one slice of a list.

        Args:
            depth: 1 for the first slice, 2 for the one that it asked for, and so on.

        Returns:
            The slices to ask for next, which are open now.
        """
        self._open -= 1
        self._item_count += len(page.items)
        self.warn(ask.url, page.warnings)
        if page.is_cut_short:
            self._complete = False
            self.warn(ask.url, [Detail.of("page-cut-short", count=len(page.items))])
        if depth == 1:
            self._validators[ask.url] = _validators_of(reply)
            self._answered_by = host_of(reply.url)
        reaches_known = bool(page.items) and not self.is_new(page.items[-1])
        self._note_news(page.items)
        self.remember(page.items)
        if reaches_known and not self.reads_past_known:
            return ()
        if depth >= (self._way.slices or self.source.max_pages):
            if page.asks and self._way.slices:
                self._reaches_back = False
            if page.asks and self.state.cursor.get("seen") and not reaches_known:
                self.warn(ask.url, [Detail.of("more-is-new")])
            return ()
        hosts = {host_of(ask.url), host_of(reply.url)}
        near = tuple(next_ask for next_ask in page.asks if host_of(next_ask.url) in hosts)
        far = [next_ask.url for next_ask in page.asks if next_ask not in near]
        self.warn(ask.url, (Detail.of("page-on-other-host", address=url[:200]) for url in far))
        self._open += len(near)
        return near

    def unchanged(self, ask: Ask) -> None:
        """Close a list that has not changed (304)."""
        self._open -= 1
        self._note_news((), unchanged=True)
        self._validators[ask.url] = self.validators(ask.url)

    def lose(self, problem: Problem) -> None:
        """A slice of a list could not be read: the way has not given all that the run wanted."""
        self._open -= 1
        self._lost.append(problem)

    def warn(self, url: str, details: Iterable[Detail]) -> None:
        """Add a warning for each detail: at most one record or page is lost."""
        self._problems += (Problem(url, WARNING, detail, fails_source=False) for detail in details)

    def note(self, problem: Problem) -> None:
        """Add a problem with a request that is not one of the lists."""
        self._problems.append(problem)

    def fail(self, problem: Problem) -> None:
        """Something that was read is lost all the same: the next run must read it again."""
        self._complete = False
        self._problems.append(problem)

    def next_page(self) -> Ask | None:
        """The next article's page, when the lists are read; open now."""
        ask = None if self._open else self.pages.next()
        self._open += ask is not None
        return ask

    def close_page(self) -> None:
        """An article's page was answered, one way or another."""
        self._open -= 1

    def leave_pages(self, ask: Ask) -> None:
        """Neither ask for this article's page nor for the others in this run: their host does not want us now."""
        self._open -= 1
        self.pages.stop()
        self.warn(ask.url, [Detail.of("pages-wait", count=len(self.pages.left()))])

    @property
    def has_news(self) -> bool:
        """Whether a batch without items would say anything."""
        return bool(self._problems) or self._open == 0

    def batch(self, items: Iterable[RawItem] = ()) -> Batch:
        """Items, and the problems since the last batch; the last batch when nothing is open any more."""
        self.wants_next_way(may_leave=False)
        problems, self._problems = tuple(self._problems), []
        finished = self._open == 0
        state = self._new_state() if finished and self._complete else None
        traffic, self._traffic = self._traffic, Traffic()
        return Batch(self.source.id, tuple(items), problems, state, finished, self._answered_by, traffic)

    def count_request(self) -> None:
        """Count a request for the ledger."""
        self._traffic = replace(self._traffic, requests=self._traffic.requests + 1)

    def count_reply(self, size: int) -> None:
        """Count a reply of so many bytes for the ledger."""
        traffic = self._traffic
        self._traffic = replace(traffic, replies=traffic.replies + 1, size=traffic.size + size)

    def _new_state(self) -> SourceState:
        validators = {ask.url: self.validators(ask.url) for ask in self._way.asks} | self._validators
        etag, last_modified = validators.pop(self._main, (self.state.etag, self.state.last_modified))
        remembered = max(REMEMBERED, REMEMBERED_OF_A_LIST * len(self._lists))
        fingerprints = [*dict.fromkeys([*self._seen, *self.state.cursor.get("seen", ())])][:remembered]
        earlier = {name: note for name, note in self.state.cursor.items() if name in self.notes}
        cursor = {
            **(self.notes if self._reaches_back else earlier),
            "seen": fingerprints,
            "validators": {url: list(pair) for url, pair in validators.items() if any(pair)},
            "pending": self.pages.left(),
            "news": {**self.state.cursor.get("news", {}), **self._news},
        }
        return SourceState(etag, last_modified, {name: entry for name, entry in cursor.items() if entry})


def keep_newest(items: Sequence[RawItem], count: int) -> tuple[RawItem, ...]:
    """Keep so many of the newest items, in their order.

    An item whose date is written in no machine's form counts as old as the item before it. Lists begin with the newest
    item, so the first ones stay where nothing has a date.

    Args:
        items: of a list.
        count: of the items to keep.
    """
    moments, last = [], datetime.max.replace(tzinfo=UTC)
    for item in items:
        last = _moment(item) or last
        moments.append(last)
    newest = sorted(range(len(items)), key=lambda index: (moments[index], -index), reverse=True)[:count]
    return tuple(items[index] for index in sorted(newest))


def _moment(item: RawItem) -> datetime | None:
    """The date of an item as RFC 5322, ISO 8601 or a Unix time write it."""
    written = item.published or item.updated or ""
    try:
        if written.isdigit():
            return datetime.fromtimestamp(int(written[:10]), UTC)
        read_date = datetime.fromisoformat if written[:4].isdigit() else parsedate_to_datetime
        moment = read_date(written)
    except (ValueError, OverflowError, OSError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def fingerprint(item: RawItem) -> str:
    """The hash by which a cursor remembers an item."""
    return blake2b((item.ids[0] if item.ids else item.url).encode(errors="replace"), digest_size=6).hexdigest()


def conditional_headers(validators: Validators) -> dict[str, str]:
    """The headers that ask for a list only if it has changed (RFC 9110, 13.1).

    >>> conditional_headers(('W/"1"', None))
    {'If-None-Match': 'W/"1"'}
    """
    names = ("If-None-Match", "If-Modified-Since")
    return {name: validator for name, validator in zip(names, validators, strict=True) if validator}


def _validators_of(reply: Reply) -> Validators:
    etag, last_modified = (reply.headers.get(name, "") for name in ("etag", "last-modified"))
    return _fit(etag), _fit(last_modified)


def _fit(validator: str) -> str | None:
    return validator if validator and len(validator) <= _LONGEST_VALIDATOR and validator.isprintable() else None
