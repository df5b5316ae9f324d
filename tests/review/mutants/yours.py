"""Flaws of what exists already and of what only some files say: buckets, keys, topic, budget."""

from tests.review.broken import Copy
from tests.review.mutants._mutant import collected, flaw


@flaw("A112", "an output that names another bucket than the settings")
def another_bucket(copy: Copy) -> None:
    copy.stack("data")["Outputs"]["TrainingBucket"]["Value"] = "somebody-elses-bucket"


@flaw("M806", "budget: ten times as much")
def ten_times(copy: Copy) -> None:
    copy.properties("pets-search/Budget")["Budget"]["BudgetLimit"]["Amount"] = 4_000


@flaw("M806", "budget: of another customization's costs")
def of_another(copy: Copy) -> None:
    filters = copy.properties("pets-search/Budget")["Budget"]["CostFilters"]
    filters["TagKeyValue"] = ["user:bedrock-tuning:customization$pets-style"]


@flaw("W518", "alarm: tells another topic than the one that exists")
def another_topic(copy: Copy) -> None:
    copy.properties("pipeline/WorkflowFailed")["AlarmActions"] = [
        "arn:aws:sns:us-east-1:111122223333:another"
    ]


@flaw("P304", "Bedrock role: the data of any account")
def any_account(copy: Copy) -> None:
    for statement in copy.policy("pets-search/BedrockRole"):
        statement.get("Condition", {}).get("StringEquals", {}).pop("aws:ResourceAccount", None)


MUTANTS = collected(globals(), "yours")
