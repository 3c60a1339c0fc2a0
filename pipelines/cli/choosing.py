"""The commands with which an editor, or a script, lists candidates and decides on stories."""

from __future__ import annotations

import re
import sys
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.text import Text

from pipelines.cli import terminal
from pipelines.cli.shared import DATE_FORMAT, Json, editor_of, newsroom_of, now, print_json
from pipelines.cli.terminal import SOME_FAILED, fail, out, sentence
from pipelines.cli.usage import WrongUse
from pipelines.errors import EditorError, describe_error

if TYPE_CHECKING:
    from pipelines.newsroom import Newsroom
    from pipelines.newsroom.editing import decisions


class State(StrEnum):
    """`--state`: the states, named as in the JSON document."""

    NEW = "new"
    PICKED = "picked"
    DROPPED = "dropped"
    LATER = "later"
    PUBLISHED = "published"


class Action(StrEnum):
    """The actions of `decide`."""

    PICK = "pick"
    DROP = "drop"
    LATER = "later"
    UNDO = "undo"


def candidates(
    context: typer.Context,
    category: Annotated[str | None, typer.Option(help="只看一栏。")] = None,
    since: Annotated[str | None, typer.Option(help="只看这段时间内发布的：14d、36h、2w。")] = None,
    state: Annotated[State, typer.Option(help="状态。")] = State.NEW,
    limit: Annotated[int | None, typer.Option(min=1, help="每栏最多几条。")] = None,
    first: Annotated[
        int | None, typer.Option(min=1, help="各栏合起来先看这么多条：按配额，不重样，一件事只一条。")
    ] = None,
    as_json: Json = False,
) -> None:
    """按栏目列出候选，好的在前，附理由；刊过的不再列，刊过的论文、仓库又有新消息的注明「后续」。

    例：jianbao candidates --category 论文 --since 14d --limit 20
    """
    from pipelines.group.as_json import write_candidates
    from pipelines.newsroom.editing.candidates import (
        find_enough,
        list_categories,
        list_first,
        look_up_candidates,
        split_list,
    )
    from pipelines.store.listing import CandidateQuery

    newsroom = newsroom_of(context)
    today = now()
    query = CandidateQuery(
        states=(state.value,),
        category=_find_category(newsroom, category),
        since=today - read_span(since) if since else None,
    )
    names = newsroom.newsletter.category_names
    quotas = {section.name: section.quota for section in newsroom.newsletter.categories}
    with newsroom.store.reading() as tx:
        if first is None:
            lists = list_categories(tx, query, today, names, limit_per_category=limit)
        else:
            lists = split_list(list_first(tx, query, today, quotas, first), names)
        if as_json:
            is_whole = state is State.NEW and since is None and first is None
            enough = find_enough(tx, today, quotas).above if is_whole else None
            complete = (
                (each.category, look_up_candidates(tx, each.candidates, newsroom.group_rules)) for each in lists
            )
            sys.stdout.writelines(
                write_candidates(complete, today, terminal.get_language(), newsroom.zone, enough=enough)
            )
            return
        for table in terminal.make_candidate_tables(lists, newsroom.newsletter.categories, newsroom.zone):
            out.print(table)
    if not any(each.count for each in lists):
        out.print(sentence("cli/no-candidates"))


def decide(
    context: typer.Context,
    stories: Annotated[list[int], typer.Argument(metavar="STORY...", help="候选列表里的编号。")],
    action: Annotated[Action, typer.Argument(help="选用、不用、以后再说、撤回。")],
    category: Annotated[str | None, typer.Option(help="放进哪一栏；默认是它归入的栏。")] = None,
    issue: Annotated[datetime | None, typer.Option(formats=DATE_FORMAT, help="放进哪一期；默认是当前草稿。")] = None,
) -> None:
    """对一件或几件事作同一个决定；选用的会起草进一期草稿，undo 撤回最近一次决定（合并、拆分也算）。

    有一件定不了，其余照办，最后以 1 退出。

    例：jianbao decide 1234 1301 pick --category 论文
    """
    from pipelines.model import Decision
    from pipelines.newsroom.editing import decisions
    from pipelines.store.errors import NoSuchStory

    newsroom = newsroom_of(context)
    category = _find_category(newsroom, category)
    has_failed = False
    for story in dict.fromkeys(stories):
        decision = Decision(
            story=story,
            action=action.value,
            who=newsroom.newsletter.editor,
            at=now(),
            category=category,
            issue=issue.date() if issue else None,
        )
        try:
            _print_result(decisions.decide(newsroom, decision))
        except (EditorError, NoSuchStory) as error:
            if len(stories) == 1:
                raise
            fail(describe_error(error, terminal.get_language()))
            has_failed = True
    if has_failed:
        raise typer.Exit(SOME_FAILED)


def merge(
    context: typer.Context,
    story: Annotated[int, typer.Argument(metavar="STORY", help="候选列表里的编号。")],
    other_stories: Annotated[list[int], typer.Argument(metavar="OTHER...", help="与它是同一件事的：别的编号。")],
) -> None:
    """把几件事并成一件；以后重新归组、重建都照此办，可用 decide 编号 undo 撤回。

    例：jianbao merge 1234 1301
    """
    from pipelines.newsroom.editing import decisions

    newsroom = newsroom_of(context)
    _print_result(decisions.merge(newsroom, story, other_stories, who=newsroom.newsletter.editor, decided_at=now()))


def split(
    context: typer.Context,
    story: Annotated[int, typer.Argument(metavar="STORY", help="候选列表里的编号。")],
    leaving: Annotated[
        list[int] | None,
        typer.Argument(metavar="[ARTICLE]...", help="拆出去的文章编号（candidates --json 里有）；不给则各成一件。"),
    ] = None,
) -> None:
    """把不是同一件事的文章拆出来；以后重新归组、重建都照此办，可用 decide 编号 undo 撤回。

    例：jianbao split 1234 1240
    """
    from pipelines.newsroom.editing import decisions

    newsroom = newsroom_of(context)
    _print_result(decisions.split(newsroom, story, leaving or [], who=newsroom.newsletter.editor, decided_at=now()))


def suggestions(
    context: typer.Context,
    since: Annotated[str | None, typer.Option(help="只看这段时间内发布的：14d、36h、2w。")] = None,
    as_json: Json = False,
) -> None:
    """列出可能是同一件事、还没有并的两件待选，最像的在前。是，用 merge 合并；不是，用 apart 说一声，以后不再问。

    例：jianbao suggestions --since 14d
    """
    from pipelines.newsroom.editing.candidates import iterate_candidates
    from pipelines.newsroom.editing.suggestions import list_pairs
    from pipelines.store.listing import CandidateQuery

    newsroom = newsroom_of(context)
    today = now()
    with newsroom.store.reading() as tx:
        query = CandidateQuery(since=today - read_span(since) if since else None)
        pairs = list_pairs(tx, iterate_candidates(tx, query, today))
    if as_json:
        print_json({"suggestions": [terminal.pair_json(candidate, suggestion) for candidate, suggestion in pairs]})
        return
    if pairs:
        out.print(terminal.make_pair_table(pairs))
    else:
        out.print(sentence("cli/no-suggestions"))


def apart(
    context: typer.Context,
    story: Annotated[int, typer.Argument(metavar="STORY", help="候选列表里的编号。")],
    other_stories: Annotated[list[int], typer.Argument(metavar="OTHER...", help="与它不是同一件事的：别的编号。")],
) -> None:
    """说明几件事与它不是同一件；以后不再归到一起，也不再问，可用 decide 编号 undo 撤回。

    例：jianbao apart 1234 1301
    """
    from pipelines.newsroom.editing import decisions

    newsroom = newsroom_of(context)
    who = newsroom.newsletter.editor
    _print_result(decisions.tell_apart(newsroom, story, other_stories, who=who, decided_at=now()))


def assist(
    context: typer.Context,
    story: Annotated[int, typer.Argument(metavar="STORY", help="已选用的一件事的编号。")],
    accept: Annotated[bool, typer.Option("--accept", help="认可：从此就是它的摘要。")] = False,
    reject: Annotated[bool, typer.Option("--reject", help="不要。")] = False,
) -> None:
    """请助手起草中文摘要，标为「机器摘要」；有人认可之前不会导出。要在 newsletter.toml 里开 \\[assistant]。

    例：jianbao assist 1234
    """
    from pipelines.newsroom.editing import drafts

    newsroom = newsroom_of(context)
    if accept and reject:
        raise WrongUse("accept-or-reject", "--accept")
    editor = editor_of(newsroom)
    action: Literal["ask", "accept", "reject"] = "accept" if accept else "reject" if reject else "ask"
    text = drafts.assist(editor, story, action=action)
    labels = {
        "ask": newsroom.newsletter.labels.machine,
        "accept": newsroom.newsletter.labels.summary,
        "reject": sentence("cli/removed"),
    }
    out.print(Text(sentence("cli/labelled", label=labels[action], text=text)), soft_wrap=True)


def _print_result(decided: decisions.Decided) -> None:
    """Print the result of a decision: a line for each story, the decided one first."""
    for candidate in (decided.candidate, *decided.other_candidates):
        of_articles = "-articles" if decided.other_candidates or len(candidate.articles) > 1 else ""
        of_issue = "-issue" if decided.issue and candidate is decided.candidate else ""
        values = {
            "state": sentence(f"state/{candidate.state}"),
            "story": candidate.story.id,
            "count": len(candidate.articles),
            "day": decided.issue,
            "title": candidate.lead.article.title,
        }
        out.print(Text(sentence(f"decision/line{of_articles}{of_issue}", **values)), soft_wrap=True)


def _find_category(newsroom: Newsroom, name: str | None) -> str | None:
    from pipelines.issue.sections import make_category_error

    if name is None:
        return None
    if newsroom.newsletter.is_briefs(name):
        return name
    category = newsroom.newsletter.category(name)
    if category is None:
        raise make_category_error(name, newsroom.newsletter)
    return category.name


def read_span(text: str) -> timedelta:
    match = re.fullmatch(r"([1-9]\d{0,4})([hdw])", text)
    if not match:
        raise WrongUse("span", "--since")
    return int(match[1]) * {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}[match[2]]
