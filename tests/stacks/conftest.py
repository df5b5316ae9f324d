"""Synthesizes the app once per environment and set of options, offline, as `cdk synth` would."""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk.cx_api import CloudAssembly

from tools.scan.cases import Case

Synth = Callable[..., CloudAssembly]
Built = Callable[[Case], cdk.App]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """built(case) is the app of a case, synthesized."""

    @cache
    def build(case: Case) -> cdk.App:
        app = case.app(tmp_path_factory.mktemp(f"cdk.out-{case}"))
        app.synth()
        return app

    return build


@pytest.fixture(scope="session")
def synth(built: Built) -> Synth:
    """synth(environment, options="") is its cloud assembly."""

    @cache
    def assembly_of(environment: str, options: str = "") -> CloudAssembly:
        # What was synthesized before is not synthesized again.
        return built(Case(environment=environment, options=options)).synth()

    return assembly_of


@pytest.fixture(scope="session")
def assembly(synth: Synth) -> CloudAssembly:
    """The assembly of the default environment."""
    return synth("dev")


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """The environment of a process without credentials, in a home where nothing is."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "CDK_OUTDIR": str(tmp_path / "cdk.out"),
        # Where the home is empty, jsii unpacks 200 MB of libraries into it: 4 s in each process.
        "JSII_RUNTIME_PACKAGE_CACHE_ROOT": os.environ.get(
            "JSII_RUNTIME_PACKAGE_CACHE_ROOT",
            str(Path.home() / ".cache" / "aws" / "jsii" / "package-cache"),
        ),
    }


@pytest.fixture
def repository() -> Path:
    """The root of the checkout."""
    return Path(__file__).resolve().parents[2]
