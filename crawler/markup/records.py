"""The rule for lists: a record that is not understood warns, a list without any that is understood is not our page."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from crawler.errors import CrawlError, Detail, NotUnderstood, PageChanged, detail_of
from crawler.items import RawItem, Reply

Record = TypeVar("Record")


def read_each(
    records: Iterable[Record], read: Callable[[Record, Reply], RawItem], reply: Reply
) -> tuple[tuple[RawItem, ...], tuple[Detail, ...]]:
    """Read each record of a list.

    Args:
        read: makes an item of a record, or raises NotUnderstood. Any other error than the crawler's own means the same.

    Returns:
        The items in the list's order, and the warnings.

    Raises:
        PageChanged: there are records, and not one of them is understood.
    """
    items: list[RawItem] = []
    warnings: list[Detail] = []
    for record in records:
        try:
            items.append(read(record, reply))
        except CrawlError:
            raise
        except NotUnderstood as error:
            warnings.append(error.detail)
        except Exception as error:
            warnings.append(Detail.of("odd-record", reason=detail_of(error)))
    if warnings and not items:
        raise PageChanged("no-record-understood", url=reply.url, count=len(warnings), first=warnings[0])
    return tuple(items), tuple(warnings)
