"""What was reviewed, as a file; and whether a synthesis is that.

`tuning review --attest FILE` writes it after a review in which every check holds. An environment
whose settings name the file is deployed only if each hash in it is the hash of what is deployed.
The file is as trustworthy as the place where it lies: whoever may change it may attest.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from bedrock_tuning.errors import UserError
from bedrock_tuning.files import read_plain
from bedrock_tuning.review.about import Origin, versions
from bedrock_tuning.review.assembly.template import Assembly
from bedrock_tuning.review.check import Violation

ATTESTED: Final = "A116"
_PROVED: Final = "proved"
_FORM: Final = 1
_OURS: Final = "bedrock-tuning"


def attested(assembly: Assembly, about: Origin, *, checks: int, permitted: bytes = b"") -> str:
    """The file's content, for an assembly without violations.

    permitted: review.toml. Raises UserError for an assembly without a manifest.
    """
    if not assembly.hashes:
        raise UserError(
            "it has no manifest, so nothing says what is deployed from it",
            where=str(assembly.folder),
            fix="run `cdk synth`",
        )
    content = {
        "form": _FORM,
        "verdict": _PROVED,
        "checks": checks,
        "environment": about.environment,
        "account": about.account,
        "commit": about.commit,
        "date": about.date,
        "versions": dict(about.versions),
        **_hashes(assembly, permitted),
    }
    return f"{json.dumps(content, indent=2)}\n"


def _hashes(assembly: Assembly, permitted: bytes) -> dict[str, Any]:
    return {
        "stacks": dict(sorted(assembly.hashes.items())),
        "assets": sorted(assembly.assets),
        "review.toml": hashlib.sha256(permitted).hexdigest() if permitted else "",
    }


def misfits(
    file: Path, assembly: Assembly, *, environment: str, account: str, permitted: bytes = b""
) -> Iterator[Violation]:
    """Why an assembly must not be deployed with the attestation in a file; nothing if it may."""
    path, cdk_out = os.path.relpath(file), os.path.relpath(assembly.folder)
    for what in _misfits(file, assembly, environment, account, permitted):
        yield Violation(
            check=ATTESTED,
            where=path,
            what=what,
            limit=f"{environment} is deployed only as it was reviewed and attested",
            fix=f"Run `tuning review {cdk_out} --attest {path}`, have the file approved, and "
            "deploy again",
        )


def _misfits(
    file: Path, assembly: Assembly, environment: str, account: str, permitted: bytes
) -> Iterator[str]:
    try:
        content = json.loads(read_plain(file))
    except FileNotFoundError:
        yield "there is no attestation"
        return
    except (OSError, ValueError) as error:
        yield f"the attestation cannot be read: {error}"
        return
    if not isinstance(content, Mapping) or content.get("form") != _FORM:
        yield "this is no attestation that this version knows"
        return
    recorded_versions = content.get("versions")
    own_version = versions().get(_OURS, "")
    recorded_version = (
        recorded_versions.get(_OURS) if isinstance(recorded_versions, Mapping) else None
    )
    for name, actual, expected in (
        ("verdict", content.get("verdict"), _PROVED),
        ("environment", content.get("environment"), environment),
        ("account", content.get("account"), account),
        (f"version of {_OURS}", recorded_version, own_version),
    ):
        if actual != expected:
            yield f"its {name} is {actual or 'none'}, this is {expected or 'none'}"
    hashes = _hashes(assembly, permitted)
    yield from _differences("stack", content.get("stacks"), hashes["stacks"])
    assets = content.get("assets")
    recorded_assets = dict.fromkeys(map(str, assets), "") if isinstance(assets, list) else None
    yield from _differences("asset", recorded_assets, dict.fromkeys(hashes["assets"], ""))
    if content.get("review.toml") != hashes["review.toml"]:
        yield "review.toml is not the one that was reviewed"


def _differences(kind: str, reviewed_hashes: Any, hashes: Mapping[str, str]) -> Iterator[str]:
    """Each name that is not on both sides, or not with the same hash."""
    if not isinstance(reviewed_hashes, Mapping):
        yield f"it lists no {kind}s"
        return
    for name in sorted({*reviewed_hashes, *hashes}):
        label = name[:12] if kind == "asset" else name
        if name not in reviewed_hashes:
            yield f"{kind} {label} was not reviewed"
        elif name not in hashes:
            yield f"{kind} {label} was reviewed, and is not deployed"
        elif reviewed_hashes[name] != hashes[name]:
            yield f"{kind} {label} is not as it was reviewed"
