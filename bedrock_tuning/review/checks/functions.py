"""Checks of how functions are put together: handler, role, environment, logs, code."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from bedrock_tuning.contracts import Function
from bedrock_tuning.review.assembly import identity
from bedrock_tuning.review.assembly.json_path import get
from bedrock_tuning.review.assembly.template import Resource
from bedrock_tuning.review.check import (
    Evidence,
    Violation,
    check,
    differing,
    found,
    mismatches,
    unlike,
)

_FIX: Final = "Wire the function as its specification in bedrock_tuning/contracts says"
_SPECIFIED: Final = "what its specification in bedrock_tuning/contracts says"
# What Lambda gives every function.
_DISK: Final = 512
_SAME_CODE: Final = "Use the code and the layer of bedrock_tuning/constructs/function.py"


def _functions(evidence: Evidence) -> Iterator[tuple[Function, Resource]]:
    for contract in evidence.bound.contracts.functions:
        resource = evidence.contracted.get(contract.name)
        if resource is not None:
            yield contract, resource


@check("W501", "Every function runs its own handler, as its own role.", limit=_SPECIFIED, fix=_FIX)
def own_role(evidence: Evidence) -> Iterator[Violation]:
    for contract, resource in _functions(evidence):
        role = evidence.bound.fill(f"{{{contract.role}}}")
        yield from mismatches(resource, {"Handler": contract.spec.handler, "Role": role})


@check(
    "W502", "Every function's environment has what its handler reads, and nothing else.", fix=_FIX
)
def environment(evidence: Evidence) -> Iterator[Violation]:
    for contract, resource in _functions(evidence):
        variables: Mapping[str, str] = get(resource.properties, "Environment", "Variables") or {}
        expected = {
            name: evidence.bound.fill(value) for name, value in contract.environment.items()
        }
        yield from unlike(resource, variables, expected, exactly=True, limit="the handler needs {}")


@check(
    "W503",
    "Every function writes to its own log group.",
    limit="the function's own, with its retention and key",
    fix=_FIX,
)
def log_group(evidence: Evidence) -> Iterator[Violation]:
    for contract, resource in _functions(evidence):
        group = evidence.bound.fill(f"{{{contract.log_group}:name}}")
        yield from mismatches(resource, {"LoggingConfig.LogGroup": group})


@check(
    "W508",
    "A function URL accepts signed requests only, and only functions whose specification has one "
    "are called by it.",
    limit="AuthType AWS_IAM, no CORS, no alias",
    fix=_FIX,
)
def addresses(evidence: Evidence) -> Iterator[Violation]:
    yield from differing(evidence, "AWS::Lambda::Url")


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
    "Code and layers come from this app's own assets.",
    limit="an asset of this account, named by the hash of its content",
    fix=_SAME_CODE,
)
def own_code(evidence: Evidence) -> Iterator[Violation]:
    for kind, name in (("AWS::Lambda::Function", "Code"), ("AWS::Lambda::LayerVersion", "Content")):
        for resource in evidence.assembly.of_type(kind):
            place = resource.properties.get(name, {})
            if not _asset(evidence, place):
                yield found(resource, f"{name} is {place}")


@check(
    "W505",
    "Functions have the intended runtime, timeout, memory and code.",
    limit=f"{_SPECIFIED}; the code of a layer from elsewhere could be anything",
    fix=f"{_FIX}, with the layer that the stack builds from lambdas/requirements.txt; for traces, "
    "set tracing in cdk.json",
)
def runtime(evidence: Evidence) -> Iterator[Violation]:
    layers = list(evidence.assembly.of_type("AWS::Lambda::LayerVersion"))
    assets: dict[str, set[str]] = {"code": set(), "layer": set()}
    settings = evidence.bound.contracts.chosen
    for contract, resource in _functions(evidence):
        spec = contract.spec
        assets["code"].add(str(get(resource.properties, "Code", "S3Key")))
        expected = {
            "Runtime": "python3.13",
            "Timeout": spec.timeout_minutes * 60,
            "MemorySize": spec.memory_mb,
            "Architectures": ["arm64" if settings.functions == "lambda" else "x86_64"],
            "EphemeralStorage.Size": (spec.disk_mb, *((None,) if spec.disk_mb == _DISK else ())),
            "PackageType": (None, "Zip"),
            "Layers": tuple([layer.arn] for layer in layers),
            "LoggingConfig.LogFormat": "JSON",
            "TracingConfig.Mode": "Active" if settings.tracing else None,
            # With a limit of 0 it never runs; with a low one, calls fail.
            "ReservedConcurrentExecutions": None,
        }
        yield from mismatches(resource, expected)
    for layer in layers:
        assets["layer"].add(str(get(layer.properties, "Content", "S3Key")))
    for what, keys in assets.items():
        if len(keys) > 1:
            yield found(
                "functions",
                f"{len(keys)} different {what} assets are deployed",
                "all functions ship the same source and the same packages",
                _SAME_CODE,
            )
