"""What VPC endpoints let through: the review holds their policies against this contract alone."""

from pathlib import Path

from bedrock_tuning.config.customization import load_all
from bedrock_tuning.config.settings import Settings
from bedrock_tuning.contracts import contracts
from bedrock_tuning.contracts.grants import equals
from bedrock_tuning.contracts.vpc_endpoints import grants, of_roles

ENVIRONMENT = contracts(
    Settings(name="dev", region="us-east-1", vpc=True),
    load_all(Path(__file__).resolve().parents[2] / "customizations"),
)
# Base models belong to no account.
OURS = ("{account}", "::foundation-model/", "{training}", "{validation}", "{output}")


def test_only_this_account_gets_through_and_only_to_itself_but_for_signed_answers() -> None:
    answers = []
    for endpoint in of_roles(ENVIRONMENT.callers):
        for grant in grants(endpoint):
            if grant.conditions != (equals("aws:PrincipalAccount", "{account}"),):
                answers.append((endpoint.service, grant.actions, grant.resources))
            elif grant.actions != endpoint.unbound:
                assert all(any(own in each for own in OURS) for each in grant.resources), grant
    response = "arn:{partition}:s3:::cloudformation-custom-resource-response-{region-plain}/*"
    assert answers == [("s3", ("s3:PutObject",), (response,))]
