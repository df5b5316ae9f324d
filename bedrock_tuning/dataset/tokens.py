"""How many tokens a text has, estimated by script: at least so many, and at most.

Tokenizers are not published for every model, and one average does not fit all texts: 10,000
characters of a financial report were 4,919 tokens, while AWS's planning figure of 6 characters per
token gives 1,667. So each script has a range of characters per token. The larger end is the model's
published figure, or what no common tokenizer exceeds; the smaller end is what long words, tables,
runs of capitals and rare scripts come to.
"""

from typing import Final, NamedTuple

from bedrock_tuning.catalogue import CaptionLimits


class Tokens(NamedTuple):
    """The two ends of an estimate."""

    least: float
    most: float


_DIGITS: Final = b"0123456789"
_SIGNS: Final = b"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
# Of sentences they are few; of genomes, keys and hashes in Base64, each may be a token.
_CAPITALS: Final = bytes(range(ord("A"), ord("Z") + 1))
_ASCII_LETTERS: Final = bytes(set(range(128)) - {*_DIGITS, *_SIGNS, *_CAPITALS})
# Characters per token: at most, at least. Words (with their blanks) have the published figure.
_WORDS_LEAST: Final = 4
_DIGITS_MOST: Final = 3
_OTHER_MOST: Final = 4
_EAST_ASIAN_MOST: Final = 2
# An emoji or rare sign is up to so many tokens: one for each byte that a tokenizer does not merge.
_BYTES: Final = 4


def _classes() -> bytes:
    """Of each byte of UTF-8 its class: a character has the class of its first byte."""
    table = bytearray(b" " * 256)
    for byte in _DIGITS:
        table[byte] = ord("0")
    # C2: signs such as « and °. E2: dashes, quotes and symbols.
    for byte in (*_SIGNS, 0xC2, 0xE2):
        table[byte] = ord(".")
    # C3 to CA: letters of the Latin script beyond ASCII.
    for byte in (*_CAPITALS, *range(0xC3, 0xCB)):
        table[byte] = ord("a")
    # Greek, Cyrillic, Arabic, Hebrew, and with E0, E1 the scripts of India and South-East Asia.
    table[0xCB:0xE2] = b"o" * 23
    # Chinese, Japanese, Korean, full-width forms.
    table[0xE3:0xF0] = b"c" * 13
    # Emoji and rare signs.
    table[0xF0:0xF8] = b"e" * 8
    return bytes(table)


_CLASSES: Final = _classes()


def tokens(text: str, *, chars_per_token: float) -> Tokens:
    """An estimate; chars_per_token: the published figure for words.

    A character counts as at most one token, an emoji or a rare sign as at most four.
    """
    rest = text.encode(errors="replace").translate(_CLASSES, _ASCII_LETTERS)
    digits, signs, letters, other, asian, emoji = map(
        rest.count, (b"0", b".", b"a", b"o", b"c", b"e")
    )
    words = len(text) - digits - signs - letters - other - asian - emoji
    least = (
        (words + letters + signs) / chars_per_token
        + digits / min(chars_per_token, _DIGITS_MOST)
        + other / min(chars_per_token, _OTHER_MOST)
        + (asian + emoji) / min(chars_per_token, _EAST_ASIAN_MOST)
    )
    single = digits + signs + letters + other + asian
    most = words / min(chars_per_token, _WORDS_LEAST) + single + emoji * _BYTES
    return Tokens(least, most)


def tokens_most(text: str) -> int:
    """What no estimate of a text exceeds; fast."""
    return len(text) if text.isascii() else len(text.encode(errors="replace"))


def caption_tokens(text: str, *, chars_per_token: float) -> float:
    """The likely number of tokens of a short text, by the average that a model's page states.

    The average is for English; a character of another script is a token of its own.
    """
    if text.isascii():
        return len(text) / chars_per_token
    rest = text.encode(errors="replace").translate(_CLASSES, _ASCII_LETTERS)
    own = rest.count(b"o") + rest.count(b"c") + rest.count(b"e")
    return (len(text) - own) / chars_per_token + own


def too_many_tokens(caption: str, limits: CaptionLimits | None) -> float:
    """The likely tokens of a caption if they are more than the model reads, else 0."""
    if limits is None or not limits.tokens_max or not limits.chars_per_token:
        return 0
    # No character counts as more than one token here.
    if len(caption) <= limits.tokens_max:
        return 0
    estimate = caption_tokens(caption, chars_per_token=limits.chars_per_token)
    return estimate if estimate > limits.tokens_max else 0


def tokens_bound(line: bytes, *, chars_per_token: float) -> float:
    """Tokens that the texts in a line of UTF-8 have at most by the estimate, or more; fast."""
    costly = len(line.translate(None, _ASCII_LETTERS))
    return costly + (len(line) - costly) / min(chars_per_token, _WORDS_LEAST)
