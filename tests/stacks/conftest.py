"""Synthesizes the app once per environment and set of options, offline, as `cdk synth` would."""

import os
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.cx_api import CloudAssembly

from app import build_app, read_context

ENVIRONMENTS = ("dev", "prod", "local")
# Settings that cdk.json leaves out, each put on top of the environment dev.
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "": {},
    "vpc": {"vpc": True},
    "subnets": {
        "vpc": True,
        "vpc_subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
        "vpc_security_groups": ["sg-0123456789abcdef0"],
    },
    "model-key": {"model_key": True},
    "closed": {"deny_others": True, "data_roles": ["DataScientist-*"]},
    "all": {
        "vpc": True,
        "model_key": True,
        "deny_others": True,
        "data_roles": ["DataScientist-*"],
    },
}
Synth = Callable[..., CloudAssembly]

# The validator inside aws-cdk-lib costs 3 s per synthesis; tests/stacks/test_lint.py runs it once.
os.environ.setdefault("CDK_VALIDATION", "false")


def context_of(environment: str = "dev", options: str = "") -> dict[str, Any]:
    """cdk.json's context with an environment chosen and options put on top of its settings."""
    context = {**read_context(), "environment": environment}
    context["tuning"]["environments"][environment].update(OPTIONS[options])
    return context


@pytest.fixture(scope="session")
def synth(tmp_path_factory: pytest.TempPathFactory) -> Synth:
    """synth(environment, options="") is its cloud assembly."""

    @cache
    def build(environment: str, options: str = "") -> CloudAssembly:
        outdir = tmp_path_factory.mktemp(f"cdk.out-{environment}-{options}")
        return build_app(context_of(environment, options), outdir=str(outdir)).synth()

    return build


@pytest.fixture(scope="session")
def assembly(synth: Synth) -> CloudAssembly:
    """The assembly of the default environment."""
    return synth("dev")


@pytest.fixture
def repository() -> Path:
    """The root of the checkout."""
    return Path(__file__).resolve().parents[2]
