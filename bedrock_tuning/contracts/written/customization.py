"""The stack of one customization: its settings, what it wants served, its monthly budget."""

from typing import Any, Final

from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.config.names import stack_name
from bedrock_tuning.config.settings import Settings
from bedrock_tuning.config.tags import CUSTOMIZATION_TAG
from bedrock_tuning.contracts.contract import PROVIDER, Place, settings_name
from bedrock_tuning.run.exposure import exposure, to_properties

SERVING: Final = "Custom::ProvisionedThroughput"
BUDGET: Final = "AWS::Budgets::Budget"
PARAMETER: Final = "AWS::SSM::Parameter"
# Per cent of the budget at which people are told.
_TOLD_AT: Final = (80, 100)


def customization(settings: Settings, entry: CustomizationSettings) -> dict[str, Place]:
    """By contract name; the value of its settings is beside the ARNs of its roles in Contracts."""
    name = entry.name
    roles = {"ServiceRole": f"{{role.bedrock.{name}}}"}
    if settings.jobs_started_by == "starter":
        roles["StarterRole"] = f"{{role.start.{name}}}"
    serving = {
        "Customization": name,
        **({"RenamedFrom": entry.renamed_from} if entry.renamed_from else {}),
        **to_properties(exposure(entry)),
        **roles,
        "ServiceToken": f"{{{PROVIDER}}}",
        # As long as its function can run.
        "ServiceTimeout": "900",
    }
    parameter = {"Name": settings_name(settings.name, name), "Type": "String"}
    budget = _monthly_budget(settings, entry)
    return {
        f"settings.{name}": Place(
            stack=name, path="Settings", type=PARAMETER, properties=parameter
        ),
        f"serving.{name}": Place(stack=name, path="Throughput", type=SERVING, properties=serving),
        **(
            {f"budget.{name}": Place(stack=name, path="Budget", type=BUDGET, properties=budget)}
            if budget
            else {}
        ),
    }


def _monthly_budget(settings: Settings, entry: CustomizationSettings) -> dict[str, Any]:
    """AWS Budgets: a message hours later, never a gate; {} for a customization without one."""
    amount = entry.budget.monthly_usd
    if amount is None:
        return {}
    budget = {
        "BudgetName": stack_name(settings.name, entry.name),
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": amount, "Unit": "USD"},
        # AWS writes a tag that users set so.
        "CostFilters": {"TagKeyValue": [f"user:{CUSTOMIZATION_TAG}${entry.name}"]},
    }
    if not settings.alarm_email:
        return {"Budget": budget}
    return {
        "Budget": budget,
        "NotificationsWithSubscribers": [
            {
                "Notification": {
                    "NotificationType": "ACTUAL",
                    "ComparisonOperator": "GREATER_THAN",
                    "Threshold": percent,
                    "ThresholdType": "PERCENTAGE",
                },
                "Subscribers": [{"SubscriptionType": "EMAIL", "Address": settings.alarm_email}],
            }
            for percent in _TOLD_AT
        ],
    }
