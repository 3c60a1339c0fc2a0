"""The commands to begin with: a demo, and the folder of a new newsletter."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.text import Text

from crawler.home import Home, bundled
from pipelines import files
from pipelines.cli.terminal import WRONG_USE, fail, out, sentence
from pipelines.cli.usage import WrongUse


def demo(
    context: typer.Context,
    serve: Annotated[bool, typer.Option("--serve", help="只起样例站点，按 Ctrl-C 结束。")] = False,
) -> None:
    """在自带的样例编辑部上跑一遍全流程：抓取、归组、列候选、导出。目录是 ./jianbao-demo。

    例：jianbao demo
    """
    from pipelines.cli.demo import run_demo
    from pipelines.cli.demo import serve as serve_sample

    jianbao = context.find_root().command

    def run_typed(arguments: Sequence[str]) -> int:
        code: int | None = jianbao.main(list(arguments), standalone_mode=False)
        return code or 0

    raise typer.Exit(serve_sample() if serve else run_demo(run_typed))


def init(
    context: typer.Context,
    folder: Annotated[Path | None, typer.Argument(metavar="[DIR]", help="新目录；有 --newsletter 时不用写。")] = None,
) -> None:
    """新建一份简报的目录；有 --newsletter NAME 时，在已有的目录里再建一份，与它同抓一批来源。

    例：jianbao init my-newsletter
    """
    home: Home = context.obj
    if home.name:
        _add_newsletter(home if folder is None else Home(folder, home.name))
        return
    if folder is None:
        raise WrongUse("missing", "DIR")
    if (folder / "newsletter.toml").exists():
        fail(sentence("cli/newsletter-exists", path=folder))
        raise typer.Exit(WRONG_USE)
    kept_names = _write_new_folder(folder)
    if kept_names:
        out.print(Text(sentence("cli/files-kept", names=kept_names)))
    out.print(Text(sentence("cli/newsletter-made", path=folder)))


_NEW_FILES: Final = {
    "sources.toml": "sources.toml",
    "README.md": "README.md",
    ".github/workflows/issues.yml": "templates/issues.yml",
}
"""Files of a new newsletter's folder, and those of the bundled data that they are copies of."""


def _write_new_folder(folder: Path) -> list[str]:
    """Write the files of a new newsletter that are not there yet, newsletter.toml last: with it the folder is whole.

    Returns:
        The names of the files that were there, and are as they were.
    """
    kept_names = []
    for name, template in _NEW_FILES.items():
        if (folder / name).exists():
            kept_names.append(name)
        else:
            files.write(folder / name, (bundled() / template).read_text(encoding="utf-8"))
    ignored = folder / ".gitignore"
    text = ignored.read_text(encoding="utf-8") if ignored.exists() else ""
    if "var/" not in text.splitlines():
        files.write(ignored, "\n".join([*text.splitlines(), "var/", ""]))
    files.write(folder / "newsletter.toml", (bundled() / "newsletter.toml").read_text(encoding="utf-8"))
    return kept_names


def _add_newsletter(home: Home) -> None:
    """Make the folder of a further newsletter in that of its house."""
    if not home.house.newsletter.is_file():
        raise WrongUse("no-house", "--newsletter", path=home.path)
    if home.newsletter.exists():
        fail(sentence("cli/newsletter-exists", path=home.folder))
        raise typer.Exit(WRONG_USE)
    files.write(home.newsletter, (bundled() / "newsletter.toml").read_text(encoding="utf-8"))
    out.print(Text(sentence("cli/further-newsletter-made", path=home.folder, name=home.name)))
