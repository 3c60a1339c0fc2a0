"""holidays.toml: the days on which no source is expected to publish."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from crawler.errors import NotUnderstood
from pipelines.validation import Table, as_tuple


def _in_order(span: tuple[date, date]) -> tuple[date, date]:
    if span[0] > span[1]:
        raise NotUnderstood("span-out-of-order", first=span[0].isoformat(), last=span[1].isoformat())
    return span


Span = Annotated[tuple[date, date], AfterValidator(_in_order), BeforeValidator(as_tuple)]


class Holiday(Table):
    """A holiday, as it falls in several years.

    Args:
        name: for whoever reads the table.
        spans: the first and the last day, of each year.
    """

    name: str = Field(min_length=1)
    spans: Annotated[tuple[Span, ...], BeforeValidator(as_tuple)] = Field(min_length=1)


class HolidayRules(Table):
    """The table of holidays."""

    holidays: Annotated[tuple[Holiday, ...], BeforeValidator(as_tuple)] = ()

    @property
    def spans(self) -> tuple[tuple[date, date], ...]:
        """The first and the last day of every holiday."""
        return tuple(span for holiday in self.holidays for span in holiday.spans)
