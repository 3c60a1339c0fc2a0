"""Wrong uses of the command line, each said as one sentence in the reader's language."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import Any, Final

import typer
from rich.text import Text
from typer._click.exceptions import (
    BadOptionUsage,
    MissingParameter,
    NoArgsIsHelpError,
    NoSuchOption,
    UsageError,
)
from typer.core import TyperGroup

from pipelines.cli.terminal import SOME_FAILED, fail, sentence

_HELP: Final = frozenset({"-h", "--help"})


class WrongUse(typer.BadParameter):
    """An option or an argument that asks for something impossible.

    Args:
        code: of section `usage` of the tables of `pipelines.wording`.
        parameter: the option, as the editor typed it; empty where it is about the whole command.
        values: what the sentence names.
    """

    def __init__(self, code: str, parameter: str = "", **values: object) -> None:
        super().__init__(code, param_hint=parameter)
        self.code, self.parameter, self.values = code, parameter, values


class Group(TyperGroup):
    """Commands whose wrong uses are printed in the reader's language; typer's own messages are English."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the arguments name.

        Raises:
            WrongUse: there is no such command.
        """
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            error = WrongUse("no-such-command", name=args[0])
            error.ctx = ctx
            raise error
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a name; its help speaks of itself as the group's does."""
        command = super().get_command(ctx, cmd_name)
        if command is not None:
            _translate_help_option(command.get_help_option(ctx))
        return command

    def get_help_option(self, ctx: Any) -> Any:
        """The option that prints the help of the group."""
        return _translate_help_option(super().get_help_option(ctx))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help of the group, whether it was asked for or no command was named."""
        _lay_out_help()
        super().format_help(ctx, formatter)

    def main(self, args: Sequence[str] | None = None, *, standalone_mode: bool = True, **more: Any) -> Any:  # type: ignore[override]
        """Run the command line; alone, it prints a wrong use and ends the process."""
        if not standalone_mode:
            return super().main(args, standalone_mode=False, **more)
        if not _HELP.isdisjoint(sys.argv[1:] if args is None else args):
            _lay_out_help()
        try:
            code = super().main(args, standalone_mode=False, **more)
        except NoArgsIsHelpError as error:
            typer.echo(error.ctx.get_help() if error.ctx else "")
            sys.exit(error.exit_code)
        except UsageError as error:
            fail(describe_usage(error))
            sys.exit(error.exit_code)
        except typer.Abort:
            fail(sentence("usage/aborted"))
            sys.exit(SOME_FAILED)
        sys.exit(code if isinstance(code, int) else 0)


def _lay_out_help() -> None:
    """Have typer frame help in Chinese, as help itself is, and break a word that is longer than its line.

    It cuts such a word off, and a Chinese sentence is one word. typer has no setting for either, and loads the module
    that lays out help for help alone.
    """
    from typer import rich_utils

    class WholeWords(rich_utils.OptionHighlighter):
        def highlight(self, text: Text) -> None:
            text.overflow = "fold"
            super().highlight(text)

    rich_utils.highlighter = WholeWords()
    rich_utils.ARGUMENTS_PANEL_TITLE, rich_utils.OPTIONS_PANEL_TITLE = "参数", "选项"
    rich_utils.COMMANDS_PANEL_TITLE = "命令"
    rich_utils.DEFAULT_STRING, rich_utils.REQUIRED_LONG_STRING = "[默认 {}]", "[必填]"


def _translate_help_option(option: Any) -> Any:
    if option is not None:
        option.help = "打印这份说明。"
    return option


def describe_usage(error: UsageError) -> str:
    """Put a wrong use of the command line in the reader's language, with the command whose help explains it."""
    command = error.ctx.command_path if error.ctx else "jianbao"
    parameter = getattr(error, "param", None)
    name = error.parameter if isinstance(error, WrongUse) else _name_parameter(parameter)
    code, values = _find_reason(error)
    reason = sentence(f"usage/{code}", **values)
    if name:
        return sentence("usage/wrong-parameter", parameter=name, reason=reason, command=command)
    return sentence("usage/wrong", reason=reason, command=command)


def _find_reason(error: UsageError) -> tuple[str, dict[str, object]]:
    match error:
        case WrongUse():
            return error.code, error.values
        case NoSuchOption():
            return "no-such-option", {"name": error.option_name}
        case MissingParameter():
            return "missing", {}
        case BadOptionUsage():
            return "option-value", {}
        case _:
            return _find_reason_of_type(error)


def _find_reason_of_type(error: UsageError) -> tuple[str, dict[str, object]]:
    """The reason why a parameter refused its value, by the type that the command declares for it."""
    descriptor = getattr(getattr(error, "param", None), "type_descriptor", None)
    if descriptor is None:
        return "other", {"message": error.message}
    if descriptor.is_choice:
        return "choice", {"names": tuple(str(getattr(choice, "value", choice)) for choice in descriptor.choices)}
    if descriptor.is_datetime or descriptor.parameter_info.formats:  # one date, or a list of dates
        return "date", {}
    if descriptor.is_path or descriptor.file_annotation or descriptor.parameter_info.exists:
        return _find_reason_of_path(error.message)
    return ("integer-range", {}) if descriptor.is_ranged else ("integer", {})


# Seen 2026-11: file '/tmp' is a directory.   file 'a.md' does not exist.   'a.md': No such file or directory
_PATH: Final = re.compile(r"'(.+)'(?::| is| does)", re.DOTALL)
_MISSING: Final = ("does not exist", "No such file")


def _find_reason_of_path(message: str) -> tuple[str, dict[str, object]]:
    """The reason why a path was refused, by the message, which alone has the path."""
    match = _PATH.search(message)
    if match is None:
        return "other", {"message": message}
    reason = message[match.end(1) :]
    if "is a directory" in reason.lower():
        return "path-is-folder", {"path": match[1]}
    is_missing = any(phrase in reason for phrase in _MISSING)
    return "path" if is_missing else "path-unusable", {"path": match[1]}


def _name_parameter(parameter: Any) -> str:
    """The parameter as an editor types it: its longest option, or its place in the usage line."""
    if parameter is None:
        return ""
    if parameter.param_type_name == "argument":
        return str(parameter.metavar or parameter.name.upper())
    return str(max(parameter.opts, key=len))
