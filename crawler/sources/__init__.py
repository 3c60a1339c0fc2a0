"""Where articles come from: rows of sources.toml, and lists of feeds of other readers."""

from __future__ import annotations

from crawler.sources.file import Mistake as Mistake
from crawler.sources.file import Registry as Registry
from crawler.sources.file import load_sources as load_sources
from crawler.sources.schema import Source as Source
