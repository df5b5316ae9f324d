"""Asks @cloud-copilot/iam-simulate, many requests at a time, without a network."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bedrock_tuning.review.iam.simulator import EvalRequest, Policies
from tests.review.iam.oracle.documents import document

SCRIPT = Path(__file__).with_name("simulate.mjs")
ROOT = Path(__file__).resolve().parents[4]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the simulator says. ignored: keys that the action does not have, left out by it."""

    decision: str
    ignored: tuple[str, ...] = ()
    error: str = ""


def require() -> None:
    """Fails without the simulator: a proof that is skipped is none."""
    package = "@cloud-copilot/iam-simulate"
    assert (ROOT / "node_modules" / package).is_dir(), f"{package} is missing: run `make install`"


def ask(questions: Sequence[tuple[EvalRequest, Policies]], *, account: str) -> list[Answer]:
    """One answer per question."""
    policies: dict[str, Mapping[str, Any]] = {}
    requests = []
    for request, given in questions:
        documents = _documents(given)
        key = json.dumps(documents, sort_keys=True)
        policies.setdefault(key, documents)
        requests.append(
            {
                "principal": request.principal,
                "action": request.action,
                "resource": request.resource,
                "account": request.account or _owner(request.resource) or account,
                "context": dict(request.context),
                "policies": key,
            }
        )
    done = subprocess.run(
        ["node", "--no-warnings", str(SCRIPT)],
        input=json.dumps({"policies": policies, "requests": requests}),
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    return [
        Answer(
            decision=answer["decision"],
            ignored=tuple(answer.get("ignored", ())),
            error=answer.get("error", ""),
        )
        for answer in json.loads(done.stdout)
    ]


def _owner(resource: str) -> str:
    parts = resource.split(":")
    return parts[4] if len(parts) > 4 else ""


def _documents(policies: Policies) -> dict[str, Any]:
    named = {name: getattr(policies, name) for name in ("identity", "resource")}
    return {name: document(statements) for name, statements in named.items() if statements}
