"""One run's identity, the names Bedrock will see, and the CreateModelCustomizationJob request.

Two keys make ten events one job. The *claim key* names an upload of a training manifest: a
duplicate or replayed event finds it taken, and so does the upload of a validation manifest alone,
which must not start a job on a mixture of an old and a new dataset. The *run key* names the work
(bytes of the manifests, every image, base model, type, hyperparameters): the same data uploaded
again finds the model that was already trained. It is also the job's idempotency token.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NotRequired, TypedDict

from bedrock_tuning import s3_layout
from bedrock_tuning.config import tags
from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.config.tags import CUSTOMIZATION_TAG, ENVIRONMENT_TAG, RUN_TAG
from bedrock_tuning.errors import RequestError

# Patterns of botocore's bedrock model (docs/facts/api.md#patterns), anchored. The published jobName
# pattern backtracks exponentially; this one accepts the same strings in linear time.
PATTERNS: Final[Mapping[str, tuple[re.Pattern[str], int]]] = {
    "jobName": (re.compile(r"[a-zA-Z0-9][a-zA-Z0-9+.\-]*"), 63),
    "customModelName": (re.compile(r"(?:[0-9a-zA-Z][_-]?)+"), 63),
    "provisionedModelName": (re.compile(r"(?:[0-9a-zA-Z][_-]?)+"), 63),
    "modelDeploymentName": (re.compile(r"(?:[0-9a-zA-Z][_-]?)+"), 63),
    "clientRequestToken": (re.compile(r"[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?"), 256),
    "roleArn": (re.compile(r"arn:aws(?:-[^:]+)?:iam::(?:[0-9]{12})?:role/.+"), 2048),
    "s3Uri": (
        re.compile(
            r"s3://[a-z0-9][-.a-z0-9]{1,61}[a-z0-9]"
            r"(?:/[-!_*'().a-z0-9A-Z]+(?:/[-!_*'().a-z0-9A-Z]+)*)?/?"
        ),
        1024,
    ),
    "tagKey": (tags.TAG_KEY, tags.KEY_LENGTH_MAX),
    "tagValue": (tags.TAG_VALUE, tags.VALUE_LENGTH_MAX),
}
_KEY_LENGTH: Final = 48
# In the order of ASCII, so that what is written with them sorts as it counts.
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


def problem(field: str, value: str) -> str | None:
    """What Bedrock would refuse about this value of a field of PATTERNS; None if nothing."""
    pattern, longest = PATTERNS[field]
    if len(value) > longest:
        return f"{field}: {len(value)} characters, at most {longest} are allowed: {value!r}"
    if not pattern.fullmatch(value):
        return f"{field}: {value!r} does not match {pattern.pattern}"
    return None


def _digest(*parts: str) -> str:
    # Length prefixes keep ("ab", "c") and ("a", "bc") apart.
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(text.encode()).hexdigest()


def claim_key(customization: str, *, training: str) -> str:
    """The key of one upload of a training manifest, by its version id: 48 hexadecimal digits."""
    return _digest("claim", customization, training)[:_KEY_LENGTH]


def run_key(customization: CustomizationSettings, fingerprints: Mapping[str, str]) -> str:
    """The key of the work itself: 48 hexadecimal digits.

    fingerprints: per kind of dataset, the digest of its manifest's bytes and, behind a colon, of
        its images. Raises ValueError where one is missing: unequal data must never look the same.
    """
    for kind, digest in fingerprints.items():
        if not all(digest.partition(":")[::2]):
            raise ValueError(f"the {kind} dataset has no whole fingerprint: {digest!r}")
    return _digest(
        "run",
        customization.name,
        customization.base_model.customization_id,
        customization.customization_type,
        *(f"job {key}={value}" for key, value in _other_inputs(customization) if value),
        *(f"set {name}={value}" for name, value in sorted(customization.hyperparameters.items())),
        *(f"data {kind}={digest}" for kind, digest in sorted(fingerprints.items())),
    )[:_KEY_LENGTH]


def _other_inputs(customization: CustomizationSettings) -> Iterator[tuple[str, object]]:
    """What else decides about the model that a job makes."""
    for key in ("custom_model", "grader", "teacher", "teacher_tokens"):
        yield key, getattr(customization, key)


def configuration(customization: CustomizationSettings) -> dict[str, Any] | None:
    """What a job says of its grader or its teacher (customizationConfig); None for other jobs.

    Numbers are numbers here, unlike in hyperParameters.
    """
    if customization.grader:
        kinds = customization.base_model.rft_hyperparameters
        readers = {"integer": int, "float": float, "string": str}
        items = customization.hyperparameters.items()
        hyperparameters = {name: readers[kinds[name].type](value) for name, value in items}
        grader = {"lambdaGrader": {"lambdaArn": customization.grader}}
        return {
            "rftConfig": {
                "graderConfig": grader,
                **({"hyperParameters": hyperparameters} if hyperparameters else {}),
            }
        }
    if customization.teacher:
        teacher: dict[str, Any] = {"teacherModelIdentifier": customization.teacher}
        if customization.teacher_tokens is not None:
            teacher["maxResponseLengthForInference"] = customization.teacher_tokens
        return {"distillationConfig": {"teacherModelConfig": teacher}}
    return None


def run_id(start_time: str, execution: str) -> str:
    """The name of a run, 22 characters that sort by time: 20261121-093000-3f9a1c.

    start_time: the execution's start time, ISO 8601 in UTC, as Step Functions gives it. Its
        milliseconds are the first two characters after the second.
    execution: its name, so that two that start in one millisecond never share a run.

    Runs of one customization sort by their uploads: an upload is admitted only while it is the
    newest, so the execution of a later one starts after an earlier one was admitted.
    """
    seconds, _, fraction = start_time.partition(".")
    digits = re.sub(r"[^0-9]", "", seconds)[:14]
    if len(digits) != 14:
        raise ValueError(f"not an ISO 8601 time: {start_time!r}")
    milliseconds = int(re.sub(r"[^0-9]", "", fraction)[:3].ljust(3, "0"))
    tens, ones = divmod(milliseconds, len(_DIGITS))
    suffix = f"{_DIGITS[tens]}{_DIGITS[ones]}{_digest('run id', execution)[:4]}"
    return f"{digits[:8]}-{digits[8:]}-{suffix}"


def run_of(job_name: str) -> str:
    """The run whose job has this name; "" for a job that is not a run's."""
    match = re.search(r"-([0-9]{8}-[0-9]{6}-[0-9a-z]{6})$", job_name)
    return match[1] if match else ""


class JobRequest(TypedDict):
    """A CreateModelCustomizationJob request in the SDK's spelling.

    The workflow takes each of these from what was built and checked here.
    """

    jobName: str
    customModelName: str
    roleArn: str
    clientRequestToken: str
    baseModelIdentifier: str
    customizationType: str
    trainingDataConfig: dict[str, str]
    outputDataConfig: dict[str, str]
    hyperParameters: dict[str, str]
    jobTags: list[dict[str, str]]
    customModelTags: list[dict[str, str]]
    validationDataConfig: NotRequired[dict[str, list[dict[str, str]]]]
    customizationConfig: NotRequired[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPlan:
    """All that a CreateModelCustomizationJob request says."""

    environment: str
    customization: CustomizationSettings
    run: str
    run_key: str
    attempt: int
    role_arn: str
    buckets: s3_layout.Buckets
    with_validation: bool

    @property
    def name(self) -> str:
        """The job's name: at most 63 characters, which no other run's job has."""
        return f"{self.customization.job.job_name or self._own_name}-{self.run}"

    @property
    def model_name(self) -> str:
        """The name of the model that the job makes."""
        return f"{self.customization.job.model_name or self._own_name}-{self.run}"

    @property
    def _own_name(self) -> str:
        return f"{self.environment}-{self.customization.name}"

    @property
    def token(self) -> str:
        """The same work gives the same token, a repeated attempt after a failure another one."""
        return f"{self.run_key}-{self.attempt}"

    @property
    def tags(self) -> dict[str, str]:
        """What the job and the model are tagged with, the customization's own tags first."""
        return {
            **self.customization.tags,
            ENVIRONMENT_TAG: self.environment,
            CUSTOMIZATION_TAG: self.customization.name,
            RUN_TAG: self.run,
        }

    def _manifest(self, kind: s3_layout.Kind) -> str:
        # The checked copy, not the upload: that one can be replaced at any moment.
        key = s3_layout.checked_manifest_key(self.customization.name, self.run, kind)
        return s3_layout.uri(self.buckets.of(kind), key)

    def request(self) -> dict[str, Any]:
        """The request in the SDK's spelling (jobName, trainingDataConfig, …).

        Raises RequestError with everything that Bedrock would refuse.
        """
        customization = self.customization
        config = configuration(customization)
        tags = [{"key": key, "value": value} for key, value in self.tags.items()]
        request: JobRequest = {
            "jobName": self.name,
            "customModelName": self.model_name,
            "roleArn": self.role_arn,
            "clientRequestToken": self.token,
            "baseModelIdentifier": (
                customization.custom_model or customization.base_model.customization_id
            ),
            "customizationType": customization.customization_type,
            "trainingDataConfig": {"s3Uri": self._manifest("training")},
            "outputDataConfig": {
                "s3Uri": s3_layout.uri(
                    self.buckets.output, s3_layout.jobs_prefix(customization.output_folder)
                )
            },
            "hyperParameters": {} if customization.grader else dict(customization.hyperparameters),
            "jobTags": tags,
            "customModelTags": tags,
        }
        if self.with_validation:
            request["validationDataConfig"] = {
                "validators": [{"s3Uri": self._manifest("validation")}]
            }
        if config is not None:
            request["customizationConfig"] = config
        members = dict(request)
        problems = [*problems_of(members), *self._account_problems()]
        if problems:
            raise RequestError(problems)
        return members

    def _account_problems(self) -> Iterator[str]:
        """What lies in another account than the role, which has no right to use it there."""
        account = self.role_arn.split(":")[4]
        for key in ("custom_model", "grader"):
            arn = getattr(self.customization, key)
            if arn and arn.split(":")[4] != account:
                yield f"{key}: {arn} is in another account than this one, {account}"


def problems_of(request: Mapping[str, Any]) -> list[str]:
    """What Bedrock would refuse in a request and botocore would let pass: patterns and lengths."""
    problems = [
        problem(field, request[field])
        for field in ("jobName", "customModelName", "roleArn", "clientRequestToken")
    ]
    problems.append(problem("s3Uri", request["trainingDataConfig"]["s3Uri"]))
    problems.append(problem("s3Uri", request["outputDataConfig"]["s3Uri"]))
    for validator in request.get("validationDataConfig", {}).get("validators", ()):
        problems.append(problem("s3Uri", validator["s3Uri"]))
    for tag in request.get("jobTags", ()):
        problems += [problem("tagKey", tag["key"]), problem("tagValue", tag["value"])]
    return [text for text in problems if text is not None]


def pascal_case(value: Any) -> Any:
    """The same request in Step Functions' spelling: JobName, TrainingDataConfig.S3Uri, …

    A job's own hyperparameters are a map whose keys are the model's names, so they stay as they
    are; those of reinforcement fine-tuning are fields of the API.
    """
    if isinstance(value, list):
        return [pascal_case(item) for item in value]
    if not isinstance(value, dict):
        return value
    verbatim = "hyperParameters" if "jobName" in value else None
    return {
        key[0].upper() + key[1:]: item if key == verbatim else pascal_case(item)
        for key, item in value.items()
    }
