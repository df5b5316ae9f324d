"""The functions and their log groups: what each runs, as whom, and what its handler reads."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from bedrock_tuning.contracts.contract import FunctionSpec, Place, Scope
from bedrock_tuning.contracts.written.operations import log_group

FUNCTION: Final = "AWS::Lambda::Function"
PYTHON: Final = "3.13"


def functions(
    specs: Iterable[FunctionSpec], scope: Scope, places: Mapping[str, Place]
) -> dict[str, Place]:
    """By contract name, each with its log group. places: where they stand.

    Code and layer are this app's assets, which no contract knows.
    """
    result = {}
    for spec in specs:
        function, logs = f"function.{spec.name}", f"logs.{spec.name}"
        result[function] = replace(places[function], properties=_properties(spec, scope))
        result[logs] = log_group(places[logs], scope.settings)
    return result


def _properties(spec: FunctionSpec, scope: Scope) -> dict[str, Any]:
    host = scope.settings.functions == "host"
    return {
        "Description": f"lambdas/{spec.module}.py",
        "Handler": f"lambdas.{spec.module}.handler",
        "Role": f"{{role.{spec.name}}}",
        "Runtime": f"python{PYTHON}",
        "Architectures": ["x86_64" if host else "arm64"],
        "Environment": {"Variables": scope.variables(spec.variables)},
        "Timeout": spec.timeout_minutes * 60,
        "MemorySize": spec.memory_mb,
        "EphemeralStorage": {"Size": spec.disk_mb},
        "LoggingConfig": {"LogFormat": "JSON", "LogGroup": f"{{logs.{spec.name}:name}}"},
    }
