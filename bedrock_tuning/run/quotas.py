"""What an account must have room for before a run is paid for, and what it lacks, in words."""

from dataclasses import dataclass
from typing import Final, Literal

from bedrock_tuning.catalogue import account_facts
from bedrock_tuning.config.customization import CustomizationSettings

Counted = Literal["", "custom models", "throughput units", "deployments"]
MODEL_UNITS: Final = "quotas.model_units"
CUSTOM_MODELS: Final = "quotas.custom_models"
SCHEDULED_JOBS: Final = "quotas.scheduled_jobs"
DEPLOYMENTS: Final = "quotas.deployments"
# AWS asks for both: of one throughput by its base model, and of all throughputs together.
ALL_UNITS: Final = "quotas.model_units_without_commitment"
_UNSERVED: Final = "you would pay for a model that cannot be served"


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Room that one run takes from a quota.

    path: of the quota in the catalogue. code: Service Quotas' name for it, "" if it has none.
    wanted: how much of it. counted: what there is already that counts against it; "" for a quota
    of one thing alone. otherwise: what happens without the room.
    """

    path: str
    code: str
    what: str
    otherwise: str
    wanted: int = 1
    counted: Counted = ""

    def lack(self, quota: int | None, *, used: int, region: str) -> str | None:
        """What is missing, and where to ask for it; None if there is room, or nobody knows.

        quota: as Service Quotas says; None if it lists none. used: of what is counted.
        """
        if quota is None or used + self.wanted <= quota:
            return None
        usage = f" ({used} in use)" if used else ""
        return (
            f"{quota} {self.what}{usage}: {self.otherwise}; request {used + self.wanted} before "
            f"you train, it may take days: https://{region}.console.aws.amazon.com/servicequotas/"
            f"home/services/bedrock/quotas/{self.code}"
        )


def needed(customization: CustomizationSettings) -> tuple[Need, ...]:
    """What a run of a customization needs room for."""
    account, serving, model = account_facts(), customization.serving, customization.base_model
    needs = [
        Need(
            path=SCHEDULED_JOBS,
            code=account[SCHEDULED_JOBS].quota_code,
            what="jobs at once",
            otherwise="no job can start",
        ),
        Need(
            path=CUSTOM_MODELS,
            code=account[CUSTOM_MODELS].quota_code,
            what="custom models",
            otherwise="you would pay for a model that is not kept",
            counted="custom models",
        ),
    ]
    if serving.mode == "on-demand":
        needs.append(
            Need(
                path=DEPLOYMENTS,
                code=account[DEPLOYMENTS].quota_code,
                what="on-demand deployments",
                otherwise=_UNSERVED,
                wanted=serving.endpoints_at_once,
                counted="deployments",
            )
        )
    elif serving.mode == "provisioned":
        fact = model.facts.get(MODEL_UNITS)
        needs.append(
            Need(
                path=MODEL_UNITS,
                code=fact.quota_code if fact is not None else "",
                what=f"model units of {model.name}",
                otherwise=_UNSERVED,
                wanted=serving.endpoints_at_once * serving.model_units,
            )
        )
        if serving.commitment is None:
            needs.append(
                Need(
                    path=ALL_UNITS,
                    code=account[ALL_UNITS].quota_code,
                    what="model units without a commitment",
                    otherwise=_UNSERVED,
                    wanted=serving.endpoints_at_once * serving.model_units,
                    counted="throughput units",
                )
            )
    return tuple(needs)
