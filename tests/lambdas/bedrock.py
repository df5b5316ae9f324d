"""Bedrock's control plane in memory: jobs, models and endpoints whose changes take a while."""

# Operations and their parameters have the names that AWS gave them.
# ruff: noqa: N802, N803

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.lambdas.fakes import Fake, Refused

ACCOUNT = "arn:aws:bedrock:us-east-1:000000000000"
BASE_ID = "amazon.titan-embed-image-v1:0"
BASE = f"arn:aws:bedrock:us-east-1::foundation-model/{BASE_ID}"
OTHER_BASE = "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-micro-v1:0:128k"
EPOCH = datetime(2026, 11, 21, tzinfo=UTC)
TAGS = {"bedrock-tuning:environment": "dev", "bedrock-tuning:customization": "pets-search"}


def model_arn(number: int) -> str:
    """The ARN of a custom model."""
    return f"{ACCOUNT}:custom-model/amazon.titan-embed-image-v1:0/model{number:07d}"


def job_arn(number: int) -> str:
    """The ARN of a job."""
    return f"{ACCOUNT}:model-customization-job/amazon.titan-embed-image-v1:0/jobjo{number:07d}"


@dataclass
class Bedrock(Fake):
    """models: base by ARN. jobs: status and model by name. endpoints: by ARN, with their tags.

    fails: the outcome of the next changes of endpoints, True for a failure.
    unlisted: endpoints that a listing does not show yet.
    """

    models: dict[str, str] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    endpoints: dict[str, dict[str, Any]] = field(default_factory=dict)
    lifecycle: dict[str, Any] = field(default_factory=lambda: {"status": "ACTIVE"})
    fails: list[bool] = field(default_factory=list)
    unlisted: set[str] = field(default_factory=set)
    tokens: dict[str, str] = field(default_factory=dict)
    page: int = 100
    slots: int = 10
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def have(
        self,
        *,
        model: str,
        status: str = "InService",
        tags: dict[str, str] | None = None,
        kind: str = "provisioned-model",
        **changes: Any,
    ) -> str:
        """An endpoint that exists already; returns its ARN."""
        arn = f"{ACCOUNT}:{kind}/endpo{next(self.numbers):07d}"
        self.endpoints[arn] = {
            "kind": kind,
            "status": status,
            "model": model,
            "wanted": model,
            "units": 1,
            "tags": TAGS if tags is None else tags,
            **changes,
        }
        return arn

    @property
    def only(self) -> dict[str, Any]:
        """The only endpoint that there is."""
        (found,) = self.endpoints.values()
        return found

    def settle(self) -> None:
        """Time goes by: every change under way ends."""
        for each in self.endpoints.values():
            if each["status"] in ("Creating", "Updating"):
                if self.fails and self.fails.pop(0):
                    each["status"], each["failure"] = "Failed", "The capacity is not available."
                else:
                    on_demand = each["kind"] == "custom-model-deployment"
                    each["status"] = "Active" if on_demand else "InService"
                    each["model"] = each["wanted"]

    def _endpoint(self, arn: str) -> dict[str, Any]:
        if arn not in self.endpoints:
            raise Refused("ResourceNotFoundException", f"{arn} is not there", 404)
        return self.endpoints[arn]

    def _create(self, kind: str, token: str, model: str, tags: list[Any], **more: Any) -> str:
        if token not in self.tokens:
            self._model(model)
            self.tokens[token] = self.have(
                model=model,
                kind=kind,
                status="Creating",
                tags={tag["key"]: tag["value"] for tag in tags},
                **more,
            )
        return self.tokens[token]

    def _delete(self, arn: str) -> None:
        found = self._endpoint(arn)
        until = found.get("until")
        if found["status"] in ("Creating", "Updating") or (until and until > datetime.now(UTC)):
            raise Refused("ConflictException", "not now", 409)
        del self.endpoints[arn]

    def _swap(self, arn: str, model: str) -> None:
        found = self._endpoint(arn)
        self._model(model)
        if found["status"] not in ("InService", "Active"):
            raise Refused("ValidationException", f"it is {found['status']}")
        if self.models[model] != self.models.get(found["model"], self.models[model]):
            raise Refused("ValidationException", "another base model")
        found["status"], found["wanted"] = "Updating", model

    def _model(self, arn: str) -> str:
        if arn not in self.models:
            raise Refused("ResourceNotFoundException", f"{arn} is not there", 404)
        return self.models[arn]

    def _list(self, kind: str, token: str | None) -> tuple[Sequence[str], dict[str, str]]:
        arns = [
            arn
            for arn, found in self.endpoints.items()
            if found["kind"] == kind and arn not in self.unlisted
        ]
        start = int(token or 0)
        end = start + self.page
        return arns[start:end], {"nextToken": str(end)} if end < len(arns) else {}

    def CreateProvisionedModelThroughput(
        self,
        modelId: str,
        modelUnits: int,
        clientRequestToken: str,
        tags: list[Any],
        commitmentDuration: str | None = None,
        **_: Any,
    ) -> dict[str, Any]:
        until = datetime.now(UTC) + timedelta(days=30) if commitmentDuration else None
        arn = self._create(
            "provisioned-model",
            clientRequestToken,
            modelId,
            tags,
            units=modelUnits,
            commitment=commitmentDuration,
            until=until,
        )
        return {"provisionedModelArn": arn}

    def GetProvisionedModelThroughput(self, provisionedModelId: str) -> dict[str, Any]:
        found = self._endpoint(provisionedModelId)
        base = self.models.get(found["model"], BASE)
        optional = {
            "commitmentDuration": found.get("commitment"),
            "commitmentExpirationTime": found.get("until"),
            "failureMessage": found.get("failure"),
        }
        return {
            "provisionedModelArn": provisionedModelId,
            "provisionedModelName": found.get("name", "a-name"),
            "modelUnits": found["units"],
            "desiredModelUnits": found["units"],
            "modelArn": found["model"],
            "desiredModelArn": found["wanted"],
            "foundationModelArn": base,
            "status": found["status"],
            "creationTime": EPOCH,
            "lastModifiedTime": EPOCH,
            **{name: value for name, value in optional.items() if value is not None},
        }

    def ListProvisionedModelThroughputs(self, nextToken: str | None = None) -> dict[str, Any]:
        arns, more = self._list("provisioned-model", nextToken)
        rows = []
        for arn in arns:
            row = self.GetProvisionedModelThroughput(arn)
            row.pop("failureMessage", None)
            rows.append(row)
        return {"provisionedModelSummaries": rows, **more}

    def UpdateProvisionedModelThroughput(
        self, provisionedModelId: str, desiredModelId: str
    ) -> None:
        self._swap(provisionedModelId, desiredModelId)

    def DeleteProvisionedModelThroughput(self, provisionedModelId: str) -> None:
        self._delete(provisionedModelId)

    def CreateCustomModelDeployment(
        self, modelArn: str, clientRequestToken: str, tags: list[Any], **_: Any
    ) -> dict[str, Any]:
        arn = self._create("custom-model-deployment", clientRequestToken, modelArn, tags)
        return {"customModelDeploymentArn": arn}

    def GetCustomModelDeployment(self, customModelDeploymentIdentifier: str) -> dict[str, Any]:
        found = self._endpoint(customModelDeploymentIdentifier)
        updating = found["status"] == "Updating"
        status = "Active" if updating else found["status"]
        answer: dict[str, Any] = {
            "customModelDeploymentArn": customModelDeploymentIdentifier,
            "modelDeploymentName": "a-name",
            "modelArn": found["model"],
            "createdAt": EPOCH,
            "status": status,
        }
        if "failure" in found:
            answer["failureMessage"] = found["failure"]
        if updating:
            answer["updateDetails"] = {"modelArn": found["wanted"], "updateStatus": "Updating"}
        return answer

    def ListCustomModelDeployments(self, nextToken: str | None = None) -> dict[str, Any]:
        arns, more = self._list("custom-model-deployment", nextToken)
        rows = [
            {
                "customModelDeploymentArn": arn,
                "customModelDeploymentName": "a-name",
                "modelArn": self.endpoints[arn]["model"],
                "createdAt": EPOCH,
                "status": "Active",
            }
            for arn in arns
        ]
        return {"modelDeploymentSummaries": rows, **more}

    def UpdateCustomModelDeployment(
        self, customModelDeploymentIdentifier: str, modelArn: str
    ) -> dict[str, Any]:
        self._swap(customModelDeploymentIdentifier, modelArn)
        return {"customModelDeploymentArn": customModelDeploymentIdentifier}

    def DeleteCustomModelDeployment(self, customModelDeploymentIdentifier: str) -> None:
        self._delete(customModelDeploymentIdentifier)

    def ListCustomModels(self, nextToken: str | None = None) -> dict[str, Any]:
        start = int(nextToken or 0)
        arns = list(self.models)[start : start + self.page]
        more = {"nextToken": str(start + self.page)} if start + self.page < len(self.models) else {}
        rows = [
            {
                "modelArn": arn,
                "modelName": "a-name",
                "creationTime": EPOCH,
                "baseModelArn": self.models[arn],
                "baseModelName": "a-base",
            }
            for arn in arns
        ]
        return {"modelSummaries": rows, **more}

    def ListTagsForResource(self, resourceARN: str) -> dict[str, Any]:
        tags = self._endpoint(resourceARN)["tags"]
        return {"tags": [{"key": key, "value": value} for key, value in tags.items()]}

    def TagResource(self, resourceARN: str, tags: list[dict[str, str]]) -> None:
        found = self._endpoint(resourceARN)
        found["tags"] = {**found["tags"], **{tag["key"]: tag["value"] for tag in tags}}

    def GetFoundationModel(self, modelIdentifier: str) -> dict[str, Any]:
        arn = f"arn:aws:bedrock:us-east-1::foundation-model/{modelIdentifier}"
        details: dict[str, Any] = {"modelArn": arn, "modelId": modelIdentifier}
        if self.lifecycle:
            details["modelLifecycle"] = self.lifecycle
        return {"modelDetails": details}

    def GetCustomModel(self, modelIdentifier: str) -> dict[str, Any]:
        base = self._model(modelIdentifier)
        return {
            "modelArn": modelIdentifier,
            "modelName": "a-name",
            "baseModelArn": base,
            "creationTime": EPOCH,
        }

    def ListModelCustomizationJobs(self, statusEquals: str, nextToken: str = "0") -> dict[str, Any]:
        rows = [
            {
                "jobArn": self._arn(name),
                "jobName": name,
                "baseModelArn": BASE,
                "status": job["status"],
                "creationTime": EPOCH,
            }
            for name, job in self.jobs.items()
            if job["status"] == statusEquals
        ]
        start = int(nextToken)
        more = {"nextToken": str(start + 1)} if start + 1 < len(rows) else {}
        return {"modelCustomizationJobSummaries": rows[start : start + 1], **more}

    def CreateModelCustomizationJob(
        self, jobName: str, clientRequestToken: str, **request: Any
    ) -> dict[str, Any]:
        if clientRequestToken not in self.tokens:
            running = [job for job in self.jobs.values() if job["status"] == "InProgress"]
            if len(running) >= self.slots:
                raise Refused("ServiceQuotaExceededException", "too many jobs at a time")
            if jobName in self.jobs:
                raise Refused("ValidationException", f"{jobName} is in use")
            self.tokens[clientRequestToken] = jobName
            self.jobs[jobName] = {"status": "InProgress", "request": request}
        return {"jobArn": self._arn(self.tokens[clientRequestToken])}

    def _arn(self, job: str) -> str:
        return job_arn(1 + list(self.jobs).index(job))

    def StopModelCustomizationJob(self, jobIdentifier: str) -> dict[str, Any]:
        job = self._job(jobIdentifier)
        if job["status"] != "InProgress":
            raise Refused("ConflictException", "the job is over", 409)
        job["status"] = "Stopping"
        return {}

    def _job(self, identifier: str) -> dict[str, Any]:
        """By its name or its ARN."""
        name = next((each for each in self.jobs if identifier in (each, self._arn(each))), None)
        if name is None:
            raise Refused("ResourceNotFoundException", "no such job", 404)
        return self.jobs[name]

    def GetModelCustomizationJob(self, jobIdentifier: str) -> dict[str, Any]:
        found = self._job(jobIdentifier)
        name = next(name for name, job in self.jobs.items() if job is found)
        answer = {
            "jobArn": self._arn(name),
            "jobName": name,
            "outputModelName": name,
            "roleArn": "arn:aws:iam::000000000000:role/a-role",
            "status": found["status"],
            "creationTime": EPOCH,
            "baseModelArn": BASE,
            "hyperParameters": {},
            "trainingDataConfig": {"s3Uri": "s3://a-bucket/manifest.jsonl"},
            "validationDataConfig": {"validators": []},
            "outputDataConfig": {"s3Uri": "s3://a-bucket/jobs/"},
        }
        if found.get("failure"):
            answer["failureMessage"] = found["failure"]
        if found.get("model"):
            answer["outputModelArn"] = found["model"]
        return answer
