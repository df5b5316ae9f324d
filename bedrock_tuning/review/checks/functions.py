"""The check of functions' code: it is this app's own."""

import re
from collections.abc import Iterator, Mapping

from bedrock_tuning.contracts.written.functions import FUNCTION
from bedrock_tuning.review.assembly import identity
from bedrock_tuning.review.assembly.json_path import get
from bedrock_tuning.review.check import Evidence, Violation, check, found


def _qualifier(evidence: Evidence) -> str:
    """The bootstrap's, which all templates name: anybody may own a bucket of another one."""
    versions = (
        get(raw, "Parameters", "BootstrapVersion", "Default")
        for raw in evidence.assembly.templates.values()
    )
    qualifiers = {str(version).split("/")[2] for version in versions if version}
    if not qualifiers:
        return "[a-z0-9]+"
    return re.escape(qualifiers.pop()) if len(qualifiers) == 1 else "(?!)"


def _asset(evidence: Evidence, place: Mapping[str, str]) -> bool:
    """Whether code comes from the bucket that CDK's bootstrap keeps for this account's assets."""
    bucket = f"cdk-{_qualifier(evidence)}-assets-{identity.ACCOUNT}-{evidence.bound.region}"
    key = re.fullmatch(r"([0-9a-f]{64})\.zip", str(place.get("S3Key")))
    # Another object in that bucket is somebody else's upload.
    assets = evidence.assembly.assets
    is_known = key is not None and (not assets or key[1] in assets)
    return is_known and re.fullmatch(bucket, str(place.get("S3Bucket"))) is not None


@check(
    "W506",
    "Code and layers come from this app's own assets, the same for all functions.",
    limit="an asset of this account, named by the hash of its content",
    fix="Use the code and the layer of bedrock_tuning/constructs/function.py",
)
def own_code(evidence: Evidence) -> Iterator[Violation]:
    layers = list(evidence.assembly.of_type("AWS::Lambda::LayerVersion"))
    functions = list(evidence.assembly.of_type(FUNCTION))
    arns = [[layer.arn] for layer in layers]
    for function in functions:
        if function.properties.get("Layers") not in arns:
            yield found(function, f"Layers is {function.properties.get('Layers')}")
    for resources, name in ((functions, "Code"), (layers, "Content")):
        keys = set()
        for resource in resources:
            place = resource.properties.get(name, {})
            keys.add(str(place.get("S3Key")))
            if not _asset(evidence, place):
                yield found(resource, f"{name} is {place}")
        if len(keys) > 1:
            yield found(
                "functions",
                f"{len(keys)} different assets are deployed as {name}",
                "all functions ship the same source and the same packages",
            )
