"""Serving, budget, rules and tags of a customization: what makes no sense is refused."""

from pathlib import Path

import pytest

from bedrock_tuning.config.customization import Budget, CustomizationSettings, load, scan
from bedrock_tuning.errors import CustomizationError
from tests.support.problems import without_lines

FILE = "customizations/pets.toml"
SEARCH = 'description = "Pets"\nbase_model = "titan-multimodal-embeddings-g1"\n'
MICRO = 'description = "Pets"\nbase_model = "nova-micro"\n'
LLAMA = 'description = "x"\nbase_model = "llama-3-3-70b"\nallow_closed_model = true\n'


def _load(text: str) -> CustomizationSettings:
    return load(text, file=FILE)


def _problems(text: str) -> str:
    with pytest.raises(CustomizationError) as caught:
        _load(text)
    return "\n".join(without_lines(caught.value.problems))


@pytest.mark.parametrize(
    ("serving", "problem"),
    [
        ("", "serving.mode: is missing"),
        ('mode = "provisoned"', "did you mean provisioned?"),
        ('mode = "provisioned"', "serving.lease_hours: is missing: without a commitment"),
        ('mode = "provisioned"\nlease_hours = 0', "0 is below the minimum 1: use 1 to 720"),
        ('mode = "provisioned"\nlease_hours = 721', "721 is above the maximum 720"),
        (
            'mode = "provisioned"\nlease_hours = "8"',
            'must be a whole number without quotes, not "8"',
        ),
        ('mode = "provisioned"\nlease_hours = 8\nmodel_units = 0', "serving.model_units: 0 is be"),
        (
            'mode = "provisioned"\ncommitment = "OneMonth"\nlease_hours = 8',
            "lease_hours: contradicts the commitment",
        ),
        (
            'mode = "provisioned"\ncommitment = "OneMonth"\non_delete = "delete"',
            '"delete" is not possible before the commitment ends',
        ),
        (
            'mode = "provisioned"\ncommitment = "OneYear"',
            'must be "OneMonth" or "SixMonths", not "OneYear"',
        ),
        (
            'mode = "on-demand"',
            '"on-demand" is not offered for custom models of Titan Multimodal Embeddings G1 '
            '(source UG-deploy): use "provisioned" or "none"',
        ),
        ('mode = "none"\nembedding_length = 256', "embedding_length: has no effect with mode ="),
        ("embedding_length = 7", "embedding_length: 7 is not possible"),
        ('mode = "none"\nlease_hours = 8', 'lease_hours: has no effect with mode = "none"'),
        (
            'mode = "provisioned"\nlease_hours = 8\nembedding_length = 512',
            "512 is not possible (Titan Multimodal Embeddings G1, sources S0, S1): "
            "use one of 256, 384, 1024",
        ),
        ('mode = "provisioned"\nlease_hours = 8\nsmoke_text = ""', "smoke_text: is empty"),
        ('mode = "provisioned"\nlease_hour = 8', "did you mean lease_hours?"),
    ],
)
def test_serving_that_cannot_work_is_refused(serving: str, problem: str) -> None:
    assert problem in _problems(f"{SEARCH}[serving]\n{serving}")


def test_a_model_is_served_in_the_ways_it_is_offered() -> None:
    micro = _load(MICRO + '[serving]\nmode = "on-demand"')
    assert micro.serving.mode == "on-demand"
    assert micro.serving.lease_hours is None
    assert micro.serving.embedding_length is None

    refused = _problems(LLAMA + '[serving]\nmode = "provisioned"\nlease_hours = 1')
    assert 'use "on-demand" or "none"' in refused


def test_a_text_model_has_no_embedding_length() -> None:
    problem = _problems(MICRO + '[serving]\nmode = "on-demand"\nembedding_length = 256')

    assert "Amazon Nova Micro returns no vector" in problem


def test_a_commitment_is_retained_when_the_stack_goes() -> None:
    served = _load(SEARCH + '[serving]\nmode = "provisioned"\ncommitment = "OneMonth"')

    assert (served.serving.on_delete, served.serving.lease_hours) == ("retain", None)


def test_more_units_than_a_custom_model_gets_without_commitment_are_pointed_out() -> None:
    leased = _load(SEARCH + '[serving]\nmode = "provisioned"\nlease_hours = 8\nmodel_units = 2')

    assert "model_units: 2 without a commitment" in leased.warnings[0]


def test_a_smoke_text_that_is_too_long_is_refused_by_characters_and_warned_by_tokens() -> None:
    served = '[serving]\nmode = "provisioned"\nlease_hours = 8\nsmoke_text = "{}"'
    style = (
        'description = "x"\nbase_model = "titan-image-generator-v1"\nallow_closed_model = true\n'
        "[hyperparameters]\nstepCount = 500\n"
    )

    assert _load(style + served.format("x" * 512)).serving.smoke_text == "x" * 512
    assert "has 513 characters, the maximum is 512" in _problems(style + served.format("x" * 513))
    # 256 tokens at 4.7 characters are 1,203 characters; only an estimate, so only a warning.
    assert _load(SEARCH + served.format("x" * 1_203)).warnings == ()
    assert "about 257 tokens" in _load(SEARCH + served.format("x" * 1_206)).warnings[0]


@pytest.mark.parametrize(
    ("budget", "expected"),
    [
        ("", Budget(max_run_usd=None, approval="always")),
        ("max_run_usd = 5", Budget(max_run_usd=5.0, approval="over-budget")),
        ('approval = "never"', Budget(max_run_usd=None, approval="never")),
        (
            'max_run_usd = 0.5\napproval = "always"',
            Budget(max_run_usd=0.5, approval="always"),
        ),
    ],
)
def test_a_budget_is_read(budget: str, expected: Budget) -> None:
    assert _load(f"{SEARCH}[budget]\n{budget}").budget == expected


@pytest.mark.parametrize(
    ("budget", "problem"),
    [
        ("max_run_usd = 0", "0 is below the minimum 0.01: use 0.01 to 999999999"),
        ("max_run_usd = -1.5", "-1.5 is below the minimum 0.01"),
        ("max_run_usd = inf", "inf is not a finite number"),
        ("max_run_usd = nan", "nan is not a finite number"),
        (
            "max_run_usd = 1e9",
            "is above the maximum 999999999 (a billion dollars is a typing error)",
        ),
        ("max_run_usd = true", "must be a number, not true"),
        ('max_run_usd = "50"', 'must be a number without quotes, not "50"'),
        ('approval = "over-budget"', '"over-budget" needs a budget'),
        ('approval = "never"\nmax_run_usd = 5', '"never" makes max_run_usd meaningless'),
        ('approval = "sometimes"', 'must be "over-budget", "always" or "never"'),
        ("max_usd = 5", "did you mean max_run_usd?"),
    ],
)
def test_a_budget_that_contradicts_itself_is_refused(budget: str, problem: str) -> None:
    assert problem in _problems(f"{SEARCH}[budget]\n{budget}")


def test_a_rule_is_lowered_or_silenced_by_name_with_a_reason() -> None:
    rules = _load(
        SEARCH + '[rules]\ncaption-too-long = { severity = "warning", reason = "twins" }\n'
        'blank-caption = { severity = "silent", reason = "pictures only" }'
    ).overrides

    assert rules["caption-too-long"].severity == "warning"
    assert rules["blank-caption"].reason == "pictures only"


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        (
            'caption-to-long = { severity = "warning", reason = "x" }',
            "did you mean caption-too-long?",
        ),
        ('R201 = { severity = "warning", reason = "x" }', "write the rule's name, not its id"),
        ('zzz = { severity = "warning", reason = "x" }', "`tuning rules` lists them"),
        (
            'caption-too-long = { severity = "silent", reason = "x" }',
            'can be lowered to "warning", not silenced',
        ),
        ('caption-too-long = { severity = "warning" }', "caption-too-long.reason: is missing"),
        (
            'caption-too-long = { severity = "error", reason = "x" }',
            'must be "warning" or "silent", not "error"',
        ),
        ('caption-too-long = "warning"', "must be a table"),
    ],
)
def test_an_override_that_means_nothing_is_refused(rule: str, problem: str) -> None:
    assert problem in _problems(f"{SEARCH}[rules]\n{rule}")


@pytest.mark.parametrize(
    ("tag", "problem"),
    [
        ("team = 3", "tags.team: must be text in quotes, not 3"),
        ('team = "a&b"', '"a&b" is not allowed'),
        ('team = "ü"', '"ü" is not allowed'),
        (f'team = "{"x" * 257}"', "at most 256"),
        ('"a&b" = "x"', 'tags."a&b": use 1 to 128 letters'),
        (f'"{"k" * 129}" = "x"', "use 1 to 128 letters"),
        ('"" = "x"', "use 1 to 128 letters"),
        ('"AWS:x" = "x"', "starts with a reserved prefix"),
        ('"bedrock-tuning:lease" = "x"', "starts with a reserved prefix"),
        ('team = "x"\nTeam = "y"', "differs from another tag only in case"),
        ("\n".join(f't{i} = "x"' for i in range(41)), "41 tags, the maximum is 40"),
    ],
)
def test_tags_that_bedrock_refuses_are_refused_here(tag: str, problem: str) -> None:
    assert problem in _problems(f"{SEARCH}[tags]\n{tag}")


def test_tags_at_their_limits_are_accepted() -> None:
    tags = "\n".join(f't{i} = "{"x" * 256}"' for i in range(39)) + f'\n"{"k" * 128}" = ""'

    assert len(_load(f"{SEARCH}[tags]\n{tags}").tags) == 40


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        # Copied from a tutorial for another model.
        ("learningRateMultiplier = 1e-5\nlearningRateWarmupSteps = 10", "learningRate"),
        ("learningRateMultiplier = 1e-5", "learningRate"),
        ("learning_rate_multiplier = 1e-5", "learningRate"),
        ("learningRateWarmup = 5\nlearningRate = 1e-5", "learningRateWarmupSteps"),
    ],
)
def test_a_hint_never_names_what_is_set_already(written: str, meant: str) -> None:
    problems = _problems(f"{MICRO}[hyperparameters]\nepochCount = 3\n{written}")
    assert f"has no such hyperparameter; did you mean {meant}?" in problems
    assert problems.count("\n") == 0


def test_the_value_of_a_misspelt_hyperparameter_is_told_where_it_is_written() -> None:
    problems = _problems(f"{MICRO}[hyperparameters]\nlearningRateMultiplier = 1")
    assert "hyperparameters.learningRateMultiplier: as learningRate, 1 is above" in problems
    assert "hyperparameters.learningRate:" not in problems


def test_where_everything_is_set_an_unknown_field_is_to_be_removed() -> None:
    every = "epochCount = 1\nlearningRate = 1e-5\nlearningRateWarmupSteps = 5\nbatchSize = 1"
    problems = _problems(f"{MICRO}[hyperparameters]\n{every}\nstepCount = 1")
    assert "has no such hyperparameter: remove it" in problems


def test_a_misspelt_key_beside_the_right_one_is_not_said_to_be_it() -> None:
    problems = _problems(
        f"{SEARCH}[serving]\nmode = 'provisioned'\nlease_hours = 8\nlease_hour = 9"
    )
    assert "did you mean lease_hours" not in problems
    assert "lease_hours is set already: remove one of the two" in problems


@pytest.mark.parametrize("key", ["basemodel", "baseModel", "base-model"])
def test_another_spelling_of_what_is_set_is_no_slip_for_another_key(key: str) -> None:
    problems = _problems(f'"{key}" = "nova-lite"\n{SEARCH}')
    assert problems.endswith(
        f"{key}: unknown key; base_model is set already: remove one of the two"
    )


@pytest.mark.parametrize("policy", ["required", "optional"])
def test_a_validation_set_is_refused_with_the_reason_where_sources_are_sure(policy: str) -> None:
    problems = _problems(f'{MICRO.replace("micro", "2-lite")}[dataset]\nvalidation = "{policy}"')
    assert "not supported during supervised fine-tuning" in problems
    assert "UG-nova2" in problems


def test_images_lie_in_the_customizations_folder_or_in_those_that_its_file_names() -> None:
    assert _load(SEARCH).media_folders == ("pets/",)
    named = _load(SEARCH + '[dataset]\nfolders = ["folder1", "photos/2026"]\n')
    assert named.media_folders == ("folder1/", "photos/2026/")


def test_a_folder_inside_another_one_of_the_same_customization_is_refused() -> None:
    text = SEARCH + '[dataset]\nfolders = ["photos", "photos/2026", "photos2"]\n'
    assert '"photos/2026" lies in "photos": remove it' in _problems(text)


@pytest.mark.parametrize(
    ("folders", "meant"),
    [
        ('"shared"', '"shared" is also read by dogs (shared/)'),
        ('"shared/cats"', '"shared/cats" is also read by dogs (shared/)'),
        ('"cats", "dogs"', '"dogs" is also read by dogs (dogs/)'),
        ('"birds"', '"birds" is also read by birds (birds/)'),
    ],
)
def test_a_folder_of_two_customizations_is_refused(
    tmp_path: Path, folders: str, meant: str
) -> None:
    wanted = {
        "birds": "",
        "cats": f"[dataset]\nfolders = [{folders}]\n",
        "dogs": '[dataset]\nfolders = ["shared"]\n',
    }
    for name, table in wanted.items():
        (tmp_path / f"{name}.toml").write_text(SEARCH + table)
    (problem,) = scan(tmp_path).problems
    assert problem.startswith(f"{tmp_path.name}/cats.toml: dataset.folders: {meant}")


def test_environments_keep_their_folders_apart(tmp_path: Path) -> None:
    table = '[dataset]\nfolders = ["shared"]\n'
    for name, only in (("cats", "dev"), ("dogs", "prod")):
        (tmp_path / f"{name}.toml").write_text(f'only = ["{only}"]\n{SEARCH}{table}')
    regions = {"dev": "us-east-1", "prod": "us-east-1"}
    assert scan(tmp_path, regions=regions).problems == ()


ROLE = "arn:aws:iam::111122223333:role/ml/BedrockCustomization"


@pytest.mark.parametrize(
    ("job", "problem"),
    [
        ('output_folder = "dogs"', 'job.output_folder: "dogs" is also that of dogs (jobs/dogs/)'),
        ('output_folder = "dogs/x"', 'job.output_folder: "dogs/x" is also that of dogs (jobs/d'),
        (f'service_role = "{ROLE}"', "job.service_role: is also that of owls, whose data its"),
    ],
)
def test_an_output_folder_or_a_role_of_two_customizations_is_refused(
    tmp_path: Path, job: str, problem: str
) -> None:
    role = f'service_role = "{ROLE}"\n'
    for name, table in {"cats": f"{job}\n", "dogs": "", "owls": role}.items():
        (tmp_path / f"{name}.toml").write_text(f"{SEARCH}[job]\n{table}")
    (found,) = scan(tmp_path).problems
    assert found.startswith(f"{tmp_path.name}/cats.toml: {problem}")


def test_what_only_a_notebook_of_aws_sends_is_taken_but_not_sent_by_default() -> None:
    given = f"{MICRO}[hyperparameters]\nbatchSize = 1"
    assert _load(given).hyperparameters["batchSize"] == "1"
    assert "batchSize" not in _load(MICRO).hyperparameters
    assert "8 is above the maximum 1" in _problems(given.replace("= 1", "= 8"))
