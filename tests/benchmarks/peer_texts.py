"""Reads pages with another program's library; needs nothing but that library, so that any interpreter can run it.

    python tests/benchmarks/peer_texts.py NAME FOLDER COUNT [FILE]

Reads the first COUNT pages (`*.html`) of the folder, all of them once for 0, and writes their texts to the file as
JSON, by the page's name. Exits with 3 where the library is not installed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

ADDRESS: Final = "https://page.example/article"

Reader = Callable[[bytes], "str | None"]


def load_trafilatura() -> Reader:
    """With metadata, as the others find them too."""
    from trafilatura import bare_extraction  # noqa: PLC0415

    def read(body: bytes) -> str | None:
        document: Any = bare_extraction(body, url=ADDRESS, with_metadata=True, include_comments=False)
        return document.text if document else None

    return read


def load_newspaper() -> Reader:
    """Its parser, without the summaries and key words of its language part."""
    from newspaper import Article  # noqa: PLC0415

    def read(body: bytes) -> str | None:
        article = Article(ADDRESS)
        article.download(input_html=body.decode(errors="replace"))
        article.parse()
        return str(article.text)

    return read


def load_newsplease() -> Reader:
    """All its extractors, as it runs them by default."""
    from newsplease import NewsPlease  # noqa: PLC0415

    def read(body: bytes) -> str | None:
        text: str | None = NewsPlease.from_html(body.decode(errors="replace"), url=ADDRESS, fetch_images=False).maintext
        return text

    return read


PEERS: Final = {"trafilatura": load_trafilatura, "newspaper": load_newspaper, "newsplease": load_newsplease}
"""By the name of the package."""


def main(name: str, folder: str, count: str, file: str = "") -> None:
    """Read the pages."""
    if find_spec(name) is None:
        sys.exit(3)
    read = PEERS[name]()
    texts = {}
    for path in sorted(Path(folder).glob("*.html"))[: int(count) or None]:
        try:
            texts[path.name] = read(path.read_bytes()) or ""
        except Exception:  # of any kind: a page that a library fails on has no text
            texts[path.name] = ""
    if file:
        Path(file).write_text(json.dumps(texts), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
