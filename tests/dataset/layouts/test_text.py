"""Text by its bytes: which encoding it is in, and where one is no longer guessed."""

import pytest

from bedrock_tuning.dataset.layouts.text import decode, utf_16_of
from bedrock_tuning.errors import UserError


def pairs(*, zeros: int, others: int = 0, of: int = 1_000) -> bytes:
    """So many pairs of bytes of which the second, and of some the first, is zero."""
    return b"".join(bytes([0 if n < others else 97, 0 if n < zeros else 98]) for n in range(of))


@pytest.mark.parametrize(
    ("zeros", "others", "found"),
    [
        (1_000, 0, "utf-16-le"),
        # More than six of ten, and of the letters fewer than one of ten.
        (601, 0, "utf-16-le"),
        (600, 0, ""),
        (1_000, 99, "utf-16-le"),
        (1_000, 100, ""),
    ],
)
def test_text_whose_every_other_byte_is_zero_is_utf_16(zeros: int, others: int, found: str) -> None:
    sample = pairs(zeros=zeros, others=others)
    assert utf_16_of(sample) == found
    swapped = b"".join(sample[at : at + 2][::-1] for at in range(0, len(sample), 2))
    assert utf_16_of(swapped) == found.replace("le", "be")


def test_three_letters_are_too_few_to_tell() -> None:
    assert [utf_16_of("abcd"[:n].encode("utf-16-le")) for n in (3, 4)] == ["", "utf-16-le"]
    assert utf_16_of(b"") == ""


@pytest.mark.parametrize("char", [b"\x01", b"\x1f"])
def test_control_characters_near_the_start_are_of_no_windows_text(char: bytes) -> None:
    with pytest.raises(UserError, match=r"line 1 is not UTF-8 \(byte 0xf6\)"):
        decode(b"\xf6" + b"a" * 4_094 + char, where="a.csv")
    later = decode(b"\xf6" + b"a" * 4_095 + char, where="a.csv")
    assert later.text.startswith("\u00f6a")


def test_windows_text_may_have_blanks_tabs_and_ends_of_lines_and_pages() -> None:
    found = decode(b"a\n\xf6 \t\r\n\x0c~", where="a.csv")
    assert found.text == "a\n\u00f6 \t\r\n\x0c~"
    assert found.said == (
        "a.csv: line 2 is not UTF-8 (byte 0xf6): read as cp1252 (Windows); --encoding overrules"
    )


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        *(("utf-8", ""), ("utf-8-sig", ""), ("utf-16", ""), ("utf-32", "")),
        ("utf-16-le", "a.csv: read as UTF-16-LE; --encoding overrules"),
        ("utf-16-be", "a.csv: read as UTF-16-BE; --encoding overrules"),
    ],
)
def test_marked_text_is_read_in_silence_and_guessed_text_is_not(encoding: str, said: str) -> None:
    text = "file,caption\n" * 9
    assert decode(text.encode(encoding), where="a.csv") == (text, said)
    assert decode(text.encode(encoding), where="a.csv", encoding=encoding) == (text, "")


@pytest.mark.parametrize(
    "text",
    [
        "größerer Übermut, Straße", "« été »\u00a0: l’œuvre naïve… “Ça va ?” où",
        "organização e ações não são", "¿Qué? ¡Sí! niño", "Åtta ål på Öland", "blåbærgrød",
        "20 °C – ½ cup, 5 m³ ® ™ © £5", "€€€ cheap", "CRÈME BRÛLÉE", "don´t",
    ],
)  # fmt: skip
def test_words_of_western_europe_are_read_as_windows_writes_them(text: str) -> None:
    assert decode(text.encode("cp1252"), where="a.csv").text == text


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        *(("shift_jis", "犬が走る"), ("euc_jp", "犬が走る"), ("big5", "一隻狗在跑")),
        *(("gb18030", "一只狗在奔跑"), ("euc_kr", "개가 달린다"), ("koi8-r", "собака бежит")),
        *(("cp1251", "собака бежит"), ("cp1253", "ένας σκύλος"), ("cp1255", "כלב חום")),
        *(("cp1256", "كلب بني"), ("tis-620", "สุนัขวิ่ง"), ("mac_roman", "café crème")),
        ("cp1250", "mały żółty pies"),
    ],
)
def test_words_of_other_encodings_are_no_windows_text(encoding: str, text: str) -> None:
    with pytest.raises(UserError, match="is not UTF-8") as caught:
        decode(f"file,caption\n1.jpg,{text}\n".encode(encoding), where="a.csv")
    assert "--encoding" in caught.value.fix
    assert text in decode(text.encode(encoding), where="a.csv", encoding=encoding).text
