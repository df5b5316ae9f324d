"""Promises about the account's border: who comes in, and who could change permissions."""

from collections.abc import Iterator
from typing import Final

from bedrock_tuning.contracts import Condition
from bedrock_tuning.review.assembly import identity
from bedrock_tuning.review.check import Evidence, Violation, check, found
from bedrock_tuning.review.iam.access import IamRole
from bedrock_tuning.review.iam.conditions import operator
from bedrock_tuning.review.iam.policy import Statement
from bedrock_tuning.review.iam.wording import conditions_in_words
from bedrock_tuning.review.promises.deployment import BEDROCK, DeploymentFacts
from bedrock_tuning.review.promises.promise import But, Never, but, principals

# Keys whose value says for which account a service acts.
_SOURCES: Final = (
    "aws:sourceaccount",
    "aws:sourcearn",
    "kms:encryptioncontext:aws:logs:arn",
)


def _for_this_account(statement: Statement, evidence: Evidence) -> bool:
    """Whether a condition that no request can leave out names this account, in all its values."""
    return any(
        condition.key.lower() in _SOURCES
        and _binds(condition)
        and all(_is_here(value, evidence) for value in condition.values)
        for condition in statement.conditions
    )


def _serves_nova(statement: Statement, arn: str, evidence: Evidence) -> bool:
    """Whether it is what Nova's throughput needs of a model key: AWS documents no source key."""
    key = evidence.contracted.get("model-key")
    condition = Condition.of(
        "ForAnyValue:StringEquals", "kms:EncryptionContextKeys", "aws:bedrock:custom-model"
    )
    return (
        key is not None
        and key.arn == arn
        and {*(statement.actions or ("*",))} <= {"kms:Decrypt", "kms:GenerateDataKey"}
        and condition in statement.conditions
    )


def _keeps_dead_letters(statement: Statement, arn: str, evidence: Evidence) -> bool:
    """Whether it is what EventBridge needs of the dead-letter queue's key.

    Its call to KMS names no source; whose events it keeps is the queue's policy.
    """
    key = evidence.contracted.get("operations-key")
    return (
        key is not None
        and key.arn == arn
        and {*(statement.actions or ("*",))} <= {"kms:Decrypt", "kms:GenerateDataKey*"}
    )


def _binds(condition: Condition) -> bool:
    kind = operator(condition.operator)
    is_equality = kind.base in ("StringEquals", "StringLike", "ArnEquals", "ArnLike")
    return is_equality and not (kind.negated or kind.if_exists or kind.quantifier == "ForAllValues")


def _is_here(value: str, evidence: Evidence) -> bool:
    if value == identity.ACCOUNT:
        return True
    # An S3 bucket's ARN has no account; its name is its own in the whole world.
    parts = value.split(":", 5)
    return parts[4:5] == [identity.ACCOUNT] or evidence.assembly.by_arn(value) is not None


@check(
    "M830",
    "Each role is assumed by one AWS service for this account (`aws:SourceAccount` = this "
    "account), and by no person, account or other role; Amazon Bedrock assumes one only for "
    "customization jobs of this account and Region (`aws:SourceArn`). Two exceptions: the "
    "workflow's role assumes starter roles, with `sts:ExternalId` = the ARN of the workflow; the "
    "roles of people, where settings ask for them, are assumed by roles of this account with "
    "certain names (`aws:PrincipalArn`).",
)
def assumed_by_one_service(evidence: Evidence) -> Iterator[Violation]:
    deployment = DeploymentFacts(evidence=evidence)
    starters = {role.arn for role in deployment.starters.values()}
    by_workflow = _by_workflow(deployment)
    for role in evidence.permissions.roles.values():
        services: set[str] = set()
        for statement in role.trust:
            if statement.effect != "Allow":
                continue
            if role.arn in starters and by_workflow <= {*statement.conditions}:
                continue
            if _by_named_roles(role, statement, deployment):
                continue
            services.update((statement.principals or {}).get("Service", ()))
            other_kinds = {*(statement.principals or {"AWS": ("*",)})} - {"Service"}
            account = any(
                condition.operator == "StringEquals"
                and condition.key.lower() == "aws:sourceaccount"
                and condition.values == (identity.ACCOUNT,)
                for condition in statement.conditions
            )
            bedrock = BEDROCK in (statement.principals or {}).get("Service", ())
            if bedrock and not any(
                _names_jobs(condition, deployment) for condition in statement.conditions
            ):
                yield found(
                    role,
                    f"{statement.label}: {_principals_in_words(statement)} may assume it "
                    f"{conditions_in_words(statement.conditions)}",
                    "Amazon Bedrock for customization jobs here, with ArnLike aws:SourceArn",
                    "Bring back the condition: only customization jobs need this role",
                )
            if other_kinds or not account:
                yield found(
                    role,
                    f"{statement.label}: {_principals_in_words(statement)} may assume it "
                    f"{conditions_in_words(statement.conditions)}",
                    "one AWS service, with StringEquals aws:SourceAccount = this account",
                    "Trust only the service that needs the role, with this condition",
                )
        if len(services) > 1:
            yield found(
                role,
                f"{', '.join(sorted(services))} may assume it",
                "one service per role",
                "Give each service a role of its own",
            )


def _names_jobs(condition: Condition, deployment: DeploymentFacts) -> bool:
    (jobs,) = deployment.bedrock("model-customization-job")
    return (
        condition.key.lower() == "aws:sourcearn"
        and _binds(condition)
        and all(value.startswith(jobs.removesuffix("*")) for value in condition.values)
    )


_EXCEPTED: Final = {
    BEDROCK: _serves_nova,
    "events.amazonaws.com": _keeps_dead_letters,
}


def _by_named_roles(role: IamRole, statement: Statement, deployment: DeploymentFacts) -> bool:
    """Whether a role of people lets in roles of this account by their names, and nobody else."""
    path = f"{deployment.role_path}tuning/{deployment.environment}/people/"
    prefix = f"arn:{identity.PARTITION}:iam::{identity.ACCOUNT}:role/"
    root = f"arn:{identity.PARTITION}:iam::{identity.ACCOUNT}:root"
    return (
        role.resource.properties.get("Path") == path
        and statement.principals == {"AWS": (root,)}
        and any(
            condition.operator in ("ArnLike", "ArnEquals")
            and condition.key.lower() == "aws:principalarn"
            and all(
                value.startswith(prefix) and value[len(prefix)] not in "*?"
                for value in condition.values
            )
            for condition in statement.conditions
        )
    )


def _by_workflow(deployment: DeploymentFacts) -> set[Condition]:
    """What lets nobody but the workflow's role in, and only for its own state machine."""
    return {
        Condition.of("ArnEquals", "aws:PrincipalArn", *sorted(deployment.workflow)),
        Condition.of("StringEquals", "sts:ExternalId", *deployment.machines),
    }


def _principals_in_words(statement: Statement) -> str:
    if statement.principals is None:
        return "everybody whom NotPrincipal does not name"
    return ", ".join(name for names in statement.principals.values() for name in names)


@check(
    "M831",
    "Nobody outside this account, and no service on behalf of another account, reaches a "
    "bucket, key, topic, queue, table, function or state machine: `aws:SourceAccount` or "
    "`aws:SourceArn` = this account; for CloudWatch Logs and its key, "
    "`kms:EncryptionContext:aws:logs:arn` = log groups of this account. Two exceptions: "
    "`bedrock.amazonaws.com` uses the key of custom models if some `kms:EncryptionContextKeys` = "
    "aws:bedrock:custom-model; `events.amazonaws.com` uses the key of dead letters: its call to "
    "KMS names no source.",
)
def nobody_outside(evidence: Evidence) -> Iterator[Violation]:
    for arn, statements in evidence.permissions.policies.items():
        for statement in statements:
            if statement.effect != "Allow":
                continue
            for principal in principals(statement):
                service = principal.endswith(".amazonaws.com")
                is_own_role = principal in evidence.permissions.roles
                if is_own_role or (service and _for_this_account(statement, evidence)):
                    continue
                exception = _EXCEPTED.get(principal)
                if exception is not None and exception(statement, arn, evidence):
                    continue
                yield found(
                    evidence.permissions.owners[arn][0],
                    f"{principal} may {', '.join(statement.actions or ('do anything',))} on "
                    f"{arn} {conditions_in_words(statement.conditions)}",
                    "services need a condition on aws:SourceAccount or aws:SourceArn; "
                    "nobody else is named",
                    "Add the condition, or remove the statement",
                )


# What would let a role give itself or others more than it has.
_PERMISSIONS: Final = (
    *(f"iam:{verb}*" for verb in ("Add", "Attach", "Create", "Delete", "Detach", "Put", "Remove")),
    *(f"iam:{verb}*" for verb in ("Set", "Tag", "Untag", "Update", "Upload")),
    "sts:Assume*",
    "sts:Get*Token",
    "s3:Put*Policy",
    "s3:Delete*Policy",
    "s3:Put*Acl",
    "s3:Put*PublicAccessBlock",
    "s3:Create*",
    "kms:PutKeyPolicy",
    "kms:CreateGrant",
    "kms:ReplicateKey",
    "lambda:Add*",
    "lambda:Create*",
    "lambda:Remove*",
    "lambda:Update*",
    "sns:AddPermission",
    "sns:SetTopicAttributes",
    "sns:Subscribe",
    "sqs:AddPermission",
    "sqs:SetQueueAttributes",
    "dynamodb:PutResourcePolicy",
    "logs:PutDestination*",
    "logs:PutResourcePolicy",
    "logs:PutSubscriptionFilter",
    "states:CreateStateMachine*",
    "states:UpdateStateMachine*",
    "events:Put*",
    "scheduler:Create*",
    "scheduler:Update*",
    *(f"cloudformation:{verb}*" for verb in ("Cancel", "Continue", "Create", "Delete", "Execute")),
    *(f"cloudformation:{verb}*" for verb in ("Import", "Register", "Rollback", "Set", "Update")),
    "ec2:AuthorizeSecurityGroup*",
    "organizations:*",
)


def _exceptions(deployment: DeploymentFacts) -> Iterator[But]:
    """Bedrock encrypts a custom model by a grant that the caller who starts the job creates."""
    if not deployment.by_workflow:
        yield but(deployment.workflow, "sts:AssumeRole", on=deployment.at_path("start"))
    # Step Functions lets the delivery of logs in by it, and knows no narrower resource.
    yield but(deployment.workflow, "logs:PutResourcePolicy")
    # Rules act on events by their source.
    bus = f"arn:{identity.PARTITION}:events:{deployment.region}:{identity.ACCOUNT}:event-bus"
    own_source = Condition.of("ForAllValues:StringEquals", "events:source", "bedrock-tuning")
    yield but(
        deployment.function("announce"), "events:PutEvents", on=f"{bus}/default", when=own_source
    )
    place = f"{identity.ACCOUNT}-{deployment.region}"
    yield but(
        deployment.person("Deployer"),
        "sts:AssumeRole",
        on=f"arn:{identity.PARTITION}:iam::{identity.ACCOUNT}:role/cdk-*-role-{place}",
    )
    stacks = f"arn:{identity.PARTITION}:cloudformation:{deployment.region}:{identity.ACCOUNT}:stack"
    yield but(
        deployment.person("Deployer"),
        "cloudformation:DeleteStack",
        on=f"{stacks}/tuning-{deployment.environment}-*/*",
    )
    bedrock = f"bedrock.{deployment.region}.amazonaws.com"
    yield but(
        {
            *(role.arn for role in deployment.starters.values()),
            *(role.arn for role in deployment.service_roles.values()),
            *(deployment.workflow if deployment.by_workflow else ()),
        },
        "kms:CreateGrant",
        on=deployment.key("ModelKey"),
        when=Condition.of("StringEquals", "kms:ViaService", bedrock),
    )


PROMISES: Final = (
    Never(
        id="M832",
        sentence="No role changes permissions, its own or another's, nor the code that has them: "
        "no policies, grants, roles, functions, rules. Exceptions: the workflow's role assumes "
        "starter roles, and lets logs be delivered, as Step Functions needs "
        "(`logs:PutResourcePolicy`); kms:CreateGrant on the key of custom models, with "
        "`kms:ViaService` = bedrock.REGION.amazonaws.com; Announce sends events of its own "
        "source; deployers assume the roles of the CDK's bootstrap and delete this environment's "
        "stacks.",
        actions=_PERMISSIONS,
        but=_exceptions,
    ),
)
