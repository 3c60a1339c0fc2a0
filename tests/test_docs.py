"""The documents are held to the code: what they name exists, and what exists is named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from places import ROOT
from pydantic import BaseModel

from crawler.home import DATABASE_VARIABLE, HOME_VARIABLE, NEWSLETTER_VARIABLE, SOURCES_VARIABLE
from crawler.kinds import KINDS
from crawler.network.credentials import CREDENTIALS
from crawler.sources.schema import Source
from pipelines.cli import LANGUAGE_VARIABLE, app
from pipelines.logs import LOG_FORMAT_VARIABLE
from pipelines.newsletter import AlertChannel, Assistant, Newsletter
from pipelines.newsroom.editing.exports import FORMATS

DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "data/README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
REFERENCE = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
FIELDS = (ROOT / "data/README.md").read_text(encoding="utf-8")


def commands_in(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, group
    for name, command in getattr(group, "commands", {}).items():
        yield from commands_in(command, (*path, name))


COMMANDS = dict(commands_in(typer.main.get_command(app)))
GROUPS = {path for path, command in COMMANDS.items() if hasattr(command, "commands")}


def options_of(path: tuple[str, ...]) -> set[str]:
    """The long options of a command, of those it inherits from the main command, and `--help`."""
    parameters = [*COMMANDS[path].params, *COMMANDS[()].params]
    spellings = {spelling for parameter in parameters for spelling in (*parameter.opts, *parameter.secondary_opts)}
    return {spelling for spelling in spellings if spelling.startswith("--")} | {"--help"}


def invocations(text: str) -> Iterator[tuple[tuple[str, ...], set[str]]]:
    """Each `jianbao …` that a document shows, as the command that it names and its long options."""
    for line in re.findall(r"(?:`|^|/bin/|&& |\| )jianbao(?= |`)([^`\n|]*)", text, re.MULTILINE):
        words = line.split("#")[0].split("&&")[0].split()
        path: tuple[str, ...] = ()
        for word in words:
            if word.startswith("-"):
                continue
            if (*path, word) not in COMMANDS:
                if path in GROUPS and re.fullmatch(r"[a-z]{3,}", word):
                    path = (*path, word)
                break
            path = (*path, word)
        yield path, set(re.findall(r"--[a-z-]+", " ".join(words)))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_and_option_that_a_document_names_exists(document: Path) -> None:
    for path, options in invocations(document.read_text(encoding="utf-8")):
        assert path in COMMANDS, f"jianbao {' '.join(path)}"
        assert options <= options_of(path), f"jianbao {' '.join(path)}"


@pytest.mark.parametrize("path", sorted(set(COMMANDS) - GROUPS | {()}), ids=" ".join)
def test_every_command_stands_in_the_reference_with_all_its_options(path: tuple[str, ...]) -> None:
    name = " ".join(("jianbao", *path))
    rows = re.findall(rf"^\| `{name}(?: [^a-z`][^`]*)?` \|([^|]*)\|", REFERENCE, re.MULTILINE)
    assert len(rows) == 1, name
    own = {
        spelling
        for parameter in COMMANDS[path].params
        for spelling in (*parameter.opts, *parameter.secondary_opts)
        if spelling.startswith("--") and spelling != "--help"
    }
    assert set(re.findall(r"`(--[a-z-]+)`", rows[0])) == own


def variables_of_the_code() -> set[str]:
    key = Assistant.model_fields["key_variable"].default
    return {
        HOME_VARIABLE,
        NEWSLETTER_VARIABLE,
        SOURCES_VARIABLE,
        LANGUAGE_VARIABLE,
        LOG_FORMAT_VARIABLE,
        DATABASE_VARIABLE,
        key,
        AlertChannel.model_fields["password_variable"].default,
        *(credential.variable for credential in CREDENTIALS.values()),
    }


def test_every_environment_variable_is_documented_and_every_documented_one_is_read() -> None:
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", REFERENCE, re.MULTILINE)) == variables_of_the_code()


def table_after(heading: str, text: str) -> list[str]:
    """The first cells of the first table after a heading."""
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    table = re.search(r"(?:^\|.*\n)+", section, re.MULTILINE)
    assert table is not None, heading
    return [line.split("|")[1].strip() for line in table[0].splitlines()[2:]]


def test_every_field_of_newsletter_toml_is_documented_and_every_documented_one_exists() -> None:
    named = {name for cell in table_after("newsletter.toml", FIELDS) for name in re.findall(r"[a-z_]+", cell)}
    assert named == set(Newsletter.model_fields) | {"credentials", "hosts"}


def inner_fields(table: type[BaseModel]) -> set[str]:
    """The fields of the tables within newsletter.toml."""
    fields: set[str] = set()
    for field in table.model_fields.values():
        for kind in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                fields |= set(kind.model_fields)
    return fields


def test_every_field_of_a_table_in_newsletter_toml_is_documented() -> None:
    section = FIELDS.partition("\n## newsletter.toml\n")[2].partition("\n## ")[0]
    named = {name for quoted in re.findall(r"`([^`]+)`", section) for name in re.findall(r"[a-z_]+", quoted)}
    assert inner_fields(Newsletter) - named == set()


def test_every_field_of_a_source_is_documented_and_every_documented_one_exists() -> None:
    section = FIELDS.partition("\n## sources.toml\n")[2]
    shared = {name for cell in table_after("sources.toml", FIELDS) for name in re.findall(r"[a-z_]+", cell)}
    named = {name for quoted in re.findall(r"`([^`]+)`", section) for name in re.findall(r"[a-z_]+", quoted)}
    fields = {name for name, field in Source.model_fields.items() if not field.exclude}
    assert shared <= fields <= named


def test_every_kind_is_documented_and_every_documented_one_exists() -> None:
    row = re.search(r"^\| `kind` \| (.*) \|$", FIELDS, re.MULTILINE)
    assert row is not None
    assert set(re.findall(r"`([a-z]+)`", row[1])) == set(KINDS)
    ways = FIELDS.partition("How each kind says where to read")[2]
    assert set(re.findall(r"^\| `([a-z]+)`", ways, re.MULTILINE)) == set(KINDS)


def test_every_format_is_documented_and_every_documented_one_exists() -> None:
    line = next(line for line in REFERENCE.splitlines() if line.startswith("`export --format`"))
    assert set(re.findall(r"`([a-z]+)`", line)) == {member.value for member in FORMATS}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_and_every_path_in_a_document_leads_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)\)", text):
        if "://" not in target:
            assert (document.parent / target).exists(), target
    for path in re.findall(r"`((?:crawler|pipelines|tests|data|docs)/[\w./-]+)`", text):
        assert (ROOT / path).exists(), path
