"""A customization file: what it becomes, and that a wrong one says everything that is wrong."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bedrock_tuning.catalogue import catalogue
from bedrock_tuning.config.customization import (
    Budget,
    CustomizationSettings,
    DesiredServing,
    RuleOverride,
    load,
    load_all,
)
from bedrock_tuning.errors import CustomizationError
from tests.support.problems import without_lines

SHIPPED = Path(__file__).parents[2] / "customizations"
FILE = "customizations/pets.toml"

SEARCH = 'description = "Pets"\nbase_model = "titan-multimodal-embeddings-g1"\n'
STYLE = (
    'description = "Pets"\nbase_model = "titan-image-generator-v2"\nallow_closed_model = true\n'
    "[hyperparameters]\nstepCount = 500\n"
)
TEXT = 'description = "Pets"\nbase_model = "nova-micro"\n'
SERVED = '[serving]\nmode = "provisioned"\n'


def _load(text: str) -> CustomizationSettings:
    return load(text, file=FILE)


def _problems(text: str, *, file: str = FILE) -> tuple[str, ...]:
    with pytest.raises(CustomizationError) as caught:
        load(text, file=file)
    return without_lines(caught.value.problems)


def test_the_shipped_flagship_is_ready_for_bedrock() -> None:
    search = load_all(SHIPPED)["pets-search"]

    assert search.base_model.customization_id == "amazon.titan-embed-image-v1:0"
    assert search.hyperparameters == {
        "epochCount": "Auto",
        "batchSize": "576",
        "learningRate": "0.00005",
    }
    assert search.validation == "required"
    assert search.serving.lease_hours is not None
    assert search.serving.embedding_length == 1024
    assert search.warnings == ()


def test_the_shipped_style_is_source_document_002_and_warns_with_the_date() -> None:
    style = load_all(SHIPPED)["pets-style"]

    assert style.hyperparameters == {
        "stepCount": "5000",
        "batchSize": "8",
        "learningRate": "0.00001",
    }
    assert style.validation == "forbidden"
    assert len(style.warnings) == 1
    assert "past its end-of-life date, 2026-06-30" in style.warnings[0]


def test_little_is_needed_and_nothing_is_bought_by_default() -> None:
    least = _load(SEARCH)

    assert least.name == "pets"
    assert least.customization_type == "FINE_TUNING"
    assert least.hyperparameters["batchSize"] == "576"
    assert least.serving == DesiredServing(mode="none")
    assert least.budget == Budget(max_run_usd=None, approval="always")
    assert not least.tags
    assert not least.overrides


def test_everything_that_a_file_says_is_read() -> None:
    full = _load(
        SEARCH
        + """
        [hyperparameters]
        epochCount = "AUTO"
        batchSize = 256
        learningRate = 1
        [dataset]
        validation = "optional"
        [rules]
        caption-too-long = { severity = "warning", reason = "our catalogue has twins" }
        [serving]
        mode = "provisioned"
        commitment = "SixMonths"
        embedding_length = 256
        smoke_text = "a cat"
        [budget]
        max_run_usd = 20
        [tags]
        "cost centre" = "12+3"
        """
    )

    assert full.hyperparameters == {"epochCount": "Auto", "batchSize": "256", "learningRate": "1"}
    assert full.validation == full.dataset.validation == "optional"
    assert full.overrides["caption-too-long"] == RuleOverride(
        severity="warning", reason="our catalogue has twins"
    )
    assert full.serving == DesiredServing(
        mode="provisioned",
        commitment="SixMonths",
        on_delete="retain",
        smoke_text="a cat",
        embedding_length=256,
    )
    assert full.budget == Budget(max_run_usd=20.0, approval="over-budget")
    assert full.tags == {"cost centre": "12+3"}
    assert any('"optional" overrides the catalogue\'s "required"' in each for each in full.warnings)


def test_the_catalogue_keeps_its_own_policy_when_a_customization_overrides_it() -> None:
    assert _load(SEARCH + '[dataset]\nvalidation = "forbidden"').dataset.validation == "forbidden"

    model = catalogue()["titan-multimodal-embeddings-g1"]
    assert model.datasets["FINE_TUNING"].validation == "required"


def test_all_problems_of_all_files_come_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "customizations"
    folder.mkdir()
    (folder / "first.toml").write_text(SEARCH.replace("base_model", "base_modle") + "x = 1\n")
    (folder / "Second.toml").write_text(SEARCH + "[hyperparameters]\nbatchSize = 100\n")
    (folder / "third.toml").write_bytes(b"description = '\xff'")
    (folder / "fourth.toml").write_text(SEARCH)
    (folder / "README.md").write_text("not a customization")

    with pytest.raises(CustomizationError) as caught:
        load_all(folder)

    problems = without_lines(caught.value.problems)
    assert [each.partition(": ")[0] for each in problems] == [
        "customizations/Second.toml",
        "customizations/Second.toml",
        "customizations/first.toml",
        "customizations/first.toml",
        "customizations/third.toml",
    ]
    text = str(caught.value)
    assert 'the name "Second" is not allowed' in text
    assert "base_modle: unknown key; did you mean base_model?" in text
    assert "x: unknown key" in text
    assert "third.toml:1: byte 15 is not UTF-8" in text


def test_a_number_outside_its_range_names_file_key_limit_source_and_fix() -> None:
    assert _problems(SEARCH + "[hyperparameters]\nbatchSize = 100") == (
        "customizations/pets.toml: hyperparameters.batchSize: 100 is below the minimum 256 "
        "(Titan Multimodal Embeddings G1, sources S0, S1, UG-hp): use 256 to 9216",
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "description: is missing"),
        (SEARCH.replace("Pets", "   "), "description: is empty"),
        (SEARCH.replace('"Pets"', "3"), "description: must be text in quotes, not 3"),
        (SEARCH.replace("Pets", "a\\nb"), "description: has line breaks"),
        (SEARCH.replace("Pets", "p" * 201), "description: has 201 characters, the maximum is 200"),
        (SEARCH + "allow_closed_model = 1", "allow_closed_model: must be true or false, not 1"),
        (SEARCH.replace("-g1", ""), "did you mean titan-multimodal-embeddings-g1?"),
        (
            SEARCH.replace("titan-multimodal-embeddings-g1", "amazon.titan-embed-image-v1"),
            "did you mean titan-multimodal-embeddings-g1?",
        ),
        (
            SEARCH.replace("titan-multimodal-embeddings-g1", "titan-embed-image-v1"),
            "did you mean titan-multimodal-embeddings-g1?",
        ),
        (
            SEARCH.replace("titan-multimodal-embeddings-g1", "us.amazon.nova-lite-v1:0"),
            "did you mean nova-lite?",
        ),
        (
            SEARCH.replace(
                "titan-multimodal-embeddings-g1",
                "arn:aws:bedrock:us-east-1:111122223333:custom-model/amazon.nova-lite-v1:0/a1b2",
            ),
            'is a custom model: write base_model = "nova-lite", and its ARN as custom_model',
        ),
        (SEARCH + 'type = "FINE_TUNING"', "type: unknown key; did you mean customization_type?"),
        (SEARCH + "[environment.prod]", "environment: unknown key; did you mean environments?"),
        (STYLE + "lr = 1e-5", "did you mean learningRate?"),
        (STYLE + "warmup_steps = 10", "use batchSize, learningRate"),
        (TEXT + "[hyperparameters]\nmax_steps = 500", "no such hyperparameter: use epochCount"),
        (TEXT + "[hyperparameters]\nstepCount = 500", "no such hyperparameter: use epochCount"),
        (SEARCH.replace("titan-multimodal-embeddings-g1", "zzz"), "use one of claude-3-haiku"),
        (SEARCH + 'customization_type = "FINE-TUNING"', "did you mean FINE_TUNING?"),
        (SEARCH + 'customization_type = "DISTILLATION"', 'use "FINE_TUNING"'),
        (
            TEXT + 'customization_type = "DISTILLATION"',
            'teacher: is missing: customization_type = "DISTILLATION" needs it',
        ),
        (
            'description = "x"\nbase_model = "qwen3-32b"',
            "use another API, which this project does not call",
        ),
        (STYLE.replace("true", "false"), "past its end-of-life date, 2026-06-30 (sources CH-life"),
        (STYLE.replace("true", "false"), "write allow_closed_model = true if your account"),
        (STYLE.replace("stepCount = 500", ""), "hyperparameters.stepCount: is missing"),
        (STYLE + "batchSize = 12", "12 is not a multiple of 8"),
        (STYLE + 'batchSize = "auto"', "Bedrock does not choose it by itself"),
        (STYLE + 'batchSize = "8"', 'must be a whole number without quotes, not "8"'),
        (STYLE + "batchSize = 8.0", "must be a whole number, not 8.0"),
        (STYLE + "batchSize = true", "must be a whole number, not true"),
        (STYLE + "learningRate = nan", "nan is not a finite number"),
        (STYLE + "learningRate = 2", "2 is above the maximum 1"),
        (STYLE + "learning_rate = 1e-5", "did you mean learningRate?"),
        (STYLE + "colour = 1", "use batchSize, learningRate"),
        (
            SEARCH + "[dataset]\nvalidation = false",
            'dataset.validation: must be "required", "optional" or',
        ),
        (SEARCH + "hyperparameters = 3", "must be a table, not 3: write [hyperparameters]"),
        (
            SEARCH.replace(
                '"titan', '"arn:aws:bedrock:us-east-1::foundation-model/amazon.titan'
            ).replace("multimodal-embeddings-g1", "embed-image-v1"),
            "did you mean titan-multimodal-embeddings-g1?",
        ),
        (
            SEARCH + "[hyperparameters]\nbatch_size = 9",
            "hyperparameters.batch_size: as batchSize, 9 is below the minimum 256",
        ),
        (SEARCH + "batchSize = 576", "batchSize: unknown key: it belongs in [hyperparameters]"),
        (SEARCH + 'mode = "none"', "mode: unknown key: it belongs in [serving]"),
        (
            SEARCH + "[hyperparameters]\nallow_closed_model = true",
            "no such hyperparameter: it belongs above the first [table]",
        ),
        (
            SEARCH + "[hyperparameters]\nlease_hours = 8",
            "lease_hours: Titan Multimodal Embeddings G1 has no such hyperparameter: it belongs "
            "in [serving]",
        ),
        (SEARCH + '[serving]\nmode = "prov"\nlease_hours = 8', "; did you mean provisioned?"),
        (
            SEARCH.replace('"titan-multimodal-embeddings-g1"', "titan"),
            'in "base_model = titan": write text in quotes',
        ),
        (SEARCH + "[serving]\nmode: none", 'in "mode: none": write key = value'),
        (SEARCH + "[tags]\n[tags]", 'in "[tags]": write each table and key once'),
    ],
)
def test_each_mistake_is_named_with_its_fix(text: str, problem: str) -> None:
    problems = _problems(text)

    assert any(problem in each for each in problems), problems
    assert all(each.startswith(f"{FILE}: ") for each in problems)


@pytest.mark.parametrize(
    ("name", "possible"),
    [
        ("pets", True), ("pets-2", True), ("2", True), ("a" * 30, True), ("a" * 31, False),
        ("Pets", False), ("pets-", False), ("-pets", False), ("pets--2", False),
        ("pets_2", False), ("pets.v2", False), ("pets search", False), ("katzen-ö", False),
    ],
)  # fmt: skip
def test_a_name_must_suit_buckets_jobs_and_models(name: str, possible: bool) -> None:
    file = f"customizations/{name}.toml"
    if possible:
        assert load(SEARCH, file=file).name == name
    else:
        assert "is not allowed: use lower-case letters" in _problems(SEARCH, file=file)[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("\ufeff" + SEARCH, "byte order mark"),
        ("a = ", "is not TOML"),
        ("a = 1\na = 2", "is not TOML"),
        ("a = " + "[" * 100_000, "nested too deeply"),
        ("a = " + "1" * 5_000, "is not TOML"),
        ("base_model = 0x" + "f" * 5_000, "a number of 20000 bits"),
        (".".join("a" * 5_000) + " = 1", "a: unknown key"),
        (f'"{"k" * 5_000}" = 1', "kkk…"),
        ('"a\\nb" = 1', '"a\\nb": unknown key'),
    ],
)
def test_hostile_files_are_refused_in_a_short_sentence(text: str, problem: str) -> None:
    problems = _problems(text)

    assert any(problem in each for each in problems), problems
    assert all(len(each) < 1_000 for each in problems)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("dogs.yaml", "customizations/dogs.yaml: only files that end in .toml are read"),
        ("dogs.toml.txt", "customizations/dogs.toml.txt: only files that end in .toml are read"),
        ("DOGS.TOML", "customizations/DOGS.TOML: only files that end in .toml are read"),
        ("team/dogs.toml", "customizations/team/: subfolders are not read: move its files up"),
    ],
)
def test_what_would_be_ignored_silently_is_refused(tmp_path: Path, name: str, said: str) -> None:
    folder = tmp_path / "customizations"
    (folder / name).parent.mkdir(parents=True)
    (folder / "pets.toml").write_text(SEARCH)
    (folder / name).write_text(SEARCH)

    with pytest.raises(CustomizationError) as caught:
        load_all(folder)

    (problem,) = caught.value.problems
    assert problem.startswith(said)


def test_notes_beside_customizations_are_left_alone(tmp_path: Path) -> None:
    for name in ("README.md", "pets.toml.bak", ".pets.toml.swp"):
        (tmp_path / name).write_text("not a customization")
    (tmp_path / "pets.toml").write_text(SEARCH)

    assert list(load_all(tmp_path)) == ["pets"]


def test_a_byte_order_mark_and_a_wrong_name_hide_nothing_of_what_the_file_says() -> None:
    problems = _problems("\ufeff" + SEARCH + "x = 1", file="customizations/Pets.toml")

    assert [each for each in problems if "byte order mark" in each]
    assert [each for each in problems if 'the name "Pets" is not allowed' in each]
    assert [each for each in problems if "x: unknown key" in each]
    assert len(problems) == 3


def test_a_folder_without_customizations_is_a_mistake(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(CustomizationError, match="no customization found"):
            load_all(folder)


def test_a_misspelled_hyperparameter_is_not_missing_beside_that() -> None:
    (problem,) = _problems(STYLE.replace("stepCount", "step_count"))

    assert "did you mean stepCount?" in problem


def test_a_value_in_a_warning_band_is_accepted_with_a_warning() -> None:
    calm = _load(TEXT + "[hyperparameters]\nlearningRateWarmupSteps = 20")
    warned = _load(TEXT + "[hyperparameters]\nlearningRateWarmupSteps = 21")

    assert calm.warnings == ()
    assert warned.hyperparameters["learningRateWarmupSteps"] == "21"
    assert "21 is above 20, the maximum according to NOVA-UG" in warned.warnings[0]


def test_a_choice_that_only_one_source_allows_is_accepted_with_a_warning() -> None:
    graded = (
        'description = "x"\nbase_model = "nova-2-lite"\n'
        'customization_type = "REINFORCEMENT_FINE_TUNING"\n'
        'grader = "arn:aws:lambda:us-east-1:111122223333:function:grader"\n'
        '[hyperparameters]\nreasoningEffort = "{}"'
    )
    assert _load(graded.format("low")).warnings == ()
    (warning,) = _load(graded.format("medium")).warnings
    assert "medium is not among the choices of NOVA2-UG; elsewhere it is" in warning


def test_allowing_a_model_that_is_open_is_pointed_out() -> None:
    assert "is not needed" in _load(SEARCH + "allow_closed_model = true").warnings[0]


_KNOWN = [
    "description", "base_model", "customization_type", "allow_closed_model",
    "hyperparameters", "dataset", "rules", "serving", "budget", "tags", "mode",
    "model_units", "lease_hours", "commitment", "severity", "reason", "epochCount",
    "batchSize", "validation", "approval", "max_run_usd", "caption-too-long",
    "titan-multimodal-embeddings-g1", "nova-micro", "auto", "provisioned", "on-demand",
    "none", "OneMonth", "delete", "never", "aws:x", "FINE_TUNING", "warning",
]  # fmt: skip
_WORDS = st.sampled_from(_KNOWN)
_SCALARS = st.one_of(
    _WORDS.map(lambda word: f'"{word}"'),
    st.integers().map(str),
    st.integers(min_value=2**60).map(hex),
    st.floats().map(repr),
    st.sampled_from(["true", "false", "2026-11-21", "07:30:00", "[]", "{}", '""', "[[], [1]]"]),
)
_PAIRS = st.tuples(_WORDS, _SCALARS).map(lambda pair: f'"{pair[0]}" = {pair[1]}')
_INLINE = st.lists(_PAIRS, max_size=3).map(lambda pairs: "{ " + ", ".join(pairs) + " }")
_LINES = st.one_of(
    _PAIRS,
    st.tuples(_WORDS, _INLINE).map(lambda pair: f'"{pair[0]}" = {pair[1]}'),
    _WORDS.map(lambda word: f'["{word}"]'),
)


@given(st.one_of(st.text(), st.lists(_LINES, max_size=12).map("\n".join)))
def test_no_text_raises_anything_but_customization_errors(text: str) -> None:
    for each in (text, SEARCH + text, STYLE + text):
        found, problems = _outcome(each)
        assert found is None or all(isinstance(value, str) for value in found.values())
        assert all(problem.startswith(FILE) for problem in problems)


def _outcome(text: str) -> tuple[Mapping[str, str] | None, tuple[str, ...]]:
    try:
        return _load(text).hyperparameters, ()
    except CustomizationError as error:
        return None, error.problems or ("no problem is named",)


@given(st.binary(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_raise_anything_but_customization_errors(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "pets.toml").write_bytes(data)

    with pytest.raises(CustomizationError):
        load_all(tmp_path)
