"""The specifications of functions: complete, and what the handlers really do."""

import ast
import re
from pathlib import Path
from typing import Final, get_args

import pytest

from bedrock_tuning.config.lambda_environment import LambdaEnvironment
from bedrock_tuning.contracts import FunctionSpec
from bedrock_tuning.contracts.contract import COMMIT
from bedrock_tuning.contracts.functions import ADMIT, FUNCTIONS, START_JOB
from bedrock_tuning.contracts.network import CLOSE_DEFAULT_GROUP
from bedrock_tuning.contracts.serving import SERVE
from bedrock_tuning.run.decisions import AdmissionDecision, ServingStep, StartDecision

LAMBDAS: Final = Path(__file__).parents[2] / "lambdas"
ALL: Final = (*FUNCTIONS, CLOSE_DEFAULT_GROUP)


def _source(function: FunctionSpec) -> ast.Module:
    return ast.parse((LAMBDAS / f"{function.module}.py").read_text("utf-8"))


def test_every_handler_has_a_specification_and_the_other_way_round() -> None:
    modules = {path.stem for path in LAMBDAS.glob("*.py") if not path.stem.startswith("_")}
    assert {function.module for function in ALL} == modules
    assert len({function.name for function in ALL}) == len(ALL)


@pytest.mark.parametrize("function", ALL, ids=lambda function: function.name)
def test_a_handler_reads_the_variables_of_its_specification(function: FunctionSpec) -> None:
    read = {
        ast.unparse(node.func.value)
        for node in ast.walk(_source(function))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "from_env"
    }
    assert read <= {function.variables.__name__}
    assert read or function.variables is LambdaEnvironment, "its handler needs none"


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_a_handler_is_given_what_it_takes_from_its_event(function: FunctionSpec) -> None:
    taken = {
        node.slice.value
        for node in ast.walk(_source(function))
        if isinstance(node, ast.Subscript)
        and ast.unparse(node.value) == "event"
        and isinstance(node.slice, ast.Constant)
    }
    given = {*function.payload, "action"}
    # A custom resource's and a schedule's events are of AWS's own making.
    assert taken <= given or not function.payload


@pytest.mark.parametrize(
    ("function", "declared"),
    [
        (ADMIT, get_args(AdmissionDecision)),
        (START_JOB, get_args(StartDecision)),
        (SERVE, get_args(ServingStep)),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_handler_gives_every_answer_that_is_declared(
    function: FunctionSpec, declared: tuple[str, ...]
) -> None:
    assert function.answer is not None
    assert function.answer.values == declared
    parts = [_source(function)]
    if function is SERVE:
        parts += [
            ast.parse(each.read_text("utf-8")) for each in (LAMBDAS / "_serving").glob("*.py")
        ]
    nodes = [node for part in parts for node in ast.walk(part)]
    texts = {node.value for node in nodes if isinstance(node, ast.Constant)}
    assert set(declared) <= texts


def test_what_a_function_is_handed_was_answered_by_another_one_or_is_the_executions_own() -> None:
    answered = {function.answer.path for function in FUNCTIONS if function.answer}
    # The job's result is Bedrock's, the shards' are the map's, the settings are a parameter's.
    known = {*answered, "$.job", "$.settings", "$.shards", "$"}
    for function in FUNCTIONS:
        for path in {*function.payload.values()} - {COMMIT}:
            start = re.match(r"\$\$|\$(\.\w+)?", path)
            assert start is not None
            assert start[0] == "$$" or start[0] in known, f"{function.name}: {path}"
