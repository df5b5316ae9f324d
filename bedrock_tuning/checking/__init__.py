"""The checks: a manifest from a stream of bytes, images from a source.

check = ManifestCheck(subject)
for chunk in chunks: refs = check.feed(chunk); partials.append(check_images(refs, source, subject))
refs, partial = check.finish()
report = conclude(merge([partial, *partials]), customization)
"""

from bedrock_tuning.checking.images import check_images
from bedrock_tuning.checking.manifest import ImageRefs, ManifestCheck
from bedrock_tuning.dataset.scope import DatasetScope, ImageRef

__all__ = ["DatasetScope", "ImageRef", "ImageRefs", "ManifestCheck", "check_images"]
