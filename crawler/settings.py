"""Each Scrapy setting that is not the default: default, unit, reason.

`JIANBAO_HOME` is the newsletter's folder; `pipelines.newsroom.crawling.crawls` sets it for the newsletter that it
crawls, and by hand (`scrapy crawl arxiv`) it is what the environment names, else `./data`.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Final

from scrapy.settings import BaseSettings

from crawler import kinds
from crawler.home import Home


def _version() -> str:
    try:
        return version("jianbao")
    except PackageNotFoundError:  # a checkout that is not installed
        return "0"


JIANBAO_HOME = str(Home.current().path)

# ---- Who we are ---------------------------------------------------------------------------------------------------

# Default "scrapybot". Logs say who speaks.
BOT_NAME = "jianbao"

# Default []. A module a kind, as the table of kinds names them; and where `scrapy record` is.
SPIDER_MODULES = [row.spider for row in kinds.KINDS.values()]
COMMANDS_MODULE = "crawler.commands"

# Default "Scrapy/VERSION (+https://scrapy.org)". Sites should see who asks; GitHub's API wants a name.
USER_AGENT = f"jianbao/{_version()} (newsletter reader)"

# Default None (the whole User-Agent). The name that robots.txt may speak to.
ROBOTSTXT_USER_AGENT = "jianbao"

# Default "en". Chinese pages in Chinese.
DEFAULT_REQUEST_HEADERS = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,application/json;q=0.9,*/*;q=0.8",
    "Accept-Language": "zh-CN,zh;q=0.9,en;q=0.6",
}

# Default {}. The only item is a Batch; the room it goes to is named as a string, so that this one never imports it.
ITEM_PIPELINES = {"pipelines.newsroom.crawling.bridge.Bridge": 100}

# ---- Where we may go ----------------------------------------------------------------------------------------------

# Default CachingThreadedResolver, which reaches localhost by ten spellings. Works on the process only.
TWISTED_DNS_RESOLVER = "crawler.network.resolver.PublicResolver"

# Default: also data, file, ftp and s3, and http(s) without our checks. The door is Scrapy's own Twisted handler behind
# them; the httpx and aiohttp handlers would bypass the resolver.
DOWNLOAD_HANDLERS = {
    "http": "crawler.network.door.Door",
    "https": "crawler.network.door.Door",
    "data": None,
    "file": None,
    "ftp": None,
    "s3": None,
}

# Default {} over a long base. Ours alone: each costs every request 10 µs, and headers and time limit are added at the
# door. A middleware that its setting switches off is imported first, with all that it needs, so the base is empty here.
DOWNLOADER_MIDDLEWARES_BASE: dict[str, int] = {}
DOWNLOADER_MIDDLEWARES = {
    "crawler.network.redirect.Redirect": 60,
    "crawler.network.robots.Robots": 100,
    "crawler.network.retry.Retry": 550,
    "crawler.network.retry.Decompression": 590,
}

# Default: six of Scrapy's. Every request is ours and every answer goes to its page function, whatever its status; the
# length of a URL is checked with the URL. An answer that breaks off is asked for once more, by its own request with its
# count of tries, which is no mistake to be warned of.
SPIDER_MIDDLEWARES_BASE: dict[str, int] = {}

# Default True: a proxy named by the environment would resolve names itself, past our resolver.
HTTPPROXY_ENABLED = False

# Default False. See crawler/network/robots.py for what a missing or broken robots.txt means.
ROBOTSTXT_OBEY = True

# Default 20, hops.
REDIRECT_MAX_TIMES = 5

# Default True. A page's meta refresh leads where its author likes, and looking for it decodes every body.
METAREFRESH_ENABLED = False

# Default False. Tokens and cookies travel on these connections.
DOWNLOAD_VERIFY_CERTIFICATES = True

# ---- What we carry ------------------------------------------------------------------------------------------------

# Default True. No session is kept; the one cookie that a user may give goes through crawler/network/credentials.py.
COOKIES_ENABLED = False

# Default True, and a policy that the answering site may loosen by a header. Nobody is told where we come from.
REFERER_ENABLED = False
REFERRER_POLICY = "no-referrer"

# ---- How much, how long, how often --------------------------------------------------------------------------------

# Default 1 GiB; bytes, also after unpacking. The largest feed of 2,000 papers stays under 10 MB.
DOWNLOAD_MAXSIZE = 16 * 1024 * 1024

# Default 32 MiB, bytes.
DOWNLOAD_WARNSIZE = 8 * 1024 * 1024

# Default 180, seconds for the whole answer, its last byte included.
DOWNLOAD_TIMEOUT = 30

# Default 0, seconds. For hosts without a rule in data/rules/hosts.toml or [network.hosts]. crawler/network/gate.py
# keeps it, for the whole process; Scrapy's own downloader would keep it for each crawler.
DOWNLOAD_DELAY = 1.0
DOWNLOADER = "crawler.network.downloader.Downloader"

# Default 8. One at a time, which arXiv and GitHub ask for in so many words.
CONCURRENT_REQUESTS_PER_DOMAIN = 1

# Default 16. They count while they wait for their host's turn, so there must be more than the slow hosts take.
CONCURRENT_REQUESTS = 32

# Default 10, threads. Names are looked up in them, and a dead name server holds one for ten seconds.
REACTOR_THREADPOOL_MAXSIZE = 20

# Ours, seconds: before the second try, doubled before the third (Scrapy's RETRY_TIMES is 2, and its middleware tries
# again at once).
RETRY_BACKOFF = 1.0

# ---- What it costs ------------------------------------------------------------------------------------------------

# Default 100. A reply gives a batch and few requests; with 100, Scrapy starts 101 tasks for each reply (1.1 ms).
CONCURRENT_ITEMS = 1

# Default True. The check reads the source of a callback at each reply (0.45 ms), since each reply has a callback of its
# own; our callbacks return nothing.
WARN_ON_GENERATOR_RETURN_VALUE = False

# Default "DEBUG". Debug lines for each request cost a tenth of the run.
LOG_LEVEL = "INFO"

# ---- No doors into the process ------------------------------------------------------------------------------------

# Default True: a Python prompt on 127.0.0.1:6023.
TELNETCONSOLE_ENABLED = False

# Default True: an HTTP port that runs code.
REMOTE_CONTROL_ENABLED = False

# Default {} over a base with both doors, which imports a web server (0.3 s) before their settings close them, and with
# counts that nobody reads, of which each reply and each batch makes a task (2 % of a page): the store has its own.
EXTENSIONS_BASE: dict[str, int] = {}


_SAFE: Final = {
    "TWISTED_DNS_RESOLVER": TWISTED_DNS_RESOLVER,
    "TWISTED_REACTOR_ENABLED": True,
    "TELNETCONSOLE_ENABLED": False,
    "REMOTE_CONTROL_ENABLED": False,
    "HTTPPROXY_ENABLED": False,
    "HTTPCACHE_ENABLED": False,  # it reads what it kept with pickle
    "COOKIES_ENABLED": False,
    "METAREFRESH_ENABLED": False,
    "ROBOTSTXT_OBEY": True,
    "DOWNLOAD_VERIFY_CERTIFICATES": True,
    "JOBDIR": None,  # likewise
}
_DOOR: Final = "crawler.network.door.Door"
_OURS: Final = frozenset({"crawler.network.redirect.Redirect", "crawler.network.robots.Robots"})


def assert_safe(settings: BaseSettings) -> None:
    """Stop a process whose settings would switch off a protection.

    Called where a process starts, and by `crawler.network.downloader` for whatever else makes a crawler.

    Raises:
        RuntimeError: names every setting that is not as it must be.
    """
    wrong = [name for name, setting in _SAFE.items() if _plain(settings.get(name)) != setting]
    handlers = settings.getwithbase("DOWNLOAD_HANDLERS")
    wrong += [f"DOWNLOAD_HANDLERS[{scheme!r}]" for scheme, path in handlers.items() if path != _door(scheme)]
    middlewares = settings.getdict("DOWNLOADER_MIDDLEWARES")
    wrong += [f"DOWNLOADER_MIDDLEWARES[{name!r}]" for name in sorted(_OURS) if middlewares.get(name) is None]
    if not 0 < settings.getint("DOWNLOAD_MAXSIZE") <= DOWNLOAD_MAXSIZE:
        wrong.append("DOWNLOAD_MAXSIZE")
    if not 0 < settings.getfloat("DOWNLOAD_TIMEOUT") <= 180:
        wrong.append("DOWNLOAD_TIMEOUT")
    if wrong:
        raise RuntimeError(f"unsafe settings, nothing is fetched: {', '.join(wrong)} (see crawler/settings.py)")


def _plain(setting: object) -> object:
    """The value that `-s NAME=0` and its like on the command line mean."""
    return {"0": False, "1": True, "False": False, "True": True, 0: False, 1: True}.get(setting, setting)


def _door(scheme: str) -> str | None:
    return _DOOR if scheme in ("http", "https") else None
