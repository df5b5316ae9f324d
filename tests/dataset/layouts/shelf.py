"""A shelf of datasets as people have them, each with the pairs and splits that it means."""

import io
import json
import tarfile
import unicodedata
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow
from pyarrow import parquet

from bedrock_tuning.dataset.layouts.reading import LayoutOptions
from bedrock_tuning.dataset.layouts.splits import Split
from tests.support.pictures import png

DOG, CAT, OWL = "a dog on grass", "a grey cat asleep", "an owl, awake"
TINY = png(8, 8)
Files = Mapping[str, bytes | str]
# Captions by file.
Pairs = Mapping[str, Sequence[str]]
THREE: Pairs = {"1.jpg": [DOG], "2.jpg": [CAT], "3.jpg": [OWL]}
SPLIT: Pairs = {"train/1.jpg": [DOG], "validation/2.jpg": [CAT], "test/3.jpg": [OWL]}
SIDES: Mapping[str, Split] = {
    "train/1.jpg": "train",
    "validation/2.jpg": "validation",
    "test/3.jpg": "test",
}
FIVE = [f"a dog, seen {n} times" for n in range(5)]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """files: by name; images are added where `pairs` names them, unless packed.

    pairs: what the dataset means. splits: of the files that have one. left: kinds of what is left
    out. said: words that must be said. source: what is read, if not the whole folder.
    """

    name: str
    files: Callable[[], Files]
    pairs: Pairs
    splits: Mapping[str, Split] = field(default_factory=dict)
    options: LayoutOptions = field(default_factory=LayoutOptions)
    left: Sequence[str] = ()
    said: str = ""
    source: str = ""
    packed: bool = False


def laid(layout: Layout, folder: Path) -> Path:
    """Writes a layout; returns what is to be read."""
    files = {} if layout.packed else dict.fromkeys(layout.pairs, TINY)
    lay({**files, **layout.files()}, folder)
    return folder / layout.source if layout.source else folder


def lay(files: Files, folder: Path) -> None:
    """Writes files below a folder."""
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)


def lines(*rows: Mapping[str, Any]) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def tar(files: Files) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as packed:
        for name, data in files.items():
            content = data.encode() if isinstance(data, str) else data
            info = tarfile.TarInfo(name)
            info.size = len(content)
            packed.addfile(info, io.BytesIO(content))
    return out.getvalue()


def zipped(files: Files) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name, data in files.items():
            packed.writestr(name, data)
    return out.getvalue()


def xlsx(*rows: Sequence[object]) -> bytes:
    return workbook({"Sheet": rows})


def workbook(sheets: Mapping[str, Sequence[Sequence[object]]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def parquet_of(rows: list[dict[str, Any]], features: Mapping[str, Any] | None = None) -> bytes:
    table = pyarrow.Table.from_pylist(rows)
    if features is not None:
        known = json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({"huggingface": known})
    out = io.BytesIO()
    parquet.write_table(table, out)
    return out.getvalue()


def arrow_of(rows: list[dict[str, Any]]) -> bytes:
    table = pyarrow.Table.from_pylist(rows)
    out = io.BytesIO()
    with pyarrow.ipc.new_stream(out, table.schema) as stream:
        stream.write_table(table)
    return out.getvalue()


def inside(data: bytes, path: str | None = None) -> dict[str, Any]:
    """An image in a cell, as Hugging Face keeps it."""
    return {"bytes": data, "path": path}


def coco(*, numbers: Sequence[int] = (1, 2, 3), captions: int = 1, folder: str = "") -> str:
    texts = {1: DOG, 2: CAT, 3: OWL}
    return json.dumps(
        {
            "info": {},
            "images": [{"id": 70 + n, "file_name": f"{folder}{n}.jpg"} for n in numbers],
            "annotations": [
                {"id": n * 10 + k, "image_id": 70 + n, "caption": texts[n] + "!" * k}
                for n in numbers
                for k in range(captions)
            ],
        }
    )


def task(name: str, *texts: str, cancelled: bool = False) -> dict[str, Any]:
    """A task of Label Studio."""
    result = [{"type": "textarea", "from_name": "caption", "value": {"text": list(texts)}}]
    return {
        "id": 1,
        "data": {"image": name},
        "annotations": [{"id": 5, "was_cancelled": cancelled, "result": result}],
    }


def via(caption: str = "caption", **others: str) -> dict[str, Any]:
    """What VGG Image Annotator keeps of each file, under its name and size."""
    return {
        f"{name}123": {
            "filename": name,
            "size": 123,
            "regions": [],
            "file_attributes": {caption: texts[0], **others},
        }
        for name, texts in THREE.items()
    }


def karpathy(name: str, split: str, *texts: str) -> dict[str, Any]:
    return {"filename": name, "split": split, "sentences": [{"raw": text} for text in texts]}


def llava(name: str, *turns: str) -> dict[str, Any]:
    said = [{"from": "human", "value": "<image>\nWhat is it?"}]
    for text in turns:
        said += [{"from": "gpt", "value": text}, {"from": "human", "value": "More?"}]
    return {"id": name, "image": name, "conversations": said}


TABLE = f'file,caption\n1.jpg,{DOG}\n2.jpg,{CAT}\n3.jpg,"{OWL}"\n'
HF = f'file_name,text\n1.jpg,{DOG}\n2.jpg,{CAT}\n3.jpg,"{OWL}"\n'
SHELF: Sequence[Layout] = (
    Layout(name="hf-csv-at-root", files=lambda: {"metadata.csv": HF}, pairs=THREE),
    Layout(
        name="hf-jsonl-in-splits",
        files=lambda: {
            "train/metadata.jsonl": lines({"file_name": "1.jpg", "text": DOG}),
            "validation/metadata.jsonl": lines({"file_name": "2.jpg", "text": CAT}),
            "test/metadata.jsonl": lines({"file_name": "3.jpg", "text": OWL}),
        },
        pairs=SPLIT,
        splits=SIDES,
    ),
    Layout(
        name="hf-parquet-at-root",
        files=lambda: {
            "metadata.parquet": parquet_of(
                [{"file_name": f, "text": t[0], "n": 1} for f, t in THREE.items()]
            )
        },
        pairs=THREE,
    ),
    Layout(
        name="hf-names-below-the-table",
        files=lambda: {
            "data/metadata.jsonl": lines(
                *(
                    {"file_name": f"images/{f}", "additional_feature": t[0]}
                    for f, t in THREE.items()
                )
            )
        },
        pairs={f"data/images/{f}": t for f, t in THREE.items()},
    ),
    Layout(
        name="hf-near-miss",
        files=lambda: {"metadata1000.jsonl": lines({"file_name": "1.jpg", "text": DOG})},
        pairs={"1.jpg": [DOG]},
    ),
    Layout(
        name="split-folders-with-one-table-at-the-root",
        files=lambda: {
            "captions.csv": f"file,caption\ntrain/1.jpg,{DOG}\nvalidation/2.jpg,{CAT}\n"
            f'test/3.jpg,"{OWL}"\n'
        },
        pairs=SPLIT,
        splits=SIDES,
    ),
    Layout(
        name="split-folders-by-bare-names",
        files=lambda: {"captions.csv": TABLE},
        pairs=SPLIT,
        splits=SIDES,
        said="3 names found by the end of its path",
    ),
    Layout(
        name="split-column",
        files=lambda: {
            "all.csv": f"image,caption,split\n1.jpg,{DOG},train\n2.jpg,{CAT},val\n"
            f'3.jpg,"{OWL}",test\n'
        },
        pairs=THREE,
        splits={"1.jpg": "train", "2.jpg": "validation", "3.jpg": "test"},
    ),
    Layout(
        name="split-column-of-another-name",
        files=lambda: {"all.csv": f"image,caption,phase\n1.jpg,{DOG},Train\n2.jpg,{CAT},Test\n"},
        pairs={"1.jpg": [DOG], "2.jpg": [CAT]},
        splits={"1.jpg": "train", "2.jpg": "test"},
        options=LayoutOptions(split_column="phase"),
    ),
    Layout(
        name="a-table-per-split",
        files=lambda: {
            "train.csv": f"image,caption\n1.jpg,{DOG}\n",
            "val.csv": f"image,caption\n2.jpg,{CAT}\n",
            "test.csv": f'image,caption\n3.jpg,"{OWL}"\n',
        },
        pairs=THREE,
        splits={"1.jpg": "train", "2.jpg": "validation", "3.jpg": "test"},
    ),
    Layout(
        name="validation-dir",
        files=lambda: {"captions.csv": TABLE},
        pairs={"1.jpg": [DOG], "kept/2.jpg": [CAT], "3.jpg": [OWL]},
        splits={"kept/2.jpg": "validation"},
        options=LayoutOptions(validation="kept"),
    ),
    Layout(
        name="validation-pattern",
        files=lambda: {"captions.csv": TABLE},
        pairs={"1.jpg": [DOG], "batch-7/2.jpg": [CAT], "batch-8/3.jpg": [OWL]},
        splits={"batch-7/2.jpg": "validation"},
        options=LayoutOptions(validation="batch-7/*"),
    ),
    Layout(
        name="a-picture-called-test-is-in-no-split",
        files=lambda: {"a.csv": f"file,caption\ntest_1.jpg,{DOG}\ntrain_2.jpg,{CAT}\n"},
        pairs={"test_1.jpg": [DOG], "train_2.jpg": [CAT]},
    ),
    Layout(
        name="parquet-with-images",
        files=lambda: {
            "data/train-00000-of-00001.parquet": parquet_of(
                [{"image": inside(TINY, "a.png"), "text": DOG}]
            ),
            "data/validation-00000-of-00001.parquet": parquet_of(
                [{"image": inside(png(9, 8)), "text": CAT}]
            ),
        },
        pairs={
            "data/train-00000-of-00001/000001-a.png": [DOG],
            "data/validation-00000-of-00001/000001.png": [CAT],
        },
        splits={
            "data/train-00000-of-00001/000001-a.png": "train",
            "data/validation-00000-of-00001/000001.png": "validation",
        },
        packed=True,
    ),
    Layout(
        name="parquet-as-source-with-others-around",
        files=lambda: {
            "pets.parquet": parquet_of([{"image": inside(TINY, "a.png"), "text": DOG}]),
            "other.jpg": TINY,
            "other.tar": b"no archive",
        },
        pairs={"pets/000001-a.png": [DOG]},
        source="pets.parquet",
        packed=True,
    ),
    Layout(
        name="parquet-of-bytes-and-lists",
        files=lambda: {"x.parquet": parquet_of([{"jpg": TINY, "caption": [DOG, CAT], "w": 8}])},
        pairs={"x/000001.png": [DOG, CAT]},
        packed=True,
    ),
    Layout(
        name="parquet-with-class-labels",
        files=lambda: {
            "x.parquet": parquet_of(
                [{"image": inside(TINY), "label": 1}],
                {"label": {"names": ["cat", "t_shirt"], "_type": "ClassLabel"}},
            )
        },
        pairs={"x/000001.png": ["a photo of a t shirt"]},
        packed=True,
    ),
    Layout(
        name="arrow-from-save-to-disk",
        files=lambda: {
            "train/data-00000-of-00001.arrow": arrow_of([{"image": inside(TINY), "text": DOG}]),
            "train/state.json": "{}",
            "dataset_dict.json": json.dumps({"splits": ["train"]}),
        },
        pairs={"train/data-00000-of-00001/000001.png": [DOG]},
        packed=True,
    ),
    Layout(
        name="webdataset",
        files=lambda: {
            "pets-train-000000.tar": tar({"000.jpg": TINY, "000.txt": DOG, "000.json": "{}"}),
            "pets-val-000000.tar": tar({"000.png": TINY, "000.json": json.dumps({"caption": CAT})}),
        },
        pairs={"pets-train-000000/000.jpg": [DOG], "pets-val-000000/000.png": [CAT]},
        splits={"pets-train-000000/000.jpg": "train", "pets-val-000000/000.png": "validation"},
        packed=True,
    ),
    Layout(
        name="webdataset-one-archive",
        files=lambda: {"pets.tar": tar({"a.jpg": TINY, "a.txt": f"{DOG}\n{CAT}\n"})},
        pairs={"a.jpg": [DOG, CAT]},
        source="pets.tar",
        packed=True,
    ),
    Layout(
        name="zip-per-split",
        files=lambda: {
            "train.zip": zipped({"1.jpg": TINY, "metadata.csv": f"file_name,text\n1.jpg,{DOG}\n"}),
            "test.zip": zipped({"3.jpg": TINY, "metadata.csv": f'file_name,text\n3.jpg,"{OWL}"\n'}),
        },
        pairs={"train/1.jpg": [DOG], "test/3.jpg": [OWL]},
        splits={"train/1.jpg": "train", "test/3.jpg": "test"},
        packed=True,
    ),
    Layout(
        name="coco",
        files=lambda: {
            "annotations/captions_train2017.json": coco(numbers=(1, 2), captions=2),
            "annotations/captions_val2017.json": coco(numbers=(3,)),
            "annotations/instances_train2017.json": json.dumps(
                {"images": [{"id": 71, "file_name": "1.jpg"}], "annotations": [{"bbox": [1, 2, 3]}]}
            ),
        },
        pairs={
            "train2017/1.jpg": [DOG, f"{DOG}!"],
            "train2017/2.jpg": [CAT, f"{CAT}!"],
            "val2017/3.jpg": [OWL],
        },
        splits={
            "train2017/1.jpg": "train",
            "train2017/2.jpg": "train",
            "val2017/3.jpg": "validation",
        },
    ),
    Layout(
        name="coco-named-outside",
        files=lambda: {"captions.json": coco(captions=5)},
        pairs={
            f"{n}.jpg": [text + "!" * k for k in range(5)]
            for n, text in ((1, DOG), (2, CAT), (3, OWL))
        },
        options=LayoutOptions(captions="captions.json"),
    ),
    Layout(
        name="karpathy",
        files=lambda: {
            "dataset_coco.json": json.dumps(
                {
                    "images": [
                        karpathy("1.jpg", "restval", *FIVE),
                        karpathy("2.jpg", "val", CAT),
                        karpathy("3.jpg", "test", OWL),
                    ],
                    "dataset": "coco",
                }
            )
        },
        pairs={"val2014/1.jpg": FIVE, "val2014/2.jpg": [CAT], "3.jpg": [OWL]},
        splits={"val2014/1.jpg": "train", "val2014/2.jpg": "validation", "3.jpg": "test"},
    ),
    Layout(
        name="label-studio-json",
        files=lambda: {
            "project.json": json.dumps(
                [
                    task("/data/upload/3/1a2b3c4d-1.jpg", DOG),
                    task("/data/local-files/?d=pictures/2.jpg", CAT),
                    task("s3://bucket/pets/3.jpg", OWL),
                    task("/data/upload/3/99999999-4.jpg", "skipped", cancelled=True),
                ]
            )
        },
        pairs={"1.jpg": [DOG], "pictures/2.jpg": [CAT], "3.jpg": [OWL]},
        left=["annotation cancelled"],
        said="without upload prefix",
    ),
    Layout(
        name="via-project",
        files=lambda: {
            "via.json": json.dumps({"_via_settings": {}, "_via_img_metadata": via(quality="good")})
        },
        pairs=THREE,
    ),
    Layout(name="via-export", files=lambda: {"via.json": json.dumps(via("what"))}, pairs=THREE),
    Layout(
        name="via-description",
        files=lambda: {"via.json": json.dumps(via("description", public_domain="no"))},
        pairs=THREE,
    ),
    Layout(
        name="label-studio-json-min",
        files=lambda: {
            "min.json": json.dumps(
                [
                    {
                        "image": "/data/upload/1/1a2b3c4d-1.jpg",
                        "id": 1,
                        "what": DOG,
                        "annotator": 1,
                        "annotation_id": 7,
                        "lead_time": 3.5,
                    },
                    {
                        "image": "/data/upload/1/0a2b3c4d-2.jpg",
                        "id": 2,
                        "what": [CAT, OWL],
                        "annotator": 1,
                        "annotation_id": 8,
                        "lead_time": 3.5,
                    },
                ]
            )
        },
        pairs={"1.jpg": [DOG], "2.jpg": [CAT, OWL]},
    ),
    Layout(
        name="label-studio-csv",
        files=lambda: {
            "min.csv": "annotation_id,annotator,created_at,id,image,lead_time,what\n"
            f"7,1,2026-01-01T00:00:00,1,/data/upload/1/1a2b3c4d-1.jpg,3.5,{DOG}\n"
            "8,1,2026-01-01T00:00:00,2,/data/upload/1/0a2b3c4d-2.jpg,3.5,"
            '"{""choices"": [""cat"", ""owl""]}"\n'
        },
        pairs={"1.jpg": [DOG], "2.jpg": ["cat", "owl"]},
    ),
    Layout(
        name="flickr8k-captions-txt",
        files=lambda: {
            "captions.txt": "image,caption\n" + "".join(f"Images/1.jpg,{t}\n" for t in FIVE)
        },
        pairs={"Images/1.jpg": FIVE},
    ),
    Layout(
        name="flickr8k-tokens-and-lists",
        files=lambda: {
            "Flickr8k.token.txt": f'1.jpg#0\t{DOG}\n1.jpg#1\ta "quoted dog\n2.jpg#0\t{CAT}\n',
            "Flickr_8k.trainImages.txt": "1.jpg\n",
            "Flickr_8k.devImages.txt": "2.jpg\n",
            # A list of all images says nothing of their splits.
            "images.txt": "1.jpg\n2.jpg\n",
        },
        pairs={"Flicker8k_Dataset/1.jpg": [DOG, 'a "quoted dog'], "Flicker8k_Dataset/2.jpg": [CAT]},
        splits={"Flicker8k_Dataset/1.jpg": "train", "Flicker8k_Dataset/2.jpg": "validation"},
    ),
    Layout(
        name="flickr30k-results",
        files=lambda: {
            "results.csv": "image_name| comment_number| comment\n"
            + "".join(f"1.jpg| {n}| {text}\n" for n, text in enumerate(FIVE))
            + f"2.jpg| 0| {CAT}\n"
        },
        pairs={"flickr30k_images/1.jpg": FIVE, "flickr30k_images/2.jpg": [CAT]},
    ),
    Layout(
        name="llava",
        files=lambda: {
            "llava.json": json.dumps([llava("1.jpg", DOG, "more"), llava("2.jpg", CAT)])
        },
        pairs={"images/1.jpg": [DOG], "images/2.jpg": [CAT]},
        said="1 chats have more than one answer",
    ),
    Layout(
        name="chats-with-content-blocks",
        files=lambda: {
            "chat.jsonl": lines(
                {
                    "messages": [
                        {
                            "role": "user",
                            "content": [
                                {"type": "image_url", "image_url": {"url": "1.jpg"}},
                                {"type": "text", "text": "What is it?"},
                            ],
                        },
                        {"role": "assistant", "content": [{"type": "text", "text": DOG}]},
                    ]
                }
            )
        },
        pairs={"1.jpg": [DOG]},
    ),
    Layout(
        name="sagemaker-captions",
        files=lambda: {
            "output.manifest": lines(
                {"source-ref": "s3://b/pets/1.jpg", "note": DOG, "note-metadata": {}},
                {"source-ref": "s3://b/pets/2.jpg", "note": CAT, "note-metadata": {}},
            )
        },
        pairs={"1.jpg": [DOG], "2.jpg": [CAT]},
        said="2 names found by the end of its path",
    ),
    Layout(
        name="sagemaker-classes",
        files=lambda: {
            "output.manifest": lines(
                {"source-ref": "s3://b/1.jpg", "kind": 0, "kind-metadata": {"class-name": "dog"}}
            )
        },
        pairs={"1.jpg": ["a photo of a dog"]},
    ),
    Layout(
        name="class-folders",
        files=dict,
        pairs={"dog/1.jpg": ["a photo of a dog"], "t_shirt/2.jpg": ["a photo of a t shirt"]},
        said="2 captions for 2 images",
    ),
    Layout(
        name="class-folders-in-splits",
        files=dict,
        pairs={
            "train/dog/1.jpg": ["a photo of a dog"],
            "validation/cat/2.jpg": ["a photo of a cat"],
            "test/dog/3.jpg": ["a photo of a dog"],
        },
        splits={
            "train/dog/1.jpg": "train",
            "validation/cat/2.jpg": "validation",
            "test/dog/3.jpg": "test",
        },
    ),
    Layout(
        name="class-folders-although-there-is-a-table",
        files=lambda: {"captions.csv": "file,caption\ndog/1.jpg,never\ncat/2.jpg,never\n"},
        pairs={"dog/1.jpg": ["a photo of a dog"], "cat/2.jpg": ["a photo of a cat"]},
        options=LayoutOptions(captions="folders"),
    ),
    Layout(
        name="captions-in-file-names",
        files=dict,
        pairs={"a_dog_on_grass_01.jpg": [DOG], "sub/a grey cat asleep (2).jpg": [CAT]},
        options=LayoutOptions(captions="filenames"),
    ),
    Layout(
        name="kohya-txt",
        files=lambda: {"10_dog/1.txt": "dog, grass, sunny", "10_dog/2.txt": "dog, snow"},
        pairs={"10_dog/1.jpg": ["dog, grass, sunny"], "10_dog/2.jpg": ["dog, snow"]},
        said="repeats",
    ),
    Layout(
        name="kohya-caption",
        files=lambda: {"1.caption": DOG, "2.caption": CAT},
        pairs={"1.jpg": [DOG], "2.jpg": [CAT]},
    ),
    Layout(
        name="sidecar-json",
        files=lambda: {"1.json": json.dumps({"caption": DOG}), "2.json": json.dumps({"text": CAT})},
        pairs={"1.jpg": [DOG], "2.jpg": [CAT]},
    ),
    Layout(
        name="sidecars-in-split-folders",
        files=lambda: {"train/1.txt": DOG, "valid/2.txt": CAT},
        pairs={"train/1.jpg": [DOG], "valid/2.jpg": [CAT]},
        splits={"train/1.jpg": "train", "valid/2.jpg": "validation"},
    ),
    Layout(
        name="excel",
        files=lambda: {"captions.xlsx": xlsx(["File", "Caption"], ["1.jpg", DOG], ["2.jpg", CAT])},
        pairs={"1.jpg": [DOG], "2.jpg": [CAT]},
    ),
    Layout(
        name="excel-takes-names-for-numbers",
        files=lambda: {"captions.xlsx": xlsx(["id", "title"], [7, DOG], [1163.0, CAT])},
        pairs={"images/007.jpg": [DOG], "images/1163.jpg": [CAT]},
        said="with another or no extension",
    ),
    Layout(
        name="semicolons-and-windows-1252",
        files=lambda: {"captions.csv": "file;caption\n1.jpg;ein größerer Hund\n".encode("cp1252")},
        pairs={"1.jpg": ["ein größerer Hund"]},
        said="cp1252",
    ),
    Layout(
        name="sep-line-and-byte-order-mark",
        files=lambda: {"c.csv": f"\ufeffsep=;\r\nfile;caption\r\n1.jpg;{DOG}\r\n".encode()},
        pairs={"1.jpg": [DOG]},
    ),
    Layout(
        name="utf-16-with-mark",
        files=lambda: {"c.csv": f"file\tcaption\r\n1.jpg\t{OWL}\r\n".encode("utf-16")},
        pairs={"1.jpg": [OWL]},
    ),
    Layout(
        name="utf-16-without-mark",
        files=lambda: {"c.csv": f"file,caption\r\n1.jpg,{DOG}\r\n".encode("utf-16-le")},
        pairs={"1.jpg": [DOG]},
        said="UTF-16-LE",
    ),
    Layout(
        name="an-encoding-by-option",
        files=lambda: {"c.csv": "file,caption\n1.jpg,犬が走る\n".encode("shift_jis")},
        pairs={"1.jpg": ["犬が走る"]},
        options=LayoutOptions(encoding="shift_jis"),
    ),
    Layout(
        name="no-header",
        files=lambda: {"captions.csv": f'1.jpg,{DOG}\n2.jpg,"{OWL}"\n'},
        pairs={"1.jpg": [DOG], "2.jpg": [OWL]},
        said="the first line names no columns",
    ),
    Layout(
        name="kaggle-styles",
        files=lambda: {
            "styles.csv": "id,gender,masterCategory,season,year,productDisplayName\n"
            "15970,Men,Apparel,Fall,2011,Turtle Check Men Navy Blue Shirt\n"
            "1163,Men,Apparel,Summer,2011,Nike Sahara Team India Jersey, blue\n"
            "9999,Men,Apparel,Summer,2011,Not here\n"
        },
        pairs={
            "images/15970.jpg": ["Turtle Check Men Navy Blue Shirt"],
            "images/1163.jpg": ["Nike Sahara Team India Jersey, blue"],
        },
        left=["no such file"],
    ),
    Layout(
        name="h-and-m-articles",
        files=lambda: {
            "articles.csv": "article_id,product_code,prod_name,detail_desc\n"
            f"0108775015,0108775,Strap top,{DOG}\n"
        },
        pairs={"images/010/0108775015.jpg": ["Strap top"]},
    ),
    Layout(
        name="open-clip",
        files=lambda: {"train.csv": f"filepath\ttitle\nimages/1.jpg\t{OWL}\n"},
        pairs={"images/1.jpg": [OWL]},
    ),
    Layout(
        name="manifest-of-bedrock",
        files=lambda: {
            "manifest.jsonl": lines({"image-ref": "s3://b/pets/images/1.jpg", "caption": DOG})
        },
        pairs={"images/1.jpg": [DOG]},
    ),
    Layout(
        name="roboflow-prefix-and-suffix",
        files=lambda: {
            "train/annotations.jsonl": lines({"image": "1.jpg", "prefix": "What?", "suffix": DOG}),
            "valid/annotations.jsonl": lines({"image": "2.jpg", "prefix": "What?", "suffix": CAT}),
        },
        pairs={"train/1.jpg": [DOG], "valid/2.jpg": [CAT]},
        splits={"train/1.jpg": "train", "valid/2.jpg": "validation"},
    ),
    Layout(
        name="one-object-by-file",
        files=lambda: {"captions.json": json.dumps({"1.jpg": DOG, "2.jpg": [CAT, OWL]})},
        pairs={"1.jpg": [DOG], "2.jpg": [CAT, OWL]},
    ),
    Layout(
        name="rows-inside-of-a-document",
        files=lambda: {"d.json": json.dumps({"data": [{"image": "1.jpg", "caption": DOG}]})},
        pairs={"1.jpg": [DOG]},
    ),
    Layout(
        name="numbered-columns-of-captions",
        files=lambda: {"c.csv": f"image,caption_1,caption_2\n1.jpg,{DOG},{CAT}\n2.jpg,{CAT},\n"},
        pairs={"1.jpg": [DOG, CAT], "2.jpg": [CAT]},
    ),
    Layout(
        name="columns-by-option",
        files=lambda: {"c.csv": f"a,b,image,caption\n1.jpg,{DOG},2.jpg,wrong\n"},
        pairs={"1.jpg": [DOG]},
        options=LayoutOptions(file_column="A", caption_column="b"),
    ),
    Layout(
        name="names-of-windows-in-capitals",
        files=lambda: {"c.csv": f"file,caption\nC:\\pics\\IMG_1.JPG,{DOG}\npics\\2.jpg,{CAT}\n"},
        pairs={"img_1.jpg": [DOG], "pics/2.jpg": [CAT]},
        said="in another case, with slashes of another system",
    ),
    Layout(
        name="names-of-apple",
        files=lambda: {
            "c.csv": f"file,caption\n{unicodedata.normalize('NFC', 'café.jpg')},{DOG}\n"
        },
        pairs={unicodedata.normalize("NFD", "café.jpg"): [DOG]},
    ),
    Layout(
        name="web-addresses-of-files-that-are-here",
        files=lambda: {"c.csv": f"image_url,caption\nhttps://x.org/a/1.jpg?w=80,{DOG}\n"},
        pairs={"downloads/1.jpg": [DOG]},
    ),
    Layout(
        name="the-same-name-in-two-folders",
        files=lambda: {"c.csv": f"file,caption\nold/red/1.jpg,{DOG}\nold/blue/1.jpg,{CAT}\n"},
        pairs={"red/1.jpg": [DOG], "blue/1.jpg": [CAT]},
    ),
    Layout(
        name="a-table-as-source",
        files=lambda: {
            "a.csv": f"file,caption\n1.jpg,{DOG}\n",
            "b.csv": "file,caption\n1.jpg,no\n",
        },
        pairs={"1.jpg": [DOG]},
        source="a.csv",
    ),
    Layout(
        name="test-images-without-captions",
        files=lambda: {"train.csv": f"id,description\n1,{DOG}\n"},
        pairs={"train/1.jpg": [DOG]},
    ),
    Layout(
        name="captions-in-a-folder-of-their-own",
        files=lambda: {"captions/1.txt": DOG, "captions/2.txt": CAT},
        pairs={"images/1.jpg": [DOG], "images/2.jpg": [CAT]},
    ),
    Layout(
        name="sidecars-in-capitals",
        files=lambda: {"IMG_1.TXT": DOG},
        pairs={"IMG_1.JPG": [DOG]},
    ),
    Layout(
        name="excel-with-a-title-above",
        files=lambda: {"c.xlsx": xlsx(["Our pets"], [], ["image", "caption"], ["1.jpg", DOG])},
        pairs={"1.jpg": [DOG]},
    ),
    Layout(
        name="an-index-column-of-pandas",
        files=lambda: {"c.csv": f",image,caption\n0,1.jpg,{DOG}\n1,2.jpg,{CAT}\n"},
        pairs={"1.jpg": [DOG], "2.jpg": [CAT]},
    ),
    Layout(
        name="kaggle-competition",
        files=lambda: {
            "train.csv": f"Id,description\n1,{DOG}\n2,{CAT}\n",
            "test.csv": "Id\n3\n",
            "sample_submission.csv": "Id,description\n3,0\n",
        },
        pairs={"train/1.jpg": [DOG], "train/2.jpg": [CAT]},
    ),
    Layout(
        name="numbers-of-coco-results",
        files=lambda: {
            "results.json": json.dumps(
                [{"image_id": 42, "caption": DOG}, {"image_id": 139, "caption": CAT}]
            )
        },
        pairs={
            "val2014/COCO_val2014_000000000042.jpg": [DOG],
            "val2014/COCO_val2014_000000000139.jpg": [CAT],
        },
        said="by the number in its name",
    ),
    Layout(
        name="img2dataset",
        files=lambda: {
            "00000.tar": tar({"000000000.jpg": TINY, "000000000.txt": DOG, "000000000.json": "{}"}),
            "00000.parquet": parquet_of(
                [{"url": "https://x.org/a.jpg", "caption": DOG, "key": "000000000"}]
            ),
            "00000_stats.json": json.dumps({"count": 1}),
        },
        pairs={"00000/000000000.jpg": [DOG]},
        packed=True,
    ),
    Layout(
        name="kohya-meta-cap",
        files=lambda: {"meta_cap.json": json.dumps({"1": {"caption": DOG}, "2": {"caption": CAT}})},
        pairs={"train/1.jpg": [DOG], "train/2.jpg": [CAT]},
    ),
    Layout(
        name="lists-of-images-and-captions",
        files=lambda: {"c.jsonl": lines({"images": ["1.jpg"], "captions": [DOG, CAT]})},
        pairs={"1.jpg": [DOG, CAT]},
    ),
    Layout(
        name="questions-about-images",
        files=lambda: {
            "c.csv": f"image,question,answer\n1.jpg,What is it that you see?,{DOG}\n"
            f"2.jpg,What is it that you see?,{CAT}\n"
        },
        pairs={"1.jpg": [DOG], "2.jpg": [CAT]},
    ),
    Layout(
        name="class-folders-beside-a-table-of-classes",
        files=lambda: {"classes.csv": "name,count\ndog,1\ncat,1\n", "README.md": "# Pets"},
        pairs={"dog/1.jpg": ["a photo of a dog"], "cat/2.jpg": ["a photo of a cat"]},
    ),
    Layout(
        name="a-zip-with-everything-in-one-folder",
        files=lambda: {
            "pets.zip": zipped(
                {
                    "pets/1.jpg": TINY,
                    "pets/captions.csv": f"file,caption\n1.jpg,{DOG}\n",
                    "__MACOSX/pets/._1.jpg": b"x",
                }
            )
        },
        pairs={"pets/1.jpg": [DOG]},
        source="pets.zip",
        packed=True,
    ),
    Layout(
        name="folders-of-splits-in-capitals",
        files=lambda: {"Train/1.txt": DOG, "VAL/2.txt": CAT, "Testing/3.txt": OWL},
        pairs={"Train/1.jpg": [DOG], "VAL/2.jpg": [CAT], "Testing/3.jpg": [OWL]},
        splits={"Train/1.jpg": "train", "VAL/2.jpg": "validation", "Testing/3.jpg": "test"},
    ),
    Layout(
        name="a-table-in-each-split-that-names-images-below-it",
        files=lambda: {
            "data/train/metadata.csv": f"file_name,text\nimages/1.jpg,{DOG}\n",
            "data/dev/metadata.csv": f"file_name,text\nimages/1.jpg,{CAT}\n",
        },
        pairs={"data/train/images/1.jpg": [DOG], "data/dev/images/1.jpg": [CAT]},
        splits={"data/train/images/1.jpg": "train", "data/dev/images/1.jpg": "validation"},
    ),
    Layout(
        name="label-studio-choices-of-two-annotators",
        files=lambda: {
            "export.json": json.dumps(
                [
                    {
                        "id": 3,
                        "data": {"img": "http://localhost:8080/data/upload/1/1a2b3c4d-1.jpg"},
                        "annotations": [
                            {"result": [{"type": "choices", "value": {"choices": [word]}}]}
                            for word in ("dog", "puppy")
                        ],
                        "predictions": [],
                    }
                ]
            )
        },
        pairs={"1.jpg": ["dog", "puppy"]},
    ),
    Layout(
        name="names-and-captions-behind-a-colon",
        files=lambda: {"captions.txt": f"1.jpg: {DOG}\n2.jpg: {CAT}\n"},
        pairs={"1.jpg": [DOG], "2.jpg": [CAT]},
    ),
    Layout(
        name="spaces-and-quotes",
        files=lambda: {
            "c.csv": 'file, caption\n"my dog.jpg", "a dog, ""Rex"""\nmy cat.jpg, a cat\n'
        },
        pairs={"my dog.jpg": ['a dog, "Rex"'], "my cat.jpg": ["a cat"]},
    ),
    Layout(
        name="lines-that-end-in-carriage-returns",
        files=lambda: {"c.csv": f"file,caption\r1.jpg,{DOG}\r2.jpg,{CAT}\r"},
        pairs={"1.jpg": [DOG], "2.jpg": [CAT]},
    ),
    Layout(
        name="split-column-with-a-word-that-is-no-split",
        files=lambda: {
            "c.csv": f"file,caption,split\n1.jpg,{DOG},train2017\n2.jpg,{CAT},test\n"
            "3.jpg,an owl,unlabelled\n4.jpg,an eel,\n"
        },
        pairs={"1.jpg": [DOG], "2.jpg": [CAT], "4.jpg": ["an eel"]},
        splits={"1.jpg": "train", "2.jpg": "test"},
        left=["split not known"],
    ),
    Layout(
        name="karpathy-with-a-split-of-its-own",
        files=lambda: {
            "dataset_pets.json": json.dumps(
                {
                    "images": [
                        karpathy("1.jpg", "train", DOG),
                        karpathy("2.jpg", "extra", CAT),
                        karpathy("3.jpg", "val", OWL),
                    ]
                }
            )
        },
        pairs={"1.jpg": [DOG], "3.jpg": [OWL]},
        splits={"1.jpg": "train", "3.jpg": "validation"},
        left=["split not known"],
    ),
    Layout(
        name="tables-of-splits-whose-images-have-the-same-names",
        files=lambda: {
            "train.csv": f"file,caption\n0.jpg,{DOG}\n",
            "val.csv": f"file,caption\n0.jpg,{CAT}\n",
        },
        pairs={"train/images/0.jpg": [DOG], "val/images/0.jpg": [CAT]},
        splits={"train/images/0.jpg": "train", "val/images/0.jpg": "validation"},
    ),
    Layout(
        name="llava-with-several-images-and-none",
        files=lambda: {
            "llava.json": json.dumps(
                [
                    {"conversations": llava("", "hi")["conversations"]},
                    llava("1.jpg", DOG),
                    {**llava("", "both"), "image": ["2.jpg", "3.jpg"]},
                ]
            ),
            "2.jpg": TINY,
            "3.jpg": TINY,
        },
        pairs={"1.jpg": [DOG]},
        left=["no image named", "several images"],
    ),
    Layout(
        name="parquet-with-lists-of-images",
        files=lambda: {
            "a.parquet": parquet_of(
                [
                    {"images": [inside(TINY, "a.png")], "text": DOG},
                    {"images": [inside(TINY), inside(TINY)], "text": "both"},
                ]
            )
        },
        pairs={"a/000001-a.png": [DOG]},
        left=["several images"],
        packed=True,
    ),
    Layout(
        name="sagemaker-with-attributes-of-the-input",
        files=lambda: {
            "output.manifest": lines(
                {"source-ref": "s3://b/1.jpg", "site": "Rome", "note": DOG, "note-metadata": {}}
            )
        },
        pairs={"1.jpg": [DOG]},
    ),
    Layout(
        name="lists-that-python-wrote",
        files=lambda: {"c.csv": f"image,captions\n1.jpg,\"['{DOG}', 'it is Rex']\"\n"},
        pairs={"1.jpg": [DOG, "it is Rex"]},
    ),
    Layout(
        name="semicolons-without-header-and-commas-in-captions",
        files=lambda: {"c.csv": f"1.jpg;{OWL}\n2.jpg;{OWL}!\n"},
        pairs={"1.jpg": [OWL], "2.jpg": [f"{OWL}!"]},
        said="the first line names no columns",
    ),
    Layout(
        name="comments-above-a-csv",
        files=lambda: {"c.csv": f"# our pets\n\n# 2024\nfile,caption\n1.jpg,{DOG}\n2.jpg,{CAT}\n"},
        pairs={"1.jpg": [DOG], "2.jpg": [CAT]},
    ),
    Layout(
        name="quotes-behind-backslashes",
        files=lambda: {"c.csv": 'file,caption\n"1.jpg","a \\"big\\" dog, brown"\n'},
        pairs={"1.jpg": ['a "big" dog, brown']},
    ),
    Layout(
        name="excel-with-notes-before-the-table",
        files=lambda: {
            "c.xlsx": workbook(
                {"Notes": [["by", "me"], ["in", "May"]], "Data": [["file", "text"], ["1.jpg", DOG]]}
            )
        },
        pairs={"1.jpg": [DOG]},
        said="the sheet Data",
    ),
    Layout(
        name="excel-with-a-sheet-for-each-split",
        files=lambda: {
            "c.xlsx": workbook(
                {
                    "train": [["file", "text"], ["1.jpg", DOG]],
                    "test": [["file", "text"], ["2.jpg", CAT]],
                }
            )
        },
        pairs={"1.jpg": [DOG], "2.jpg": [CAT]},
        splits={"1.jpg": "train", "2.jpg": "test"},
    ),
    Layout(
        name="a-table-whose-names-are-of-several-images",
        files=lambda: {"c.csv": f"file,caption\n1.jpg,{DOG}\n"},
        pairs={"dog/1.jpg": ["a photo of a dog"], "cat/1.jpg": ["a photo of a cat"]},
        said="not used: c.csv: no column names images that are here",
    ),
    Layout(
        name="captions-that-are-not-a-number",
        files=lambda: {
            "c.jsonl": lines(
                {"file": "1.jpg", "caption": float("nan")}, {"file": "2.jpg", "caption": CAT}
            ),
            "1.jpg": TINY,
        },
        pairs={"2.jpg": [CAT]},
        left=["caption empty"],
    ),
    Layout(
        name="percent-signs-in-paths",
        files=lambda: {"c.csv": f"file,caption\nmy%20dog.jpg,{DOG}\n100%25.jpg,{CAT}\n"},
        pairs={"my dog.jpg": [DOG], "100%.jpg": [CAT]},
    ),
    Layout(
        name="images-and-captions-inside-of-objects",
        files=lambda: {
            "v.jsonl": lines(
                *(
                    {
                        "imageGcsUri": f"gs://b/{file}",
                        "classificationAnnotation": {"displayName": text},
                    }
                    for file, (text,) in THREE.items()
                )
            )
        },
        pairs=THREE,
        said="3 names found from a web address",
    ),
    Layout(
        name="images-as-objects-with-their-path",
        files=lambda: {
            "m.jsonlines": lines(
                *(
                    {"image": {"path": file, "bytes": None}, "caption": text}
                    for file, (text,) in THREE.items()
                )
            )
        },
        pairs=THREE,
    ),
    Layout(
        name="labels-in-a-list-of-objects",
        files=lambda: {
            "_annotations.createml.json": json.dumps(
                [{"image": "1.jpg", "annotations": [{"label": DOG}, {"label": CAT}]}]
            )
        },
        pairs={"1.jpg": [DOG, CAT]},
    ),
    Layout(
        name="settings-by-file-with-a-prompt",
        files=lambda: {
            "part-000001.json": json.dumps(
                {file: {"p": text, "seed": 1, "sa": "k_lms"} for file, (text,) in THREE.items()}
            )
        },
        pairs=THREE,
    ),
    Layout(
        name="coco-with-rejected-captions",
        files=lambda: {
            "train.json": json.dumps(
                {
                    "images": [{"id": 1, "file_name": "1.jpg"}],
                    "annotations": [
                        {"image_id": 1, "caption": DOG, "is_rejected": False},
                        {"image_id": 1, "caption": "too blurred", "is_rejected": True},
                    ],
                }
            )
        },
        pairs={"1.jpg": [DOG]},
        left=["annotation rejected"],
    ),
    Layout(
        name="prodigy",
        files=lambda: {
            "p.jsonl": lines(
                {"image": "1.jpg", "caption": DOG, "answer": "accept", "_task_hash": 1},
                {"image": "1.jpg", "caption": "no dog", "answer": "reject", "_task_hash": 2},
            )
        },
        pairs={"1.jpg": [DOG]},
        left=["annotation rejected"],
    ),
    Layout(
        name="captions-numbered-by-their-kind",
        files=lambda: {"c.txt": f"1#zhm#0\t{DOG}\n2#zhb#0\t{CAT}\n3#zhm#0\t{OWL}\n"},
        pairs=THREE,
        said="names no columns",
    ),
    Layout(
        name="sidecars-of-other-programs",
        files=lambda: {
            "c.csv": TABLE,
            **{f"{n}.xmp": "<x:xmpmeta/>" for n in (1, 2, 3)},
            "1.aae": "<?xml version='1.0'?>",
            "LICENSE": "Free for all",
        },
        pairs=THREE,
    ),
    Layout(
        name="blanks-behind-quotes",
        files=lambda: {"c.csv": f'file , caption \n1.jpg , "{DOG}" \n3.jpg , "{OWL}" \n'},
        pairs={"1.jpg": [DOG], "3.jpg": [OWL]},
    ),
    Layout(
        name="one-document-with-a-list-for-each-split",
        files=lambda: {
            "d.json": json.dumps(
                {
                    "train": [{"image": "1.jpg", "caption": DOG}],
                    "val": [{"image": "2.jpg", "caption": CAT}],
                }
            )
        },
        pairs={"1.jpg": [DOG], "2.jpg": [CAT]},
        splits={"1.jpg": "train", "2.jpg": "validation"},
    ),
    Layout(
        name="excel-without-names-of-columns",
        files=lambda: {"c.xlsx": xlsx(["1.jpg", DOG], ["2.jpg", CAT])},
        pairs={"1.jpg": [DOG], "2.jpg": [CAT]},
        said="the first line names no columns",
    ),
    Layout(
        name="captions-in-numbered-columns",
        files=lambda: {"c.csv": "image,caption#1\n1.jpg,a dog on grass\n2.jpg,a grey cat asleep\n"},
        pairs={"1.jpg": [DOG], "2.jpg": [CAT]},
    ),
    Layout(
        name="numbers-of-classes-beside-their-names",
        files=lambda: {"c.csv": "file,label,label_name\n1.jpg,0,dog\n2.jpg,1,cat\n"},
        pairs={"1.jpg": ["dog"], "2.jpg": ["cat"]},
    ),
    Layout(
        name="coco-of-whole-images",
        files=lambda: {
            "train.json": json.dumps(
                {
                    "images": [{"id": 1, "file_name": "1.jpg"}],
                    "annotations": [{"image_id": 1, "category_id": 7}],
                    "categories": [{"id": 7, "name": "grey_wolf"}],
                }
            )
        },
        pairs={"1.jpg": ["a photo of a grey wolf"]},
    ),
    Layout(
        name="captions-by-file-below-a-name",
        files=lambda: {"c.json": json.dumps({"captions": {f: t[0] for f, t in THREE.items()}})},
        pairs=THREE,
    ),
)
