"""The page docs/permissions.md: the contracts of the default environment, in words."""

import json
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[3]


def permissions_page() -> str:
    """Made from cdk.json, customizations/ and bedrock_tuning/contracts/."""
    from bedrock_tuning.config import customization, settings
    from bedrock_tuning.contracts import contracts
    from bedrock_tuning.review.pages.contracts import contract_page

    context = json.loads((_ROOT / "cdk.json").read_text("utf-8"))["context"]["tuning"]
    wanted = customization.load_all(_ROOT / "customizations")
    return contract_page(contracts(settings.read(context), wanted))
