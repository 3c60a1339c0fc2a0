"""The JSON document of candidates: written part by part, and the same as if it were written at once."""

from __future__ import annotations

import json
from zoneinfo import ZoneInfo

import pytest
from builders import NOON, stored

from pipelines.group.as_json import candidate_json, write_candidates
from pipelines.model import Candidate, Story

SHANGHAI = ZoneInfo("Asia/Shanghai")


def candidate(number: int) -> Candidate:
    report = stored(number, title=f'第 {number} 篇\n两行 "引号"')
    return Candidate(Story(number, (number,), number), (report,), "论文", {"论文": 1.0}, (), 2.0, ())


@pytest.mark.parametrize("lists", [[], [("新闻", 0)], [("新闻", 2)], [("新闻", 0), ("论文", 3), ("博文", 0)]])
@pytest.mark.parametrize("enough", [None, {"论文": 2}])
def test_the_parts_are_the_document(lists: list[tuple[str, int]], enough: dict[str, int] | None) -> None:
    candidates = {name: [candidate(number) for number in range(count)] for name, count in lists}
    document = {
        "generated_at": NOON.isoformat(),
        "categories": [
            {
                "name": name,
                "enough": None if enough is None else enough.get(name, 0),
                "candidates": [candidate_json(each, "zh", SHANGHAI) for each in listed],
            }
            for name, listed in candidates.items()
        ],
    }
    written = write_candidates(candidates.items(), NOON, "zh", SHANGHAI, enough=enough)
    assert "".join(written) == json.dumps(document, ensure_ascii=False, indent=2) + "\n"
