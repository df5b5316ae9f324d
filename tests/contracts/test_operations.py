"""Functions run their own code as their own role, logs are kept and encrypted, keys rotate."""

import pytest

from bedrock_tuning.config.settings import Settings
from bedrock_tuning.contracts import Contracts, contracts

SMALL = Settings(name="dev", region="us-east-1", log_retention_days=14)
LARGE = Settings(name="dev", region="us-east-1", vpc=True, model_key=True, tracing=True)


@pytest.fixture(params=[SMALL, LARGE], ids=["small", "with all options"])
def known(request: pytest.FixtureRequest) -> Contracts:
    settings: Settings = request.param
    return contracts(settings, {})


def test_every_function_runs_its_own_handler_as_its_own_role_with_its_own_logs(
    known: Contracts,
) -> None:
    for spec in known.functions:
        function = known.places[f"function.{spec.name}"].properties
        assert function["Handler"] == f"lambdas.{spec.module}.handler"
        assert function["Role"] == f"{{role.{spec.name}}}"
        assert function["LoggingConfig"]["LogGroup"] == f"{{logs.{spec.name}:name}}"
        assert f"logs.{spec.name}" in known.places


def test_no_function_has_a_limit_under_which_it_never_runs(known: Contracts) -> None:
    for spec in known.functions:
        assert (
            "ReservedConcurrentExecutions" not in known.places[f"function.{spec.name}"].properties
        )


def test_functions_are_in_the_network_and_traced_if_the_settings_say_so(known: Contracts) -> None:
    for spec in known.functions:
        properties = known.places[f"function.{spec.name}"].properties
        # The one that closes the default group is needed before there is a way into the network.
        is_inside = known.chosen.vpc and spec.stack != "network"
        assert ("VpcConfig" in properties) == is_inside
        assert ("TracingConfig" in properties) == known.chosen.tracing


def test_logs_are_kept_as_long_as_the_settings_say_under_the_key_of_their_stack(
    known: Contracts,
) -> None:
    groups = [place for place in known.places.values() if place.type == "AWS::Logs::LogGroup"]
    assert groups
    for group in groups:
        assert group.properties["RetentionInDays"] == known.chosen.log_retention_days
        key = "network-key" if group.stack == "network" else "operations-key"
        assert group.properties["KmsKeyId"] == f"{{{key}}}"


def test_every_key_rotates(known: Contracts) -> None:
    keys = [place for place in known.places.values() if place.type == "AWS::KMS::Key"]
    assert keys
    for key in keys:
        assert key.properties.keys() == {"Description", "EnableKeyRotation"}
        assert key.properties["EnableKeyRotation"] is True


def test_the_workflow_logs_all_that_it_does_and_no_data(known: Contracts) -> None:
    machine = known.places["workflow"].properties
    assert machine["RoleArn"] == "{role.workflow}"
    logging = machine["LoggingConfiguration"]
    assert (logging["Level"], logging["IncludeExecutionData"]) == ("ALL", False)
    groups = [each["CloudWatchLogsLogGroup"]["LogGroupArn"] for each in logging["Destinations"]]
    assert groups == ["{logs.workflow}"]
