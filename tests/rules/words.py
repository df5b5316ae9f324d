"""Examples for every branch of a rule's words; `python -m tests.rules.words` writes words.txt."""

import json
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from bedrock_tuning.dataset.dataset import Dataset
from bedrock_tuning.dataset.foreign import _DOCUMENTS, _SIGNS
from bedrock_tuning.dataset.images.image import Image
from bedrock_tuning.dataset.json_lines import Line
from bedrock_tuning.dataset.record import Record
from bedrock_tuning.dataset.scope import DatasetScope
from bedrock_tuning.dataset.suggestions import ALIASES, EXAMPLES
from bedrock_tuning.dataset.talks import names
from bedrock_tuning.dataset.whole_file import _MAGIC, WholeFile
from bedrock_tuning.rules import BY_ID, RULES, Rule, rules_for
from bedrock_tuning.rules.finding import finding
from bedrock_tuning.rules.rule import run_rules
from tests.dataset.test_foreign import FILES
from tests.dataset.test_foreign import IMAGES as TABLES
from tests.dataset.test_foreign import RECORDS as FOREIGN
from tests.dataset.test_slips import PRE, SLIPS, TEXT
from tests.rules.test_against_aws import (
    CALL,
    CONVERSATIONS,
    PROMPTS,
    SPEC,
    TOOL,
    asked,
    called,
    medium,
    talk,
    tools,
    turn,
)
from tests.support.examples import FLAGSHIP, dataset_of, image_of, item_of, scope_of

WORDS: Final = Path(__file__).with_name("words.txt")
_IMAGE_GENERATOR: Final = "titan-image-generator-v2"
_RFT: Final = "nova-2-lite/REINFORCEMENT_FINE_TUNING"
_ROLES: Final = (
    "human customer prompter bot ai gpt model chatbot developer system tool USER Assistant x"
)
_BIG: Final = {"training": {"records": 1000}, "validation": {"records": 8}}


def _pair(caption: Any, ref: Any = "s3://bucket/folder/1.png") -> dict[str, Any]:
    return {"image-ref": ref, "caption": caption}


def _tool(**changes: Any) -> dict[str, Any]:
    return {**TOOL, "function": {**TOOL["function"], **changes}}


def _spec(**changes: Any) -> dict[str, Any]:
    return asked(toolConfig=tools({**SPEC, **changes}))


def _video(**seen: Any) -> dict[str, Any]:
    return {"format": "MP4 video", "width": 0, "height": 0, "seconds": 30.0, **seen}


# What the examples of the rules leave out, by model: records, images and datasets.
RECORDS: Final[dict[str, list[dict[str, Any]]]] = {
    FLAGSHIP: [
        *(_pair("x" * length) for length in (0, 1, 601, 602, 1_203, 1_204, 2_560, 2_561)),
        *(_pair("犬" * length) for length in (128, 129, 256, 257)),
        *(
            _pair(text)
            for text in ("a\tb\nc\rd", "a\x0bb", "a\x0cb", "a\x1fb", "\x08", " \n", None)
        ),
        _pair("a dog", "s3:/bucket/folder/1.png"),
        _pair("a dog", "https://bucket.s3.amazonaws.com/folder/1.png"),
        _pair("a dog", "s3://bucket"),
        _pair("a dog", 7),
        {"image_ref": "s3://bucket/folder/1.png", "caption": "a dog", "label": 1},
        {"prompt": "a", "completion": "b", "c": 1, "d": 2, "e": 3, "f": 4, "g": 5},
    ],
    "titan-image-generator-v1": [_pair("x" * length) for length in (2, 3, 1_024, 1_025)],
    "llama-3-1-8b": [
        {"prompt": "", "completion": "\t"},
        {"prompt": "word " * 8_000, "completion": "1234567890 " * 4_000},
    ],
    "cohere-command": [
        {"prompt": "word " * 3_900, "completion": "x"},
        {"prompt": "1 2 3 " * 3_000, "completion": "1 2 3 " * 900},
        {"prompt": "x", "completion": "word " * 1_020},
    ],
    "titan-text-lite/CONTINUED_PRE_TRAINING": [{"input": " "}, {"input": "12 " * 3_000}],
    "nova-lite": [
        talk(),
        talk(turn("user"), turn("assistant", "y")),
        talk(turn("user", "x"), turn("assistant", "y"), turn("assistant", "z")),
        talk(turn("user", "x"), turn("bot", "y"), turn("system", "z")),
        talk(turn("assistant", "x"), turn("user", "")),
        talk({"role": 7, "content": [{"text": "x"}]}, {"role": 7, "content": "y"}),
        asked(system=[{"text": " "}]),
        asked("a USER: of a bOT: and <IMAGE>"),
        asked(schemaVersion="2024-01-01"),
        *(talk({"role": "user", "content": content}) for content in (7, None, {"text": "x"}, [7])),
        *({"messages": turns, "system": 7} for turns in (7, [7], [[]])),
        talk(*(turn(role, "x") for role in _ROLES.split())),
        asked(medium("image", "jpg", "folder/1"), medium("image", "svg", "folder/2")),
        asked(medium("video", "m4v", "folder/1"), medium("image", "", "folder/1")),
        asked(medium("image", "png", "folder/a+b"), medium("image", "png", "folder/ü")),
        asked(medium("video", "mp4"), medium("image", "png"), medium("document", "pdf")),
        asked(medium("document", "doc"), *[medium("video", "mp4")] * 3),
        asked({"image": {"format": "png", "source": {"s3Location": {"uri": "/1.png"}}}}),
        asked({"video": {"format": "mkv", "source": {"s3Location": {"uri": "s3://b/1.webm"}}}}),
        called(),
    ],
    "nova-micro": [asked(medium("video", "mp4"), medium("document", "pdf")), called()],
    "nova-2-lite": [
        asked(medium("video", "WEBM"), medium("image", "WebP"), medium("document", "txt")),
        called(toolUseId=None),
        talk(
            *(turn("user", "x"), turn("assistant", CALL, CALL)),
            turn("user", {"toolResult": {"toolUseId": "u", "content": []}}),
            toolConfig=tools(SPEC, {**SPEC, "name": "days"}),
        ),
        talk(turn("user", "x"), turn("assistant", CALL), toolConfig={"tools": []}),
        talk(turn("user", "x"), turn("assistant", {"toolUse": "f"}), toolConfig={}),
        asked(toolConfig={"tools": "f"}),
        asked(toolConfig={"tools": ["f", {"toolSpec": "f"}, {"toolSpec": {}}]}),
        *(_spec(name=name) for name in (None, "", 7)),
        *(_spec(inputSchema=schema) for schema in (None, {}, {"json": 7}, {"type": "object"})),
        asked(toolConfig=tools(*[SPEC] * 3, *[{**SPEC, "name": "days"}] * 2)),
    ],
    "llama-3-2-11b": [
        *(asked(*[medium("image", "png")] * count) for count in (1, 2, 3, 9, 10)),
        asked("word " * 12_000, medium("image", "png")),
        talk(turn("user", "x"), turn("assistant", "y"), version=1),
    ],
    "llama-3-1-8b/DISTILLATION": [
        talk(turn("user", "x", "y", "z"), system=[{"text": "a"}] * 2),
        talk(*[turn("user", "x"), turn("assistant", "y")] * 3, schemaVersion=None),
    ],
    "nova-lite/DISTILLATION": [
        asked(system=[{"text": "a"}] * 3),
        talk(turn("user", "word " * 4_000)),
        talk(turn("user", {"type": "text", "text": "pet?"})),
    ],
    "claude-3-haiku": [
        {"system": " ", "messages": [{"role": "user", "content": "\nHuman: x"}]},
        {"messages": [{"role": "assistant", "content": "x"}, {"role": "human", "content": ""}]},
        {"messages": [{"role": "user", "content": []}, {"role": "user", "content": "y"}]},
    ],
    _RFT: [
        {"messages": [{"role": "System", "content": "x"}, {"role": "USER", "content": " "}]},
        {"messages": [{"role": "tool", "content": "x"}, {"role": "system", "content": "y"}]},
        {**PROMPTS["plain"], "reference_answer": 0.5},
        {"messages": PROMPTS["plain"]["messages"], "referenceanswer": "y", "answer": "y"},
        {"messages": PROMPTS["plain"]["messages"], "ref": "y"},
        {**PROMPTS["plain"], "reference_answers": "y"},
        *(
            {**PROMPTS["plain"], "tools": tools}
            for tools in (
                *({"f": TOOL}, "f", [TOOL, TOOL, TOOL], ["f"], [{"type": "function"}]),
                *([_tool(name=" ")], [_tool(name=7)], [_tool(name="")] * 2),
                *([_tool(description=None)], [_tool(description=""), _tool(name="g")]),
                *([_tool(parameters={"type": "array"})], [_tool(parameters={"type": "object"})]),
                [_tool(parameters={"type": "object", "properties": []})],
                *([_tool(parameters=None)], [{**TOOL, "function": "f"}]),
            )
        ),
    ],
    "gpt-oss-20b": [
        {**PROMPTS["plain"], "tools": tools}
        for tools in ([{"type": "function", "function": {"name": "f"}}], [_tool(name="")], [])
    ],
}
LINES: Final[list[bytes]] = [
    *(b" \t", b"\r", b"{}\r", b"\xef\xbb\xbf", b"1", b"null", b'"x"', b"[1, 2]", b"true", b"1.5"),
    *(b'{"a": 1,}', b"{'a': 1}", b'{"a": NaN}', b'{"a": 1} {}', b"{", b'{"a": "\xff"}'),
    *(b'{"a": 1, "b": {"a": 1, "a": 2}, "b": 3}', b'{"\\udfff": 1}', b"\0", b'{"a": "\t"}'),
    b"{'caption': '" + b"".join(b"%d " % n for n in range(100)),
]
_PNG: Final = {"format": "png", "width": 512, "height": 512}
IMAGES: Final[dict[str, list[dict[str, Any]]]] = {
    FLAGSHIP: [
        *({"width": side, "height": 512} for side in (255, 256, 2048, 2049)),
        *({"width": 512, "height": side} for side in (255, 2048, 2049)),
        *({"width": 4096, "height": side} for side in (3058, 3059, 3072, 3073, 4096, 4097)),
        {"width": 100, "height": 5000},
        *({"size": size} for size in (5_000_000, 5_000_001, 25_000_000, 25_000_001)),
        *({"format": name} for name in ("unknown", "gif", "webp", "HTML", "MP4 video")),
        *({"format": "jpeg", "channels": count} for count in (0, 1, 3, 4, 5)),
        {"channels": 4},
        *({"format": "jpeg", "orientation": number} for number in (1, 4, 5, 8)),
        *({"bits": bits} for bits in (8, 9)),
        {"key": "folder/1.jpeg"},
        {"format": "jpeg", "key": "folder/1.PNG"},
        {"format": "jpeg", "key": "folder/1.txt"},
        {"format": "gif", "key": "folder/1.png"},
        {"problem": "no end", "truncated": True, "size": 0},
        {"format": "jpeg", "problem": "no marker", "channels": 2, "animated": True},
        *({"outcome": name} for name in ("missing", "denied", "changed", "key", "undecodable")),
        {"outcome": "missing", "key": "folder/a%20b.png"},
    ],
    "nova-lite": [
        *(_video(seconds=seconds) for seconds in (None, 89.99, 90.0, 90.01, 1234.5)),
        *(_video(size=size) for size in (50_000_000, 50_000_001, 1_000_000_001)),
        _video(key="folder/1.mov"),
        _video(format="QuickTime video", key="folder/1.mp4"),
        _video(format="Matroska video", key="folder/1.mp4"),
        _video(problem="no moov", seconds=None),
        {"format": "BMP"},
        {"outcome": "missing"},
        {"size": 0},
    ],
    "nova-2-lite": [_video(seconds=seconds) for seconds in (90.0, 90.01, 900.0, 900.01)],
    "llama-3-2-11b": [{**_PNG, "width": 10_000}, {"size": 10_000_001}],
    _IMAGE_GENERATOR: [{"width": 10_000, "height": 9}],
}
_NAMES: Final = ("Ab", "Bc", "Cd", "De", "Ef", "Fg")
_HASHES: Final = ["one", "two", "one", "one", "two"]
DATASETS: Final[dict[str, list[dict[str, Any]]]] = {
    FLAGSHIP: [
        {},
        *({**_BIG, "training": {"records": n}} for n in (0, 1, 999, 49_992, 49_993, 500_001)),
        *({**_BIG, "validation": {"records": n}} for n in (0, 1, 7, 50_000, 50_001)),
        {"training": {"records": 1000}},
        {"validation": {"records": 1000}},
        {
            "training": {
                "images": [["a", "1.png"], ["a", "1.png"], ["b", "2.png"], ["a", "3.png"]]
            },
            "validation": {"images": [["c", "4.png"], ["b", "2.png"], ["c", "5.png"]]},
        },
        *(
            {**_BIG, "training": {"records": 1000, "captions": captions}}
            for captions in (
                *({"x": 1}, {"x": 2}, {" ": 5}, {}, {"x": 20, "y": 2}, {"x": 19, "y": 2}),
                *({"x": 9, "y": 0}, {"x": 10, "y": 1, "z": 1}, {"z": 3, "y": 30, "x": 30}),
            )
        ),
        *(
            {
                **_BIG,
                "training": {"records": 1000, "folders": folders, "captions": {"x": 90, "y": 9}},
            }
            for folders in ({"a": 9, "b": 1}, {"a": 90, "b": 9}, {"a": 50, "b": 50})
        ),
        *({**_BIG, "training": {"records": 99, "empty": {"caption": n}}} for n in (9, 10)),
        {**_BIG, "training": {"records": 1000, "outside": {"s3://b/a/": 1, "s3://c/": 1234}}},
        {**_BIG, "training": {"records": 1000, "unseen": 1234}, "validation": {"unseen": 1}},
        {**_BIG, "training": {"records": 5, "hashed": 3, "hashes": ["a", "b", "c"]}},
        {**_BIG, "training": {"records": 5, "hashed": 1234, "hashes": ["a", "b", "c"]}},
        *(
            {**_BIG, "training": {"records": 1000, "languages": found, "judged": judged}}
            for found, judged in (
                *(({"English": 9, "German": 1}, 10), ({"English": 19, "German": 2}, 21)),
                *(({"English": 19, "German": 1}, 0), ({"German": 4}, 4), ({"German": 5}, 5)),
                *(({"German": 5}, 50), ({"German": 5}, 51), ({"French": 5, "German": 6}, 11)),
                *(({"French": 6, "German": 5}, 11), ({"English": 1}, 1)),
            )
        ),
        *(
            {**_BIG, "hyperparameters": {name: value}}
            for name, value in (
                *(("batchSize", "256"), ("batchSize", "255"), ("batchSize", "9217")),
                *(("epochCount", "Auto"), ("epochCount", "0"), ("epochCount", "101")),
                *(("learningRate", "1.01"), ("learningRate", "x"), ("other", "1")),
                *(("batchSize", "1000"), ("batchSize", "1001"), ("batchSize", "5000")),
            )
        ),
        {"training": {"records": 0}, "hyperparameters": {"batchSize": "300"}},
        *(
            {**_BIG, "hyperparameters": {**before, "batchSize": "100"}}
            for before in ({"other": "1"}, {"epochCount": "Auto"}, {"learningRate": "x"})
        ),
    ],
    _IMAGE_GENERATOR: [
        *(
            {"training": {"records": records}, "hyperparameters": {"stepCount": steps}}
            for records, steps in (
                *((0, "auto"), (0, "500"), (1, "10"), (32, "auto"), (60, "auto"), (60, "3749")),
                *((60, "3750"), (60, "15000"), (60, "15001"), (5_000, "10"), (5_000, "auto")),
                *((8, "39999"), (8, "40001"), (8, "9")),
            )
        ),
        *({"hyperparameters": {"batchSize": size}} for size in ("8", "9", "12", "192", "193")),
        {"training": {"records": 60, "captions": {"Ron on a bed": 2, "Smila": 1234}}},
        {"training": {"records": 60, "captions": {f"with {name}": 3 for name in _NAMES}}},
        {"training": {"records": 60, "captions": {"Ron the dog on a bed": 3, "the dog Ron": 3}}},
        {"training": {"records": 60, "captions": {"Ron, a dog": 3}}},
        {"training": {"records": 60, "captions": {"Ron a": 3}}},
        {"training": {"records": 60, "captions": {"Ron and the Dog": 3, "a NASA rocket": 3}}},
        {"training": {"records": 60, "captions": {"Sofa in a room": 3, "Ron in a room": 3}}},
        {"training": {"records": 60, "captions": {"Sofa in a room": 3, "a room": 3}}},
        {"training": {"records": 60, "captions": {"": 3, "Sofa here": 3}}},
        {"training": {"records": 60, "captions": {"with Fido": 3, "With fido": 3}}},
        {"training": {"records": 60, "languages": {"German": 60}}},
    ],
    "nova-lite": [
        {"training": {"records": 5, "hashes": _HASHES}, "validation": {"hashes": ["x", "two"]}},
        {"training": {"records": 8, "media": {"image": 1, "video": 1234}}},
        {"training": {"media": {"image": 1}}, "validation": {"media": {"video": 1}}},
        {"training": {"records": 8, "media": {"document": 3, "video": 3}}},
        *(
            {"training": {"records": 8}, "hyperparameters": {"learningRateWarmupSteps": steps}}
            for steps in ("20", "21", "100", "101")
        ),
        *(
            {
                "training": {"records": records},
                "hyperparameters": {"learningRateWarmupSteps": steps},
            }
            for records, steps in (
                *((1_600, "4"), (1_600, "5"), (1_600, "20"), (1_600, "21"), (40, "1"), (40, "2")),
                *((0, "5"), (12_345, "1")),
            )
        ),
        {
            "training": {"records": 1_600},
            "hyperparameters": {"learningRate": "1e-5", "learningRateWarmupSteps": "21"},
        },
    ],
    "nova-2-lite": [
        *({"training": {"records": n}} for n in (7, 8, 199, 200, 20_000, 20_001)),
        {"training": {"records": 200}, "validation": {"records": 1}},
    ],
    "titan-image-generator-v1": [
        {"training": {"records": 60}, "validation": {"records": n}} for n in (0, 1, 1234)
    ],
    "llama-3-1-8b": [
        {"training": {"records": training}, "validation": {"records": validation}}
        for training, validation in ((0, 0), (99, 0), (90, 10), (9_000, 1_000), (9_000, 1_001))
    ],
    "claude-3-haiku": [
        {"training": {"records": 40, "size": n}, "validation": {"records": 40, "size": n}}
        for n in (1_000_000_000, 1_000_000_001, 10_000_000_000, 10_000_000_001)
    ],
    _RFT: [{"training": {"records": n}} for n in (99, 100, 20_000, 20_001)],
    "titan-text-express": [
        {
            "training": {"records": 9, "longest": {"prompt": letters, "completion": 6}},
            "hyperparameters": {"batchSize": size},
        }
        for letters in (12_282, 12_283, 24_570, 24_571)
        for size in ("1", "2", "4")
    ],
    "titan-text-lite": [
        {"training": {"records": 20, "size": size}} for size in (999_999_999, 1_000_000_001)
    ],
}


def cases(rules: Collection[str]) -> Iterator[tuple[str, str, Any]]:
    """Every example: its model, its heading, and what the rules check."""
    for rule in RULES:
        if rule.id in rules and rule.item in (Line, Record, Image, Dataset):
            yield rule.model, _declared(rule), item_of(rule, rule.bad)
    for model, line in _lines():
        yield model, str(line[:80])[1:], Line(number=1, data=line)
    for model, file in _files():
        yield model, f"a file of {len(file):,} bytes: {str(file[:9])[1:]}", WholeFile(file)
    for model, heading, record in _records():
        yield model, heading, Record(line=1, value=record, scope=scope_of(model))
    for model, images in IMAGES.items():
        for seen in images:
            yield model, _heading(seen), image_of(dict(seen))
    for model, datasets in DATASETS.items():
        for seen in datasets:
            # The builder takes apart what it is given.
            copy = json.loads(json.dumps(seen))
            yield model, _heading(seen), dataset_of(model, copy)


def _declared(rule: Rule[Any]) -> str:
    once = "once for each manifest" if rule.once else ""
    said = (rule.severity, ", ".join(sorted(rule.formats)), once, ", ".join(rule.source))
    return f"{rule.id} {rule.name}: {' | '.join(filter(None, said))}"


def _lines() -> Iterator[tuple[str, bytes]]:
    yield from ((FLAGSHIP, line) for line in LINES)
    for length in (16_384, 16_385):
        yield (
            "nova-lite/DISTILLATION",
            json.dumps({"messages": [], "x": "x" * (length - 25)}).encode(),
        )
    for model, slip, *_ in SLIPS:
        yield model, slip if isinstance(slip, bytes) else json.dumps(slip).encode()
    # What looks like another format, by what people have and by the names that it is known by.
    for record in (each for _, each in (*FOREIGN, *TABLES)):
        yield "nova-lite", json.dumps(record).encode()
    turns = [{"role": "user", "content": "what is AWS"}]
    fields = [sign.names for sign in (*_SIGNS, *_DOCUMENTS)]
    fields += zip(names.PROMPTS, names.ANSWERS, strict=False)
    for together in fields:
        for value in ("https://a.example/1.png", turns):
            record = dict.fromkeys(sorted(together), value)
            yield FLAGSHIP, json.dumps(record).encode()
    for alias, meant in ALIASES.items():
        model = {"caption": FLAGSHIP, "image-ref": FLAGSHIP, "input": PRE}.get(meant, TEXT)
        yield model, json.dumps({alias: "x", "id": 1}).encode()


def _files() -> Iterator[tuple[str, bytes]]:
    yield from (("nova-lite", data) for _, data in FILES)
    yield from ((PRE, magic + b" and more") for magic in _MAGIC)
    for data in (
        b"a,b\n1,2\n",
        b"Some text.\nMore.\n",
        b'[{"file_name": "1.png", "text": "a dog"}]',
    ):
        yield from ((model, data) for model in (FLAGSHIP, PRE, TEXT))


def _records() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for model in ("nova-lite", "nova-2-lite", "llama-3-2-11b", "llama-3-1-8b/DISTILLATION"):
        yield from ((model, name, record) for name, record in CONVERSATIONS.items())
    yield from ((_RFT, name, record) for name, record in PROMPTS.items())
    for model, records in RECORDS.items():
        yield from ((model, _heading(record), record) for record in records)


def _heading(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else f"{text[:80]}… ({len(text):,} characters)"


def told(item: Any, scope: DatasetScope, rules: Collection[str]) -> Iterator[str]:
    """What these rules say of an item, a line for each finding."""
    kind = scope.contract.format if isinstance(item, Record) else None
    chosen = [rule for rule in rules_for(type(item), kind) if rule.id in rules]
    for rule, fault in run_rules(chosen, item, scope):
        said = finding(rule, fault, kind="", line=None)
        limit = "an example" if said.limit in EXAMPLES.values() else said.limit
        place = (said.kind, said.line and str(said.line), said.field)
        yield f"  {said.rule} {' | '.join(filter(None, (*place, said.message, said.value, limit)))}"
    if isinstance(item, Line) and isinstance(item.parsed.value, dict):
        yield from told(Record(line=1, value=item.parsed.value, scope=scope), scope, rules)


def declared(lines: Iterable[str]) -> frozenset[str]:
    """The ids of the rules in what was written: a newer rule adds nothing to it."""
    ids = (line.split(maxsplit=1)[0] for line in lines)
    return frozenset(id for id in ids if re.fullmatch(r"[A-Z]\d{3}", id))


def written(rules: Collection[str] = BY_ID) -> str:
    """What rules say of all examples."""
    lines = [f"{format}: {example}" for format, example in EXAMPLES.items()]
    last = ""
    for model, heading, item in cases(rules):
        lines += [f"# {model}"] * (model != last)
        lines += [heading, *told(item, scope_of(model), rules)]
        last = model
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    WORDS.write_text(written(), "utf-8")
