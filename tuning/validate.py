"""The checks: a manifest from a stream of bytes, images from a source.

check = ManifestCheck(subject)
for chunk in chunks: refs = check.feed(chunk); partials.append(check_images(refs, source, subject))
refs, partial = check.finish()
report = conclude(merge([partial, *partials]), customization)
"""

from tuning.imagecheck import check_images
from tuning.manifestcheck import ImageRefs, ManifestCheck
from tuning.subject import ImageRef, Subject

__all__ = ["ImageRef", "ImageRefs", "ManifestCheck", "Subject", "check_images"]
