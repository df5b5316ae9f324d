"""Synthesizes what is reviewed once per session; each test gets its own copy to break."""

import gc
import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from app import ROOT, build_app, read_context
from bedrock_tuning.config import customization, settings
from bedrock_tuning.contracts import contracts
from tests.review.broken import Synthesized

KEYS = "arn:aws:kms:us-east-1:111122223333:key/"
BOUNDARY = "arn:aws:iam::111122223333:policy/org/Boundary"
# Environments that cdk.json does not have: the settings that change what is proved.
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "strict": {"region": "us-east-1", "service_role": "strict"},
    "by-workflow": {"region": "us-east-1", "jobs_started_by": "workflow", "model_key": True},
    "bounded": {
        "region": "us-east-1",
        "tracing": True,
        "slack_workspace": "T0EXAMPLE",
        "slack_channel": "C0EXAMPLE",
        "permissions_boundary": BOUNDARY,
        "role_name_prefix": "org-",
        "alarm_email": "ops@example.com",
        "protected": True,
    },
    "options": {
        "region": "us-east-1",
        "vpc": True,
        "model_key": True,
        "deny_others": True,
        "data_roles": ["DataScientist-*"],
        "people": ["approver=Finance-*", "uploader=Scientist-*", "uploader.pets-style=Artist-*"],
    },
    "subnets": {
        "region": "us-east-1",
        "vpc": True,
        "vpc_subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
        "vpc_security_groups": ["sg-0123456789abcdef0"],
    },
    "yours": {
        "region": "us-east-1",
        **{f"{kind}_bucket": f"ml-{kind}" for kind in ("training", "validation", "output")},
        "data_key": f"{KEYS}0e3ab5a8-0000-4000-8000-000000000000",
        "operations_key": f"{KEYS}0e3ab5a8-0000-4000-8000-000000000001",
        "topic": "arn:aws:sns:us-east-1:111122223333:ml-platform",
        "alarm_email": "ops@example.com",
    },
}
# Written into the files of one variant only.
BUDGET = ("[budget]\n", "[budget]\nmonthly_usd = 400.0\n")


def tuning_context() -> dict[str, Any]:
    """cdk.json's settings and those of the variants."""
    tuning = json.loads(json.dumps(read_context()["tuning"]))
    tuning["environments"].update(VARIANTS)
    found: dict[str, Any] = tuning
    return found


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Synthesized]:
    """The templates of an environment or variant, with the contracts of its settings."""

    @cache
    def build(environment: str) -> Synthesized:
        outdir = tmp_path_factory.mktemp(f"cdk.out-{environment}")
        context = {
            **read_context(),
            "tuning": tuning_context(),
            "environment": environment,
            # As the CDK CLI sets it.
            "aws:cdk:enable-path-metadata": True,
        }
        files = ROOT / "customizations"
        if environment == "yours":
            files = _with_budget(files, tmp_path_factory.mktemp("files") / "customizations")
        build_app(context, outdir=str(outdir), customizations=files).synth()
        # The heap of aws_cdk stays to the end: no later collection has to walk it.
        gc.collect()
        gc.freeze()
        chosen = settings.read(tuning_context(), environment=environment)
        return Synthesized.read(Path(outdir), contracts(chosen, customization.load_all(files)))

    return build


def _with_budget(source: Path, folder: Path) -> Path:
    folder.mkdir()
    for file in source.glob("*.toml"):
        (folder / file.name).write_text(file.read_text("utf-8").replace(*BUDGET), "utf-8")
    return folder


@pytest.fixture(scope="session")
def dev(synthesized: Callable[[str], Synthesized]) -> Synthesized:
    """The default environment."""
    return synthesized("dev")
