"""Checks of how functions are put together: handler, role, environment, logs, code."""

import re
from collections.abc import Iterator, Mapping

from bedrock_tuning.contracts import Function
from bedrock_tuning.review.assembly import identity
from bedrock_tuning.review.assembly.json_path import get
from bedrock_tuning.review.assembly.template import Resource
from bedrock_tuning.review.check import Evidence, Violation, check

_FIX = "Wire the function as its specification in bedrock_tuning/contracts says"


def _functions(evidence: Evidence) -> Iterator[tuple[Function, Resource]]:
    for contract in evidence.bound.contracts.functions:
        resource = evidence.contracted.get(contract.name)
        if resource is not None:
            yield contract, resource


@check("W501", "Every function runs its own handler, as its own role.")
def own_role(evidence: Evidence) -> Iterator[Violation]:
    for contract, resource in _functions(evidence):
        role = evidence.bound.fill(f"{{{contract.role}}}")
        for name, wanted in (("Handler", contract.spec.handler), ("Role", role)):
            value = resource.properties.get(name)
            if value != wanted:
                yield Violation(
                    where=resource.path,
                    what=f"{name} is {value}",
                    limit=f"it is {wanted}",
                    fix=_FIX,
                )


@check("W502", "Every function's environment says what its handler reads, and nothing else.")
def environment(evidence: Evidence) -> Iterator[Violation]:
    for contract, resource in _functions(evidence):
        found: Mapping[str, str] = get(resource.properties, "Environment", "Variables") or {}
        wanted = {name: evidence.bound.fill(v) for name, v in contract.environment.items()}
        for name in sorted({*found, *wanted}):
            if found.get(name) != wanted.get(name):
                yield Violation(
                    where=resource.path,
                    what=f"{name} is {found.get(name, 'not set')}",
                    limit=f"the handler needs {wanted.get(name, 'no such variable')}",
                    fix=_FIX,
                )


@check("W503", "Every function writes to its own log group.")
def log_group(evidence: Evidence) -> Iterator[Violation]:
    for contract, resource in _functions(evidence):
        group = evidence.contracted.get(contract.log_group)
        value = get(resource.properties, "LoggingConfig", "LogGroup")
        if group is None or value != group.name:
            yield Violation(
                where=resource.path,
                what=f"the log group is {value or 'the one that Lambda creates'}",
                limit="the function's own, with its retention and key",
                fix=_FIX,
            )


@check("W504", "Every function has a contract, and none can be called from outside.")
def no_other_functions(evidence: Evidence) -> Iterator[Violation]:
    promised = {evidence.bound.path(f.place) for f in evidence.bound.contracts.functions}
    for resource in evidence.assembly.of_type("AWS::Lambda::Function"):
        if resource.path not in promised:
            yield Violation(
                where=resource.path,
                what="the function has no contract",
                limit="a function without a contract is not reviewed",
                fix="Remove it, or write its contract in bedrock_tuning/contracts",
            )


def _qualifier(evidence: Evidence) -> str:
    """The bootstrap's, which all templates name: anybody may own a bucket of another one."""
    versions = (
        get(raw, "Parameters", "BootstrapVersion", "Default")
        for raw in evidence.assembly.templates.values()
    )
    found = {str(version).split("/")[2] for version in versions if version}
    if not found:
        return "[a-z0-9]+"
    return re.escape(found.pop()) if len(found) == 1 else "(?!)"


def _asset(evidence: Evidence, place: Mapping[str, str]) -> bool:
    """Whether code comes from the bucket that CDK's bootstrap keeps for this account's assets."""
    bucket = f"cdk-{_qualifier(evidence)}-assets-{identity.ACCOUNT}-{evidence.bound.region}"
    key = re.fullmatch(r"([0-9a-f]{64})\.zip", str(place.get("S3Key")))
    # Another object in that bucket is somebody else's upload.
    uploaded = evidence.assembly.assets
    known = key is not None and (not uploaded or key[1] in uploaded)
    return known and re.fullmatch(bucket, str(place.get("S3Bucket"))) is not None


@check("W506", "Code and layers come from this app's own assets.")
def own_code(evidence: Evidence) -> Iterator[Violation]:
    for kind, name in (("AWS::Lambda::Function", "Code"), ("AWS::Lambda::LayerVersion", "Content")):
        for resource in evidence.assembly.of_type(kind):
            place = resource.properties.get(name, {})
            if not _asset(evidence, place):
                yield Violation(
                    where=resource.path,
                    what=f"{name} is {place}",
                    limit="an asset of this account, named by the hash of its content",
                    fix="Use the code and the layer of bedrock_tuning/constructs/function.py",
                )


@check("W505", "Functions have the intended runtime, timeout, memory and code.")
def runtime(evidence: Evidence) -> Iterator[Violation]:
    codes = set()
    for contract, resource in _functions(evidence):
        properties = resource.properties
        spec = contract.spec
        codes.add(str(get(properties, "Code", "S3Key")))
        disk = int(get(properties, "EphemeralStorage", "Size") or 512)
        architecture = evidence.bound.contracts.architecture
        for name, value, wanted in (
            ("Runtime", properties.get("Runtime"), "python3.13"),
            ("Timeout", properties.get("Timeout"), spec.timeout_minutes * 60),
            ("MemorySize", properties.get("MemorySize"), spec.memory_mb),
            ("processor", get(properties, "Architectures", 0), architecture),
            ("disk", disk, spec.disk_mb),
            ("PackageType", properties.get("PackageType", "Zip"), "Zip"),
            ("layers", len(properties.get("Layers", ())), 1),
            ("log format", get(properties, "LoggingConfig", "LogFormat"), "JSON"),
        ):
            if value != wanted:
                yield Violation(
                    where=resource.path, what=f"{name} is {value}", limit=f"{wanted}", fix=_FIX
                )
        for layer in properties.get("Layers", ()):
            if evidence.assembly.by_arn(str(layer)) is None:
                yield Violation(
                    where=resource.path,
                    what=f"the layer {layer} is not from these templates",
                    limit="its code could be anything",
                    fix="Use the layer that the stack builds from lambdas/requirements.txt",
                )
        if "ReservedConcurrentExecutions" in properties:
            yield Violation(
                where=resource.path,
                what="its concurrent executions are limited",
                limit="with a limit of 0 it never runs; with a low one, calls fail",
                fix="Remove the reservation",
            )
    layers = {
        str(get(layer.properties, "Content", "S3Key"))
        for layer in evidence.assembly.of_type("AWS::Lambda::LayerVersion")
    }
    for what, assets in (("code", codes), ("layer", layers)):
        if len(assets) > 1:
            yield Violation(
                where="functions",
                what=f"{len(assets)} different {what} assets are deployed",
                limit="all functions ship the same source and the same packages",
                fix="Use the code and the layer of bedrock_tuning/constructs/function.py",
            )


CHECKS = (own_role, environment, log_group, no_other_functions, runtime, own_code)
