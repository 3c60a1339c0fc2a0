"""Debian's Firefox, driven by Marionette, the protocol that it speaks itself: no driver has to be installed.

The protocol is in firefox-source-docs.mozilla.org/testing/marionette/Protocol.html.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

FIREFOX = os.environ.get("JIANBAO_FIREFOX", "/usr/bin/firefox-esr")
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key of an element's id: WebDriver, section 12.2
_PREFERENCES = """
user_pref("marionette.port", 0);
user_pref("network.proxy.type", 0);
user_pref("dom.confirm_repost.testing.always_accept", true);
user_pref("app.update.disabledForTesting", true);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
"""


class Firefox:
    """A window of Firefox.

    Args:
        connection: to its Marionette server.
        stream: what the server sends on the connection.
    """

    def __init__(self, connection: socket.socket, stream: BinaryIO) -> None:
        self._connection = connection
        self._stream = stream
        self._count = 0
        self._read_message()  # the server's greeting
        self._send("WebDriver:NewSession")

    def open(self, url: str) -> None:
        self._send("WebDriver:Navigate", url=url)

    def reload(self) -> None:
        self._send("WebDriver:Refresh")

    def press(self, selector: str) -> None:
        """Click an element, and wait for the page that the click leads to."""
        self._send("WebDriver:ElementClick", id=self._find(selector))

    def write(self, selector: str, text: str) -> None:
        self._send("WebDriver:ElementSendKeys", id=self._find(selector), text=text)

    def read(self, selector: str) -> str:
        return str(self._send("WebDriver:GetElementText", id=self._find(selector))["value"])

    def attribute(self, selector: str, name: str) -> str:
        return str(self._send("WebDriver:GetElementAttribute", id=self._find(selector), name=name)["value"])

    def url(self) -> str:
        return str(self._send("WebDriver:GetCurrentURL")["value"])

    def clear_cookies(self) -> None:
        self._send("WebDriver:DeleteAllCookies")

    def _find(self, selector: str) -> str:
        element = self._send("WebDriver:FindElement", using="css selector", value=selector)["value"]
        return str(element[_ELEMENT])

    def _send(self, command: str, **parameters: Any) -> Any:
        self._count += 1
        message = json.dumps([0, self._count, command, parameters]).encode()
        self._connection.sendall(b"%d:%b" % (len(message), message))
        _, _, error, result = self._read_message()
        assert error is None, error
        return result

    def _read_message(self) -> Any:
        length = b""
        while (byte := self._stream.read(1)) != b":":
            assert byte, "Firefox closed the connection"
            length += byte
        return json.loads(self._stream.read(int(length)))


@contextmanager
def start_firefox(folder: Path) -> Iterator[Firefox]:
    """Start Firefox with an empty profile.

    Args:
        folder: an empty folder, for the profile.
    """
    assert Path(FIREFOX).exists(), f"{FIREFOX} is not there: apt-get install firefox-esr, or set JIANBAO_FIREFOX"
    (folder / "user.js").write_text(_PREFERENCES, encoding="utf-8")
    command = [FIREFOX, "--headless", "--no-remote", "--marionette", "--profile", str(folder)]
    environment = os.environ | {"HOME": str(folder)}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            port = _read_port(folder / "MarionetteActivePort", process)
            with (
                socket.create_connection(("127.0.0.1", port), timeout=60) as connection,
                connection.makefile("rb") as stream,
            ):
                yield Firefox(connection, stream)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def _read_port(path: Path, process: subprocess.Popen[bytes]) -> int:
    for _ in range(600):
        if path.exists() and (text := path.read_text(encoding="ascii").strip()):
            return int(text)
        assert process.poll() is None, "Firefox ended before it listened"
        time.sleep(0.1)
    raise AssertionError("Firefox does not listen")
