"""Facts of the recogniser that `same_text` must know."""

from __future__ import annotations

from vision.patterns import same_text


def test_an_older_form_of_a_character_says_the_same() -> None:
    # Seen on a stand-in's notice at 150 %: the recogniser reads 温馨提示 as 溫馨提示.
    assert same_text("溫馨提示", "温馨提示")
    assert not same_text("温度提示", "温馨提示")
