"""Synthesizes the app once per environment and session, offline, exactly as `cdk synth` would."""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from aws_cdk.cx_api import CloudAssembly

from app import build_app, read_context

ENVIRONMENTS = ("dev", "prod", "local")

# The validator inside aws-cdk-lib costs 3 s per synthesis; tests/stacks/test_lint.py runs it once.
os.environ.setdefault("CDK_VALIDATION", "false")


@pytest.fixture(scope="session")
def synth(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], CloudAssembly]:
    """The cloud assembly of an environment."""

    @cache
    def build(environment: str) -> CloudAssembly:
        outdir = tmp_path_factory.mktemp(f"cdk.out-{environment}")
        context = {**read_context(), "environment": environment}
        return build_app(context, outdir=str(outdir)).synth()

    return build


@pytest.fixture(scope="session")
def assembly(synth: Callable[[str], CloudAssembly]) -> CloudAssembly:
    """The assembly of the default environment."""
    return synth("dev")


@pytest.fixture
def repository() -> Path:
    """The root of the checkout."""
    return Path(__file__).resolve().parents[2]
