"""The page docs/permissions.md: the contracts of the default environment, in words."""

import json
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]


def permissions_page() -> str:
    """Made from cdk.json, customizations/ and tuning/permissions/."""
    from review.contract_page import contract_page
    from tuning import customization, settings
    from tuning.permissions import contracts

    context = json.loads((_ROOT / "cdk.json").read_text("utf-8"))["context"]["tuning"]
    wanted = customization.load_all(_ROOT / "customizations")
    return contract_page(contracts(settings.read(context), wanted))
