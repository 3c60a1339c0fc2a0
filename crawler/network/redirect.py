"""Following redirects, where Scrapy's own way leaves something to wish for."""

from __future__ import annotations

from typing import Self

from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Request, Response

from crawler.errors import FetchFailed, Refused, detail_of
from crawler.network.policy import Policy, policy_of


class Redirect(RedirectMiddleware):
    """Checks every address before it is requested, and raises an error for a redirect that cannot be followed.

    A redirected request passes all middlewares and the door again, with the credentials of nobody: those are added
    at the door, by origin.
    """

    _policy: Policy

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Without Scrapy's warning that no middleware sets a Referer: we never send one."""
        middleware = cls(crawler.settings)
        middleware.crawler = crawler
        middleware._policy = policy_of(crawler.settings)
        return middleware

    def process_request(self, request: Request) -> None:
        """Refuse at once what the door would refuse: no robots.txt is asked for an address that we may not reach.

        Raises:
            Refused: scheme, port, credentials or length that we do not allow.
        """
        self._policy.check(request.url)

    def process_response(self, request: Request, response: Response) -> Request | Response:  # type: ignore[override]
        """The redirected request, or the answer that is none.

        Raises:
            FetchFailed: the redirects run in circles, or lead to no address.
            Refused: to an address that we may not ask for.
        """
        try:
            followed = super().process_response(request, response)
        except (ValueError, IgnoreRequest) as error:
            location = (response.headers.get("Location") or b"")[:200].decode("latin-1")
            raise FetchFailed("bad-redirect", url=request.url, location=location, reason=detail_of(error)) from error
        if isinstance(followed, Response) and 300 <= followed.status < 400 and followed.status != 304:
            location = (followed.headers.get("Location") or b"nowhere")[:200].decode("latin-1")
            raise Refused("redirected", url=request.url, remedy="correct-own-address", location=location)
        return followed
