"""The rule for lists: a record that is not understood warns, a list without any that is understood is not our page."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from crawler.errors import CrawlError, PageChanged
from crawler.items import RawItem, Reply

Record = TypeVar("Record")


def read_each(
    records: Iterable[Record], read: Callable[[Record, Reply], RawItem], reply: Reply
) -> tuple[tuple[RawItem, ...], tuple[str, ...]]:
    """Read each record of a list.

    Args:
        read: makes an item of a record, or raises ValueError, saying in one line why it can not. Any other error than
            the crawler's own means the same.

    Returns:
        The items in the list's order, and the warnings.

    Raises:
        PageChanged: there are records, and not one of them is understood.
    """
    items: list[RawItem] = []
    warnings: list[str] = []
    for record in records:
        try:
            items.append(read(record, reply))
        except CrawlError:
            raise
        except ValueError as error:
            warnings.append(str(error))
        except Exception as error:
            warnings.append(f"a record that is not as expected: {type(error).__name__}: {error}"[:300])
    if warnings and not items:
        raise PageChanged(f"none of {len(warnings)} records is understood; the first: {warnings[0]}", url=reply.url)
    return tuple(items), tuple(warnings)
