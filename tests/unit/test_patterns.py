

def test_an_older_form_of_a_character_says_the_same() -> None:
    # Seen on a stand-in's notice at 150 %: the recogniser reads 温馨提示 as 溫馨提示.
    assert same_text("溫馨提示", "温馨提示")
    assert not same_text("温度提示", "温馨提示")
