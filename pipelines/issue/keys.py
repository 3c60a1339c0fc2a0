"""The strong keys of an entry: an issue is remembered by the keys of what it printed."""

from __future__ import annotations

from collections import defaultdict

from pipelines.deduplicate.stories import ROUND_UP
from pipelines.issue.entry import read_entry
from pipelines.model import WORK_PREFIXES, Entry
from pipelines.newsletter import Newsletter
from pipelines.normalise.references import find_named_addresses
from pipelines.normalise.url import Canonical, NotAWebAddress, canonicalise
from pipelines.rules import Rules


def find_entry_keys(entry: Entry, newsletter: Newsletter, rules: Rules) -> tuple[str, ...]:
    """Find the strong keys of what an entry printed.

    - The address of its title, and the paper or repository before the title: `[2006.16669] …`, `owner/repo：…`.
    - Every address in it, and every paper and repository that it names in plain words. An entry that names more than
      `ROUND_UP` papers (or repositories) is a round-up: it is about none of them, and they give no keys.
    - A link that dies within hours, and a link that is no web address, has no key.

    Args:
        entry: of a draft or a published issue.
        newsletter: its labels tell label lines from prose.
        rules: the tables of addresses and references.

    Returns:
        Keys in the order of the entry, each once.
    """
    view = read_entry(entry.markdown, newsletter)
    title_addresses = [f"https://github.com/{view.repository}"] if view.repository else []
    title_addresses += [view.url] if view.url else []
    in_title = [work for url in title_addresses for work in _works_at(url, rules)]
    for text in (*(f"[{prefix}]" for prefix in view.prefixes), view.title):
        in_title += find_named_addresses(text, rules)
    title_keys = dict.fromkeys(key for work in in_title for key in work.keys)

    prose = "\n".join((*(label.text for label in view.labels), *view.summary))
    in_body = [*(work for url in view.urls for work in _works_at(url, rules)), *find_named_addresses(prose, rules)]
    works: dict[str, set[str]] = defaultdict(set)
    for work in in_body:
        if work.key not in title_keys and work.key.startswith(WORK_PREFIXES):
            works[work.key.partition(":")[0]].add(work.key.partition("@")[0])
    rounded_up = tuple(f"{prefix}:" for prefix, keys in works.items() if len(keys) > ROUND_UP)
    body_keys = (key for work in in_body if not work.key.startswith(rounded_up) for key in work.keys)
    return tuple(dict.fromkeys((*title_keys, *body_keys)))


def _works_at(url: str, rules: Rules) -> tuple[Canonical, ...]:
    """Identify the thing at an address, and the repository of a release; a file or an issue stands for itself alone."""
    try:
        address = canonicalise(url, rules)
    except NotAWebAddress:
        return ()
    if address.temporary:
        return ()
    is_release = any("@" in key for key in address.keys)
    return (address, canonicalise(address.part_of, rules)) if address.part_of and is_release else (address,)
