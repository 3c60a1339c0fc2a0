"""TeX of titles and names as characters."""

from __future__ import annotations

import pytest

from crawler.markup.tex import read_tex


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        (r"Schr\"odinger", "Schrödinger"),
        (r"Schr{\"o}dinger", "Schrödinger"),
        (r"Schr\"{o}dinger", "Schrödinger"),
        (r"Erd\H{o}s and Erd\H os", "Erdős and Erdős"),
        (r"Czerwi\'nski", "Czerwiński"),
        (r"na\"{\i}ve", "naïve"),
        (r"Fran\c{c}ois \v{S}imon \k{a}", "François Šimon ą"),
        (r"\O rsted, {\ss}, \AA ngstr\"om, \L{}ukasz", "Ørsted, ß, Ångström, Łukasz"),
        (r"\texttt{INT4} and \emph{\textbf{fast}}", "INT4 and fast"),
        (r"{\bf Bold} R\&D 50\% a\_b", "Bold R&D 50% a_b"),
        (r"the {BERT} case -- now", "the BERT case – now"),
        (r"$O(n\log n)$ for \texttt{x}", r"$O(n\log n)$ for x"),
        ("plain title {not closed", "plain title {not closed"),
        (r"C:\models and \unknown{x}", r"C:\models and \unknownx"),
    ],
)
def test_accents_letters_and_fonts_become_characters(tex: str, text: str) -> None:
    assert read_tex(tex) == text
