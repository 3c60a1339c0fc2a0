"""Pages in the shapes of many sites, in words of our own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from crawler.markup.html import parse
from crawler.markup.metadata import PageMetadata

FETCHED_AT: Final = datetime(2026, 11, 20, 4, tzinfo=UTC)
ADDRESS: Final = "https://news.example.org/a/1"
PARAGRAPH: Final = (
    "<p>把权重从三十二位换成八位，手机上的时间从八十毫秒降到三十一毫秒。校准集不必大，两百张图就够了，再多也只改变小数点后"
    "第三位；要紧的是它和真实输入像不像。下面先说怎么做，再说哪里会错，最后给出三块开发板上的数字与所用的命令，读者可以照着"
    "再跑一遍，看看差多少。</p>"
)


def page_of(body: str, head: str = "", address: str = ADDRESS) -> PageMetadata:
    """A page with this head and body."""
    return PageMetadata.of(address, parse(f"<html><head>{head}</head><body>{body}</body></html>"))
