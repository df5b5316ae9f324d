"""Files of annotations that describe themselves: COCO, Karpathy, Label Studio, LLaVA, SageMaker."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from bedrock_tuning.dataset.documents import is_rejected
from bedrock_tuning.dataset.layouts.columns import (
    REJECTED,
    add_rows,
    caption_in,
    not_one,
    read_columns,
    texts_of,
)
from bedrock_tuning.dataset.layouts.reading import Reading, Scene, Table

_ASSISTANT: Final = ("gpt", "assistant", "model", "bot")


def read_coco(table: Table, scene: Scene) -> Reading | None:
    """COCO captions: images and annotations, joined by image_id."""
    value = table.value
    if not _has_lists(value, "images", "annotations"):
        return None
    names = {
        str(image.get("id")): image.get("file_name") or image.get("coco_url")
        for image in _objects(value["images"])
    }
    notes = _objects(value["annotations"])
    classes = {item.get("id"): item.get("name") for item in _objects(value.get("categories"))}
    if classes and not any({"caption", "bbox", "segmentation"} & note.keys() for note in notes):
        # Of whole images, as in iNaturalist.
        names_of = ((note, classes.get(note.get("category_id"))) for note in notes)
        notes = [{**note, "caption": _photo_of(name)} for note, name in names_of if name]
    if not any("caption" in note for note in notes):
        scene.refuse(
            f"{table.file}: COCO with boxes or outlines and no captions; a model of image and "
            "caption needs a sentence for each image"
        )
        return None
    reading = Reading(layout="COCO captions", why=f"{table.file}: images and annotations")
    for number, note in enumerate(notes, 1):
        name = names.get(str(note.get("image_id")))
        place = f"annotation {note.get('id', number)}"
        if not name:
            id_ = str(note.get("image_id"))
            reading.leave(id_, f"{place}: no image has this id", "no such image")
            continue
        if is_rejected(note):
            reading.leave(str(name), f"{place}: rejected", REJECTED)
            continue
        add_rows(reading, str(name), [note.get("caption")], where=place, table=table)
    return reading


def read_karpathy(table: Table, _: Scene) -> Reading | None:
    """Karpathy's splits of COCO and Flickr: sentences inside of each image."""
    images = _inner(table, "images")
    if not images or not all("sentences" in image for image in images[:10]):
        return None
    reading = Reading(layout="Karpathy's splits", why=f"{table.file}: images with sentences")
    for number, image in enumerate(images, 1):
        name = "/".join(filter(None, (image.get("filepath"), image.get("filename"))))
        add_rows(
            reading,
            name or str(image.get("file_name", "")),
            image.get("sentences"),
            where=f"image {number}",
            table=table,
            split=image.get("split"),
        )
    return reading


def read_label_studio(table: Table, scene: Scene) -> Reading | None:
    """Label Studio's JSON: tasks with data and annotations."""
    tasks = [cells for _, cells in table.rows]
    if not tasks or not all(_is_task(task) for task in tasks[:10]):
        return None
    reading = Reading(layout="Label Studio", why=f"{table.file}: tasks with annotations")
    for number, task in table.rows:
        data = task["data"]
        name = next((text for text in data.values() if scene.is_image(text, base=table.base)), None)
        name = name or next((text for text in data.values() if isinstance(text, str)), "")
        notes = _objects(task.get("annotations", task.get("completions")))
        labels = [item for item in notes if not item.get("was_cancelled")]
        for _ in range(len(notes) - len(labels)):
            reading.leave(name, f"task {number}: skipped", "annotation cancelled")
        texts = [
            text
            for note in labels
            for result in _objects(note.get("result"))
            for text in texts_of(result.get("value", {}))
        ]
        if labels or not notes:
            add_rows(reading, name, texts, where=f"task {number}", table=table)
    return reading


def _is_task(cells: Mapping[str, Any]) -> bool:
    return isinstance(cells.get("data"), dict) and (
        "annotations" in cells or "completions" in cells
    )


def read_augmented_manifest(table: Table, _: Scene) -> Reading | None:
    """SageMaker's augmented manifest, as Ground Truth writes it."""
    rows = [cells for _, cells in table.rows]
    if not rows or not all("source-ref" in row for row in rows[:10]):
        return None
    reading = Reading(layout="SageMaker augmented manifest", why=f"{table.file}: source-ref")
    for number, cells in table.rows:
        names = [name for name in cells if name != "source-ref" and not name.endswith("-metadata")]
        # What a job labelled has metadata; other attributes came with the input.
        labels = [name for name in names if f"{name}-metadata" in cells]
        texts: list[Any] = [cells[name] for name in labels or names if isinstance(cells[name], str)]
        for name in names if not texts else ():
            about = cells.get(f"{name}-metadata")
            label = about.get("class-name") if isinstance(about, dict) else None
            texts += [_photo_of(label)] if isinstance(label, str) else []
        add_rows(reading, str(cells.get("source-ref")), texts, where=f"line {number}", table=table)
    return reading


def read_conversations(table: Table, _: Scene) -> Reading | None:
    """LLaVA, and chats with pictures: the first answer about an image is its caption."""
    rows = [cells for _, cells in table.rows]
    if not all(map(_turns, rows[:10])) or not any(True for row in rows for _ in _pictures(row)):
        return None
    reading = Reading(layout="chats about images (LLaVA)", why=f"{table.file}: image and turns")
    longer = 0
    for number, cells in table.rows:
        pictures, place = list(_pictures(cells)), f"row {number}"
        if len(pictures) != 1:
            reading.left += not_one(pictures, where=place, table=table)
            continue
        answers = [
            turn.get("value", turn.get("content"))
            for turn in _turns(cells)
            if turn.get("from", turn.get("role")) in _ASSISTANT
        ]
        longer += len(answers) > 1
        texts = [text.replace("<image>", "").strip() for text in texts_of(answers[:1])]
        add_rows(reading, pictures[0], texts, where=place, table=table, split=cells.get("split"))
    if longer:
        reading.said.append(f"{longer:,} chats have more than one answer: the first is the caption")
    return reading


def read_via(table: Table, scene: Scene) -> Reading | None:  # noqa: ARG001  (as all readers)
    """VGG Image Annotator: what was written about each file, under its name and size."""
    value = table.value if isinstance(table.value, dict) else {}
    entries = value.get("_via_img_metadata", value)
    notes = list(entries.values()) if isinstance(entries, dict) else []
    if not notes or not all(isinstance(item, dict) and item.keys() >= _VIA for item in notes):
        return None
    reading = Reading(layout="VGG Image Annotator", why=f"{table.file}: attributes of files")
    for number, note in enumerate(notes, 1):
        fields = note["file_attributes"] if isinstance(note["file_attributes"], dict) else {}
        # The only attribute of a project is its caption, whatever it is called.
        texts = caption_in(fields if len(fields) > 1 else {"caption": [*fields.values()]})
        add_rows(reading, str(note["filename"]), texts, where=f"entry {number}", table=table)
    return reading


_VIA: Final = frozenset(["filename", "file_attributes"])


def read_by_file(table: Table, scene: Scene) -> Reading | None:
    """One JSON object of captions by file name."""
    value = table.value
    if isinstance(value, dict) and len(value) == 1:
        # As in {"captions": {…}}.
        value = next(iter(value.values()))
    if not isinstance(value, dict) or not value:
        return None
    names = list(value)[:50]
    count = sum(scene.is_image(name, base=table.base) for name in names)
    if count < len(names) / 2:
        return None
    reading = Reading(layout="captions by file name", why=f"{table.file}: one object")
    for number, (name, texts) in enumerate(value.items(), 1):
        add_rows(reading, name, texts, where=f"entry {number}", table=table)
    if not reading.rows and all(isinstance(fields, dict) for fields in value.values()):
        rows = [{"file_name": name, **fields} for name, fields in value.items()]
        columns = tuple(dict.fromkeys(column for row in rows for column in row))
        table = replace(table, columns=columns, rows=list(enumerate(rows, 1)), value=None)
        return read_columns(table, scene)
    return reading


def _objects(value: Any) -> list[Mapping[str, Any]]:
    """The objects in a list; none of anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _has_lists(value: Any, *names: str) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(name), list) for name in names)


def _inner(table: Table, name: str) -> list[Mapping[str, Any]]:
    """The objects of a list in a document, which may be the rows themselves."""
    if _has_lists(table.value, name):
        return _objects(table.value[name])
    return [cells for _, cells in table.rows]


def _turns(cells: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return _objects(cells.get("conversations", cells.get("messages")))


def _pictures(cells: Mapping[str, Any]) -> Iterator[str]:
    for name in ("image", "images"):
        value = cells.get(name)
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, str):
                yield item
            elif isinstance(item, dict):
                yield str(item.get("path") or item.get("url") or "")
    for turn in _turns(cells):
        content = turn.get("content")
        for block in content if isinstance(content, list) else ():
            if isinstance(block, dict) and block.get("type") in ("image", "image_url"):
                address = block.get("image_url", block.get("image", block.get("path", "")))
                yield str(address.get("url") if isinstance(address, dict) else address)


def _photo_of(label: str) -> str:
    return f"a photo of a {label.replace('_', ' ').strip()}"
