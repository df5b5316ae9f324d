"""A deployment's models, asked: the tuned one through its endpoint, or its base model."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pprint import pformat
from typing import Any, Final

from bedrock_tuning.catalogue import BaseModel, catalogue, key_of
from bedrock_tuning.client.deployment import DeploymentClient
from bedrock_tuning.contracts.contract import parameter_prefix
from bedrock_tuning.errors import UserError
from bedrock_tuning.serving.questions import Question, answer_text, ask

_LONG: Final = 200
_NOT_STREAMED: Final = frozenset({"AccessDeniedException", "ValidationException"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedModel:
    """A model that answers. id: for bedrock-runtime. tuned: the custom model's ARN, or None."""

    deployment: DeploymentClient
    base: BaseModel
    id: str
    tuned: str | None

    def ask(self, question: Question) -> Mapping[str, Any]:
        """The decoded answer; raises UserError while the endpoint cannot answer."""
        with self._ready():
            return dict(ask(self.deployment.aws.bedrock_runtime, self.id, question))

    def stream(self, question: Question) -> Iterator[str]:
        """A text as it is written, piece by piece; whole where it cannot be streamed.

        Streaming is a right of its own, and not every model offers it.
        """
        from botocore.exceptions import ClientError

        runtime = self.deployment.aws.bedrock_runtime
        try:
            with self._ready():
                events = runtime.converse_stream(modelId=self.id, **question.body)["stream"]
        except ClientError as error:
            if error.response["Error"]["Code"] not in _NOT_STREAMED:
                raise
            yield answer_text(self.ask(question))
            return
        for event in events:
            text = event.get("contentBlockDelta", {}).get("delta", {}).get("text", "")
            if text:
                yield text

    @contextmanager
    def _ready(self) -> Iterator[None]:
        """Raises UserError while the endpoint cannot answer."""
        try:
            yield
        except self.deployment.aws.bedrock_runtime.exceptions.ModelNotReadyException:
            raise UserError(
                "the endpoint is not ready", where=self.id, fix="try again in a minute"
            ) from None


def base_of(deployment: DeploymentClient, customization: str) -> AskedModel:
    """The base model of a customization's published model."""
    model = _published_model(deployment, customization)
    base = _base(deployment, model)
    return AskedModel(deployment=deployment, base=base, id=base.invoke_id, tuned=None)


def tuned_of(deployment: DeploymentClient, customization: str) -> AskedModel:
    """A customization's model, through its endpoint; raises UserError where it is not served."""
    model = _published_model(deployment, customization)
    endpoint = pointer(deployment, customization, "endpoint")
    if endpoint is None:
        deployment.require(customization)
        raise UserError(
            f"{customization} is not served in {deployment.environment}",
            fix=f"`{deployment.command(f'serve {customization}')}` shows the price and serves it",
        )
    base = _base(deployment, model)
    return AskedModel(deployment=deployment, base=base, id=endpoint, tuned=model)


def pointer(deployment: DeploymentClient, customization: str, name: str) -> str | None:
    """What a customization's parameter of this name points to; None if there is none."""
    ssm = deployment.aws.ssm
    path = f"{parameter_prefix(deployment.environment)}/{customization}/{name}"
    try:
        return ssm.get_parameter(Name=path)["Parameter"]["Value"]
    except ssm.exceptions.ParameterNotFound:
        return None


def _published_model(deployment: DeploymentClient, customization: str) -> str:
    model = pointer(deployment, customization, "model")
    if model is None:
        deployment.require(customization)
        raise UserError(
            f"no model of {customization} is published in {deployment.environment}",
            fix=f"`{deployment.command(f'upload DATASET -c {customization}')}`: "
            "a run trains, publishes and serves a model",
        )
    return model


def _base(deployment: DeploymentClient, model: str) -> BaseModel:
    """The catalogue's model that a custom model was made from."""
    arn = deployment.aws.bedrock.get_custom_model(modelIdentifier=model)["baseModelArn"]
    base = catalogue().get(key_of(arn))
    if base is None:
        raise UserError(
            f"its base model {arn.rpartition('/')[2]} is not in the catalogue",
            where=model,
            fix="update bedrock-tuning, or ask the model with the AWS SDK",
        )
    return base


def snippet(question: Question, *, model_id: str, region: str) -> str:
    """The same question in Python with boto3; long values are shortened."""
    body = pformat(_shorten(question.body), sort_dicts=False, width=90)
    start = (
        "import base64, json\nimport boto3\n\n"
        f'runtime = boto3.client("bedrock-runtime", region_name="{region}")\n'
    )
    if question.operation == "Converse":
        return (
            f"{start}request = {body}\n"
            f'answer = runtime.converse(modelId="{model_id}", **request)\n'
            'print(answer["output"]["message"]["content"])'
        )
    return (
        f"{start}body = {body}\n"
        f'answer = runtime.invoke_model(modelId="{model_id}", body=json.dumps(body))\n'
        'print(json.load(answer["body"]))'
    )


@dataclass(frozen=True, slots=True)
class _Code:
    """Python that stands for a long value."""

    text: str

    def __repr__(self) -> str:
        return self.text


def _shorten(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _shorten(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_shorten(member) for member in value]
    if isinstance(value, bytes):
        return _Code('open("IMAGE", "rb").read()')
    if isinstance(value, str) and len(value) > _LONG:
        return _Code('base64.b64encode(open("IMAGE", "rb").read()).decode()')
    return value
