"""D2: rules about the words of captions: names without a class, other languages than English."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from bedrock_tuning.dataset.dataset import Dataset
from bedrock_tuning.rules.rule import Fault, Severity, rule


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Our own thresholds; AWS publishes none.
_NAME_CAPTIONS: Final = 3
_FOREIGN_SHARE: Final = 0.1
_FEW: Final = 5
_NAMES_SHOWN: Final = 5
_WORD: Final = re.compile(r"[^\W\d_][\w'’-]*")
# Common names of pets and people; at the beginning of a caption a capital alone tells nothing.
_GIVEN: Final = _set(
    "Ron Smila Anna Bella Ben Buddy Charlie Cleo Coco Cooper Daisy Emma Felix Jack Jake Kitty Leo "
    "Lily Loki Lola Lucy Luna Maggie Max Mia Milo Molly Nala Oliver Oscar Otis Pepper Rex Rocky "
    "Ruby Sadie Sam Simba Sophie Teddy Tiger Toby Tom Winston Zoe"
)
_ARTICLES: Final = _set("the a an der die das ein eine le la un une el il de het")
# What may stand before a name without saying what it is.
_LINKS: Final = _set(
    "a an the of with and by for to from in on at near beside behind under over photo picture "
    "image portrait painting drawing is as like"
)


def _names(captions: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """Names that never have a class word beside them, with the number of their captions."""
    sentences = all(caption[:1].isupper() for caption in captions if caption)
    counts: Counter[str] = Counter()
    classed: set[str] = set()
    seen: set[str] = set()
    for caption, count in captions.items():
        words = _WORD.findall(caption)
        seen.update(words)
        for index, word in enumerate(words):
            if not word[0].isupper() or word.isupper():
                continue
            if index == 0 and sentences and word not in _GIVEN:
                continue
            if _has_class(words, index):
                classed.add(word)
            counts[word] += count
    for word, count in counts.most_common():
        if word not in classed and word.lower() not in seen and count >= _NAME_CAPTIONS:
            yield word, count


def _has_class(words: list[str], index: int) -> bool:
    """ "Ron the dog", "Ron, a dog", "the dog Ron", "a dog named Ron"; also "Mount Everest"."""
    after, before = words[index + 1 : index + 3], words[:index]
    if len(after) == 2 and after[0].lower() in _ARTICLES and after[1].islower():
        return True
    if after and after[0][0].isupper():
        return True
    return bool(before) and before[-1].lower() not in _LINKS


@rule(
    "D210",
    bad='{"training": {"records": 60, "captions": {"Ron on a bed": 30, "a photo of Ron": 30}}}',
    good='{"training": {"records": 60, "captions": {"Ron the dog on a bed": 60}}}',
    severity=Severity.WARNING,
    source=("S2",),
    fix='Put the class beside the name, as in "Ron the dog".',
    model="titan-image-generator-v2",
)
def name_without_class_word(dataset: Dataset, _: object) -> Iterator[Fault]:
    """Captions use a name without ever saying what it names.

    A name such as Ron may be a person, a dog or a town. With the class beside it, as in "Ron the
    dog", the model learns the new thing as one of its class. This is checked where there are at
    most 64 different captions; names are words with a capital letter.
    """
    for kind in dataset.kinds:
        captions = dataset.text(kind).captions.counts
        for name, count in list(_names(captions or {}))[:_NAMES_SHOWN]:
            yield Fault(
                f'"{name}" appears in {count:,} captions and never beside what it is',
                "caption",
                name,
                f'a class word, as in "{name} the dog"',
                kind=kind,
            )


@rule(
    "D211",
    bad='{"training": {"records": 1000, "languages": {"English": 100, "German": 900}}}',
    good='{"training": {"records": 1000, "languages": {"English": 950, "German": 50}}}',
    severity=Severity.WARNING,
    source=("S0", "S1"),
    fix="Translate the captions: the model reads English.",
)
def captions_not_english(dataset: Dataset, _: object) -> Iterator[Fault]:
    """A tenth or more of the captions are not in English, the only language of the model.

    The first 300 captions are judged by their script and their commonest words; the share is our
    own.
    """
    languages = dataset.requirements.base_model.inference.languages
    if languages != ("en",):
        return
    for kind in dataset.kinds:
        counts = dataset.text(kind).languages
        others = {name: count for name, count in counts.items() if name != "English"}
        count, judged = sum(others.values()), sum(counts.values())
        # Captions of which nothing is sure are no sign of another language.
        looked_at = max(judged, dataset.text(kind).judged)
        if judged >= _FEW and count >= _FOREIGN_SHARE * looked_at:
            language = max(others, key=lambda name: others[name])
            yield Fault(
                f"{count:,} of {judged:,} captions are not in English, most in {language}",
                "caption",
                f"{count / judged:.0%}",
                f"English; below {_FOREIGN_SHARE:.0%} of others",
                kind=kind,
            )
