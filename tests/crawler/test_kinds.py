"""The table of kinds: a row promises a label, a shape, page functions, a spider, a recording and a line in the docs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from places import RECORDINGS, ROOT
from pydantic import TypeAdapter, ValidationError

from crawler.home import Home
from crawler.kinds import KIND_OF_PAGE, KINDS, Kind
from crawler.pages import PAGES
from crawler.sources.file import load_sources, toml_row
from crawler.sources.schema import Source
from crawler.spiders.base import SourceSpider

SAMPLES: dict[str, object] = {
    "url": "https://a.example/feed",
    "mirror": "one",
    "account": "MP_WXS_1",
    "ways": ["saved"],
    "list": True,
    "column": "c",
    "author": "a",
    "query": "q",
    "repos": ["a/b"],
    "base_url": "https://b.example",
    "full_text": "page",
    "page_mirror": "https://b.example/{path}",
}
"""A value that works, by field; a field without one is a number."""

WAYS = [(kind, mode, way) for kind, row in KINDS.items() for mode, shape in row.shapes.items() for way in shape.ways]


def mistakes(folder: Path, **fields: object) -> set[str]:
    (folder / "newsletter.toml").write_text('[mirrors]\none = "http://m.example/{account}"\n', encoding="utf-8")
    (folder / "sources.toml").write_text(toml_row({"id": "a", "name": "A", **fields}), encoding="utf-8")
    return {mistake.field for mistake in load_sources(Home(folder)).mistakes}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_has_a_name_in_both_languages(kind: str) -> None:
    row = KINDS[kind]
    assert all((*row.label, *row.article))
    assert not re.search("[\u3400-\u9fff]", row.label.english + row.article.english)


@pytest.mark.parametrize(("kind", "mode", "way"), WAYS)
def test_a_row_of_each_shape_works_and_a_field_of_another_shape_is_named(
    kind: str, mode: str, way: tuple[str, ...], tmp_path: Path
) -> None:
    shape = KINDS[kind].shapes[mode]
    row = {"kind": kind} | ({"mode": mode} if mode else {})
    row |= {field: SAMPLES.get(field, 1) for field in (*way, *sorted(shape.further))}
    assert mistakes(tmp_path, **row) == set()
    foreign = sorted(set(SAMPLES) - shape.fields - shape.further - {"page_mirror"})
    for field in foreign:
        assert field in mistakes(tmp_path, **row, **{field: SAMPLES[field]})


def test_every_field_of_a_shape_is_a_field_of_a_source() -> None:
    shapes = [shape for row in KINDS.values() for shape in row.shapes.values()]
    assert {field for shape in shapes for field in shape.fields | shape.further} <= set(Source.model_fields)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_has_page_functions_and_a_spider_of_its_name(kind: str) -> None:
    row = KINDS[kind]
    assert row.pages
    assert all(page.split(".")[0] == kind and callable(PAGES[page]) for page in row.pages)
    spiders = [
        spider
        for spider in vars(import_module(row.spider)).values()
        if isinstance(spider, type) and issubclass(spider, SourceSpider) and spider.__module__ == row.spider
    ]
    assert [(spider.name, spider.kind) for spider in spiders] == [(kind, kind)]


@pytest.mark.parametrize("page", KIND_OF_PAGE)
def test_each_page_function_has_a_recording_in_the_folder_of_its_kind(page: str) -> None:
    folders = RECORDINGS.glob(f"{KIND_OF_PAGE[page]}/*/response.json")
    assert page in {json.loads(path.read_text(encoding="utf-8"))["page"] for path in folders}


@pytest.mark.parametrize(("kind", "mode", "way"), WAYS)
def test_the_docs_have_a_line_for_each_shape_that_names_its_fields(kind: str, mode: str, way: tuple[str, ...]) -> None:
    name = f'`{kind}`, `mode = "{mode}"`' if mode else f"`{kind}`"
    lines = (ROOT / "data/README.md").read_text(encoding="utf-8").splitlines()
    (line,) = [line for line in lines if line.startswith(f"| {name} |")]
    assert all(f"`{field}" in line for field in way)
    (kinds_line,) = [line for line in lines if line.startswith("| `kind` |")]
    assert f"`{kind}`" in kinds_line


@pytest.mark.parametrize("kind", KINDS)
def test_every_spider_says_domain_caveats_and_where_its_interface_is_documented(kind: str) -> None:
    text = import_module(KINDS[kind].spider).__doc__ or ""
    assert all(f"\n{heading}: " in text for heading in ("Domain", "Caveats", "API documentation"))


def test_a_name_that_is_no_kind_is_refused_where_values_are_checked() -> None:
    assert [TypeAdapter(Kind).validate_python(kind) for kind in KINDS] == list(KINDS)
    with pytest.raises(ValidationError):
        TypeAdapter(Kind).validate_python("podcast")


def test_the_table_is_read_without_loading_a_spider_a_page_function_or_scrapy() -> None:
    code = "import sys, crawler.kinds; print(sorted({name.split('.')[0] for name in sys.modules}), *sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"scrapy", "twisted", "pydantic", "lxml", "crawler.pages", "crawler.spiders"}
