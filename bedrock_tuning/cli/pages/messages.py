"""docs/messages.md: what the SNS topic says, and how a subscription chooses."""

from bedrock_tuning.cli.pages.rendering import render_markdown
from bedrock_tuning.contracts.written.dashboard import dashboard_name
from bedrock_tuning.run.messages import (
    ATTRIBUTES,
    SOURCE,
    STATUSES,
    DetailType,
    detail_type,
)


def messages_page() -> str:
    """The whole page."""
    return render_markdown(
        "messages.md.j2",
        dashboard=dashboard_name("dev"),
        attributes=", ".join(f"`{attribute}`" for attribute in ATTRIBUTES),
        source=SOURCE,
        detail_types=DetailType,
        statuses=[
            (f"`{status}`", meaning, detail_type(status)) for status, meaning in STATUSES.items()
        ],
    )
