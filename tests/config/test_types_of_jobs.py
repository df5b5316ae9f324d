"""Types of jobs beside fine-tuning, and another round on a custom model: what their files need."""

from pathlib import Path

import pytest

from bedrock_tuning.config.customization import CustomizationSettings, load, scan
from bedrock_tuning.errors import CustomizationError

FILE = "customizations/pets.toml"
MODEL = (
    "arn:aws:bedrock:us-east-1:444455556666:custom-model/amazon.nova-micro-v1:0:128k/abcdefghijkl"
)
GRADER = "arn:aws:lambda:us-east-1:444455556666:function:reward"
MICRO = 'description = "x"\nbase_model = "nova-micro"\n'
TAUGHT = f'{MICRO}customization_type = "DISTILLATION"\n'
GRADED = (
    'description = "x"\nbase_model = "nova-2-lite"\n'
    'customization_type = "REINFORCEMENT_FINE_TUNING"\n'
)


def _load(text: str) -> CustomizationSettings:
    return load(text, file=FILE)


def test_a_distillation_names_its_teacher_and_takes_no_hyperparameters() -> None:
    found = _load(f'{TAUGHT}teacher = "us.amazon.nova-premier-v1:0"\nteacher_tokens = 1000\n')
    assert (found.teacher, found.teacher_tokens) == ("us.amazon.nova-premier-v1:0", 1000)
    assert found.hyperparameters == {}
    assert found.warnings == ()


def test_reinforcement_has_hyperparameters_of_its_own() -> None:
    found = _load(f'{GRADED}grader = "{GRADER}"\n[hyperparameters]\nbatchSize = 64\n')
    assert (found.grader, found.hyperparameters) == (GRADER, {"batchSize": "64"})


def test_another_round_keeps_the_base_models_limits() -> None:
    found = _load(f'{MICRO}custom_model = "{MODEL}"\n')
    assert found.custom_model == MODEL
    assert found.hyperparameters["epochCount"] == "2"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (TAUGHT, 'teacher: is missing: customization_type = "DISTILLATION" needs it'),
        (GRADED, 'grader: is missing: customization_type = "REINFORCEMENT_FINE_TUNING" needs'),
        (f'{MICRO}teacher = "amazon.nova-pro-v1:0"', "teacher: has no effect: it belongs to"),
        (f'{MICRO}grader = "{GRADER}"', "grader: has no effect: it belongs to"),
        (
            f'{TAUGHT}teacher = "amazon.nova-pro-v1:0"\n[hyperparameters]\nepochCount = 2',
            "DISTILLATION has none",
        ),
        (
            f'{GRADED}grader = "{GRADER}"\n[hyperparameters]\nbatchSize = 8',
            "batchSize: 8 is below the minimum 16",
        ),
        (
            f'description = "x"\nbase_model = "nova-lite"\ncustom_model = "{MODEL}"',
            "was made from amazon.nova-micro-v1:0:128k, not from amazon.nova-lite-v1:0:300k",
        ),
        (
            'description = "x"\nbase_model = "qwen3-32b"\n'
            'customization_type = "REINFORCEMENT_FINE_TUNING"',
            "jobs of Qwen3 32B use another API",
        ),
    ],
)
def test_what_a_type_of_job_lacks_or_does_not_take_is_said(text: str, problem: str) -> None:
    with pytest.raises(CustomizationError) as caught:
        _load(text)
    assert problem in "\n".join(caught.value.problems)


def test_a_teacher_that_no_table_names_is_a_warning() -> None:
    (warning,) = _load(f'{TAUGHT}teacher = "amazon.titan-text-lite-v1"').warnings
    assert "is not a teacher of Amazon Nova Micro according to source NOVA-UG" in warning


def test_what_lies_in_another_region_than_the_environment_is_refused(
    tmp_path: Path,
) -> None:
    (tmp_path / "pets.toml").write_text(f'{MICRO}custom_model = "{MODEL}"\n')
    assert scan(tmp_path, regions={"dev": "us-east-1"}).problems == ()
    problems = scan(tmp_path, regions={"dev": "us-west-2"}).problems
    assert any("is in us-east-1, and the environment dev in us-west-2" in p for p in problems)
