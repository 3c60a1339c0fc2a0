"""A desk in a process of its own, for tests that press its keys in a browser."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pipelines.newsroom import Newsroom

CHROMIUM = os.environ.get("JIANBAO_CHROMIUM", "/usr/bin/chromium")


@contextmanager
def serve_desk(newsroom: Newsroom, *options: str) -> Iterator[int]:
    """Run `jianbao review` with options; its port."""
    home = str(newsroom.home.path)
    command = [sys.executable, "-m", "pipelines.cli", "--home", home, "review", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            line = server.stdout.readline()
            port = re.search(r"http://[\d.]+:(\d+)", line)
            assert port, line
            yield int(port[1])
        finally:
            server.terminate()
            server.wait(10)
