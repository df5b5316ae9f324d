"""Questions that documents hold in lists of their own, as SQuAD, MRQA and CoQA publish them."""

from collections.abc import Iterator
from typing import Any, Final

from bedrock_tuning.dataset.talks.contents import ForeignRecord

# Lists whose elements belong to what stands around them: a context, a title.
_LISTS: Final = ("paragraphs", "qas", "qa_pairs")


def questions_of(record: ForeignRecord) -> Iterator[ForeignRecord]:
    """Each question of a document as a record with its context; any other record as it is."""
    for name in _LISTS:
        inner = record.get(name)
        if isinstance(inner, list) and all(isinstance(item, dict) for item in inner):
            context = {key: value for key, value in record.items() if key != name}
            for item in inner:
                yield from questions_of({**context, **item})
            return
    pair = record.get("translation")
    if isinstance(pair, dict) and len(pair) == 2:
        one, other = pair.values()
        record = {"source": one, "target": other}
    talk = _conversation(record)
    yield record if talk is None else talk


def _conversation(record: ForeignRecord) -> ForeignRecord | None:
    """A story with questions that build on each other (CoQA), as one conversation."""
    story, prompts, answers = (record.get(name) for name in ("story", "questions", "answers"))
    if not (isinstance(story, str) and isinstance(prompts, list) and isinstance(answers, list)):
        return None
    turns: list[dict[str, str]] = []
    for question, answer in zip(_texts(prompts), _texts(answers), strict=False):
        before = "" if turns else f"{story}\n\n"
        turns.append({"role": "user", "content": f"{before}{question}"})
        turns.append({"role": "assistant", "content": answer})
    return {"messages": turns}


def _texts(turns: list[Any]) -> Iterator[str]:
    for turn in turns:
        yield str(turn.get("input_text", "")) if isinstance(turn, dict) else str(turn)
