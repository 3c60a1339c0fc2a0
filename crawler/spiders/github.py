"""GitHub: searches for repositories, releases of repositories, and the trending page.

Domain: api.github.com; github.com for the trending page.
Caveats: 60 requests an hour, 5,000 with GITHUB_TOKEN; a search gives its first 1,000 results. The trending page has no
    API, so its HTML is read.
API documentation: https://docs.github.com/en/rest/search/search, https://docs.github.com/en/rest/releases/releases.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote, urlencode

from crawler.items import Ask
from crawler.sites import GITHUB_API
from crawler.spiders.base import SourceSpider
from crawler.spiders.reading import Reading
from crawler.spiders.route import GITHUB_HEADERS


class GithubSpider(SourceSpider):
    """REST where there is an API, the page where there is none. GITHUB_TOKEN goes to the API's own host only."""

    name = kind = "github"

    def first_asks(self, reading: Reading) -> Iterable[Ask]:
        """One list, or one for each repository."""
        source = reading.source
        if source.mode == "trending":
            site = (source.base_url or "https://github.com").rstrip("/")
            language = f"/{quote(source.query)}" if source.query else ""
            return [Ask(source.url or f"{site}/trending{language}", "github.trending")]
        api = (source.base_url or GITHUB_API).rstrip("/")
        if source.mode == "search":
            query = urlencode({"q": source.query or "", "sort": "updated", "order": "desc", "per_page": 100})
            return [Ask(f"{api}/search/repositories?{query}", "github.search", GITHUB_HEADERS)]
        return [
            Ask(f"{api}/repos/{name}/releases?per_page=30", "github.releases", GITHUB_HEADERS) for name in source.repos
        ]
