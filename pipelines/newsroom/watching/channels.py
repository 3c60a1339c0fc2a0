"""Sends a message over a channel of `[alerts]`: a web address, mail, or a command of the operator."""

from __future__ import annotations

import json
import os
import smtplib
import ssl
import subprocess
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from http.client import HTTPException
from typing import Any, Final
from urllib.error import URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from pipelines.newsletter import AlertChannel

TIMEOUT: Final = 20.0
"""Seconds for a command, and for each piece of an answer."""

LONGEST_ATTEMPT: Final = 60.0
"""Seconds; a server that answers a byte at a time, and a name that is looked up without end, hold up no schedule. The
alert waits in the store for the next attempt."""

_MOST_ANSWER: Final = 64 * 1024
_WECOM_LIMIT: Final = 4096
"""Bytes of a markdown message (https://developer.work.weixin.qq.com/document/path/91770)."""
_TEXT_LIMIT: Final = 20_000
"""Bytes; Feishu takes 20 KB for a whole request, Slack 40,000 characters."""


class NotSent(Exception):
    """A channel did not take a message; the text says why. Raised by `send`."""


@dataclass(frozen=True, slots=True)
class Message:
    """What a channel tells people.

    Args:
        title: one line.
        lines: plain text.
        facts: the same for programs, as JSON values.
    """

    title: str
    lines: tuple[str, ...]
    facts: Mapping[str, Any]

    def as_text(self, limit: int = _TEXT_LIMIT) -> str:
        """Title and lines as one text, cut to a number of bytes of UTF-8."""
        return _cut("\n".join((self.title, *self.lines)), limit)


def send(channel: AlertChannel, message: Message) -> None:
    """Send a message.

    Args:
        channel: of newsletter.toml.
        message: to send.

    Raises:
        NotSent: the channel did not take it, or not in time.
    """
    reasons = ["a mistake: see the log"]  # why it is not sent

    def attempt() -> None:
        try:
            _send(channel, message)
            reasons.clear()
        except NotSent as error:
            reasons[:] = [str(error)]

    thread = threading.Thread(target=attempt, name=f"alert by {channel.kind}", daemon=True)
    thread.start()
    thread.join(LONGEST_ATTEMPT)
    if thread.is_alive():
        raise NotSent(f"no end after {LONGEST_ATTEMPT:.0f} s")
    if reasons:
        raise NotSent(reasons[0])


def _send(channel: AlertChannel, message: Message) -> None:
    try:
        _SENDERS[channel.kind](channel, message)
    except (URLError, HTTPException, OSError, smtplib.SMTPException, subprocess.SubprocessError, ValueError) as error:
        raise NotSent(f"{type(error).__name__}: {error}"[:500]) from error


def _send_webhook(channel: AlertChannel, message: Message) -> None:
    _post(channel, {"title": message.title, "text": message.as_text(), **message.facts})


def _send_wecom(channel: AlertChannel, message: Message) -> None:
    text = _cut("\n".join((f"**{_escape(message.title)}**", *map(_escape, message.lines))), _WECOM_LIMIT)
    answer = _post(channel, {"msgtype": "markdown", "markdown": {"content": text}})
    _require_zero(answer, "errcode")


def _send_feishu(channel: AlertChannel, message: Message) -> None:
    answer = _post(channel, {"msg_type": "text", "content": {"text": message.as_text(18_000)}})
    _require_zero(answer, "code", "StatusCode")


def _send_slack(channel: AlertChannel, message: Message) -> None:
    _post(channel, {"text": _escape(message.as_text())})


def _send_mail(channel: AlertChannel, message: Message) -> None:
    mail = EmailMessage()
    mail["Subject"] = " ".join(message.title.split())
    mail["From"], mail["To"] = channel.sender, ", ".join(channel.to)
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notice comes back
    mail.set_content("\n".join(message.lines) + "\n")
    context = ssl.create_default_context()
    if channel.tls == "tls":
        client: smtplib.SMTP = smtplib.SMTP_SSL(channel.host, channel.port or 465, timeout=TIMEOUT, context=context)
    else:
        client = smtplib.SMTP(channel.host, channel.port or (587 if channel.tls == "starttls" else 25), timeout=TIMEOUT)
    with client:
        if channel.tls == "starttls":
            client.starttls(context=context)
        if channel.user:
            client.login(channel.user, _read_secret(channel.password_variable))
        client.send_message(mail)


def _run_command(channel: AlertChannel, message: Message) -> None:
    document = json.dumps({"title": message.title, "text": message.as_text(), **message.facts}, ensure_ascii=False)
    process = subprocess.run(  # noqa: S603 (the operator's own command, without a shell)
        channel.command, input=document.encode(), capture_output=True, timeout=TIMEOUT, check=False
    )
    if process.returncode:
        raise NotSent(f"exit status {process.returncode}: {process.stderr.decode(errors='replace').strip()[-300:]}")


_SENDERS: Final[Mapping[str, Callable[[AlertChannel, Message], None]]] = {
    "webhook": _send_webhook,
    "wecom": _send_wecom,
    "feishu": _send_feishu,
    "slack": _send_slack,
    "email": _send_mail,
    "command": _run_command,
}


class _NoRedirect(HTTPRedirectHandler):
    """A redirect is a mistake in the address: the message may hold what the other site must not see."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _post(channel: AlertChannel, document: Mapping[str, Any]) -> bytes:
    """Send JSON to the channel's address, and return the answer.

    Raises:
        NotSent: the environment has no address.
        URLError: no answer, or one that is no success.
    """
    address = channel.url or _read_secret(channel.url_variable)
    if not address.startswith(("https://", "http://")):
        raise NotSent("the address is neither https:// nor http://")
    body = json.dumps(document, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "jianbao"}
    request = Request(address, body, headers)  # noqa: S310 (the scheme is checked)
    with build_opener(_NoRedirect).open(request, timeout=TIMEOUT) as answer:
        read: bytes = answer.read(_MOST_ANSWER)
        return read


def _require_zero(answer: bytes, *names: str) -> None:
    """Check the code in an answer that comes with status 200 for an error too.

    Raises:
        NotSent: the code is another one, or the answer has none.
    """
    try:
        document = json.loads(answer)
        code = next(document[name] for name in names if name in document)
    except (ValueError, StopIteration, TypeError):
        code = None
    if code != 0:
        raise NotSent(f"answer {answer[:300].decode(errors='replace')}")


def _read_secret(variable: str) -> str:
    if secret := os.environ.get(variable, "").strip():
        return secret
    raise NotSent(f"the environment has no {variable}" if variable else "neither an address nor its variable is set")


def _escape(text: str) -> str:
    """Escape the three characters that Slack and WeCom read as markup; no name of a source can make a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(text: str, limit: int) -> str:
    """Cut a text to so many bytes of UTF-8."""
    encoded = text.encode(errors="replace")
    if len(encoded) <= limit:
        return encoded.decode()
    return encoded[: limit - 3].decode(errors="ignore") + "…"
