"""Emoji codes, as GitHub's API gives them (`:rocket:`), as characters."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_CODE: Final = re.compile(r":([a-z0-9_+-]{1,40}):")

_NAMES: Final = {
    "+1": "👍", "-1": "👎", "100": "💯", "arrow_down": "⬇️", "arrow_right": "➡️", "art": "🎨",
    "ballot_box_with_check": "☑️", "balloon": "🎈", "bar_chart": "📊", "beers": "🍻", "bell": "🔔",
    "bento": "🍱", "bookmark_tabs": "📑", "boom": "💥", "brain": "🧠", "building_construction": "🏗️",
    "bulb": "💡", "camera": "📷", "card_file_box": "🗃️", "chart_with_upwards_trend": "📈",
    "checkered_flag": "🏁", "clap": "👏", "cloud": "☁️", "coffee": "☕", "computer": "💻", "cn": "🇨🇳",
    "construction": "🚧", "crab": "🦀", "dart": "🎯", "desktop_computer": "🖥️", "earth_africa": "🌍",
    "earth_americas": "🌎", "earth_asia": "🌏", "email": "📧", "exclamation": "❗", "eyes": "👀",
    "gear": "⚙️", "globe_with_meridians": "🌐", "green_heart": "💚", "hammer_and_wrench": "🛠️",
    "heart": "❤️", "heavy_check_mark": "✔️", "heavy_plus_sign": "➕", "hugs": "🤗", "iphone": "📱",
    "information_source": "ℹ️", "key": "🔑", "label": "🏷️", "laughing": "😆", "lock": "🔒", "mag": "🔍",
    "mag_right": "🔎", "mailbox": "📫", "medal_military": "🎖️", "memo": "📝", "microphone": "🎤",
    "muscle": "💪", "notebook": "📓", "ok_hand": "👌", "package": "📦", "paperclip": "📎", "pencil": "📝",
    "pencil2": "✏️", "penguin": "🐧", "pray": "🙏", "pushpin": "📌", "racing_car": "🏎️",
    "raised_hands": "🙌", "recycle": "♻️", "robot": "🤖", "rotating_light": "🚨", "satellite": "📡",
    "scroll": "📜", "shield": "🛡️", "smile": "😄", "smiley": "😃", "snake": "🐍", "speech_balloon": "💬",
    "star": "⭐", "star2": "🌟", "stars": "🌠", "stop_sign": "🛑", "sunny": "☀️", "tada": "🎉",
    "thinking": "🤔", "thumbsup": "👍", "timer_clock": "⏲️", "tm": "™️", "toolbox": "🧰",
    "triangular_flag_on_post": "🚩", "truck": "🚚", "tv": "📺", "us": "🇺🇸", "warning": "⚠️", "wave": "👋",
    "white_check_mark": "✅", "wink": "😉", "x": "❌", "zap": "⚡",
}  # fmt: skip
"""Codes whose character has another name in Unicode (github/gemoji, db/emoji.json)."""


def read_emoji_codes(text: str) -> str:
    """The text with the emoji that its codes stand for; what is no code of an emoji stays.

    >>> read_emoji_codes(":rocket: fast :zap: at 10:30:00, std::vector, :no_such_code:")
    '🚀 fast ⚡ at 10:30:00, std::vector, :no_such_code:'
    """
    return _CODE.sub(lambda match: _emoji(match[1]) or match[0], text) if ":" in text else text


def _emoji(code: str) -> str:
    if code in _NAMES:
        return _NAMES[code]
    try:
        character = unicodedata.lookup(code.replace("_", " ").upper())
    except KeyError:
        return ""
    return character if len(character) == 1 and unicodedata.category(character) == "So" else ""
