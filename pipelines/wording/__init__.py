"""Sentences for the editor: a code with values becomes one sentence, in the reader's language.

`zh.toml` and `en.toml` hold the same codes with the same placeholders. A section of a table is the part of a code
before the slash: `say("error/undo-nothing", {}, "en")`. The sections `kind` and `article` are the
labels of `crawler.kinds`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final, Literal

from crawler.errors import Detail
from crawler.kinds import KINDS
from crawler.toml import read_toml

Language = Literal["zh", "en"]

LANGUAGES: Final[tuple[Language, ...]] = ("zh", "en")

_SEPARATORS: Final[Mapping[Language, str]] = {"zh": "、", "en": ", "}
_BETWEEN_FACTS: Final[Mapping[Language, str]] = {"zh": "；", "en": "; "}


@cache
def sentences(language: Language) -> Mapping[str, str]:
    """All sentences of a language by their codes, each with a `{name}` for each of its values."""
    table = read_toml(files(__name__).joinpath(f"{language}.toml"))
    kinds = {
        f"{section}/{kind}": label.english if language == "en" else label.chinese
        for kind, row in KINDS.items()
        for section, label in (("kind", row.label), ("article", row.article))
    }
    return kinds | {f"{section}/{code}": text for section, rows in table.items() for code, text in rows.items()}


def say(code: str, values: Mapping[str, object], language: Language) -> str:
    """Make the sentence of a code.

    Args:
        code: `section/name`, as the tables have it.
        values: by the names of the sentence's placeholders; a tuple or list becomes an enumeration, a fact of the
            crawler its own sentence.
        language: the reader's.

    Raises:
        KeyError: the tables have no such code, or a member is missing.

    >>> say("error/no-such-category", {"name": "X", "names": ("A", "B")}, "en")
    'There is no category “X”. The categories are: A, B.'
    """
    texts = {name: _show(member, language) for name, member in values.items()}
    return sentences(language)[code].format(**texts)


def say_detail(detail: Detail, language: Language) -> str:
    """Make the sentence of a fact. One whose code has no sentence, of a newer jianbao, is shown as a log shows it."""
    try:
        return say(f"detail/{detail.code}", detail.values, language)
    except KeyError:
        return str(detail)


def _show(member: object, language: Language) -> object:
    if isinstance(member, Detail):
        return say_detail(member, language)
    if isinstance(member, tuple | list):
        separators = _BETWEEN_FACTS if any(isinstance(member, Detail) for member in member) else _SEPARATORS
        return separators[language].join(str(_show(member, language)) for member in member)
    return member
