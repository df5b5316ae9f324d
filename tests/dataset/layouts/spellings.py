"""Small datasets that differ from the shelf's in one thing each: a name, a cell, an option."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from bedrock_tuning.dataset.layouts.columns import _ANNOTATOR, _CAPTIONS, _IMAGES, _SPLITS
from bedrock_tuning.dataset.layouts.reading import NO_IMAGES, LayoutOptions
from bedrock_tuning.dataset.layouts.splits import _WORDS
from bedrock_tuning.dataset.layouts.text import _PACKED
from tests.dataset.layouts.shelf import (
    TINY,
    Files,
    arrow_of,
    inside,
    lines,
    parquet_of,
    tar,
    task,
    workbook,
    xlsx,
    zipped,
)
from tests.dataset.layouts.test_bad_input import BAD

IMAGES: Final = ("1.jpg", "2.jpg", "3.jpg")


class Spelling(NamedTuple):
    """files: beside the images. source: what is read, if not the whole folder."""

    name: str
    files: Files
    options: LayoutOptions = LayoutOptions()
    images: Sequence[str] = IMAGES
    source: str = ""


def csv(*rows: str) -> str:
    return "".join(f"{row}\n" for row in rows)


def _columns() -> Iterator[Spelling]:
    for one, other in zip(_IMAGES, [*_IMAGES[1:], "x"], strict=True):
        rows = csv(f"{other},{one},caption", "2.jpg,1.jpg,a dog", "3.jpg,2.jpg,a cat")
        yield Spelling(f"images in {one}, not in {other}", {"a.csv": rows})
    for one, other in zip(_CAPTIONS, [*_CAPTIONS[1:], "x"], strict=True):
        rows = csv(f"file,{other},{one}", "1.jpg,second one,first", "2.jpg,another one,first too")
        yield Spelling(f"captions in {one}, not in {other}", {"a.csv": rows})
    for name in (*_SPLITS, "Split", "group"):
        rows = csv(f"file,caption,{name}", "1.jpg,a dog,train", "2.jpg,a cat,val", "3.jpg,an owl,")
        yield Spelling(f"splits in {name}", {"a.csv": rows})
    usual = ("file,caption,extra", "1.jpg,a dog,big dog here", "2.jpg,a cat,small cat here")
    for options in (
        *(
            LayoutOptions(file_column=" FILE "),
            LayoutOptions(file_column="extra"),
            LayoutOptions(file_column="x"),
        ),
        *(LayoutOptions(caption_column="extra"), LayoutOptions(caption_column="caption, Extra,")),
        *(
            LayoutOptions(split_column="extra"),
            LayoutOptions(split_column="none"),
            LayoutOptions(captions="a.csv"),
        ),
    ):
        yield Spelling(f"{options}", {"a.csv": csv(*usual)}, options)
    for name, rows in {
        "no column of captions": ("file,n", "1.jpg,1", "2.jpg,2"),
        "no words at all": ("file,n,m", "1.jpg,,", "2.jpg,,"),
        "classes as numbers": ("file,label", "1.jpg,1", "2.jpg,0"),
        "the most words": ("file,n,x,y", "1.jpg,7,one,two words", "2.jpg,8,one,two more"),
        "words in half of the rows": ("file,x,y", "1.jpg,,a b", "2.jpg,one two three,a b"),
        "addresses are no words": ("file,x,y", "1.jpg,http://a b c d,b", "2.jpg,http://b,c"),
        "addresses of images": ("url,caption", "http://a/9.jpg,a dog", "HTTPS://a/8.jpg,a cat"),
        "half of the images are here": ("file,caption", "1.jpg,a dog", "9.jpg,a cat"),
        "a third of the images is here": ("file,caption", "1.jpg,a dog", "9.jpg,b", "8.jpg,c"),
        "a row without image": ("file,caption", "1.jpg,a dog", ",a cat", "3.jpg,an owl"),
        "a row without caption": ("file,caption", "1.jpg,a dog", "2.jpg,", "3.jpg, "),
        "an unknown split": ("file,caption,split", "1.jpg,a dog,train", "2.jpg,a cat,x"),
        "numbers that repeat": ("class,file,caption", "1,1.jpg,a", "1,2.jpg,b", "1,3.jpg,c"),
        "numbers as names": ("n,caption", "1,a dog", "2,a cat", "3,an owl"),
        "numbers that repeat, called so": ("my id,caption", "1,a dog", "1,a cat", "3,an owl"),
        "numbers that repeat, of another name": ("n,caption", "1,a dog", "1,a cat", "3,an owl"),
        "several captions": ("file,caption_1,caption 2,x", "1.jpg,a,b,c", "2.jpg,d,,e"),
        "the same pair again": ("file,caption", "1.jpg,a dog", "1.jpg, a dog ", "2.jpg,b"),
        "an annotator": ("image,annotator,caption", "1.jpg,7,a dog", "2.jpg,8,a cat"),
        "JSON in cells": ("file,caption", '1.jpg,"[""a"", ""b""]"', '2.jpg,"{""text"": ""c""}"'),
        "no JSON in a cell": ("file,caption", "1.jpg,[a", "2.jpg,{b", "3.jpg,[1]"),
        "a name near": ("file,caption", "1.jpg,a dog", "2.jpg,a cat", "33.jpg,an owl"),
        "no names near": ("file,caption", "1.jpg,a dog", "2.jpg,a cat", "elsewhere.png,an owl"),
        "nine columns": ("a,b,c,d,e,f,g,h,i", "1,2,3,4,5,6,7,8,9"),
        "ten columns": ("a,b,c,d,e,f,g,h,i,j", "1,2,3,4,5,6,7,8,9,10"),
    }.items():
        yield Spelling(name, {"a.csv": csv(*rows)})
    for texts in (
        ["a", ["b"]],
        {"raw": "a"},
        {"caption": "a"},
        {"value": "a"},
        {"x": "a"},
        7,
        1.5,
        True,
    ):
        yield Spelling(f"captions {texts}", {"a.jsonl": lines({"file": "1.jpg", "caption": texts})})
    for files in (["1.jpg"], ["1.jpg", "2.jpg"], [], 1, True, None, {"x": 1}):
        rows = [
            {"file": files, "caption": "a"},
            *({"file": f"{n}.jpg", "caption": "b"} for n in (2, 3)),
        ]
        yield Spelling(f"images {files}", {"a.jsonl": lines(*rows)})
    for name in sorted(_ANNOTATOR):
        rows = csv(f"image,caption,{name}", "1.jpg,a dog,7", "2.jpg,a cat,8")
        yield Spelling(f"an annotator's {name}", {"a.csv": rows})
    many = (f"1.jpg,caption {n}" for n in range(101))
    yield Spelling(
        "a hundred captions of one image", {"a.csv": csv("file,caption", *[*many][:100])}
    )


def _tables() -> Iterator[Spelling]:
    for name, text in {
        "semicolons": "file;caption\n1.jpg;a dog, brown\n2.jpg;a cat\n",
        "tabs": 'file\tcaption\n1.jpg\ta "dog\n2.jpg\ta cat\n',
        "bars": 'file|caption\n1.jpg|a "dog\n2.jpg|a cat\n',
        "a line for the separator": '"sep=|"\r\nfile|caption\r\n1.jpg|a dog\r\n',
        "no names of columns": "1.jpg,a dog\n2.jpg,a cat\n",
        "no names of columns, with numbers": "1.jpg#0\ta dog\n1.jpg#1\ta cat\n",
        "a name and a blank": "1.jpg a dog\n2.jpg a cat\n",
        "a name and a blank, and nothing": "1.jpg a dog\n\n2.jpg a cat\n",
        "a name and a colon": "1.jpg: a dog\n2.jpg : a cat\n",
        "a title above": "Our pets\n\nfile,caption\n1.jpg,a dog\n2.jpg,a cat\n",
        "commas that nobody quoted": "file,caption\n1.jpg,a dog, brown, big\n2.jpg,a cat\n",
        "one column": "file\n1.jpg\n2.jpg\n",
        "a blank row": "file,caption\n1.jpg,a dog\n\n,\n2.jpg,a cat\n",
        "blanks around quotes": 'file, caption\n1.jpg, "a, b"\n2.jpg, "c"\n',
        "quotes behind backslashes": 'file,caption\n1.jpg,"a \\"b\\" c"\n2.jpg,d\n',
        "quotes on two lines": 'file,caption\n1.jpg,"a\nb"\n2.jpg,c\n',
        "short rows": "file,caption,more\n1.jpg,a dog\n2.jpg\n3.jpg,an owl,x\n",
        "a page of the web": "<table><tr></tr></table>\n",
        "a column without a name": ",file,caption\n0,1.jpg,a dog\n1,2.jpg,a cat\n",
    }.items():
        yield Spelling(name, {"a.csv": text})
        yield Spelling(f"{name}, as a note", {"a.txt": text})
    row, other = {"file": "1.jpg", "caption": "a dog"}, {"file": "2.jpg", "caption": "a cat"}
    for name, value in {
        "a list": [row, other],
        "a list in a document": {"version": 1, "rows": [row, other]},
        "a list as data": {"data": [row], "messages": []},
        "a list beside messages": {"messages": "x", "rows": [row, other]},
        "two lists": {"rows": [row], "more": [other]},
        "captions by file": {"1.jpg": "a dog", "2.jpg": ["a cat", "b"]},
        "captions by file, half of them": {"1.jpg": "a", "x": "b"},
        "captions by file, fewer": {"1.jpg": "a", "x": "b", "y": "c"},
        "one row": row,
        "a text": "x",
        "an empty list": [],
        "an empty document": {},
    }.items():
        yield Spelling(f"JSON: {name}", {"a.json": json.dumps(value)})
    yield Spelling(
        "JSON on several lines each",
        {"a.json": json.dumps(row, indent=1) + "\n\n" + json.dumps(other)},
    )
    yield Spelling("one line of JSON", {"a.jsonl": json.dumps(row)})
    yield Spelling("a bad third line", {"a.jsonl": lines(row, other) + "x\n"})
    many = {f"{n}.jpg": f"caption {n}" for n in range(1, 4)} | {f"x{n}": "y" for n in range(4)}
    yield Spelling("captions by file, three of seven", {"a.json": json.dumps(many)})
    for name, data in {
        "UTF-8 with a mark": "\ufefffile,caption\n1.jpg,größer\n".encode(),
        "UTF-16, little": "file,caption\n1.jpg,größer\n".encode("utf-16"),
        "UTF-16, big": b"\xfe\xff" + "file,caption\n1.jpg,größer\n".encode("utf-16-be"),
        "UTF-16, big, no mark": "file,caption\n1.jpg,größer\n".encode("utf-16-be"),
        "UTF-32": "file,caption\n1.jpg,größer\n".encode("utf-32"),
        "Windows-1252": "file,caption\n1.jpg,größer\n".encode("cp1252"),
        "no text": b"file,caption\n1.jpg,gr\xf6\x01\n",
    }.items():
        yield Spelling(name, {"a.csv": data})
    for magic, (name, _) in _PACKED.items():
        yield Spelling(f"packed with {name}", {"a.csv": magic + b"more"})
    for encoding in ("cp1252", "utf-16", "none"):
        data = "file,caption\n1.jpg,größer\n".encode("cp1252")
        yield Spelling(f"encoding {encoding}", {"a.csv": data}, LayoutOptions(encoding=encoding))
    sheet = [
        ("file", "caption", "n"),
        ("1.jpg", "a dog", 1.0),
        ("2.jpg", "a cat", 1.5),
        (None,) * 3,
    ]
    yield Spelling("a sheet", {"a.xlsx": xlsx(*sheet)})
    yield Spelling("a sheet with a title", {"a.xlsx": xlsx(("Pets",), (None,), *sheet)})
    yield Spelling(
        "numbers of a sheet", {"a.xlsx": xlsx(("id", "caption"), (1.0, "a"), (2.0, "b"))}
    )
    yield Spelling(
        "two sheets", {"a.xlsx": workbook({"one": sheet, "two": [("x",)], "val": sheet})}
    )
    features = {"label": {"names": ["cat", "big_dog"]}, "image": {"_type": "Image"}}
    packed = [
        {"image": inside(TINY, path), "label": n} for n, path in enumerate((None, "a/b.png", ""))
    ]
    for name, make in {"parquet": parquet_of, "arrow": arrow_of}.items():
        rows = [*packed, {"image": inside(b"", "1.jpg"), "label": -1}]
        data = parquet_of(rows, features) if make is parquet_of else arrow_of(rows)
        yield Spelling(f"images in {name}", {f"train.{name}": data}, images=("1.jpg",))
        cells = [{"jpg": TINY, "caption": ["a", "b"]}, {"jpg": b"\1\2\3", "caption": ["c"]}]
        yield Spelling(f"bytes in {name}", {f"a.{name}": make(cells)}, images=())
        several = [
            {"images": [inside(TINY, None)] * 2, "text": "a"},
            {"images": [inside(TINY)], "text": "b"},
        ]
        yield Spelling(f"lists of images in {name}", {f"a.{name}": make(several)}, images=())


def _first_rows() -> Iterator[Spelling]:
    """Ten rows tell what a file is; fifty names of a document whether they are images."""
    turns = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "a dog"}]
    kinds: dict[str, dict[str, Any]] = {
        "Karpathy": {"filename": "1.jpg", "sentences": ["a dog"]},
        "Label Studio": task("1.jpg", "a dog"),
        "Ground Truth": {"source-ref": "s3://b/1.jpg", "c": "a dog"},
        "LLaVA": {"image": "1.jpg", "messages": turns},
    }
    for name, row in kinds.items():
        for good in (9, 10):
            rows = [*({**row, "n": n} for n in range(good)), {"data": {}, "file": "2.jpg"}]
            yield Spelling(f"{name}, {good} rows", {"a.json": json.dumps(rows)})
    for known in (24, 25, 26):
        names = {f"{n}.jpg": f"caption {n}" for n in range(known)}
        others = {f"x{n}": "y" for n in range(50 - known)}
        document = {**others, **names, "z": "y"}
        yield Spelling(f"{known} of 50 names", {"a.json": json.dumps(document)}, images=[*names])


def _annotations() -> Iterator[Spelling]:
    images = [{"id": 1, "file_name": "1.jpg"}, {"id": "2", "coco_url": "http://x/2.jpg"}, {"id": 3}]
    notes = [{"image_id": n, "caption": f"caption {n}", "id": 70 + n} for n in range(1, 5)]
    notes += [{"image_id": 1, "caption": ""}, {"image_id": 1}]
    yield Spelling("COCO", {"a.json": json.dumps({"images": images, "annotations": notes})})
    yield Spelling("COCO, no list", {"a.json": json.dumps({"images": images, "annotations": {}})})
    said = {"sentences": [{"raw": "a dog"}, {"raw": "b"}]}
    karpathy = [
        {"filename": "1.jpg", "split": "restval", **said},
        {"filepath": "", "filename": "2.jpg", "split": "test", **said},
        {"file_name": "3.jpg", "sentences": []},
    ]
    yield Spelling("Karpathy", {"a.json": json.dumps({"images": karpathy})})
    yield Spelling(
        "Karpathy, some without", {"a.json": json.dumps({"images": [*karpathy, {"x": 1}]})}
    )
    tasks = [
        task("1.jpg", "a dog", "b"),
        task("2.jpg", "a cat", cancelled=True),
        {
            "data": {"note": "x", "image": "3.jpg"},
            "completions": [{"result": [{"value": {"choices": ["c"]}}]}],
        },
        {"data": {"n": 7, "text": "x"}, "annotations": []},
        {
            "data": {"image": "3.jpg"},
            "annotations": [{"result": [{}, "x"]}, {"was_cancelled": True}],
        },
    ]
    yield Spelling("Label Studio", {"a.json": json.dumps(tasks)})
    yield Spelling("Label Studio, no tasks", {"a.json": json.dumps([*tasks, {"data": 7}])})
    made = [
        {"source-ref": "s3://b/1.jpg", "c": "a dog", "c-metadata": {}, "other": "x"},
        {"source-ref": "s3://b/2.jpg", "c": 1, "c-metadata": {"class-name": "big_cat "}},
        {"source-ref": "s3://b/3.jpg", "c": "given"},
        {"source-ref": "s3://b/3.jpg", "c": 1, "c-metadata": 7},
        {"source-ref": "s3://b/3.jpg", "c": 1, "c-metadata": {"class-name": 7}},
    ]
    yield Spelling("Ground Truth", {"a.manifest": lines(*made)})
    yield Spelling("Ground Truth, one other", {"a.manifest": lines(*made, {"file": "1.jpg"})})
    asked = {"from": "human", "value": "<image> what?"}
    for who in ("gpt", "assistant", "model", "bot", "user"):
        turns = [asked, {"from": who, "value": "<image> a dog"}, {"from": who, "value": "more"}]
        yield Spelling(
            f"LLaVA, {who}", {"a.jsonl": lines({"image": "1.jpg", "conversations": turns})}
        )
    answer = {"role": "assistant", "content": "a dog"}
    for picture in (
        *(
            {"image_url": {"url": "1.jpg"}, "type": "image_url"},
            {"image": "1.jpg", "type": "image"},
        ),
        *({"path": "1.jpg", "type": "image"}, {"type": "image"}, {"image": "1.jpg", "type": "x"}),
    ):
        turns = [{"role": "user", "content": [picture, "x"]}, answer]
        row = {"messages": turns, "split": "val"}
        both = lines(row, {"image": "2.jpg", "messages": turns[1:], "split": "train"})
        yield Spelling(f"a chat with {picture}", {"a.jsonl": both})
    for given in (["1.jpg"], [{"path": "1.jpg"}], [{"url": "1.jpg"}], ["1.jpg", "2.jpg"], [7]):
        rows = [
            {"images": given, "messages": [answer]},
            {"images": ["3.jpg"], "messages": [answer]},
        ]
        yield Spelling(f"chats about {given}", {"a.jsonl": lines(*rows)})
    yield Spelling("chats without pictures", {"a.jsonl": lines({"messages": [answer]})})


_SPELLED: Final[Mapping[str, tuple[str, ...]]] = {
    "a web address": (
        "https://x.org/a/1.jpg?x=1",
        "s3://b/pets/1.jpg",
        "https://x.org/my%20dog.jpg",
    ),
    "another system": (
        "pets\\1.jpg",
        "C:\\pets\\1.jpg",
        "./pets/1.jpg",
        "pets//1.jpg",
        "pets/./1.jpg",
    ),
    "above": ("../pets/1.jpg", "../../1.jpg", "pets/../1.jpg"),
    "another case": ("PETS/1.JPG", "1.Jpg"),
    "another extension": ("1.png", "1", "pets/1.jpeg", "01", "001.jpg"),
    "a number": ("42", "0042", "000000000042.jpg", "7"),
    "Flickr": ("1.jpg#0", "1.jpg#12", "1#0"),
    "Label Studio": (
        "/data/local-files/?d=pets/1.jpg",
        "/data/upload/0a1b2c3d-1.jpg",
        "0a1b2c3d-1.jpg",
    ),
    "percent signs": ("my%20dog.jpg", "100%.jpg"),
    "accents": ("Cafe\u0301.jpg", "Café.jpg", "café.jpg"),
    "blanks": (" 1.jpg ", "my dog.jpg", "my dog"),
    "in two folders": ("two.jpg", "a/two.jpg", "x/b/two.jpg", "c/two.jpg"),
    "a dot in a number": ("12.5", "12"),
}


def _names() -> Iterator[Spelling]:
    images = ("pets/1.jpg", "my dog.jpg", "100%.jpg", "Café.jpg", "COCO_val_000000000042.jpg")
    images += ("a/two.jpg", "b/two.jpg", "12.5.jpg", "0007.jpg", "x/9.jpg")
    for kind, written in _SPELLED.items():
        for name in written:
            rows = csv("file,caption", '"x/9.jpg",nine', f'"{name}",a dog')
            yield Spelling(f"{kind}: {name}", {"a.csv": rows}, images=images)
            yield Spelling(f"{kind}, below: {name}", {"pets/a.csv": rows}, images=images)


def _splits() -> Iterator[Spelling]:
    for word in (
        *_WORDS,
        "Train",
        "TRAIN2017",
        "val_images",
        "test-set",
        "dev split",
        "training_x",
        "x",
    ):
        rows = csv("file,caption,split", f"1.jpg,a dog,{word}", "2.jpg,a cat,other", "3.jpg,c,val")
        yield Spelling(f"split {word}", {"a.csv": rows})
        files = {f"{word}/1.txt": "a dog", "2.txt": "a cat", "val/3.txt": "an owl"}
        yield Spelling(f"folder {word}", files, images=(f"{word}/1.jpg", "2.jpg", "val/3.jpg"))
        table = {
            f"pets_{word}.csv": csv("file,caption", "1.jpg,a dog"),
            "b.csv": csv("file,caption", "2.jpg,b"),
        }
        yield Spelling(f"table {word}", table)
    same = csv("file,caption", "1.jpg,a dog", "2.jpg,a cat")
    yield Spelling(
        "an image in two splits", {"train.csv": same, "val.csv": csv("file,caption", "1.jpg,a dog")}
    )
    yield Spelling("all in validation", {"val.csv": same})
    yield Spelling("all in test", {"test.csv": same})
    yield Spelling("a dot before the split", {"pets.trainImages.txt": same, "b.csv": same})
    lists = {"captions.csv": same, "x_train.txt": "1.jpg\n", "x_dev.txt": "file\n2.jpg\n"}
    yield Spelling("lists of names", lists)
    for validation in ("val", "2*", "deep/val", "vall", "3.jpg"):
        files = {
            "a.csv": csv("file,caption", "1.jpg,a", "2.jpg,b", "val/3.jpg,c", "deep/val/4.jpg,d")
        }
        shown = ("1.jpg", "2.jpg", "val/3.jpg", "deep/val/4.jpg")
        yield Spelling(
            f"--validation-dir {validation}", files, LayoutOptions(validation=validation), shown
        )


def _folders() -> Iterator[Spelling]:
    for name, files in {
        "txt": {"1.txt": "a dog\n\n b \n", "2.txt": " ", "3.TXT": "an owl"},
        "behind the extension": {
            "1.jpg.txt": "a dog",
            "2.caption": "a cat",
            "3.json": '{"text": "c"}',
        },
        "the first that there is": {"1.json": '{"text": "x"}', "1.caption": "y", "1.txt": "z"},
        "in a folder of their own": {"captions/1.txt": "a dog", "captions/2.txt": "a cat"},
        "in two folders": {"a/1.txt": "a dog", "b/1.txt": "x", "2.txt": "a cat"},
        "broken": {"1.json": "{", "2.json": "[]", "3.json": '["c", "d"]'},
        "fields": {
            f"{n}.json": json.dumps({f: "a dog"})
            for n, f in enumerate(("caption", "TEXT", "title"), 1)
        },
        "other fields": {
            f"{n}.json": json.dumps({f: "a"})
            for n, f in enumerate(("prompt", "description", "x"), 1)
        },
        "numbers": {"1.txt": "0 1 2", "2.txt": "3"},
        "another encoding": {"1.txt": "größer".encode("cp1252"), "2.txt": b"\x81"},
        "and a table that is none": {"1.txt": "a dog", "a.csv": csv("x,y", "1,2")},
        "and a table that fits": {
            "1.txt": "a dog",
            "a.csv": csv("file,caption", "1.jpg,b", "2.jpg,c"),
        },
    }.items():
        yield Spelling(f"beside: {name}", files)
        yield Spelling(f"beside, wanted: {name}", files, LayoutOptions(captions="sidecar"))
    yield Spelling("kohya", {"10_pets/1.txt": "a dog"}, images=("10_pets/1.jpg",))
    for shown in (
        ("cats/1.jpg", "big_dogs/2.jpg", "dogs+x/3.jpg"),
        ("cats/1.jpg", "cats/2.jpg"),
        ("cats/1.jpg", "dogs/old/2.jpg"),
        ("train/cats/1.jpg", "val/dogs/2.jpg"),
        ("train/cats/1.jpg", "dogs/2.jpg", "train/3.jpg"),
        ("10_cats/1.jpg", "20_dogs/2.jpg", "4.jpg"),
    ):
        for captions in ("", "folders"):
            yield Spelling(
                f"classes {captions}: {shown}", {}, LayoutOptions(captions=captions), shown
            )
    shown = (
        "a_red+dog.jpg",
        "a cat (2).jpg",
        "owl-12.jpg",
        "IMG.7_003.jpg",
        "42.jpg",
        "x/two  cats 3.png",
    )
    yield Spelling("captions in names", {}, LayoutOptions(captions="filenames"), shown)
    everything = {
        f"file{ending}": b"" for ending in sorted(NO_IMAGES) if ending in (".md", ".npy", ".cls")
    }
    yield Spelling("nothing else", everything)
    yield Spelling("no images", {"a.md": ""}, images=())
    notes = {f"note{n:02}.txt": "nothing" for n in range(41)}
    last = {"z.txt": csv("file\tcaption", "1.jpg\ta dog", "2.jpg\ta cat")}
    yield Spelling("a table behind 39 notes", {**dict([*notes.items()][:39]), **last})
    yield Spelling("a table behind 40 notes", {**dict([*notes.items()][:40]), **last})
    hidden = {
        ".a.csv": "x",
        "__MACOSX/1.txt": "x",
        "a/.b/1.txt": "x",
        "1.txt": "a dog",
        "1.jpg": TINY,
    }
    for name, data in {
        "pets.zip": zipped(hidden),
        "train.tar": tar(hidden),
        "x.TGZ": b"no",
    }.items():
        yield Spelling(f"hidden files in {name}", {name: data}, images=("9.jpg",))
        yield Spelling(f"{name} itself", {name: data}, images=("9.jpg",), source=name)
    deep = {"in.zip": zipped({}), "a\\b.txt": "a dog", "a\\b.jpg": TINY, "c/": b""}
    yield Spelling("an archive in an archive", {"x.zip": zipped(deep)}, images=())
    table = {"sub/a.csv": csv("file,caption", "1.jpg,a dog", "../2.jpg,a cat")}
    for captions in ("sub/a.csv", "none.csv", "1.jpg", "README"):
        files: Files = {**table, "README": "x"}
        yield Spelling(
            f"--captions {captions}",
            files,
            LayoutOptions(captions=captions),
            ("sub/1.jpg", "2.jpg"),
        )
    yield Spelling("a table as source", table, images=("sub/1.jpg", "2.jpg"), source="sub/a.csv")
    yield Spelling("a picture as source", table, images=("1.jpg",), source="1.jpg")
    both = {
        "a.csv": csv("file,caption", "1.jpg,a"),
        "b.csv": csv("file,caption", "9.jpg,b", "8.jpg,c"),
    }
    yield Spelling("a table of other images", both)


def _bad() -> Iterator[Spelling]:
    for name, (file, make, _) in BAD.items():
        if name not in ("a-bomb", "open-quote", "html-as-excel"):
            yield Spelling(f"bad: {name}", {file: make()}, images=("1.jpg",))
    html: dict[str, Any] = {
        "a.xlsx": b" <table>",
        "b.xlsx": b"nothing",
        "c.xlsx": b"\xd0\xcf\x11\xe0",
    }
    yield from (Spelling(f"bad: {file}", {file: data}) for file, data in html.items())


def spellings() -> Iterator[Spelling]:
    """All of them."""
    for kind in (_columns, _tables, _first_rows, _annotations, _names, _splits, _folders, _bad):
        yield from kind()
