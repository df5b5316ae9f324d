"""Promises about what costs money: who starts jobs, who buys, changes and ends endpoints."""

from collections.abc import Iterable, Iterator
from typing import Final

from bedrock_tuning.config.tags import CUSTOMIZATION_TAG, ENVIRONMENT_TAG, EXPIRES_TAG
from bedrock_tuning.contracts import Condition
from bedrock_tuning.review.assembly import identity
from bedrock_tuning.review.iam.simulator import EvalRequest
from bedrock_tuning.review.promises.deployment import BEDROCK, BY_WORKFLOW, DeploymentFacts
from bedrock_tuning.review.promises.promise import Able, But, Never, but, request

_ENDPOINTS: Final = ("custom-model-deployment", "provisioned-model")
_BUY: Final = ("bedrock:CreateProvisionedModelThroughput", "bedrock:CreateCustomModelDeployment")
_CHANGE: Final = (
    "bedrock:UpdateProvisionedModelThroughput",
    "bedrock:UpdateCustomModelDeployment",
    "bedrock:InvokeModel*",
    "bedrock:Converse*",
)
_END: Final = ("bedrock:DeleteProvisionedModelThroughput", "bedrock:DeleteCustomModelDeployment")
_ENDERS: Final = ("serve", "keep_leases", "provisioned_throughput")


def _environment_tag(
    kind: str, deployment: DeploymentFacts, operator: str = "StringEquals"
) -> Condition:
    """kind: RequestTag for what is made, ResourceTag for what is there."""
    return Condition.of(operator, f"aws:{kind}/{ENVIRONMENT_TAG}", deployment.environment)


def _tagging(deployment: DeploymentFacts) -> Iterator[But]:
    existing_tag = _environment_tag("ResourceTag", deployment)
    new_tags = (
        _environment_tag("RequestTag", deployment),
        _environment_tag("ResourceTag", deployment, "StringEqualsIfExists"),
    )
    serve, endpoints = deployment.function("serve"), deployment.bedrock(*_ENDPOINTS)
    starters: list[tuple[Iterable[str], Condition]] = [
        ([role.arn], _customization_tag("RequestTag", name))
        for name, role in deployment.starters.items()
    ]
    if deployment.by_workflow:
        starters = [(deployment.workflow, _OF_SOME)]
    for principals, owner_tag in starters:
        yield but(
            principals,
            "bedrock:TagResource",
            on=deployment.bedrock("model-customization-job", "custom-model"),
            when=(*new_tags, owner_tag),
        )
    lease_key = Condition.of("ForAllValues:StringEquals", "aws:TagKeys", EXPIRES_TAG)
    yield but(
        deployment.person("Operator"),
        "bedrock:TagResource",
        on=endpoints,
        when=(existing_tag, lease_key),
    )
    for conditions in ((existing_tag, lease_key), new_tags):
        yield but(serve, "bedrock:TagResource", on=endpoints, when=conditions)
    # What gets another name is another customization's, and still this environment's.
    owner_key = Condition.of("ForAllValues:StringEquals", "aws:TagKeys", CUSTOMIZATION_TAG)
    yield but(
        deployment.function("provisioned_throughput"),
        "bedrock:TagResource",
        on=deployment.bedrock("custom-model", *_ENDPOINTS),
        when=(existing_tag, owner_key),
    )


def _customization_tag(kind: str, customization: str, operator: str = "StringEquals") -> Condition:
    return Condition.of(operator, f"aws:{kind}/{CUSTOMIZATION_TAG}", customization)


# Of a customization, whichever: its tag must be there.
_OF_SOME: Final = Condition.of("Null", f"aws:RequestTag/{CUSTOMIZATION_TAG}", "false")


def _asking(deployment: DeploymentFacts) -> list[But]:
    """What a service role calls besides S3 and keys."""

    def through_profile(profile: str) -> Condition:
        return Condition.of("StringEquals", "bedrock:InferenceProfileArn", profile)

    graders = [
        but(customization.service_role, "lambda:InvokeFunction", on=customization.grader)
        for customization in deployment.customizations
        if customization.grader
    ]
    teachers = [
        # What a profile sends its questions to is asked through the profile only.
        but(
            customization.service_role,
            "bedrock:InvokeModel",
            on=model,
            when=(through_profile(deployment.teacher(customization)[0]),) if number else (),
        )
        for customization in deployment.customizations
        for number, model in enumerate(deployment.teacher(customization))
    ]
    return graders + teachers


def _asking_requests(deployment: DeploymentFacts) -> list[EvalRequest]:
    graders = [
        request(customization.service_role, "lambda:InvokeFunction", customization.grader)
        for customization in deployment.customizations
        if customization.grader and not customization.existing_role
    ]
    teachers = [
        request(
            customization.service_role,
            "bedrock:InvokeModel",
            model.replace(":*:", ":us-west-2:"),
            {"bedrock:InferenceProfileArn": deployment.teacher(customization)[0]} if number else {},
        )
        for customization in deployment.customizations
        if not customization.existing_role
        for number, model in enumerate(deployment.teacher(customization))
    ]
    return graders + teachers


def _starting(deployment: DeploymentFacts) -> list[But]:
    action = "bedrock:CreateModelCustomizationJob"
    if deployment.by_workflow:
        tags = (_environment_tag("RequestTag", deployment), _OF_SOME)
        return [but(deployment.workflow, action, when=tags)]
    own_models = [
        but(
            role.arn,
            action,
            when=(
                _customization_tag("RequestTag", name),
                _customization_tag("ResourceTag", name, "StringEqualsIfExists"),
            ),
        )
        for name, role in deployment.starters.items()
    ]
    named_models = [
        but(
            customization.starter,
            action,
            on=customization.custom_model,
            when=_customization_tag("RequestTag", customization.name),
        )
        for customization in deployment.customizations
        if customization.custom_model
    ]
    return own_models + named_models


def _calling(deployment: DeploymentFacts) -> Iterator[But]:
    tag, endpoints = _environment_tag("ResourceTag", deployment), deployment.bedrock(*_ENDPOINTS)
    base_models = f"arn:{identity.PARTITION}:bedrock:{deployment.region}::foundation-model/*"
    callers: list[tuple[Iterable[str], tuple[Condition, ...]]] = [
        *(
            (principals, (tag, _customization_tag("ResourceTag", name)))
            for name, principals in deployment.uploaders.items()
        ),
        (deployment.function("evaluate"), (tag,)),
    ]
    for principals, tags in callers:
        yield but(principals, "bedrock:InvokeModel", on=endpoints, when=tags)
        yield but(principals, "bedrock:InvokeModel", on=base_models)
    for handlers, actions in ((("serve",), (*_CHANGE, *_END)), (_ENDERS, _END)):
        yield but(
            deployment.function(*handlers),
            *actions,
            on=deployment.bedrock("custom-model", *_ENDPOINTS),
            when=tag,
        )


def _watching(deployment: DeploymentFacts) -> Iterable[But]:
    tag, jobs = (
        _environment_tag("ResourceTag", deployment),
        deployment.bedrock("model-customization-job"),
    )
    for name, role in deployment.starters.items():
        yield but(role.arn, *_WATCH, on=jobs, when=(tag, _customization_tag("ResourceTag", name)))
    workflow = deployment.workflow if deployment.by_workflow else ()
    principals = {*deployment.person("Operator"), *deployment.function("reconcile"), *workflow}
    yield but(principals, *_WATCH, on=jobs, when=tag)
    # Reads what became of a job whose run ended before it.
    yield but(
        deployment.function("start_job"),
        "bedrock:GetModelCustomizationJob",
        on=deployment.bedrock(*_MADE),
    )


def _passing(deployment: DeploymentFacts) -> Iterable[But]:
    passers: list[tuple[Iterable[str], str]] = [
        ([customization.starter], customization.service_role)
        for customization in deployment.customizations
    ]
    if deployment.by_workflow:
        passers = [(deployment.workflow, deployment.at_path("bedrock"))]
    for principals, role in passers:
        yield but(
            principals,
            "iam:PassRole",
            on=role,
            when=Condition.of("StringEquals", "iam:PassedToService", BEDROCK),
        )


def _job_requests(deployment: DeploymentFacts) -> Iterator[EvalRequest]:
    for customization in deployment.customizations:
        starter = customization.starter
        for workflow, machine in zip(sorted(deployment.workflow), deployment.machines, strict=True):
            if deployment.by_workflow:
                starter = workflow
            else:
                yield request(workflow, "sts:AssumeRole", starter, {"sts:ExternalId": machine})
        request_tags = {
            f"aws:RequestTag/{ENVIRONMENT_TAG}": deployment.environment,
            f"aws:RequestTag/{CUSTOMIZATION_TAG}": customization.name,
        }
        jobs, models = (arn.replace("*", "x/y") for arn in deployment.bedrock(*_MADE))
        for arn in (jobs, models):
            yield request(starter, "bedrock:CreateModelCustomizationJob", arn, request_tags)
            yield request(starter, "bedrock:TagResource", arn, request_tags)
        for action in _WATCH:
            tags = {
                f"aws:ResourceTag/{ENVIRONMENT_TAG}": deployment.environment,
                f"aws:ResourceTag/{CUSTOMIZATION_TAG}": customization.name,
            }
            yield request(starter, action, jobs, tags)
        context = {"iam:PassedToService": BEDROCK}
        yield request(starter, "iam:PassRole", customization.service_role, context)


_WATCH: Final = ("bedrock:GetModelCustomizationJob", "bedrock:StopModelCustomizationJob")
_MADE: Final = ("model-customization-job", "custom-model")


def _ending_requests(deployment: DeploymentFacts) -> Iterator[EvalRequest]:
    tag = {f"aws:ResourceTag/{ENVIRONMENT_TAG}": deployment.environment}
    for handler in _ENDERS:
        # Without the function the request is refused, as it should be.
        for role in deployment.function(handler) or {f"«no {handler}»"}:
            for endpoint, action in zip(deployment.bedrock(*_ENDPOINTS), _END[::-1], strict=True):
                yield request(role, action, endpoint.replace("*", "x"), tag)
                yield request(role, action.replace("Delete", "Get"), endpoint.replace("*", "x"))


PROMISES: Final = (
    Never(
        id="M820",
        sentence="Only a customization's starter role starts customization jobs, and only with its "
        "own tag: `aws:RequestTag/bedrock-tuning:customization`. It builds on no model that "
        "another customization made (`aws:ResourceTag`), except the one that its settings name. "
        f"{BY_WORKFLOW}, only the workflow's role starts them, only with this environment's tag "
        "and a customization's, and no permission keeps it from another customization's model.",
        actions=("bedrock:CreateModelCustomizationJob", "bedrock:CreateModelImportJob"),
        but=_starting,
    ),
    Never(
        id="M821",
        sentence="Only a customization's starter role passes roles: its own customization's "
        "service role, to Amazon Bedrock alone (`iam:PassedToService` = bedrock.amazonaws.com). "
        f"{BY_WORKFLOW}, only the workflow's role does, those of all customizations of this "
        "environment: role/tuning/ENVIRONMENT/bedrock/*.",
        actions=("iam:PassRole",),
        but=_passing,
    ),
    Never(
        id="M827",
        sentence="Only a customization's starter role stops its jobs: "
        "`aws:ResourceTag/bedrock-tuning:customization` = its own, in this environment. Besides, "
        "only StartJob reads jobs; Reconcile and operators read and stop this environment's. "
        f"{BY_WORKFLOW}, the workflow's role reads and stops this environment's.",
        actions=_WATCH,
        but=_watching,
    ),
    Never(
        id="M822",
        sentence="Only Serve buys endpoints, and only with `aws:RequestTag/bedrock-tuning:"
        "environment` = this environment.",
        actions=_BUY,
        but=lambda d: [but(d.function("serve"), *_BUY, when=_environment_tag("RequestTag", d))],
    ),
    Never(
        id="M823",
        sentence="Only Serve changes endpoints; only Serve, KeepLeases and the stack's "
        "ProvisionedThroughput delete them; only Serve, Evaluate and uploaders call them. Each "
        "does so only with `aws:ResourceTag/bedrock-tuning:environment` = this environment, and "
        "an uploader only with `aws:ResourceTag/bedrock-tuning:customization` = their own. "
        "Evaluate and uploaders also call base models (M816: a job asks its teacher).",
        actions=(*_CHANGE, *_END),
        but=lambda d: [*_calling(d), *_asking(d)],
    ),
    Never(
        id="M816",
        sentence="A Bedrock service role calls no function but the grader, and no model but the "
        "teacher, that its customization's settings name.",
        actions=("lambda:*", "bedrock:*"),
        who=lambda d: [role.arn for role in d.service_roles.values()],
        but=_asking,
    ),
    Able(
        id="M817",
        sentence="A service role can call the grader and the teacher that its customization's "
        "settings name, a teacher of an inference profile in the profile's other Regions, too.",
        requests=_asking_requests,
    ),
    Never(
        id="M824",
        sentence="Only Serve tags endpoints, and only roles that start jobs tag jobs and models, "
        "always as this environment's and never another environment's: `aws:RequestTag` and "
        "`aws:ResourceTag/bedrock-tuning:environment` = this environment. On what is tagged, Serve "
        "and operators change only the end of leases: `aws:TagKeys` = bedrock-tuning:expires, and "
        "the stack's ProvisionedThroughput one tag, `bedrock-tuning:customization`.",
        actions=("bedrock:TagResource", "bedrock:UntagResource"),
        but=_tagging,
    ),
    Able(
        id="M825",
        sentence="The workflow can assume every starter role with its own ARN as external ID; the "
        "starter can start, tag, watch and stop jobs, and pass the service role to Amazon Bedrock. "
        f"{BY_WORKFLOW}, the workflow's role itself can.",
        requests=_job_requests,
    ),
    Able(
        id="M826",
        sentence="Serve, KeepLeases and the stack's ProvisionedThroughput can look up and delete "
        "every endpoint with this environment's tag: what is billed can be ended.",
        requests=_ending_requests,
    ),
)
