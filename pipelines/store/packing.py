"""Text and articles as compressed bytes."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from pipelines.deduplicate.identity import DatedMetrics
from pipelines.model import Article, Instant, Reference

_LEVEL: Final = 3
_LEVEL_OF_SHORT: Final = 1
_SHORT: Final = 1_000
"""Bytes of a text, as most entries of feeds are, for which a lower level takes half the time and saves as much."""

_WINDOW: Final = 13
_MEMORY: Final = 6
"""An 8 KB window: on texts of this size zlib's defaults take three times as long, clearing memory, to save 2 %."""

_ENCODE: Final = json.JSONEncoder(ensure_ascii=False).encode

_AT_DEFAULT: Final[tuple[object, ...]] = (None, "", (), {}, False)


def pack(text: str) -> bytes:
    """Compress a text; a lone surrogate survives.

    >>> unpack(pack("端侧推理"))
    '端侧推理'
    """
    encoded = text.encode(errors="surrogatepass")
    level = _LEVEL if len(encoded) > _SHORT else _LEVEL_OF_SHORT
    deflate = zlib.compressobj(level, zlib.DEFLATED, _WINDOW, _MEMORY)
    return deflate.compress(encoded) + deflate.flush()


def unpack(packed: bytes) -> str:
    """Decompress the text that `pack` compressed."""
    return zlib.decompress(packed).decode(errors="surrogatepass")


def pack_article(article: Article) -> bytes:
    """Compress an article without keys and metrics, which have their own columns."""
    fields = {name: getattr(article, name) for name in _PLAIN}
    values = {name: field for name, field in fields.items() if field not in _AT_DEFAULT}
    values["fetched_at"] = _from_moment(article.fetched_at)
    values["published"] = _from_instant(article.published)
    if article.updated:
        values["updated"] = _from_instant(article.updated)
    if article.references:
        values["references"] = [
            (reference.key, reference.url, reference.label, reference.primary, reference.position)
            for reference in article.references
        ]
    return pack(_ENCODE(values))


def unpack_article(packed: bytes) -> Article:
    """Decompress the article that `pack_article` compressed."""
    values: dict[str, Any] = json.loads(unpack(packed))
    values["keys"] = ()
    values["tags"] = tuple(values.get("tags", ()))
    for name in ("kind", "source", "url", "seen_url", "title"):
        values.setdefault(name, "")
    values["fetched_at"] = datetime.fromisoformat(values["fetched_at"])
    values["published"] = _to_instant(values["published"])
    if "updated" in values:
        values["updated"] = _to_instant(values["updated"])
    values["references"] = tuple(Reference(*reference) for reference in values.get("references", ()))
    return Article(**values)


def unpack_metrics(stored: Mapping[str, list[float]]) -> DatedMetrics:
    """Read metrics from the JSON of a row: each is a list of the number and the time when it was read."""
    return {name: (int(number), read_at) for name, (number, read_at) in stored.items()}


_PLAIN: Final = tuple(
    name
    for name in Article.__dataclass_fields__
    if name not in ("fetched_at", "published", "updated", "references", "links", "keys", "entry_keys", "metrics")
)


def _from_instant(instant: Instant) -> tuple[str, str, str, str | None]:
    return _from_moment(instant.at), instant.precision, instant.source, instant.raw


def _from_moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()  # the tables return the same zone


def _to_instant(values: list[Any]) -> Instant:
    moment, precision, source, raw = values
    return Instant(datetime.fromisoformat(moment), precision, source, raw)
