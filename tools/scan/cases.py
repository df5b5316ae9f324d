"""The cases that are synthesized and scanned: every environment, and every option of one."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aws_cdk as cdk

from app import build_app, read_context

ENVIRONMENTS: Final = ("dev", "prod", "local")
# Settings that cdk.json leaves out, each put on top of an environment.
OPTIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "": {},
    "vpc": {"vpc": True},
    "subnets": {
        "vpc": True,
        "vpc_subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
        "vpc_security_groups": ["sg-0123456789abcdef0"],
    },
    "model-key": {"model_key": True},
    "closed": {"deny_others": True, "data_roles": ["DataScientist-*"]},
    "traced": {"tracing": True},
    "chat": {"slack_workspace": "T0EXAMPLE", "slack_channel": "C0EXAMPLE"},
    "by-workflow": {"jobs_started_by": "workflow"},
    "all": {
        "tracing": True,
        "slack_workspace": "T0EXAMPLE",
        "slack_channel": "C0EXAMPLE",
        "vpc": True,
        "model_key": True,
        "deny_others": True,
        "data_roles": ["DataScientist-*"],
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An environment with options on top of its settings."""

    environment: str = "dev"
    options: str = ""

    def __str__(self) -> str:
        """For people, and as the name of a folder."""
        return f"{self.environment}-{self.options}" if self.options else self.environment

    def context(self) -> dict[str, Any]:
        """cdk.json's context with this environment chosen and the options put on top."""
        context = {**read_context(), "environment": self.environment}
        context["tuning"]["environments"][self.environment].update(OPTIONS[self.options])
        return context

    def app(self, outdir: Path) -> cdk.App:
        """The app, not synthesized yet."""
        return build_app(self.context(), outdir=str(outdir))

    def has(self, setting: str) -> bool:
        """Whether the options switch a setting on."""
        return bool(OPTIONS[self.options].get(setting))


CASES: Final = (
    *(Case(environment=environment) for environment in ENVIRONMENTS),
    *(Case(options=options) for options in OPTIONS if options),
)
