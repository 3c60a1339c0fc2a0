"""Errors that an editor is told, each named for the fact."""

from __future__ import annotations


class Told(Exception):
    """What an editor is told in Chinese, its values apart from its words: the desk can say it in another language.

    Args:
        words: with a `{name}` for each of the values.
    """

    def __init__(self, words: str, **values: object) -> None:
        super().__init__(words.format(**values))
        self.words, self.values = words, values


class CannotDecide(Told):
    """A decision that cannot be carried out; the message says why and what would work."""


class NoSuchIssue(Told):
    """An issue was named by a date that has none."""
