"""How many parts a text makes, which is money, and which answers are an opt-out."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from angarium.plugins.sms import GSM_EXTENSION, GSM_LETTERS, OPT_OUT_WORDS, is_opt_out, split_sms

ANY_TEXT = st.text(st.characters(codec="utf-8"), max_size=500)
GSM_TEXT = st.text(st.sampled_from(GSM_LETTERS.replace("\x1b", "") + "".join(GSM_EXTENSION)))


@pytest.mark.parametrize(
    ("text", "alphabet", "count"),
    [
        ("", "gsm7", 1),
        ("hello", "gsm7", 1),
        ("a" * 160, "gsm7", 1),
        ("a" * 161, "gsm7", 2),
        ("a" * 306, "gsm7", 2),
        ("a" * 307, "gsm7", 3),
        ("€" * 80, "gsm7", 1),
        ("€" * 81, "gsm7", 2),
        ("a" * 152 + "€" + "a" * 10, "gsm7", 2),
        ("a" * 159 + "€", "gsm7", 2),
        ("@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà", "gsm7", 1),
        ("a" * 160 + "\n", "gsm7", 2),
        ("`", "ucs2", 1),
        ("ç", "ucs2", 1),
        ("\x1b", "ucs2", 1),
        ("سلام", "ucs2", 1),
        ("س" * 70, "ucs2", 1),
        ("س" * 71, "ucs2", 2),
        ("س" * 134, "ucs2", 2),
        ("س" * 135, "ucs2", 3),
        ("۱۲۳", "ucs2", 1),
        ("می‌خواهم", "ucs2", 1),
        ("a" * 69 + "‌", "ucs2", 1),
        ("a" * 70 + "‌", "ucs2", 2),
        ("hello 🎉", "ucs2", 1),
        ("a" * 100 + "🎉", "ucs2", 2),
        ("🎉" * 35, "ucs2", 1),
        ("🎉" * 36, "ucs2", 2),
        ("🎉" * 66, "ucs2", 2),
        ("🎉" * 67, "ucs2", 3),
    ],
)
def test_parts_are_counted_as_carriers_charge_them(text: str, alphabet: str, count: int) -> None:
    parts = split_sms(text)

    assert (parts.alphabet, len(parts.texts)) == (alphabet, count)


def test_an_extension_letter_and_a_surrogate_pair_are_not_split() -> None:
    assert split_sms("a" * 152 + "€" * 10).texts == ("a" * 152, "€" * 10)
    assert split_sms("س" * 66 + "🎉" * 10).texts == ("س" * 66, "🎉" * 10)


def units(text: str, alphabet: str) -> int:
    if alphabet == "ucs2":
        return len(text.encode("utf-16-be")) // 2
    return sum(2 if letter in GSM_EXTENSION else 1 for letter in text)


@given(ANY_TEXT | GSM_TEXT)
@example("a" * 153 * 3)
@example("🎉" * 200)
def test_the_parts_are_the_text_and_each_fits(text: str) -> None:
    parts = split_sms(text)

    alone, joined = (160, 153) if parts.alphabet == "gsm7" else (70, 67)
    assert "".join(parts.texts) == text
    most = alone if len(parts.texts) == 1 else joined
    assert all(units(part, parts.alphabet) <= most for part in parts.texts)


@given(ANY_TEXT | GSM_TEXT)
def test_no_part_leaves_room_for_the_next_letter(text: str) -> None:
    parts = split_sms(text)

    joined = 153 if parts.alphabet == "gsm7" else 67
    for part, following in zip(parts.texts, parts.texts[1:], strict=False):
        assert units(part + following[0], parts.alphabet) > joined


@pytest.mark.parametrize("word", OPT_OUT_WORDS)
def test_each_word_of_the_list_is_an_opt_out(word: str) -> None:
    assert is_opt_out(word)
    assert is_opt_out(f"  {word.lower()} !\n")


@pytest.mark.parametrize(
    "text",
    [
        "stop",
        "Stop.",
        "STOPALL",
        "«لغو»",
        "لغو۱۱",
        "لغو ۱۱",
        "لغو١١",  # Arabic digits
        "لغو11",
        "لغـــو",  # with tatweel
        "ﻟﻐﻮ",  # presentation forms
        "لغو\u200c۱۱",
        "\u202bلغو\u202c",
        "خير",  # an Arabic yeh
        "خیر.",
        "۱۱",
        "11",
        "الغاء",
        "ｓｔｏｐ",
    ],
)
def test_the_usual_spellings_of_an_opt_out_are_understood(text: str) -> None:
    assert is_opt_out(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "!!",
        "start",
        "please do not stop",
        "لغو سفارش ۱۱۲",
        "111",
        "بله",
        "خیر، هنوز نرسیده",
        "stop" * 50,
        "ممنون",
        "🎉",
    ],
)
def test_any_other_answer_is_none(text: str) -> None:
    assert not is_opt_out(text)


@given(ANY_TEXT)
def test_any_answer_can_be_read(text: str) -> None:
    assert is_opt_out(text) in (True, False)
