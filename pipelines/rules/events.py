"""events.toml: how an article is read for its event: names, actions, round-ups, notices."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Annotated

from pydantic import BeforeValidator

from pipelines.rules.tables import NEVER, Patterns, join_patterns
from pipelines.text import fold
from pipelines.validation import Table, Words, as_tuple


def _as_tuples(setting: object) -> object:
    return tuple(map(as_tuple, setting)) if isinstance(setting, list) else setting


class EventRules(Table):
    """events.toml.

    Args:
        names: spellings of one subject, its usual name first: `谷歌`, `google`, `deepmind`.
        common: foreign words that are too common to identify an event.
        small: foreign words that are no names.
        notices: patterns of titles that announce recruitment or an activity, and report no event.
        round_ups: patterns of titles of articles that report several events.
        studies: patterns of titles that report a paper.
        boilerplate: patterns of text that every article of an account has.
        actions: words for each action: `发布` for `推出`, `上线`.
    """

    names: Annotated[tuple[Words, ...], BeforeValidator(_as_tuples)] = ()
    common: Words = ()
    small: Words = ()
    notices: Patterns = ()
    round_ups: Patterns = ()
    studies: Patterns = ()
    boilerplate: Patterns = ()
    actions: Mapping[str, Words] = {}

    @cached_property
    def name_of(self) -> Mapping[str, str]:
        """The usual name of each spelling, by the folded spelling."""
        return {fold(spelling): spellings[0] for spellings in self.names for spelling in spellings}

    @cached_property
    def chinese_name(self) -> re.Pattern[str]:
        """Matches a spelling that is not ASCII."""
        return _match_any(spelling for spelling in self.name_of if not spelling.isascii())

    @cached_property
    def action_of(self) -> Mapping[str, str]:
        """The action of each folded word."""
        return {fold(word): action for action, synonyms in self.actions.items() for word in synonyms}

    @cached_property
    def action(self) -> re.Pattern[str]:
        """Matches a word for an action."""
        return _match_any(self.action_of)

    @cached_property
    def common_words(self) -> frozenset[str]:
        """`common`, folded."""
        return frozenset(map(fold, self.common))

    @cached_property
    def small_words(self) -> frozenset[str]:
        """`small`, folded."""
        return frozenset(map(fold, self.small))

    @cached_property
    def notice(self) -> re.Pattern[str]:
        """Matches the title of a notice."""
        return join_patterns(self.notices)

    @cached_property
    def round_up(self) -> re.Pattern[str]:
        """Matches the title of a round-up."""
        return join_patterns(self.round_ups)

    @cached_property
    def study(self) -> re.Pattern[str]:
        """Matches the title of a report on a paper."""
        return join_patterns(self.studies)

    @cached_property
    def repeated(self) -> re.Pattern[str]:
        """Matches boilerplate."""
        return join_patterns(self.boilerplate)


def _match_any(spellings: Iterable[str]) -> re.Pattern[str]:
    longest_first = sorted(spellings, key=lambda spelling: (-len(spelling), spelling))
    return re.compile("|".join(map(re.escape, longest_first))) if longest_first else NEVER
