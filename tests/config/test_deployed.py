"""What a run reads of a customization is what its file says: nothing is lost on the way."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bedrock_tuning.config.customization import CustomizationSettings, load, load_all
from bedrock_tuning.config.customization_fields import RuleOverride
from bedrock_tuning.config.deployed import (
    SETTINGS_BYTES_MAX,
    from_settings,
    length_problem,
    template_text,
    text,
    to_settings,
)
from bedrock_tuning.config.names import RESERVED
from bedrock_tuning.config.settings import Settings
from bedrock_tuning.contracts import contracts
from bedrock_tuning.errors import CustomizationError

ROLES = {"service_role": "arn:service-role", "starter_role": "arn:starter-role"}
SHIPPED = load_all(Path(__file__).parents[2] / "customizations")
SEARCH = SHIPPED["pets-search"]


def _odd(**changes: object) -> CustomizationSettings:
    return replace(SEARCH, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "customization",
    [
        *SHIPPED.values(),
        _odd(
            overrides={"caption-repeated": RuleOverride(severity="silent", reason="the exporter")}
        ),
        _odd(serving=replace(SEARCH.serving, lease_hours=None, commitment="OneMonth")),
        _odd(description='Grüße, "quoted" \\ {training} ${x} {{y}}'),
    ],
    ids=lambda each: each.description,
)
def test_what_is_read_back_is_what_was_deployed(customization: CustomizationSettings) -> None:
    found = from_settings(json.loads(text(to_settings(customization) | ROLES)))
    assert found.customization == replace(customization, warnings=())
    assert found.service_role == ROLES["service_role"]


def test_two_braces_in_a_row_never_reach_ssm_which_takes_them_for_a_reference() -> None:
    written = text(to_settings(_odd(description="{{ssm:x}} {{{{")))
    assert "{{" not in written
    assert json.loads(written)["description"] == "{{ssm:x}} {{{{"


def test_the_template_fills_in_the_roles_and_nothing_else() -> None:
    written = template_text(to_settings(_odd(description="${AWS::AccountId} ${ServiceRole}")))
    assert written.count("${ServiceRole}") == 1
    assert "${!AWS::AccountId} ${!ServiceRole}" in written


def test_settings_of_another_version_say_what_to_do() -> None:
    settings = to_settings(SEARCH) | ROLES
    del settings["validation"]
    with pytest.raises(CustomizationError, match=r"pets-search: .*another version.*deploy"):
        from_settings(settings)


def test_what_a_parameter_cannot_hold_is_refused_with_its_length() -> None:
    assert length_problem(SEARCH) is None
    too_long = _odd(serving=replace(SEARCH.serving, smoke_text="ü" * SETTINGS_BYTES_MAX))
    problem = length_problem(too_long)
    assert problem is not None
    assert "pets-search.toml" in problem
    assert f"the maximum is {SETTINGS_BYTES_MAX:,}" in problem


@pytest.mark.parametrize("name", RESERVED)
def test_a_name_of_one_of_the_platforms_stacks_is_refused_with_the_reason(name: str) -> None:
    with pytest.raises(CustomizationError, match=f"{name}.*the platform's; rename the file"):
        load('base_model = "nova-micro"', file=f"customizations/{name}.toml")


def test_every_stack_of_the_platform_is_reserved() -> None:
    settings = Settings(name="dev", region="us-east-1", vpc=True)
    places = contracts(settings, SHIPPED).places.values()
    assert {place.stack for place in places} - set(SHIPPED) == set(RESERVED)
