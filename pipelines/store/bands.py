"""Bands of titles and texts, by which SQL finds articles that may report the same event."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from sqlalchemy import Connection, delete

from pipelines.deduplicate import near, titles
from pipelines.deduplicate.bands import PERIOD, POPULAR, Bands, Pair, Use
from pipelines.store.bulk import QueryWithIds, chunks, insert_numbers, select_in
from pipelines.store.tables import bands

_SHIFT: Final = -(-max(titles.HORIZON, near.REACH) // PERIOD)
_SHIFTS: Final = f"shifts(periods) AS (VALUES {', '.join(f'({shift})' for shift in range(-_SHIFT, _SHIFT + 1))})"
"""Periods before or after a period that may lie within the reach of a band. SQL finds rows by a period and a key, and
not by a range of periods and a key."""

# Select each article of `ids` with every article that shares a band of `reach` with it, when the band is popular in the
# period of neither, and when the two articles belong to different accounts or to one day.
# A band that is popular in the article's own period is left out before its other holders are looked at: of a thousand
# nearly equal titles, each would meet each. Holders are counted once more only for a partner in another period.
_PAIRS: Final = QueryWithIds(
    f"""
    WITH {_SHIFTS}
    SELECT DISTINCT mine.article_id, theirs.article_id
    FROM bands AS mine
    CROSS JOIN shifts
    JOIN bands AS theirs ON theirs.period = mine.period + shifts.periods AND theirs.key = mine.key
        AND theirs.day BETWEEN mine.day - :reach AND mine.day + :reach
    WHERE mine.article_id IN :ids
      AND mine.reach = :reach
      AND (SELECT count(*) FROM (
              SELECT article_id FROM bands AS holder
              WHERE holder.period = mine.period AND holder.key = mine.key
              LIMIT :popular + 1) AS holders_in_my_period) <= :popular
      AND mine.period + shifts.periods BETWEEN (mine.day - :reach) / :period AND (mine.day + :reach) / :period
      AND theirs.article_id <> mine.article_id
      AND (theirs.account <> mine.account OR theirs.day = mine.day)
      AND (theirs.period = mine.period OR (SELECT count(*) FROM (
              SELECT article_id FROM bands AS holder
              WHERE holder.period = theirs.period AND holder.key = theirs.key
              LIMIT :popular + 1) AS holders_in_their_period) <= :popular)
    """,  # noqa: S608 - our constants
    period=PERIOD,
    popular=POPULAR,
)

# Select every use of a band of `reach` that an article of `ids` has, within `reach` days of that article, when the band
# is not popular in the period of the use. Holders are counted once for the articles of a day, and once more only for a
# use in another period.
_USES: Final = QueryWithIds(
    f"""
    WITH {_SHIFTS}, asked AS MATERIALIZED (
        SELECT DISTINCT period, key, day FROM bands WHERE article_id IN :ids AND reach = :reach
    ), own AS MATERIALIZED (
        SELECT period, key, day, (SELECT count(*) FROM (
              SELECT article_id FROM bands AS holder
              WHERE holder.period = asked.period AND holder.key = asked.key
              LIMIT :popular + 1) AS holders_in_the_period) AS holders
        FROM asked
    )
    SELECT DISTINCT theirs.key, theirs.day, theirs.account, theirs.article_id
    FROM own
    CROSS JOIN shifts
    JOIN bands AS theirs ON theirs.period = own.period + shifts.periods AND theirs.key = own.key
        AND theirs.day BETWEEN own.day - :reach AND own.day + :reach
    WHERE own.period + shifts.periods BETWEEN (own.day - :reach) / :period AND (own.day + :reach) / :period
      AND CASE WHEN theirs.period = own.period THEN own.holders
          ELSE (SELECT count(*) FROM (
              SELECT article_id FROM bands AS holder
              WHERE holder.period = theirs.period AND holder.key = theirs.key
              LIMIT :popular + 1) AS holders_in_their_period) END <= :popular
    """,  # noqa: S608 - our constants
    period=PERIOD,
    popular=POPULAR,
)

# Select every article that has a band within its reach of a period, when the band is popular in that period and would
# not be popular there without the articles of `ids`. Holders are counted up to `limit`, which decides both.
_TIPPING_HOLDERS: Final = QueryWithIds(
    f"""
    WITH {_SHIFTS}
    SELECT DISTINCT theirs.article_id
    FROM (
        SELECT period, key, reach, count(*) AS number FROM bands WHERE article_id IN :ids GROUP BY period, key, reach
    ) AS own
    CROSS JOIN shifts
    JOIN bands AS theirs ON theirs.period = own.period + shifts.periods AND theirs.key = own.key
        AND theirs.day BETWEEN own.period * :period - own.reach AND own.period * :period + :period - 1 + own.reach
    WHERE (SELECT count(*) FROM (
              SELECT article_id FROM bands AS holder
              WHERE holder.period = own.period AND holder.key = own.key
              LIMIT :limit) AS holders_in_the_period) BETWEEN :popular + 1 AND :popular + own.number
    """,  # noqa: S608 - our constants
    period=PERIOD,
    popular=POPULAR,
)


class BandIndex:
    """The bands of all articles."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find_changed(self, bands_by_article: Mapping[int, Bands]) -> set[int]:
        """Find the articles whose stored bands are others than these, by article id."""
        stored: dict[int, set[tuple[int, ...]]] = defaultdict(set)
        article_id_at = list(bands.c).index(bands.c.article_id)
        for row in select_in(self._connection, list(bands.c), bands.c.article_id, bands_by_article):
            stored[row[article_id_at]].add(row)
        return {
            article_id
            for article_id, of_article in bands_by_article.items()
            if stored.get(article_id, set()) != set(_make_rows(article_id, of_article))
        }

    def save(self, bands_by_article: Mapping[int, Bands]) -> None:
        """Store the bands of articles, by article id, in place of their former bands."""
        for chunk in chunks(bands_by_article):
            self._connection.execute(delete(bands).where(bands.c.article_id.in_(chunk)))
        rows = [
            row for article_id, of_article in bands_by_article.items() for row in _make_rows(article_id, of_article)
        ]
        insert_numbers(self._connection, bands, sorted(rows))  # each page of the table is written once

    def find_pairs(self, article_ids: Iterable[int], reach: int) -> set[Pair]:
        """Find the pairs of articles that share a band which is not popular; one article of each pair is given.

        `pipelines.deduplicate.bands.find_pairs` finds the same pairs among all articles, in memory.

        Args:
            article_ids: of the articles in question.
            reach: of the bands, in days.
        """
        return {
            (min(article_id, partner_id), max(article_id, partner_id))
            for chunk in chunks(article_ids)
            for article_id, partner_id in _PAIRS.read(self._connection, chunk, reach=reach)
        }

    def find_uses(self, article_ids: Iterable[int], reach: int) -> set[Use]:
        """Find who uses a band of these articles within its reach, popular bands aside; their own uses are included.

        Args:
            article_ids: of the articles in question.
            reach: of the bands, in days.
        """
        return {Use(*row) for chunk in chunks(article_ids) for row in _USES.read(self._connection, chunk, reach=reach)}

    def find_tipping_holders(self, article_ids: Collection[int]) -> set[int]:
        """Find the articles within reach of a band that is popular only because these articles have it.

        Args:
            article_ids: of the articles in question. They are found too, when they have such a band.
        """
        limit = POPULAR + len(article_ids) + 1
        return {holder_id for (holder_id,) in _TIPPING_HOLDERS.read(self._connection, article_ids, limit=limit)}


def _make_rows(article_id: int, of_article: Bands) -> Iterator[tuple[int, ...]]:
    day, account = of_article.day, of_article.account
    return ((day // PERIOD, key, day, article_id, account, reach) for key, reach in of_article.bands)
