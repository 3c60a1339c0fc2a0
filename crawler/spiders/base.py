"""The base of all spiders: requests, replies, a batch for each reply. An error ends the run of one source only."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Final, Self

from scrapy import Spider
from scrapy.crawler import Crawler
from scrapy.http import Request, Response
from twisted.python.failure import Failure

from crawler.errors import Blocked, Detail, FetchFailed, Gone, PageChanged, RateLimited, Refused, detail_of
from crawler.home import Home
from crawler.items import Ask, Batch, Page, Problem, RawItem, Reply, SourceState
from crawler.kinds import GENERIC, Kind
from crawler.network.credentials import credential_for, origin, withheld_secret
from crawler.network.failures import meaning
from crawler.network.gate import NotAsked
from crawler.network.policy import Policy, policy_of
from crawler.network.retry import CUT_SHORT, Retry, plain_headers
from crawler.sites import GITHUB_API
from crawler.sources.file import load_sources
from crawler.sources.schema import Source
from crawler.spiders.page_process import PageProcess
from crawler.spiders.read_page import is_mistake, read_page
from crawler.spiders.reading import TRIES, Reading, Validators, Way, conditional_headers
from crawler.spiders.route import page_for
from crawler.urls import host_of

ONE_ARTICLE: Final = 0
"""Depth of the page of a single article; the slices of a list count from 1."""

_ZHIHU: Final = ("https://www.zhihu.com", "https://api.zhihu.com", "https://zhuanlan.zhihu.com")

_NO_TRY: Final = (NotAsked, RateLimited, Refused)
"""Errors that concern the whole host, not the single page."""

_BLOCKED_IN_A_ROW: Final = 2
"""Articles' pages of one host behind a challenge, one after another, until it is left alone for this run: one may be
the article's own fault, and a host that is asked on stays closed for longer."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """A request that a source's run wants made.

    Args:
        reading: the run.
        ask: the request.
        depth: of a slice of a list, from 1; or `ONE_ARTICLE`.
        validators: of the list, as the last run got them.
    """

    reading: Reading
    ask: Ask
    depth: int
    validators: Validators = (None, None)


class SourceSpider(Spider):
    """Runs all sources of one kind. A kind's own spider says where to start.

    Args:
        sources: sources to run; by default all of the kind that are enabled in the newsletter's sources.toml.
        states: by source id; the caller hands them in, because a spider knows no store.
        now: aware; when the run began.
        read_saved: reads the pages that somebody saved for a source, by its id; without it there are none.
    """

    kind: ClassVar[Kind]
    reads_past_known: ClassVar[bool] = False

    def __init__(
        self,
        sources: Sequence[Source] | None = None,
        states: Mapping[str, SourceState] | None = None,
        now: datetime | None = None,
        read_saved: Callable[[str], Batch] = Batch,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.now = now or datetime.now(UTC)
        self.read_saved = read_saved
        self._policy = Policy()
        self._sources = sources
        self._states = states or {}
        self._blocked: Counter[str] = Counter()
        self._left_alone: set[str] = set()
        self._waiting: dict[str, list[_Wish]] = {}
        self._shared: dict[str, tuple[Reply, Page]] = {}
        self._process = PageProcess()

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        """As Scrapy makes it, with the newsletter's policy."""
        spider = super().from_crawler(crawler, *args, **kwargs)
        spider._policy = policy_of(crawler.settings)
        return spider

    def closed(self, reason: str) -> None:  # noqa: ARG002
        """End the process that reads pages, as Scrapy closes the spider."""
        self._process.close()

    # ---- methods that a kind overrides

    def first_asks(self, reading: Reading) -> Iterable[Ask]:
        """Where a source's run begins.

        Raises:
            SourceMisconfigured: the row cannot work.
        """
        raise NotImplementedError

    def ways(self, reading: Reading) -> Iterable[Way]:
        """The ways to a source's entries, in order; each is made when its turn comes.

        Raises:
            SourceMisconfigured: the row cannot work.
        """
        yield Way(tuple(self.first_asks(reading)))

    def leaves_way(self, problem: Problem) -> bool:  # noqa: ARG002
        """Whether after this problem another way may do better."""
        return True

    def choose_items(self, reading: Reading, ask: Ask, page: Page) -> Page:  # noqa: ARG002
        """The page with the items that the source asks for, where its reply holds others too."""
        return page

    def page_asks(self, reading: Reading, items: Sequence[RawItem]) -> Iterable[Ask]:  # noqa: ARG002
        """Pages of single articles that a slice of a list makes us want."""
        return ()

    def address_of(self, ask: Ask, response: Response) -> str:  # noqa: ARG002
        """The address that the page function gets as the reply's."""
        return response.url

    # ---- asking

    async def start(self) -> AsyncIterator[Batch | Request]:
        """The first requests of each source; a source that has none ends here."""
        for source in self._own() if self._sources is None else self._sources:
            state = self._states.get(source.id, SourceState())
            reading = Reading(source, state, reads_past_known=self.reads_past_known, now=self.now)
            reading.ways = iter(self.ways(reading))
            for output in self._go_on(reading, (), *self._open_way(reading)):
                yield output

    def _own(self) -> list[Source]:
        registry = load_sources(Home(Path(self.settings["JIANBAO_HOME"])))
        for mistake in registry.mistakes:
            self.logger.warning("%s", mistake)
        return [source for source in registry.sources if source.kind == self.kind and source.enabled]

    def _open_way(self, reading: Reading) -> tuple[list[RawItem], list[_Wish]]:
        """Open the next way that has lists, and the ways before it that have none.

        Returns:
            Items of the ways without lists, and the lists to ask for.
        """
        items: list[RawItem] = []
        while True:
            try:
                way = reading.open_next_way()
            except Exception as error:
                reading.fail(self._explain(reading, reading.source.url or "", error))
                return items, []
            items += way.items
            for ask in way.asks:
                reading.warn(ask.url, _withheld(ask, self._policy))
            if way.asks or not reading.wants_next_way():
                return items, [_Wish(reading, ask, 1, reading.validators(ask.url)) for ask in way.asks]

    def _send(self, wish: _Wish) -> Iterator[Batch | Request]:
        """Make a request, or wait for the same request of another source, or take the answer that this one got."""
        if not wish.ask.shared:
            yield self._request(wish)
        elif answer := self._shared.get(wish.ask.url):
            yield from self._take(wish, *answer)
        elif wish.ask.url in self._waiting:
            self._waiting[wish.ask.url].append(wish)
        else:
            self._waiting[wish.ask.url] = []
            yield self._request(wish)

    def _request(self, wish: _Wish) -> Request:
        ask = wish.ask
        wish.reading.count_request()
        validators = {} if ask.shared else conditional_headers(wish.validators)
        return Request(
            ask.url,
            callback=self._answered,
            errback=self._unanswered,
            headers={**ask.headers, **validators},
            cb_kwargs={"wish": wish},
            meta=_credential(ask, self._policy),
            dont_filter=True,  # two sources may share an address, and each waits for its own answer
        )

    # ---- reading

    async def _answered(self, response: Response, wish: _Wish) -> AsyncIterator[Batch | Request]:
        wish.reading.count_reply(len(response.body))
        if response.status == 304:
            wish.reading.unchanged(wish.ask)
            for output in self._go_on(wish.reading):
                yield output
            return
        headers = plain_headers(response)
        url = self.address_of(wish.ask, response)
        reply = Reply(url, response.status, headers, response.body, datetime.now(UTC))
        is_cut_short = CUT_SHORT in response.flags
        try:
            if is_cut_short and wish.depth == ONE_ARTICLE:  # half an article is no article
                raise FetchFailed("cut-short", url=reply.url)
            page = await _read(wish.reading.source, wish.ask, reply, self._process)
            if is_cut_short:
                page = replace(page, is_cut_short=True)
            if page.is_cut_short and (again := self._again(response, FetchFailed("cut-short"))):
                yield again
                return
        except Exception as error:
            again = self._again(response, error)
            if again is not None:
                yield again
                return
            for waiting in self._end_waiting(wish):
                for output in self._failed(waiting, error):
                    yield output
            return
        if wish.ask.shared:
            self._shared[wish.ask.url] = (reply, page)
        for waiting in self._end_waiting(wish):
            for output in self._take(waiting, reply, page):
                yield output

    def _end_waiting(self, wish: _Wish) -> list[_Wish]:
        """All that wait for the answer to one request."""
        return [wish, *(self._waiting.pop(wish.ask.url, []) if wish.ask.shared else [])]

    def _take(self, wish: _Wish, reply: Reply, page: Page) -> Iterator[Batch | Request]:
        """Take in a page for one source."""
        reading, ask = wish.reading, wish.ask
        try:
            page = reading.limit(ask, self.choose_items(reading, ask, page))
            article_asks = () if wish.depth == ONE_ARTICLE else tuple(self.page_asks(reading, page.items))
        except Exception as error:
            yield from self._failed(wish, error)
            return
        if wish.depth == ONE_ARTICLE:
            self._blocked.pop(host_of(ask.url), None)
            reading.close_page()
            reading.pages.done(ask)
            reading.warn(ask.url, page.warnings)
            yield from self._go_on(reading, page.items)
        else:
            for article_ask in article_asks:
                reading.pages.want(article_ask)
            slices = reading.read(ask, reply, page, wish.depth)
            wishes = [_Wish(reading, next_ask, wish.depth + 1) for next_ask in slices]
            yield from self._go_on(reading, page.items, wishes=wishes)

    def _again(self, response: Response, error: Exception) -> Request | None:
        """Another try for an answer that came and was none, as busy servers give."""
        if not isinstance(error, FetchFailed) or response.status >= 400 or response.request is None:
            return None
        return Retry.from_crawler(self.crawler).again(response.request, type(error).__name__)

    def _go_on(
        self,
        reading: Reading,
        items: Sequence[RawItem] = (),
        way_items: Sequence[RawItem] = (),
        wishes: Sequence[_Wish] = (),
    ) -> Iterator[Batch | Request]:
        """Give the batch, then the next requests: the batch is stored before the next request is made.

        Args:
            reading: the source's run.
            items: of the reply.
            way_items: of ways that need no request.
            wishes: lists to ask for.
        """
        if reading.wants_next_way(may_leave=all(map(self.leaves_way, reading.lost))):
            way_items, wishes = self._open_way(reading)
        page = reading.next_page()
        if page is not None and host_of(page.url) in self._left_alone:
            reading.leave_pages(page)
            page = None
        items = (*items, *way_items)
        if items or reading.has_news:
            yield reading.batch(items)
        for wish in wishes:
            yield from self._send(wish)
        if page is not None:
            yield self._request(_Wish(reading, page, ONE_ARTICLE))

    # ---- failing

    def _unanswered(self, failure: Failure) -> Iterator[Batch | Request]:
        error = failure.value or RuntimeError("a failure without an error")
        for waiting in self._end_waiting(failure.request.cb_kwargs["wish"]):  # type: ignore[attr-defined]
            yield from self._failed(waiting, error)

    def _failed(self, wish: _Wish, error: BaseException) -> Iterator[Batch | Request]:
        problem = self._explain(wish.reading, wish.ask.url, error)
        if wish.depth == ONE_ARTICLE:
            self._lose_page(wish.reading, wish.ask, problem, error)
        else:
            wish.reading.lose(problem)
        yield from self._go_on(wish.reading)

    def _log_mistake(self, source: str, url: str, error: BaseException | None) -> None:
        """Log an error of the code with its traceback; whoever formats the log finds source and address apart."""
        facts = {"event": "mistake", "source": source, "url": url}
        self.logger.error("%s: %s", source, url, exc_info=error, extra={"facts": facts})

    def _explain(self, reading: Reading, url: str, error: BaseException) -> Problem:
        """The problem that an error stands for; an unknown error goes to the log with its traceback."""
        crawl_error = meaning(error, url)
        if crawl_error is not None and is_mistake(crawl_error.__cause__):
            self._log_mistake(reading.source.id, url, crawl_error.__cause__)
        if crawl_error is None:
            self._log_mistake(reading.source.id, url, error)
            return Problem(url, "InternalError", detail_of(error))
        retry_at = crawl_error.retry_at if isinstance(crawl_error, RateLimited) else None
        name = type(crawl_error).__name__
        return Problem(crawl_error.url, name, crawl_error.detail, retry_at=retry_at, remedy=crawl_error.remedy)

    def _lose_page(self, reading: Reading, ask: Ask, problem: Problem, error: BaseException) -> None:
        host = host_of(ask.url)
        reading.close_page()
        self._blocked[host] = self._blocked[host] + 1 if isinstance(error, Blocked) else 0
        if isinstance(error, _NO_TRY) or self._blocked[host] >= _BLOCKED_IN_A_ROW:
            self._left_alone.add(host)
        if isinstance(error, Gone):
            reading.pages.done(ask)
        elif not isinstance(error, _NO_TRY) and reading.pages.failed(ask):
            problem = replace(problem, detail=Detail.of("given-up", count=TRIES, reason=problem.detail))
        reading.note(replace(problem, fails_source=False))


async def _read(source: Source, ask: Ask, reply: Reply, process: PageProcess) -> Page:
    """Read a reply by its page function. An item of a generic kind gets the kind of its source.

    Args:
        source: whose run asked.
        ask: the request.
        reply: the answer.
        process: reads the pages of sites that no page function knows.

    Raises:
        CrawlError: the reply is not the page.
    """
    name = page_for(reply) if ask.page == "web" else ask.page
    try:
        page = await process.read(name, reply) if name == "web" else read_page(name, reply)
    except PageChanged as error:
        if reply.status < 400:
            raise
        raise FetchFailed("http-status", url=reply.url, status=reply.status) from error
    if reply.status >= 400:
        raise FetchFailed("http-status", url=reply.url, status=reply.status)
    if source.kind in GENERIC:
        return page
    items = (replace(item, kind=source.kind) if item.kind in GENERIC else item for item in page.items)
    return replace(page, items=tuple(items))


def _credential(ask: Ask, policy: Policy) -> dict[str, Any]:
    """The credential that an ask may need: GitHub's for its API, a user's cookie for Zhihu.

    Its own site sees it, and the origins that newsletter.toml names. A source's `base_url` is no such name: a row may
    come from somebody else's list.
    """
    site = ask.page.split(".")[0]
    if site == "github" and ask.page != "github.trending":
        return credential_for("github", GITHUB_API, *policy.credentials.github)
    return credential_for("zhihu", *_ZHIHU, *policy.credentials.zhihu) if site == "zhihu" else {}


def _withheld(ask: Ask, policy: Policy) -> list[Detail]:
    """A warning where a list is asked for without the secret that its operator may expect it to get."""
    if variable := withheld_secret(ask.url, _credential(ask, policy)):
        site = ask.page.split(".")[0]
        setting = f'{site} = ["{origin(ask.url)}"]'
        return [Detail.of("secret-withheld", variable=variable, setting=setting)]
    return []
