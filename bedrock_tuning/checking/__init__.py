"""The checks: a manifest from a stream of bytes, images from a source.

check = ManifestCheck(scope)
for chunk in chunks:
    refs = check.feed(chunk)
    results.append(check_images(refs, source, scope))
refs, result = check.finish()
report = conclude(merge([result, *results]), customization)
"""

from bedrock_tuning.checking.images import check_images
from bedrock_tuning.checking.manifest import ImageRefs, ManifestCheck
from bedrock_tuning.dataset.scope import DatasetScope, ImageRef

__all__ = ["DatasetScope", "ImageRef", "ImageRefs", "ManifestCheck", "check_images"]
