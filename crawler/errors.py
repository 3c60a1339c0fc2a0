"""Errors between a source and its items, each named for the fact."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar


class CrawlError(Exception):
    """The base of all errors: source, URL, detail and remedy. Never raised itself.

    Args:
        detail: the fact, in one line.
        url: of the request; a caller may fill it in.
        source: the source's id; likewise.
        remedy: advice to the editor, where the class's own is too general.
    """

    remedy: ClassVar[str] = ""
    fails_source: ClassVar[bool] = True

    def __init__(self, detail: str, *, url: str = "", source: str = "", remedy: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.url = url
        self.source = source
        self.advice = remedy or type(self).remedy

    def __str__(self) -> str:
        where = " ".join(part for part in (self.source, self.url) if part)
        what = ". ".join(part.rstrip(".") for part in (self.detail, self.advice) if part)
        return f"{where}: {what}" if where else what


class PageChanged(CrawlError):
    """A reply whose shape no page function knows. Raised by `crawler.pages`."""

    remedy = "the site may have changed: keep the reply with `scrapy record URL` and teach its page function"


class Blocked(CrawlError):
    """A challenge, a verification or a refusal stands where the page should be. Raised by `crawler.pages`."""

    remedy = "use a feed of this source, your own cookie, or save the page in a browser and `jianbao add` it"


class Gone(CrawlError):
    """The page says that its article is no more (deleted, violation, unavailable). Raised by `crawler.pages`."""

    remedy = "nothing to do: the article is not to be had any more"
    fails_source = False


class RateLimited(CrawlError):
    """The site asks to come back later.

    Raised by `crawler.network` (429, 503) and `crawler.pages` (answers of GitHub and arXiv).
    """

    remedy = "nothing to do: the source is asked again when the site allows it"

    def __init__(self, detail: str, *, retry_at: datetime | None = None, url: str = "", source: str = "") -> None:
        super().__init__(detail, url=url, source=source)
        self.retry_at = retry_at


class FetchFailed(CrawlError):
    """No complete answer: name resolution, connection, time-out, a body cut short, or a status that says so."""

    remedy = "asked again at the next run; check the address if it lasts"


class Refused(CrawlError):
    """We do not make this request: address not public, scheme or port not allowed, or robots.txt denies it."""

    remedy = "if the address is yours, list host:port under [network] allow_hosts in newsletter.toml"


class TooLarge(CrawlError):
    """A reply over the size limit, also after decompression."""

    remedy = "the limit is DOWNLOAD_MAXSIZE in crawler/settings.py"


class SourceMisconfigured(CrawlError):
    """A row of sources.toml that cannot work. Raised by `crawler.sources`, `crawler.spiders`, `crawler.pages`."""

    remedy = "correct the source in sources.toml, then run `jianbao sources check`"
