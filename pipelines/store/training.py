"""What can be learned from: what was picked and what was passed over. And what was learned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    String,
    and_,
    case,
    cast,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from crawler.kinds import KINDS, REPOSITORIES, Kind
from pipelines.model import ADDED_BY_HAND, CandidateState
from pipelines.store.bulk import is_one_of, leave_index
from pipelines.store.counts import read_counts
from pipelines.store.state import STANDING
from pipelines.store.tables import articles, decisions, entries, issues, models, stories, story_members

SUMMARY: Final = 400
"""Characters that are read of a text that takes the place of a summary."""

MOST_OPEN: Final = 5_000
"""So many teach all that there is to learn, in seconds."""


@dataclass(frozen=True, slots=True)
class TrainingArticle:
    """An article that was decided on, or passed over.

    Args:
        picked: whether it was taken; None where that is still open.
        category: where it was put; None where nobody said.
        published_at: aware.
        story: id of the story, the smallest of its articles' ids.
    """

    id: int
    kind: str
    url: str
    title: str
    summary: str
    source: str
    picked: bool | None
    category: str | None
    published_at: datetime
    story: int


@dataclass(frozen=True, slots=True)
class RecentVerdict:
    """A pick or a drop that no training has seen, with title, source and score of the story's lead."""

    title: str
    source: str
    score: float
    picked: bool


@dataclass(frozen=True, slots=True)
class Basis:
    """What a model was learned from; when that has changed enough, it is learned again.

    Args:
        rules: a fingerprint of the newsletter's own words.
        printed: entries of published issues.
        decided: decisions that nobody took back.
        articles: the highest id of an article.
        last_decision: the highest id of a decision.
    """

    rules: str
    printed: int
    decided: int
    articles: int
    last_decision: int = 0


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model as text.

    Args:
        graded_to: the lowest id of a story that it has graded, of the newest ones on; None when it has graded all, 0
            when it has graded none in this order.
    """

    text: str
    basis: Basis
    graded_to: int | None


@dataclass(frozen=True, slots=True)
class OpenReport:
    """An article of a story that nobody decided on, with the parts of it and of its story that a score depends on.

    Args:
        story: id of the story, the smallest of its articles' ids.
        score: of the story, without freshness, as it was graded last.
        newest_at: when the newest article of the story was published, aware.
        accounts: number of accounts that report the story independently.
        has_links: whether the story has lines with a paper or code.
        is_promotion: whether the lead announces a course, a raffle or the like.
        is_lead: whether the article is the story's lead.
        kind, url, title, summary, source: of the article; the summary of a repository without one is its text.
        publisher: the account; None for an article without one.
    """

    story: int
    score: float
    newest_at: datetime
    accounts: int
    has_links: bool
    is_promotion: bool
    is_lead: bool
    kind: Kind
    url: str
    title: str
    summary: str
    source: str
    publisher: str | None


class TrainingData:
    """What the past teaches, and the model that was learned of it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get_basis(self, rules: str) -> Basis:
        """What there is to learn from today."""
        run = self._connection.execute
        printed = select(func.count()).select_from(entries.join(issues)).where(issues.c.state == "published")
        decided = (
            select(func.count())
            .select_from(decisions)
            .where(decisions.c.action.in_(("pick", "drop", "categorise")), STANDING)
        )
        last = select(func.max(articles.c.id))
        last_decision = select(func.max(decisions.c.id))
        return Basis(
            rules,
            run(printed).scalar_one(),
            run(decided).scalar_one(),
            run(last).scalar_one_or_none() or 0,
            run(last_decision).scalar_one_or_none() or 0,
        )

    def list_decided(self) -> list[TrainingArticle]:
        """The leads of stories that somebody picked, dropped or put elsewhere, by id; what an issue printed is left to
        the issue."""
        put = (
            select(story_members.c.story_id, decisions.c.category)
            .join(decisions, decisions.c.story == story_members.c.article_id)
            .where(decisions.c.action.in_(("pick", "categorise")), decisions.c.category.is_not(None), STANDING)
            .order_by(decisions.c.id)
        )
        placed = {row.story_id: row.category for row in self._connection.execute(put)}
        decided = or_(
            stories.c.state.in_(("picked", "dropped")),
            stories.c.id.in_(put.with_only_columns(story_members.c.story_id).order_by(None)),
        )
        query = _LEADS.where(stories.c.state != "published", decided).order_by(articles.c.id)
        return [
            _lesson(
                row, picked=_PICKED.get(row.state), category=None if row.state == "dropped" else placed.get(row.story)
            )
            for row in self._connection.execute(query)
        ]

    def list_open(self) -> list[TrainingArticle]:
        """The leads of stories that nobody decided on, by id: at most some `MOST_OPEN`, spread evenly."""
        is_open = stories.c.state == "new"
        total = self._connection.execute(select(func.count()).select_from(_JOINED).where(is_open)).scalar_one()
        step = -(-total // MOST_OPEN) or 1
        query = _LEADS.where(is_open, articles.c.id % step == 0).order_by(articles.c.id)
        return [_lesson(row, picked=False, category=None) for row in self._connection.execute(query)]

    def get_model(self) -> StoredModel | None:
        """The model that was learned last."""
        row = self._connection.execute(select(models)).first()
        return StoredModel(row.model, Basis(**row.basis), row.graded_to) if row else None

    def get_last_decision(self) -> int:
        """The id of the last decision that the model was trained on; 0 without a model."""
        basis = self._connection.execute(select(models.c.basis)).scalar()
        return int(basis.get("last_decision", 0)) if basis else 0

    def list_recent_verdicts(self, after: int, limit: int) -> list[RecentVerdict]:
        """The newest picks and drops that stand, one a story, oldest first.

        Args:
            after: only decisions of a higher id.
            limit: most decisions.
        """
        source = func.coalesce(articles.c.publisher, articles.c.source).label("source")
        query = (
            select(stories.c.id, decisions.c.action, stories.c.score, articles.c.title, source)
            .join(story_members, story_members.c.article_id == decisions.c.story)
            .join(stories, stories.c.id == story_members.c.story_id)
            .join(articles, articles.c.id == stories.c.lead)
            .where(decisions.c.id > after, decisions.c.action.in_(("pick", "drop", "later")), STANDING)
            .order_by(decisions.c.id.desc())
            .limit(limit)
        )
        verdicts: dict[int, RecentVerdict | None] = {}
        for row in self._connection.execute(query):
            is_verdict = row.action in ("pick", "drop")
            verdict = RecentVerdict(row.title, row.source, row.score, row.action == "pick") if is_verdict else None
            verdicts.setdefault(row.id, verdict)
        return [verdict for verdict in reversed(verdicts.values()) if verdict]

    def save_model(self, model: str, basis: Basis) -> None:
        """Put a model in place of the last one; it has graded nothing yet."""
        self._connection.execute(delete(models))
        values = {name: getattr(basis, name) for name in Basis.__slots__}
        self._connection.execute(insert(models), {"id": 1, "model": model, "basis": values, "graded_to": 0})

    def set_graded_to(self, story: int | None) -> None:
        """Note down to which story the model has graded; None for all."""
        self._connection.execute(update(models).values(graded_to=story))

    def list_open_stories(self, below: int, limit: int) -> list[int]:
        """The next stories that wait for a decision, newest first; `below` 0 begins with the newest of all."""
        return self._list_stories(below, limit, "new", "later")

    def _list_stories(self, below: int, limit: int, *states: CandidateState) -> list[int]:
        """List the next stories in some states, newest first.

        By an index of the states, SQLite would read and sort every story in them to find the next hundred. Where they
        are many, it walks through all stories from the newest on.
        """
        state: ColumnElement[str] = stories.c.state
        if self._connection.dialect.name == "sqlite":
            total = sum(read_counts(self._connection).values())
            count = sum(read_counts(self._connection, states).values())
            if count * count > limit * total:  # else the walk to so many of them is longer
                state = leave_index(stories.c.state)
        query = select(stories.c.id).where(state.in_(states)).order_by(stories.c.id.desc()).limit(limit)
        return list(self._connection.execute(query.where(stories.c.id < below) if below else query).scalars())

    def list_open_reports(self, below: int, limit: int) -> list[OpenReport]:
        """The articles of the next open stories, newest story first; none after the last.

        Args:
            below: only stories of a lower id; 0 begins with the newest of all.
            limit: most stories.
        """
        story_ids = self._list_stories(below, limit, "new")
        is_repository = or_(
            articles.c.kind.in_(REPOSITORIES),
            *(articles.c.url.contains(f"//{host}/") for kind in REPOSITORIES for host in KINDS[kind].hosts),
        )
        is_unsummarised = and_(articles.c.summary == "", is_repository)
        query = (
            select(
                stories.c.id,
                stories.c.score,
                stories.c.newest_at,
                stories.c.accounts,
                cast(stories.c.links, String) != "[]",
                stories.c.promotion,
                stories.c.lead == articles.c.id,
                articles.c.kind,
                articles.c.url,
                articles.c.title,
                case((is_unsummarised, func.substr(articles.c.text, 1, SUMMARY)), else_=articles.c.summary),
                articles.c.source,
                articles.c.publisher,
            )
            .join(story_members, story_members.c.story_id == stories.c.id)
            .join(articles, articles.c.id == story_members.c.article_id)
            .where(is_one_of(stories.c.id, story_ids, self._connection.dialect.name))
            .order_by(stories.c.id.desc(), articles.c.id)
        )
        return [OpenReport(*row) for row in self._connection.execute(query)]

    def list_best_stories(self, limit: int) -> list[int]:
        """The open stories of the highest scores, best first."""
        query = select(stories.c.id).where(stories.c.state == "new").order_by(stories.c.score.desc(), stories.c.id)
        return list(self._connection.execute(query.limit(limit)).scalars())


_PICKED: Final = {"picked": True, "dropped": False}

_JOINED: Final = stories.join(articles, articles.c.id == stories.c.lead)
_LEADS: Final = select(
    articles.c.id,
    articles.c.kind,
    articles.c.url,
    articles.c.title,
    articles.c.summary,
    func.coalesce(articles.c.publisher, func.nullif(articles.c.source, ADDED_BY_HAND)).label("source"),
    stories.c.id.label("story"),
    stories.c.state,
    articles.c.published_at,
).select_from(_JOINED)


def _lesson(row: Row, *, picked: bool | None, category: str | None) -> TrainingArticle:  # type: ignore[type-arg]
    return TrainingArticle(
        row.id,
        row.kind,
        row.url,
        row.title,
        row.summary,
        row.source or "",
        picked,
        category,
        row.published_at,
        row.story,
    )
