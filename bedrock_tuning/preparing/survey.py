"""A look at data that nobody has prepared yet: what it is, and how much; nothing is kept."""

import json
from collections import Counter
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bedrock_tuning.dataset.layouts.listing import look
from bedrock_tuning.dataset.layouts.reading import LayoutOptions
from bedrock_tuning.dataset.layouts.recognise import NoImagesError, understand
from bedrock_tuning.errors import UserError
from bedrock_tuning.files import require_plain
from bedrock_tuning.preparing.texts import Conversion, TextPlan
from bedrock_tuning.preparing.unfit import nothing_converted
from bedrock_tuning.run.proposal import Data
from bedrock_tuning.s3_layout import MANIFEST_FILE
from bedrock_tuning.sources.manifests import manifests_in
from bedrock_tuning.wording import counted

_SAMPLE: Final = 60


def glance(source: Path) -> Data:
    """What a folder, an archive, a table or a manifest holds; raises UserError if nothing."""
    require_plain(source)
    manifest = source if source.suffix == Path(MANIFEST_FILE).suffix else None
    if source.is_dir() and any(source.glob(f"**/{MANIFEST_FILE}")):
        manifest = manifests_in(source).get("training")
    if manifest is not None and (data := _of_manifest(manifest)):
        return data
    try:
        return _of_images(source)
    except UserError as not_images:
        try:
            return _of_texts(source)
        except UserError as no_texts:
            if not isinstance(not_images, NoImagesError):
                raise not_images from None
            # Nobody knows which of the two it was meant to be.
            raise UserError(
                f"{no_texts.what}; and {not_images.what}", where=no_texts.where, fix=no_texts.fix
            ) from None


def _of_manifest(manifest: Path) -> Data | None:
    """Records of images with captions, as `tuning prepare` writes them; None for others."""
    with manifest.open("rb") as file:
        first = file.readline()
        try:
            record = json.loads(first)
            caption = str(record["caption"]) if "image-ref" in record else None
        except (KeyError, TypeError, ValueError):
            caption = None
        if caption is None:
            return None
        records = 1 + sum(1 for line in file if line.strip())
    return Data(
        form="image-caption",
        records=records,
        characters=None,
        example=caption,
        described=f"{counted(records, 'record')} of a manifest",
        prepared=True,
    )


def _of_images(source: Path) -> Data:
    with TemporaryDirectory(prefix="tuning-") as room:
        content = understand(look(source, LayoutOptions(), room=Path(room)))
    pairs = [pair for pair in content.pairs if pair.split in ("", "train")]
    if not pairs:
        raise UserError(
            "no image with a caption for training",
            where=str(source),
            fix="pass the folder that holds the images and their captions",
        )
    images = counted(len({pair.file for pair in pairs}), "image")
    return Data(
        form="image-caption",
        records=len(pairs),
        characters=None,
        example=pairs[0].caption,
        described=f"{images} with {counted(len(pairs), 'caption')}: {content.layout}",
    )


def _of_texts(source: Path) -> Data:
    plan = TextPlan(
        source=source,
        format="converse",
        contract=None,
        places={},
        share=1.0,
        seed=0,
        encoding="",
        split_column="",
        out=source,
    )
    work = Conversion(plan=plan)
    talks = [item.talk for item in work.items()]
    if not talks:
        raise nothing_converted(source, work.left, work.fixes)
    words = Counter(sum(len(turn.text) for turn in talk.turns) + len(talk.system) for talk in talks)
    forms = ", ".join(form for form, _ in islice(work.forms.most_common(), 3))
    with_images = any(turn.images for talk in talks for turn in talk.turns)
    return Data(
        form="chat-with-images" if with_images else "chat",
        records=len(talks),
        characters=sum(length * count for length, count in words.items()),
        example=next((talk.turns[0].text for talk in talks if talk.turns), ""),
        described=f"{counted(len(talks), 'record')} of text ({forms})",
    )
