"""newsletter.toml: what is read, and how mistakes are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.home import Home, bundled
from pipelines.newsletter import NewsletterMisconfigured, load_newsletter

SMALLEST = 'title = "试刊"\neditor = "e"\n[[categories]]\nname = "新闻"\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "newsletter.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_bundled_newsletter_has_four_sections_in_print_order() -> None:
    newsletter = load_newsletter(bundled() / "newsletter.toml")
    assert newsletter.category_names == ("业界新闻", "论文", "开源项目", "博文")
    assert newsletter.category("应用") is newsletter.categories[0]
    assert newsletter.category("食谱") is None
    assert str(newsletter.zone) == "Asia/Shanghai"


def test_a_newsletter_needs_no_more_than_title_editor_and_one_category(tmp_path: Path) -> None:
    newsletter = load_newsletter(write(tmp_path, SMALLEST))
    assert newsletter.labels.summary == "摘要"
    assert "论文" in newsletter.labels.lines


def test_a_newsletter_without_a_word_of_chinese_is_in_english_with_half_width_colons(tmp_path: Path) -> None:
    english = SMALLEST.replace("试刊", "This Week in Rust").replace("新闻", "Crates")
    newsletter = load_newsletter(write(tmp_path, english + '[labels]\nsummary = "Summary"\n'))
    assert (newsletter.language, newsletter.labels.begin_line("Summary")) == ("en", "Summary: ")
    assert newsletter.back_issues.heading == "Past issues"
    assert load_newsletter(write(tmp_path, SMALLEST)).language == "zh"
    assert load_newsletter(write(tmp_path, SMALLEST.replace("试刊", "iOS Weekly"))).language == "zh"
    assert load_newsletter(write(tmp_path, 'language = "fr"\n' + english)).language == "fr"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (SMALLEST + 'titel = "x"\n', "categories.0.titel"),
        ('editor = "e"\n', "title"),
        ('categories = 3\ntitle = "x"\neditor = "e"\n', "categories"),
        ('time_zone = "Mars/Base"\n' + SMALLEST, "time_zone"),
        (SMALLEST + '[[categories]]\nname = "论文"\naliases = ["新闻"]\n', "新闻"),
        (SMALLEST + '[[topics]]\nname = "量化"\nweight = "heavy"\nterms = ["量化"]\n', "topics.0.weight"),
        (SMALLEST + '[publish]\nreadme_link = "{day}.md"\n', r"publish.readme_link：.*\{date\}"),
        (SMALLEST + '[publish]\nissue = "{date}/{0}"\n', "publish.issue"),
        (SMALLEST + '[back_issues]\nlink = "{date"\n', "back_issues.link"),
        ("title = \n", "newsletter.toml"),
    ],
)
def test_a_mistake_is_named_with_its_field(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(NewsletterMisconfigured, match=named):
        load_newsletter(write(tmp_path, text))


def test_a_missing_newsletter_is_an_error_that_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(NewsletterMisconfigured, match="jianbao init"):
        load_newsletter(tmp_path / "newsletter.toml")


def test_a_home_takes_its_own_rules_before_the_bundled_ones(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert home.rules("urls.toml") == bundled() / "rules/urls.toml"
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/urls.toml").write_text("", encoding="utf-8")
    assert home.rules("urls.toml") == tmp_path / "rules/urls.toml"


def test_the_environment_names_home_and_database(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JIANBAO_HOME", str(tmp_path))
    assert Home.current().database_url == f"sqlite:///{tmp_path.resolve()}/var/jianbao.db"
    monkeypatch.setenv("JIANBAO_DB", "postgresql+psycopg://db/jianbao")
    assert Home.current().database_url == "postgresql+psycopg://db/jianbao"
    assert Home.current(Path("elsewhere")).path == Path("elsewhere")
