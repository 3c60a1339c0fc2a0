"""Single pages of the web, and whatever address an editor gives.

Domain: any.
Caveats: a page that needs scripts to show its text is read as far as its HTML goes.
API documentation: none; https://schema.org/Article and https://ogp.me say what a page says of itself.
"""

from __future__ import annotations

from collections.abc import Iterable

from crawler.items import Ask
from crawler.spiders.base import SourceSpider
from crawler.spiders.reading import Reading
from crawler.spiders.route import ask_for


class WebSpider(SourceSpider):
    """One page a source; a page of a site that we know better is asked for, and read, as that site wants it."""

    name = kind = "web"

    def first_asks(self, reading: Reading) -> Iterable[Ask]:
        """The page, or the API's answer with the same content."""
        return [ask_for(reading.source.url or "")]
