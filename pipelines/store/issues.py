"""Issues, drafts and published issues, and the memory of the keys that each issue printed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Connection, Row, delete, exists, func, or_, select, true, update

from crawler.errors import Detail
from pipelines.deduplicate.memory import Printed
from pipelines.model import WORK_PREFIXES, BlankLines, Entry, Issue, Section
from pipelines.store.articles import Articles
from pipelines.store.bulk import chunks, insert_rows, upsert
from pipelines.store.engine import is_of_newsletter
from pipelines.store.search import Search
from pipelines.store.state import settle, stories_of
from pipelines.store.tables import (
    LONGEST_KEY,
    article_keys,
    article_references,
    articles,
    entries,
    entry_keys,
    issues,
    stories,
    story_members,
)

IssueState = Literal["draft", "published"]

_FRAME: Final = tuple(field.name for field in fields(Issue) if field.name not in ("date", "state", "sections"))
_HEADING: Final = tuple(field.name for field in fields(Section) if field.name != "entries")


@dataclass(frozen=True, slots=True)
class PublishingTimes:
    """When an issue was published, and when it was last changed after that; aware, None where nobody knows."""

    published_at: datetime | None = None
    corrected_at: datetime | None = None


class Issues:
    """Issues by date, and the printed entries by key."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save(self, issue: Issue, keys: Sequence[Iterable[str]]) -> None:
        """Store an issue in place of the stored issue of its date.

        Args:
            issue: a draft or a published issue.
            keys: the strong keys that each entry links to, for the entries of all sections in print order.
        """
        former_state = self._connection.execute(select(issues.c.state).where(issues.c.date == issue.date)).scalar()
        counts = "published" in (former_state, issue.state)  # a draft is not in the memory
        if counts:
            self._forget(issue.date)
        frame = {name: getattr(issue, name) for name in _FRAME}
        frame["warnings"] = [warning.as_json() for warning in issue.warnings]
        frame["sections"] = [{name: getattr(section, name) for name in _HEADING} for section in issue.sections]
        upsert(self._connection, issues, [{"date": issue.date, "state": issue.state, "frame": frame}])
        former_texts = self._list_story_texts(issue.date)
        self._connection.execute(delete(entries).where(entries.c.issue == issue.date))
        texts = self._put_entries(issue, keys)
        self._index_stories(story_id for story_id, _ in former_texts ^ texts)
        if counts:
            self._forget(issue.date)

    def note_published(self, day: date, moment: datetime) -> None:
        """Note when an issue was published."""
        self._connection.execute(update(issues).where(issues.c.date == day).values(published_at=moment))

    def note_corrected(self, day: date, moment: datetime) -> None:
        """Note when a published issue was changed."""
        self._connection.execute(update(issues).where(issues.c.date == day).values(corrected_at=moment))

    def get_times(self, day: date) -> PublishingTimes:
        """Get when the issue of a date was published and corrected."""
        query = select(issues.c.published_at, issues.c.corrected_at).where(issues.c.date == day)
        row = self._connection.execute(query).first()
        return PublishingTimes(row.published_at, row.corrected_at) if row else PublishingTimes()

    def find_last_published(self) -> datetime | None:
        """Find when an issue was published last; None where none was published at the desk."""
        query = select(func.max(issues.c.published_at)).where(issues.c.state == "published")
        return self._connection.execute(query).scalar()

    def remove(self, day: date) -> None:
        """Remove a draft."""
        former_texts = self._list_story_texts(day)
        self._connection.execute(delete(entries).where(entries.c.issue == day))
        self._index_stories(story_id for story_id, _ in former_texts)
        self._connection.execute(delete(issues).where(issues.c.date == day, issues.c.state == "draft"))

    def get(self, day: date) -> Issue | None:
        """Get the issue of a date; None without one."""
        return next(iter(self._list(issues.c.date == day)), None)

    def _list(self, condition: ColumnElement[bool]) -> list[Issue]:
        """List the issues that fulfil a condition, oldest first."""
        rows = self._connection.execute(select(issues).where(condition).order_by(issues.c.date)).all()
        within: dict[tuple[date, int], list[Entry]] = defaultdict(list)
        for days in chunks(row.date for row in rows):
            query = select(entries).where(entries.c.issue.in_(days)).order_by(entries.c.issue, entries.c.position)
            for entry in self._connection.execute(query):
                within[entry.issue, entry.section].append(Entry(entry.markdown, entry.story))
        return [_read_issue(row, within) for row in rows]

    def list_dates(self, state: IssueState | None = None) -> list[date]:
        """List the dates of all issues, or of the issues in one state, oldest first."""
        query = select(issues.c.date).order_by(issues.c.date)
        if state is not None:
            query = query.where(issues.c.state == state)
        return list(self._connection.execute(query).scalars())

    def list_printed_entries(self) -> list[tuple[date, Entry]]:
        """List every entry of the published issues with the date of its issue, the newest issue first."""
        query = (
            select(entries.c.issue, entries.c.markdown, entries.c.story)
            .join(issues, issues.c.date == entries.c.issue)
            .where(issues.c.state == "published")
            .order_by(entries.c.issue.desc(), entries.c.position)
        )
        return [(day, Entry(markdown, story)) for day, markdown, story in self._connection.execute(query)]

    def list_drafts(self) -> list[Issue]:
        """List the drafts, oldest first."""
        return self._list(issues.c.state == "draft")

    def find_printed(self, keys: Iterable[str]) -> dict[str, list[Printed]]:
        """Find the entries of published issues that printed each key, oldest first; other keys are left out."""
        printed: dict[str, list[Printed]] = defaultdict(list)
        of_entry = (entries.c.issue == entry_keys.c.issue) & (entries.c.position == entry_keys.c.position)
        for chunk in chunks(dict.fromkeys(keys)):
            query = (
                select(entry_keys.c.key, entry_keys.c.issue, entries.c.markdown)
                .join(issues, issues.c.date == entry_keys.c.issue)
                .join(entries, of_entry)
                .where(entry_keys.c.key.in_(chunk), issues.c.state == "published")
                .order_by(entry_keys.c.issue, entry_keys.c.position)
            )
            for key, day, markdown in self._connection.execute(query):
                printed[key].append(Printed(day, markdown))
        return dict(printed)

    def find_printed_stories(self, article_ids: Iterable[int]) -> dict[int, list[Printed]]:
        """Find the entries of published issues that were proposed for the stories of articles, oldest first, by id."""
        printed: dict[int, list[Printed]] = defaultdict(list)
        for chunk in chunks(article_ids):
            query = (
                select(entries.c.story, entries.c.issue, entries.c.markdown)
                .join(issues, issues.c.date == entries.c.issue)
                .where(entries.c.story.in_(chunk), issues.c.state == "published")
                .order_by(entries.c.issue, entries.c.position)
            )
            for article_id, day, markdown in self._connection.execute(query):
                printed[article_id].append(Printed(day, markdown))
        return dict(printed)

    def list_printed_news(self, first_day: date, last_day: date) -> list[Printed]:
        """List the entries of the issues published from day to day that name no paper and no repository."""
        works = exists().where(
            entry_keys.c.issue == entries.c.issue,
            entry_keys.c.position == entries.c.position,
            or_(*(entry_keys.c.key.startswith(prefix) for prefix in WORK_PREFIXES)),
        )
        query = (
            select(entries.c.issue, entries.c.markdown)
            .join(issues, issues.c.date == entries.c.issue)
            .where(issues.c.state == "published", issues.c.date.between(first_day, last_day), ~works)
            .order_by(entries.c.issue, entries.c.position)
        )
        return [Printed(day, markdown) for day, markdown in self._connection.execute(query)]

    def _put_entries(self, issue: Issue, keys: Sequence[Iterable[str]]) -> set[tuple[int, str]]:
        """Store the entries of an issue; returns what `_list_story_texts` lists of them."""
        printed = [
            (section_index, entry) for section_index, section in enumerate(issue.sections) for entry in section.entries
        ]
        joined = Articles(self._connection).find_joined(entry.story for _, entry in printed if entry.story is not None)
        rows: list[dict[str, Any]] = [
            {
                "issue": issue.date,
                "position": position,
                "section": section,
                "markdown": entry.markdown,
                "story": joined.get(entry.story or 0, entry.story),
            }
            for position, (section, entry) in enumerate(printed)
        ]
        links = [
            {"key": key, "issue": issue.date, "position": position}
            for position, (_, keys_of_entry) in enumerate(zip(printed, keys, strict=True))
            for key in dict.fromkeys(keys_of_entry)
            if len(key.encode(errors="replace")) <= LONGEST_KEY
        ]
        insert_rows(self._connection, entries, rows)
        insert_rows(self._connection, entry_keys, links)
        return {(row["story"], row["markdown"]) for row in rows if row["story"] is not None}

    def _list_story_texts(self, day: date) -> set[tuple[int, str]]:
        """List the articles whose stories an issue prints, each with its entry."""
        query = select(entries.c.story, entries.c.markdown).where(entries.c.issue == day, entries.c.story.is_not(None))
        return {(story, markdown) for story, markdown in self._connection.execute(query)}

    def _index_stories(self, article_ids: Iterable[int]) -> None:
        """Let the search find stories by their entries as they are now; the index of the search is the house's."""
        if is_of_newsletter(self._connection):
            return
        Search(self._connection).put(Articles(self._connection).get(set(article_ids)).values())

    def _forget(self, day: date) -> None:
        """Derive again the stories and grades that depend on an issue; called before and after its entries change.

        The stories of its entries lose their date of publication before their state is derived. Every article
        that has a key of its entries, mainly refers to one, or is a member of such a story is marked for grading.
        """
        drafted = select(entries.c.story).where(entries.c.issue == day, entries.c.story.is_not(None))
        story_ids = stories_of(self._connection, self._connection.execute(drafted).scalars().all())
        for chunk in chunks(story_ids):
            self._connection.execute(update(stories).where(stories.c.id.in_(chunk)).values(published_in=None))
        settle(self._connection, story_ids)
        linked = select(entry_keys.c.key).where(entry_keys.c.issue == day)
        refers, own = article_references.c, article_keys.c
        concerned = or_(
            articles.c.id.in_(select(own.article_id).where(own.key.in_(linked))),
            articles.c.id.in_(select(refers.article_id).where(refers.key.in_(linked), refers.is_primary == true())),
            articles.c.id.in_(select(story_members.c.article_id).where(story_members.c.story_id.in_(story_ids))),
        )
        Articles(self._connection).mark_fresh_where(concerned)


def _read_issue(row: Row[Any], within: Mapping[tuple[date, int], Sequence[Entry]]) -> Issue:
    """Read an issue.

    Args:
        row: of its table.
        within: the entries by the date of the issue and the index of the section.
    """
    frame: dict[str, Any] = dict(row.frame)
    sections = tuple(
        Section(**heading, entries=tuple(within.get((row.date, section_index), ())))
        for section_index, heading in enumerate(frame.pop("sections"))
    )
    frame["warnings"] = tuple(map(_read_warning, frame["warnings"]))
    frame["blank_lines"] = tuple(BlankLines(*each) for each in frame.get("blank_lines", ()))  # not in frames of old
    return Issue(date=row.date, state=row.state, sections=sections, **frame)


def _read_warning(stored: str | dict[str, Any]) -> Detail:
    """Read a warning; an earlier version stored a sentence."""
    return Detail.of("old-record", text=stored) if isinstance(stored, str) else Detail.from_json(stored)
