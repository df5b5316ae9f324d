"""Which language a short text is in, as far as its script and its commonest words tell.

Enough to notice that captions are not in English; a library that tells 100 languages apart would
need megabytes in each function.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Final

# How many captions of a manifest are read, from its beginning.
SAMPLE: Final = 300
_COMMON: Final[Mapping[str, frozenset[str]]] = {
    language: frozenset(words.split())
    for language, words in {
        "English": "a an the on of in with and is at to for by from this that near under two",
        "German": "ein eine einer einem einen der die das den dem auf mit und im ist am zwei vor",
        "French": "un une le la les des du sur avec et dans est au aux en près deux devant",
        "Spanish": "un una el la los las del con en y es sobre al junto dos está",
        "Portuguese": "um uma o os as do da dos das no na com em é e ao sobre dois duas",
        "Italian": "un una il lo la gli i del della con di e è su sul sulla nel nella alla due",
        "Dutch": "een de het op met en van in is naast onder twee voor",
        "Polish": "na i w z jest pod obok dwa przy się",
    }.items()
}
_LANGUAGES: Final[Mapping[str, tuple[str, ...]]] = {
    word: tuple(language for language, words in _COMMON.items() if word in words)
    for words in _COMMON.values()
    for word in words
}
_WORD: Final = re.compile(r"[^\W\d_]+")
_LATIN: Final = re.compile(r"[A-Za-z\u00c0-\u024f]")


def language_of(text: str) -> str:
    """The language of a caption; "" when nothing is sure, "another script" for no Latin letters."""
    words = _WORD.findall(text.lower())
    if not words:
        return ""
    letters = "".join(words)
    if not letters.isascii() and 2 * len(_LATIN.findall(letters)) < len(letters):
        return "another script"
    found: Counter[str] = Counter()
    for word in words:
        found.update(_LANGUAGES.get(word, ()))
    if not found:
        return ""
    # Languages share short words, so English wins a draw.
    best = max(found.values())
    return "English" if found["English"] == best else max(found, key=lambda name: found[name])
