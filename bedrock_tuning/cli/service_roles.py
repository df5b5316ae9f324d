"""Service roles that exist already, as IAM has them, against what their contracts say."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bedrock_tuning.client.doctor.check import Observation, Subject, doctor_check, fail, ok, warn
from bedrock_tuning.client.doctor.deployed_roles import find_roles
from bedrock_tuning.client.doctor.existing import read_role

if TYPE_CHECKING:
    from bedrock_tuning.review.existing import Judged, Owned


def owned(subject: Subject) -> "Owned":
    """What an environment uses that exists already, with the names of what its stacks made."""
    from bedrock_tuning.contracts import contracts
    from bedrock_tuning.review.existing import Owned

    arn: str = subject.aws.sts.get_caller_identity()["Arn"]
    _, partition, _, _, account, _ = arn.split(":", 5)
    return Owned(
        contracts=contracts(subject.settings, subject.customizations),
        region=subject.region,
        account=subject.settings.account or account,
        partition=partition,
        deployed=find_roles(subject).arns,
    )


def judge_roles(subject: Subject, owned_roles: "Owned") -> Iterator[tuple[str, "Judged"]]:
    """Each such role by its ARN, and what is wrong with it."""
    from bedrock_tuning.review.existing import Judged

    arns = {
        f"role.bedrock.{name}": customization.job.service_role
        for name, customization in subject.customizations.items()
    }
    for name, arn in owned_roles.roles().items():
        if arns[name] != arn:
            yield arns[name], Judged(lacks=[f"it is not of the account {owned_roles.account}"])
            continue
        role = read_role(subject.aws, arn)
        if role is None:
            yield arn, Judged(lacks=["it does not exist"])
            continue
        judgement = owned_roles.judge(name, trust=role.trust, policies=role.policies)
        if role.boundary:
            limits = f"its boundary {role.boundary} limits it, which IAM alone judges"
            judgement.wider.append(limits)
        yield arn, judgement


@doctor_check("service roles that exist already are as their contracts say", asks="iam:GetRole")
def service_roles(subject: Subject) -> Iterator[Observation]:
    """What is wrong with each of them, or that nothing is."""
    for arn, judgement in judge_roles(subject, owned(subject)):
        for shortage in judgement.lacks:
            yield fail(
                f"{arn}: {shortage}",
                fix=f"tuning preflight -e {subject.settings.name} --json has the policies that it "
                "must have, under roles",
            )
        for excess in judgement.wider:
            yield warn(
                f"{arn}: {excess}", "narrow it to what tuning preflight --json says, or accept it"
            )
        if not judgement.lacks and not judgement.wider:
            yield ok(f"{arn} has exactly the rights of its contract")
