"""What past issues printed twice: entries that share a URL, a paper or a repository, and what memory says of the later.

Beside it stands a count that knows nothing of jianbao: plain regexes over the Markdown, address by address.

python tests/benchmarks/repeats.py FOLDER_OF_PAST_ISSUES
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path

from crawler.home import Home, bundled
from pipelines.deduplicate.memory import Printed, PrintedEntries, Recalled, recall_story
from pipelines.issue.entry import read_entry
from pipelines.issue.keys import find_entry_keys
from pipelines.issue.reading import read_issue
from pipelines.model import WORK_PREFIXES, Article, Instant, Reference, StoredArticle
from pipelines.newsletter import load_newsletter
from pipelines.normalise.url import NotAWebAddress, canonicalise
from pipelines.rules import Rules, load_rules


@dataclass(frozen=True)
class Place:
    """An entry: its issue, its place in it, its title, and what the issues before it say of it."""

    day: date
    position: int
    title: str
    recalled: Recalled


@dataclass(frozen=True)
class Thing:
    """Something that several entries printed."""

    keys: tuple[str, ...]
    places: tuple[Place, ...]

    @property
    def issues(self) -> int:
        """In how many issues."""
        return len({place.day for place in self.places})


def printed_twice(folder: Path) -> list[Thing]:
    """What more than one entry of the issues printed, oldest first; keys of the same thing together."""
    newsletter, rules = load_newsletter(Home(bundled()).newsletter), load_rules(Home(bundled()))
    places: dict[str, list[Place]] = defaultdict(list)
    printed: dict[str, list[Printed]] = defaultdict(list)
    for path in sorted(folder.glob("*.md")):
        issue = read_issue(path.read_bytes(), name=path.name, newsletter=newsletter)
        entries = [entry for section in issue.sections for entry in section.entries]
        told = [find_entry_keys(entry, newsletter, rules) for entry in entries]
        for position, (entry, keys) in enumerate(zip(entries, told, strict=True)):
            view = read_entry(entry.markdown, newsletter)
            label_lines = {key for one in view.labels if one.url for key in _keys_at(one.url, rules)}
            article = _article(view.title, _keys_at(view.url or "", rules), keys, label_lines, issue.date)
            place = Place(issue.date, position, view.title, recall_story([article], PrintedEntries(printed), {}))
            for key in keys:
                places[key].append(place)
        for entry, keys in zip(entries, told, strict=True):
            for key in keys:
                printed[key].append(Printed(issue.date, entry.markdown))
    return _things({key: tuple(found) for key, found in places.items() if len(found) > 1})


def counted_plainly(folder: Path) -> Mapping[str, int]:
    """The addresses, papers and repositories that more than one item has, and how many have it. Uses no jianbao."""
    holders: dict[str, set[tuple[str, int]]] = defaultdict(set)
    for path in sorted(folder.glob("*.md")):
        text = path.read_text(encoding="utf-8", errors="replace")
        until = text.find("往期回顾")
        body = text[text.find("\n## ") : until if until > 0 else len(text)]
        for position, item in enumerate(re.split(r"\n(?=- )", body)):
            if item.startswith("- "):
                for key in _plain_keys(item):
                    holders[key].add((path.name, position))
    return {key: len(found) for key, found in holders.items() if len(found) > 1}


def _plain_keys(item: str) -> Iterator[str]:
    for number in re.findall(r"(?:arxiv\.org/(?:abs|pdf)/|\[|arxiv[:：]\s?)(\d{4}\.\d{4,5})", item, re.IGNORECASE):
        yield f"arxiv:{number}"
    for name in re.findall(r"(?:github\.com/|^- (?:\*\*)?\[?)([\w-]+/[\w.-]+?)(?:\.git)?(?![\w.-])", item, re.ASCII):
        if re.search(rf"github\.com/{re.escape(name)}|\A- (?:\*\*)?\[?{re.escape(name)}\s?[:：]", item):
            yield f"github:{name.lower().rstrip('.')}"
    for address in re.findall(r"https?://([^\s()<>\[\]，。；、）\"'`]+)", item):
        if not re.match(r"(?:www\.)?(?:arxiv\.org/(?:abs|pdf)|github\.com/[^/]+/[^/]+)", address):
            yield "https://" + address.removeprefix("www.").rstrip("/.,;*")


def _keys_at(url: str, rules: Rules) -> tuple[str, ...]:
    with suppress(NotAWebAddress):
        return canonicalise(url, rules).keys
    return ()


def _article(title: str, at: Sequence[str], keys: Sequence[str], labelled: Collection[str], day: date) -> StoredArticle:
    """A post such as the entry was made of: at its address, and about all papers and repositories that it printed."""
    when, url = datetime.combine(day, time(), UTC), at[-1] if at else ""
    own = () if any(key.startswith(WORK_PREFIXES) for key in at) else at
    about = tuple(
        Reference(key, "", label="链接" if key in labelled else None, primary=True, position=place)
        for place, key in enumerate(keys)
        if key not in own and (key in labelled or key.startswith(WORK_PREFIXES))
    )
    article = Article(
        kind="web",
        source="",
        url=url,
        seen_url=url,
        keys=tuple(own),
        title=title,
        published=Instant(when, "day", "published"),
        fetched_at=when,
        references=about,
    )
    return StoredArticle(0, article, (url,), ("",), when)


def _things(places: Mapping[str, tuple[Place, ...]]) -> list[Thing]:
    """Keys whose places are among those of another are ways to say the same thing."""
    groups: dict[tuple[Place, ...], list[str]] = {}
    for key, mine in sorted(places.items(), key=lambda item: -len(item[1])):
        whole = next((other for other in groups if set(mine) <= set(other)), mine)
        groups.setdefault(whole, []).append(key)
    return sorted((Thing(tuple(keys), mine) for mine, keys in groups.items()), key=lambda one: one.places[0].day)


def main() -> None:
    """Print each thing with where and as what it was printed, then both counts and what tells them apart."""
    folder = Path(sys.argv[1])
    found, plain = printed_twice(folder), counted_plainly(folder)
    for thing in found:
        sys.stdout.write(f"{' '.join(thing.keys)}\n")
        for place in thing.places:
            known = place.recalled
            said = f"已在 {known.published_in} 收录" if known.published_in else ""
            said = f"后续：已在 {known.follows} 收录过" if known.follows else said
            sys.stdout.write(f"    {place.day}  {place.title}  {said}\n")
    several = [thing for thing in found if thing.issues > 1]
    sys.stdout.write(f"{len(found)} things printed more than once, {len(several)} of them in more than one issue\n")
    keys = {key for thing in found for key in thing.keys}
    sys.stdout.write(f"{len(plain)} addresses, papers and repositories counted plainly; not found:\n")
    for key in sorted(plain.keys() - keys):
        sys.stdout.write(f"    {key}{'  (dies within hours)' if 'signature=' in key else ''}\n")
    sys.stdout.write("found, but not counted plainly:\n")
    for thing in found:
        if plain.keys().isdisjoint(thing.keys):
            sys.stdout.write(f"    {' '.join(thing.keys)}\n")


if __name__ == "__main__":
    main()
