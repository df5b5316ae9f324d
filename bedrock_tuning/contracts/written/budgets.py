"""The monthly budget of a customization (AWS Budgets): a message hours later, never a gate."""

from typing import Any, Final

from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.config.names import stack_name
from bedrock_tuning.config.settings import Settings
from bedrock_tuning.config.tags import CUSTOMIZATION_TAG

# Per cent of the budget at which people are told.
_TOLD_AT: Final = (80, 100)


def monthly_budget(settings: Settings, entry: CustomizationSettings) -> dict[str, Any] | None:
    """The properties of its AWS::Budgets::Budget; None for a customization without one."""
    amount = entry.budget.monthly_usd
    if amount is None:
        return None
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
