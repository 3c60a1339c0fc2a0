"""Structured logs: one JSON object a line on stderr, for journald and whatever collects logs.

In text, what happens to a source is a table of `crawl` and a row of the store, and a log of it would say it twice. So
the ledger's events reach a log in JSON alone.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Final, Literal

LogFormat = Literal["text", "json"]

LOG_FORMAT_VARIABLE: Final = "JIANBAO_LOG_FORMAT"

_LEDGER: Final = logging.getLogger("jianbao.ledger")
_TERMINAL: Final = logging.getLogger("jianbao.terminal")
_FACTS: Final = "facts"
_formats: list[LogFormat] = ["text"]


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object: `time level event message`, then the facts of the event.

    `event` is a short name such as `run-ended`; of a library's record, the name of its logger.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Format a record; line breaks and control characters are escaped, so that it is one line."""
        facts: dict[str, Any] = getattr(record, _FACTS, {})
        row: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": facts.get("event", record.name),
            "message": record.getMessage(),
        }
        row |= {name: fact for name, fact in facts.items() if name != "event" and fact is not None}
        if record.exc_info:
            row["traceback"] = self.formatException(record.exc_info)
        return json.dumps(row, ensure_ascii=False, default=str)


def set_log_format(log_format: LogFormat) -> None:
    """Choose the format of this process's logs; without a call it is text.

    Args:
        log_format: `json` takes all records of the level INFO and above to stderr.
    """
    _formats[0] = log_format
    _LEDGER.propagate = log_format == "json"
    if log_format == "json":
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(JsonLines())
        logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
        logging.captureWarnings(capture=True)


def is_json() -> bool:
    """Whether the logs of this process are JSON."""
    return _formats[0] == "json"


def log_event(level: int, event: str, message: str = "", **facts: object) -> None:
    """Log an event of the ledger: a run that began or ended, a problem of a page. It is nowhere in text.

    Args:
        level: of `logging`.
        event: its name.
        message: for a person; by default the name.
        facts: `source`, `run`, `url` and others; None leaves one out.
    """
    _LEDGER.log(level, "%s", message or event, extra=make_extra(event, **facts))


def log_message(level: int, message: str) -> None:
    """Log what a command would print on stderr in text."""
    _TERMINAL.log(level, "%s", message, extra=make_extra("message"))


def make_extra(event: str, **facts: object) -> dict[str, object]:
    """Make the `extra` of a record of any logger, with the event's name and its facts."""
    return {_FACTS: {"event": event, **facts}}


_LEDGER.addHandler(logging.NullHandler())
_LEDGER.propagate = False
