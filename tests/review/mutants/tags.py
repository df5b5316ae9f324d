"""Flaws of tags: policies know by them whose something is."""

from tests.review.broken import Copy
from tests.review.mutants._mutant import collected, flaw

ENVIRONMENT = "bedrock-tuning:environment"


@flaw("A115", "start job: a tag that makes its role an administrator's to others")
def admin(copy: Copy) -> None:
    tags = copy.properties("pipeline/Functions/StartJob/Role")["Tags"]
    tags.append({"Key": "admin", "Value": "true"})


@flaw("A115", "a bucket with the tag of another environment")
def another_environment(copy: Copy) -> None:
    copy.properties("data/Output")["Tags"] = [{"Key": ENVIRONMENT, "Value": "prod"}]


@flaw("A115", "a key without any tag")
def untagged(copy: Copy) -> None:
    del copy.properties("data/DataKey")["Tags"]


@flaw("A115", "the only table without any tag")
def untagged_table(copy: Copy) -> None:
    del copy.properties("pipeline/Runs")["Tags"]


@flaw("A115", "a starter with the tag of another customization")
def another_team(copy: Copy) -> None:
    for tag in copy.properties("pets-search/Starter")["Tags"]:
        if tag["Key"].endswith(":customization"):
            tag["Value"] = "pets-style"


@flaw("A115", "a stack that is deployed with a tag of its own")
def of_the_manifest(copy: Copy) -> None:
    copy.tags["tuning-dev-pipeline"] = {ENVIRONMENT: "dev", "admin": "true"}


MUTANTS = collected(globals())
