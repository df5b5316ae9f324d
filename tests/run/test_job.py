"""A run's identity, the names Bedrock sees, and the request, against botocore's own model."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import botocore.loaders
import pytest
from botocore.model import ListShape, ServiceModel, Shape, StructureShape
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from bedrock_tuning.catalogue import catalogue
from bedrock_tuning.config.customization import CustomizationSettings, JobChoices, load, load_all
from bedrock_tuning.config.names import CUSTOMIZATION_LENGTH_MAX, NAME
from bedrock_tuning.errors import RequestError
from bedrock_tuning.run import job
from bedrock_tuning.s3_layout import Buckets
from tests.support.constraints import refusals

SHIPPED = load_all(Path(__file__).parents[2] / "customizations")
SEARCH = SHIPPED["pets-search"]
BUCKETS = Buckets(training="a-training", validation="a-validation", output="an-output")
RUN = "20261121-093000-3f9a1c"

NAMES = st.from_regex(NAME, fullmatch=True).filter(
    lambda name: len(name) <= CUSTOMIZATION_LENGTH_MAX
)
ENVIRONMENTS = st.from_regex(re.compile(r"[a-z0-9]{2,8}"), fullmatch=True)
TIMES = st.datetimes(min_value=datetime(2000, 1, 1)).map(
    lambda when: f"{when:%Y-%m-%dT%H:%M:%S}.123Z"
)
VERSIONS = st.text(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._", min_size=1, max_size=64
)
DIGESTS = st.from_regex(r"[0-9a-f]{1,40}:[0-9a-f]{1,40}", fullmatch=True)


@cache
def _bedrock() -> ServiceModel:
    loader = botocore.loaders.Loader()
    return ServiceModel(loader.load_service_model("bedrock", "service-2"), "bedrock")


def _input(operation: str = "CreateModelCustomizationJob") -> StructureShape:
    shape = _bedrock().operation_model(operation).input_shape
    assert isinstance(shape, StructureShape)
    return shape


def _plan(customization: CustomizationSettings = SEARCH, **changes: Any) -> job.JobPlan:
    plan = job.JobPlan(
        environment="dev",
        customization=customization,
        run=RUN,
        run_key="0123456789abcdef" * 3,
        attempt=1,
        role_arn="arn:aws:iam::000000000000:role/a-role",
        buckets=BUCKETS,
        with_validation=True,
    )
    return replace(plan, **changes)


@given(environment=ENVIRONMENTS, name=NAMES, started=TIMES, version=VERSIONS)
def test_every_name_is_one_that_bedrock_takes(
    environment: str, name: str, started: str, version: str
) -> None:
    plan = _plan(
        replace(SEARCH, name=name),
        environment=environment,
        run=job.run_id(started, version),
        run_key=job.run_key(SEARCH, {"training": f"{version}:1"}),
        attempt=12,
    )
    shapes = {
        member: shape
        for operation in ("CreateModelCustomizationJob", "CreateProvisionedModelThroughput")
        for member, shape in _input(operation).members.items()
    }
    names = {
        "jobName": plan.name,
        "customModelName": plan.name,
        # An endpoint's name: environment, customization, eight hexadecimal digits.
        "provisionedModelName": f"{environment}-{name}-{plan.run_key[:8]}",
        "clientRequestToken": plan.token,
    }

    for field, value in names.items():
        assert job.problem(field, value) is None
        assert list(refusals(value, shapes[field], field)) == []


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("with_validation", [True, False])
def test_the_request_of_each_shipped_customization_is_what_bedrock_takes(
    name: str, with_validation: bool
) -> None:
    request = _plan(SHIPPED[name], with_validation=with_validation).request()

    report = ParamValidator().validate(request, _input())
    assert not report.has_errors(), report.generate_report()
    assert list(refusals(request, _input(), "request")) == []


@given(environment=ENVIRONMENTS, name=NAMES)
def test_the_request_of_any_customization_is_what_bedrock_takes(
    environment: str, name: str
) -> None:
    request = _plan(replace(SEARCH, name=name), environment=environment).request()

    report = ParamValidator().validate(request, _input())
    assert not report.has_errors(), report.generate_report()
    assert list(refusals(request, _input(), "request")) == []


@pytest.mark.parametrize(
    ("job_name", "model_name"),
    [("a" * 40, "b" * 40), ("Ron+Smila.2-", "Ron_and-Smila"), ("0", "0")],
)
def test_chosen_names_begin_the_names_of_each_run(job_name: str, model_name: str) -> None:
    chosen = JobChoices(job_name=job_name, model_name=model_name, output_folder="marketing/ron")
    request = _plan(replace(SEARCH, job=chosen)).request()

    assert request["jobName"] == f"{job_name}-{RUN}"
    assert request["customModelName"] == f"{model_name}-{RUN}"
    assert job.run_of(request["jobName"]) == job.run_of(request["customModelName"]) == RUN
    assert request["outputDataConfig"]["s3Uri"].endswith("/jobs/marketing/ron/")
    assert list(refusals(request, _input(), "request")) == []


def test_chosen_names_are_no_part_of_the_work() -> None:
    """A new name trains nothing again that is trained already."""
    named = replace(SEARCH, job=JobChoices(job_name="ron", model_name="ron"))
    digests = {"training": "a:b"}
    assert job.run_key(named, digests) == job.run_key(SEARCH, digests)


MODELS = "arn:aws:bedrock:us-east-1:000000000000:custom-model"
HEAD = 'description = "x"\nbase_model = '
OTHERS = {
    "distillation": f"""{HEAD}"nova-micro"
customization_type = "DISTILLATION"
teacher = "us.amazon.nova-premier-v1:0"
teacher_tokens = 500""",
    "reinforcement": f'''{HEAD}"nova-2-lite"
customization_type = "REINFORCEMENT_FINE_TUNING"
grader = "arn:aws:lambda:us-east-1:000000000000:function:reward"
[hyperparameters]
batchSize = 64
learningRate = 1e-6
reasoningEffort = "low"''',
    "another round": f'''{HEAD}"nova-micro"
custom_model = "{MODELS}/amazon.nova-micro-v1:0:128k/abcdefghijkl"''',
}


@pytest.mark.parametrize("kind", OTHERS)
def test_jobs_of_every_type_are_what_bedrock_takes(kind: str) -> None:
    request = _plan(load(OTHERS[kind], file="customizations/x.toml")).request()

    report = ParamValidator().validate(request, _input())
    assert not report.has_errors(), report.generate_report()
    assert list(refusals(request, _input(), "request")) == []


def test_a_job_says_who_grades_who_teaches_and_on_what_it_builds() -> None:
    taught, graded, again = (
        _plan(load(text, file="customizations/x.toml")).request() for text in OTHERS.values()
    )

    assert taught["customizationConfig"] == {
        "distillationConfig": {
            "teacherModelConfig": {
                "teacherModelIdentifier": "us.amazon.nova-premier-v1:0",
                "maxResponseLengthForInference": 500,
            }
        }
    }
    arn = "arn:aws:lambda:us-east-1:000000000000:function:reward"
    assert graded["customizationConfig"]["rftConfig"] == {
        "graderConfig": {"lambdaGrader": {"lambdaArn": arn}},
        "hyperParameters": {"batchSize": 64, "learningRate": 1e-6, "reasoningEffort": "low"},
    }
    # They are fields of the API, so Step Functions writes them like its others.
    pascal = job.pascal_case(graded)
    assert pascal["CustomizationConfig"]["RftConfig"]["HyperParameters"]["BatchSize"] == 64
    assert (graded["hyperParameters"], taught["hyperParameters"]) == ({}, {})
    assert again["baseModelIdentifier"].endswith("/abcdefghijkl")
    assert "customizationConfig" not in again


def test_a_grader_or_a_model_of_another_account_is_refused() -> None:
    for kind in ("reinforcement", "another round"):
        text = OTHERS[kind].replace("000000000000", "444455556666")
        with pytest.raises(RequestError, match="is in another account than this one, 0000"):
            _plan(load(text, file="customizations/x.toml")).request()


def test_another_teacher_grader_or_model_is_other_work() -> None:
    base = load(OTHERS["distillation"], file="customizations/x.toml")
    changes = ({"teacher": "amazon.nova-pro-v1:0"}, {"teacher_tokens": 1}, {"custom_model": "x"})
    variants = [base, *(replace(base, **change) for change in changes)]
    assert len({job.run_key(each, {"training": "a:b"}) for each in variants}) == len(variants)


def test_the_request_says_where_the_data_lies_and_where_the_metrics_go() -> None:
    request = _plan().request()

    checked = f"_checked/pets-search/{RUN}"
    assert request["trainingDataConfig"] == {"s3Uri": f"s3://a-training/{checked}/training.jsonl"}
    assert request["validationDataConfig"] == {
        "validators": [{"s3Uri": f"s3://a-validation/{checked}/validation.jsonl"}]
    }
    assert request["outputDataConfig"] == {"s3Uri": "s3://an-output/jobs/pets-search/"}
    assert request["baseModelIdentifier"] == "amazon.titan-embed-image-v1:0"
    assert request["customizationType"] == "FINE_TUNING"
    assert request["hyperParameters"] == {
        "epochCount": "Auto",
        "batchSize": "576",
        "learningRate": "0.00005",
    }


def test_without_a_validation_dataset_the_request_has_no_validation_config() -> None:
    assert "validationDataConfig" not in _plan(with_validation=False).request()


def test_job_and_model_are_tagged_with_what_they_belong_to_and_a_team_cannot_say_otherwise() -> (
    None
):
    tags = {"team": "pets", "bedrock-tuning:environment": "someone-elses"}
    request = _plan(replace(SEARCH, tags=tags)).request()

    expected = {
        "team": "pets",
        "bedrock-tuning:environment": "dev",
        "bedrock-tuning:customization": "pets-search",
        "bedrock-tuning:run": RUN,
    }
    for field in ("jobTags", "customModelTags"):
        assert {tag["key"]: tag["value"] for tag in request[field]} == expected


def test_a_request_that_bedrock_would_refuse_is_refused_here_with_all_its_faults() -> None:
    plan = _plan(
        replace(SEARCH, tags={"team": "pets & cats"}),
        environment="my_env",
        role_arn="arn:aws:iam::12:role/a-role",
        buckets=replace(BUCKETS, training="A_Training", output="An_Output"),
        with_validation=False,
    )

    with pytest.raises(RequestError) as caught:
        plan.request()

    assert [problem.partition(":")[0] for problem in caught.value.problems] == [
        "jobName",
        "roleArn",
        "s3Uri",
        "s3Uri",
        "tagValue",
    ]


def test_the_request_in_step_functions_spelling_has_exactly_botocores_members() -> None:
    """Step Functions' names are the API's members with a capital letter, at every depth."""
    request = _plan().request()

    def back(value: Any, shape: Shape) -> Any:
        if isinstance(shape, StructureShape):
            members = {name[0].upper() + name[1:]: name for name in shape.members}
            assert set(value) <= set(members), f"{set(value) - set(members)} of {shape.name}"
            return {
                members[name]: back(item, shape.members[members[name]])
                for name, item in value.items()
            }
        if isinstance(shape, ListShape):
            return [back(item, shape.member) for item in value]
        return value

    assert back(job.pascal_case(request), _input()) == request


def test_hyperparameters_keep_their_own_names_in_step_functions_spelling() -> None:
    pascal = job.pascal_case(_plan().request())

    assert set(pascal["HyperParameters"]) == {"epochCount", "batchSize", "learningRate"}
    assert pascal["ValidationDataConfig"]["Validators"][0]["S3Uri"].startswith("s3://")
    assert pascal["JobTags"][0].keys() == {"Key", "Value"}


FINGERPRINTS = {"training": "aa:1", "validation": "bb:2"}


@pytest.mark.parametrize(
    "change",
    [
        {"name": "pets-find"},
        {"base_model": catalogue()["nova-micro"]},
        {"customization_type": "CONTINUED_PRE_TRAINING"},
        {"hyperparameters": {**SEARCH.hyperparameters, "batchSize": "577"}},
        {"hyperparameters": {"epochCount": "Auto"}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_other_settings_are_other_work(change: Mapping[str, Any]) -> None:
    assert job.run_key(replace(SEARCH, **change), FINGERPRINTS) != job.run_key(SEARCH, FINGERPRINTS)


@pytest.mark.parametrize(
    "fingerprints",
    [
        {"training": "aa:2", "validation": "bb:2"},
        {"training": "aa:1", "validation": "bb:3"},
        {"training": "aa:1"},
        {"training": "bb:2", "validation": "aa:1"},
    ],
)
def test_other_data_is_other_work(fingerprints: Mapping[str, str]) -> None:
    assert job.run_key(SEARCH, fingerprints) != job.run_key(SEARCH, FINGERPRINTS)


@pytest.mark.parametrize(
    "same",
    [
        {"description": "Find pets"},
        {"file": "elsewhere/pets-search.toml"},
        {"serving": replace(SEARCH.serving, model_units=2, lease_hours=1)},
        {"budget": replace(SEARCH.budget, approval="never")},
        {"tags": {"team": "cats"}},
        {"allow_closed_model": True},
        {"warnings": ("careful",)},
        {"validation": "optional"},
        {"hyperparameters": dict(reversed(SEARCH.hyperparameters.items()))},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_does_not_change_the_model_is_the_same_work(same: Mapping[str, Any]) -> None:
    backwards = dict(reversed(FINGERPRINTS.items()))

    assert job.run_key(replace(SEARCH, **same), backwards) == job.run_key(SEARCH, FINGERPRINTS)


PARTS = st.dictionaries(st.sampled_from(["training", "validation", "a", "b"]), DIGESTS, max_size=2)


@given(ours=st.tuples(PARTS, PARTS), theirs=st.tuples(PARTS, PARTS))
def test_run_keys_are_equal_only_for_equal_work(
    ours: tuple[dict[str, str], dict[str, str]], theirs: tuple[dict[str, str], dict[str, str]]
) -> None:
    keys = [
        job.run_key(replace(SEARCH, hyperparameters=parameters), fingerprints)
        for parameters, fingerprints in (ours, theirs)
    ]

    assert (keys[0] == keys[1]) is (ours == theirs)


@pytest.mark.parametrize("digest", ["", "aa", "aa:", ":1", ":1:2"])
def test_data_without_a_whole_fingerprint_never_becomes_work(digest: str) -> None:
    """It would look like other data without one, and be taken for trained already."""
    with pytest.raises(ValueError, match="the validation dataset has no whole fingerprint"):
        job.run_key(SEARCH, {"training": "aa:1", "validation": digest})


def test_a_setting_is_never_taken_for_data() -> None:
    as_setting = replace(SEARCH, hyperparameters={"training": "aa:1"})
    as_data = replace(SEARCH, hyperparameters={})

    assert job.run_key(as_setting, {}) != job.run_key(as_data, {"training": "aa:1"})


@given(one=st.tuples(NAMES, VERSIONS), other=st.tuples(NAMES, VERSIONS))
def test_claim_keys_are_equal_only_for_equal_uploads(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    keys = [job.claim_key(name, training=training) for name, training in (one, other)]

    assert (keys[0] == keys[1]) is (one == other)
    assert all(re.fullmatch("[0-9a-f]{48}", key) for key in keys)


def test_keys_are_those_of_earlier_versions() -> None:
    """Another key for the same work would train and pay for it again after an update."""
    parts = ["claim", "pets-search", "v1"]
    text = "".join(f"{len(part)}:{part}" for part in parts)
    assert (
        job.claim_key("pets-search", training="v1")
        == hashlib.sha256(text.encode()).hexdigest()[:48]
    )
    parts = [
        "run",
        "pets-search",
        "amazon.titan-embed-image-v1:0",
        "FINE_TUNING",
        *(f"set {name}={value}" for name, value in sorted(SEARCH.hyperparameters.items())),
        "data training=aa:1",
        "data validation=bb:2",
    ]
    text = "".join(f"{len(part)}:{part}" for part in parts)
    fingerprints = {"validation": "bb:2", "training": "aa:1"}
    assert job.run_key(SEARCH, fingerprints) == hashlib.sha256(text.encode()).hexdigest()[:48]


def test_a_name_never_runs_into_a_version() -> None:
    assert job.claim_key("pets", training="1x") != job.claim_key("pets1", training="x")


def test_a_repeated_attempt_is_another_request_to_bedrock() -> None:
    assert _plan(attempt=1).token != _plan(attempt=2).token
    assert _plan(run=RUN).token == _plan(run="20261122-000000-ffffff").token


@pytest.mark.parametrize(
    "started",
    ["2026-11-21T09:30:00.123Z", "2026-11-21T09:30:00Z", "2026-11-21T09:30:00.123456+00:00"],
)
def test_a_run_is_called_by_the_start_of_its_execution(started: str) -> None:
    assert job.run_id(started, "an-execution").startswith("20261121-093000-")


def test_two_executions_of_one_second_are_two_runs() -> None:
    started = "2026-11-21T09:30:00.123Z"
    assert job.run_id(started, "one") != job.run_id(started, "another")
    assert job.run_id(started, "one") == job.run_id(started, "one"), "a retry is the same run"


@given(earlier=st.datetimes(), later=st.datetimes(), claim=st.text("0123456789abcdef", min_size=6))
def test_runs_sort_by_time(earlier: Any, later: Any, claim: str) -> None:
    runs = [job.run_id(f"{when.isoformat()}Z", claim) for when in (earlier, later)]

    assert all(len(run) == 22 for run in runs)
    first, second = (
        when.replace(microsecond=when.microsecond // 1000 * 1000) for when in (earlier, later)
    )
    assert (runs[0] < runs[1]) is (first < second)


@pytest.mark.parametrize(("first", "second"), [(0, 1), (35, 36), (99, 100), (9, 10), (998, 999)])
def test_two_uploads_of_one_second_sort_as_they_came(first: int, second: int) -> None:
    """By chance the hash of the later one's execution may be the smaller one."""
    for name in ("a", "b", "c", "d", "e", "f", "g", "h"):
        times = [f"2026-11-21T09:30:00.{each:03d}Z" for each in (first, second)]
        assert job.run_id(times[0], name) < job.run_id(times[1], f"{name} again")


@pytest.mark.parametrize("started", ["", "yesterday", "2026-11-21"])
def test_a_run_needs_a_time(started: str) -> None:
    with pytest.raises(ValueError, match="not an ISO 8601 time"):
        job.run_id(started, "3f9a1c")
