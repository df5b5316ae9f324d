"""Service Quotas, as far as Amazon Bedrock's: MiniStack has no such service."""

import json
from collections.abc import Iterator
from typing import Any, Final

from bedrock_tuning.catalogue import account_facts, catalogue
from local.bedrock.simulator import Simulator
from local.emulator.patching import expect
from local.emulator.requests import Response

SERVICE: Final = "servicequotas"
_TARGET: Final = "ServiceQuotasV20190624"


def install(simulator: Simulator) -> None:
    """Answers ListServiceQuotas for bedrock; other operations are not known."""
    from ministack import app
    from ministack.core import router

    expect(SERVICE not in app.SERVICE_HANDLERS, "no Service Quotas of its own")

    async def handler(
        _method: str, _path: str, headers: dict[str, str], body: bytes, _query: Any
    ) -> Response:
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        kind = {"Content-Type": "application/x-amz-json-1.1"}
        if operation != "ListServiceQuotas":
            said = {"__type": "UnknownOperationException", "message": operation}
            return 400, kind, json.dumps(said).encode()
        wanted = json.loads(body or b"{}").get("ServiceCode")
        found = list(_quotas(simulator)) if wanted == "bedrock" else []
        return 200, kind, json.dumps({"Quotas": found}).encode()

    router.SERVICE_PATTERNS[SERVICE] = {"target_prefixes": [_TARGET]}
    app.SERVICE_HANDLERS[SERVICE] = handler


def _quotas(simulator: Simulator) -> Iterator[dict[str, Any]]:
    units = simulator.options.model_units
    for model in catalogue().values():
        fact = model.facts.get("quotas.model_units")
        if fact is not None and fact.quota_code:
            name = f"Model units no-commitment Provisioned Throughputs for {model.name}"
            yield _quota(fact.quota_code, name, units)
    for path, fact in account_facts().items():
        if fact.quota_code:
            yield _quota(fact.quota_code, path.removeprefix("quotas."), fact.value)


def _quota(code: str, name: str, value: float) -> dict[str, Any]:
    return {"ServiceCode": "bedrock", "QuotaCode": code, "QuotaName": name, "Value": value}
