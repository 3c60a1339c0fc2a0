"""sources.toml as text: a row switched on or off, and every comment left where it stands."""

from __future__ import annotations

import tomlkit
from tomlkit.exceptions import TOMLKitError

from crawler.errors import SourceMisconfigured


def switched(text: str, source: str, *, enabled: bool) -> str:
    """The registry with a source enabled or disabled.

    Args:
        text: of sources.toml.
        source: its id.

    Raises:
        SourceMisconfigured: the text is no TOML, or has no such row.

    >>> print(switched('[[source]]  # 一个\\nid = "a"\\nkind = "feed"\\n', "a", enabled=False), end="")
    [[source]]  # 一个
    id = "a"
    kind = "feed"
    enabled = false
    """
    try:
        document = tomlkit.parse(text)
    except TOMLKitError as error:
        raise SourceMisconfigured(f"sources.toml: {error}") from error
    rows = document.get("source", [])
    row = next((one for one in rows if one.get("id") == source), None)
    if row is None:
        raise SourceMisconfigured(f"sources.toml has no source {source!r}")
    if enabled:
        row.pop("enabled", None)
    else:
        row["enabled"] = False
    return tomlkit.dumps(document)
