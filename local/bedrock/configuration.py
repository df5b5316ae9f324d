"""What a job says of its grader or its teacher, and the rights of its service role to use them."""

from typing import Any

from bedrock_tuning.catalogue import GEOGRAPHIES, BaseModel
from local.bedrock import bases
from local.bedrock.data.records import BedrockResource
from local.bedrock.errors import invalid
from local.bedrock.simulator import Members
from local.emulator import roles


def require(request: Members, kind: str, model: BaseModel) -> None:
    """Raise ValidationException for a configuration or hyperparameters of another type of job."""
    configuration = dict(request.get("customizationConfig") or {})
    parts = {"DISTILLATION": "distillationConfig", "REINFORCEMENT_FINE_TUNING": "rftConfig"}
    part = parts.get(kind)
    if list(configuration) != ([part] if part else []):
        raise invalid(f"A job of the type {kind} needs customizationConfig.{part or '(none)'}")
    plain = request.get("hyperParameters") or {}
    if kind != "REINFORCEMENT_FINE_TUNING":
        bases.require_hyperparameters(plain, model, kind)
        return
    rft = configuration["rftConfig"]
    if plain:
        raise invalid("hyperParameters of reinforcement fine-tuning are in rftConfig")
    if not rft.get("graderConfig", {}).get("lambdaGrader", {}).get("lambdaArn"):
        raise invalid("rftConfig.graderConfig.lambdaGrader.lambdaArn is missing")
    texts = {name: str(value) for name, value in rft.get("hyperParameters", {}).items()}
    bases.require_hyperparameters(texts, model, kind)


def check_rights(session: roles.Session, job: BedrockResource) -> None:
    """Raise RoleError where the role may not call the grader, or not ask the teacher.

    Neither is really called (docs/facts/iam.md#grader-and-teacher).
    """
    configuration: dict[str, Any] = job.members.get("customizationConfig") or {}
    region, account = job.arn.split(":")[3:5]
    grader = configuration.get("rftConfig", {}).get("graderConfig", {}).get("lambdaGrader", {})
    if grader:
        _require(session, region, "lambda:InvokeFunction", grader["lambdaArn"])
    teacher = configuration.get("distillationConfig", {}).get("teacherModelConfig", {})
    if not teacher:
        return
    name = bases.id_of(teacher["teacherModelIdentifier"])
    geography, _, model = name.partition(".")
    if geography not in GEOGRAPHIES:
        _require(session, region, "bedrock:InvokeModel", bases.foundation_arn(name, region))
        return
    profile = f"arn:aws:bedrock:{region}:{account}:inference-profile/{name}"
    _require(session, region, "bedrock:InvokeModel", profile)
    for region_of_model in (region, "us-west-2"):
        arn = bases.foundation_arn(model, region_of_model)
        _require(session, region, "bedrock:InvokeModel", arn, profile=profile)


def _require(
    session: roles.Session, region: str, action: str, resource: str, *, profile: str = ""
) -> None:
    context = {"bedrock:InferenceProfileArn": profile} if profile else None
    roles.authorize(session, action=action, resource=resource, region=region, context=context)
