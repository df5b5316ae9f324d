"""Questions that documents hold in lists of their own, as SQuAD, MRQA and CoQA publish them."""

from collections.abc import Iterator
from typing import Any, Final

from bedrock_tuning.dataset.talks.contents import ForeignRecord

# Lists whose elements belong to what stands around them: a context, a title.
_LISTS: Final = ("paragraphs", "qas", "qa_pairs")


def questions(record: ForeignRecord) -> Iterator[ForeignRecord]:
    """Each question of a document as a record with its context; any other record as it is."""
    for name in _LISTS:
        inner = record.get(name)
        if isinstance(inner, list) and all(isinstance(each, dict) for each in inner):
            around = {key: value for key, value in record.items() if key != name}
            for each in inner:
                yield from questions({**around, **each})
            return
    pair = record.get("translation")
    if isinstance(pair, dict) and len(pair) == 2:
        one, other = pair.values()
        record = {"source": one, "target": other}
    told = _told(record)
    yield record if told is None else told


def _told(record: ForeignRecord) -> ForeignRecord | None:
    """A story with questions that build on each other (CoQA), as one conversation."""
    story, asked, told = (record.get(name) for name in ("story", "questions", "answers"))
    if not (isinstance(story, str) and isinstance(asked, list) and isinstance(told, list)):
        return None
    turns: list[dict[str, str]] = []
    for question, answer in zip(_texts(asked), _texts(told), strict=False):
        before = "" if turns else f"{story}\n\n"
        turns.append({"role": "user", "content": f"{before}{question}"})
        turns.append({"role": "assistant", "content": answer})
    return {"messages": turns}


def _texts(turns: list[Any]) -> Iterator[str]:
    for each in turns:
        yield str(each.get("input_text", "")) if isinstance(each, dict) else str(each)
