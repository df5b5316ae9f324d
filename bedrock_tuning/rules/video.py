"""I208, I209: how long a video is; its format and its bytes are judged by the rules of images."""

from collections.abc import Iterator

from bedrock_tuning.dataset.images.image import Image
from bedrock_tuning.dataset.images.magic import VIDEOS
from bedrock_tuning.dataset.scope import DatasetScope
from bedrock_tuning.rules.rule import Fault, Severity, rule


@rule(
    "I208",
    bad='{"format": "MP4 video", "width": 0, "height": 0, "seconds": 90.5}',
    good='{"format": "MP4 video", "width": 0, "height": 0, "seconds": 90.0}',
    fix="Cut the video, or make several records of it.",
    model="nova-lite",
)
def video_too_long(image: Image, subject: DatasetScope) -> Iterator[Fault]:
    """A video is longer than the model accepts.

    Its length is read from the header of the file, not measured by playing it.
    """
    media, header = subject.contract.media, image.header
    if media is None or media.video_seconds_max is None or header is None:
        return
    if header.seconds is not None and header.seconds > media.video_seconds_max:
        yield Fault(
            f"the video is {header.seconds:,.1f} s long",
            subject.image_field,
            f"{header.seconds:,.2f} s",
            f"at most {media.video_seconds_max} s",
        )


@rule(
    "I209",
    bad='{"format": "MP4 video", "width": 0, "height": 0}',
    good='{"format": "MP4 video", "width": 0, "height": 0, "seconds": 90.0}',
    severity=Severity.WARNING,
    fix="Look at its length yourself, or save the video anew as one piece with its length.",
    model="nova-lite",
)
def video_length_unknown(image: Image, subject: DatasetScope) -> Iterator[Fault]:
    """The header of a video does not tell how long it is, so its length was not checked.

    Recordings that were streamed or cut into fragments are written like that.
    """
    media, header = subject.contract.media, image.header
    if media is None or media.video_seconds_max is None or header is None:
        return
    if header.format in VIDEOS and not header.problem and header.seconds is None:
        limit = f"at most {media.video_seconds_max} s"
        yield Fault("the video does not tell its length", subject.image_field, image.key, limit)
