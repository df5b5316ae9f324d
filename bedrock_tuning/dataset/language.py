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
# So many words that are English, too, tell another language when they stand together.
_FEW: Final = 3
_COMMON: Final[Mapping[str, frozenset[str]]] = {
    language: frozenset(words.split())
    for language, words in {
        "English": "a an the on of in with and is at to for by from this that near under two",
        "German": "ein eine einer einem einen der die das den dem auf mit und im ist am zwei vor",
        "French": "un une le la les des du sur avec et dans est au aux en près deux devant",
        "Spanish": "un una el la los las del con en y es sobre al junto dos está",
        "Portuguese": "um uma o os as do da dos das no na com em está é e ao sobre dois duas",
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
# Common words of other languages that stand in English captions, too: "dog no 3", "a white van",
# "die cast car", "Las Vegas sign", "al dente". One of them alone tells nothing.
_ENGLISH_TOO: Final = frozenset(
    word
    for words in (
        "al am as com con da de del den der des die do dos du due el em en est et is la las le les",
        "lo los met na no op os sur un van vor",
    )
    for word in words.split()
)
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
    counts: Counter[str] = Counter()
    signs: Counter[str] = Counter()
    for word in words:
        languages = _LANGUAGES.get(word, ())
        counts.update(languages)
        if len(word) > 1 and word not in _ENGLISH_TOO:
            signs.update(languages)
    if not counts:
        return ""
    # Languages share short words, so English wins a draw.
    top = max(counts.values())
    if counts["English"] == top:
        return "English"
    # Neighbours share many words, as French and Spanish do.
    names = [name for name in counts if counts[name] == top]
    surest = max(signs[name] for name in names)
    if not surest and top < _FEW:
        return ""
    return " or ".join(sorted(name for name in names if signs[name] == surest))
