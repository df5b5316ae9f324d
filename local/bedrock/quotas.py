"""Service Quotas, as far as Amazon Bedrock's: MiniStack has no such service."""

import json
from collections.abc import Mapping
from typing import Any, Final

from bedrock_tuning.catalogue import account_facts, catalogue
from bedrock_tuning.run.quotas import ALL_UNITS, MODEL_UNITS
from local.bedrock.simulator import Simulator
from local.emulator.patching import expect
from local.emulator.requests import Response

_SERVICE: Final = "servicequotas"
_TARGET: Final = "ServiceQuotasV20190624"


def install(simulator: Simulator) -> None:
    """Answers GetServiceQuota and GetAWSDefaultServiceQuota for bedrock; authorized by IAM."""
    from ministack import app
    from ministack.core import iam_actions, router

    expect(_SERVICE not in app.SERVICE_HANDLERS, "no Service Quotas of its own")

    async def handler(
        _method: str, _path: str, headers: dict[str, str], body: bytes, _query: Any
    ) -> Response:
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        kind = {"Content-Type": "application/x-amz-json-1.1"}
        quotas = {
            "GetServiceQuota": _applied_quotas(simulator),
            "GetAWSDefaultServiceQuota": _default_quotas(),
        }.get(operation)
        if quotas is None:
            error = {"__type": "UnknownOperationException", "message": operation}
            return 400, kind, json.dumps(error).encode()
        request = json.loads(body or b"{}")
        quota = (
            quotas.get(request.get("QuotaCode")) if request["ServiceCode"] == "bedrock" else None
        )
        if quota is None:
            error = {"__type": "NoSuchResourceException", "Message": "The quota does not exist"}
            return 400, kind, json.dumps(error).encode()
        return 200, kind, json.dumps({"Quota": quota}).encode()

    router.SERVICE_PATTERNS[_SERVICE] = {"target_prefixes": [_TARGET]}
    iam_actions.SERVICE_TO_IAM_NAMESPACE[_SERVICE] = _SERVICE
    app.SERVICE_HANDLERS[_SERVICE] = handler


def _applied_quotas(simulator: Simulator) -> Mapping[str, dict[str, Any]]:
    """What was changed for this account: of what never was, AWS lists the default alone."""
    units = simulator.options.model_units
    paths = [ALL_UNITS, *(f"{key}.{MODEL_UNITS}" for key in catalogue())] if units else []
    values = {
        "quotas.custom_models": simulator.options.custom_models,
        **dict.fromkeys(paths, units),
    }
    return {code: _quota(code, path, values[path]) for path, code, _ in _codes() if path in values}


def _default_quotas() -> Mapping[str, dict[str, Any]]:
    return {code: _quota(code, path, value) for path, code, value in _codes()}


def _codes() -> list[tuple[str, str, float]]:
    """Every quota that has a code: its path, of models after their key, the code, the default."""
    model_codes = [
        (f"{model.key}.{MODEL_UNITS}", fact.quota_code, 0.0)
        for model in catalogue().values()
        if (fact := model.facts.get(MODEL_UNITS)) is not None and fact.quota_code
    ]
    account = [
        (path, fact.quota_code, 0.0 if path == ALL_UNITS else fact.value)
        for path, fact in account_facts().items()
        if fact.quota_code
    ]
    return model_codes + account


def _quota(code: str, name: str, value: float) -> dict[str, Any]:
    return {"ServiceCode": "bedrock", "QuotaCode": code, "QuotaName": name, "Value": value}
