"""Failure messages of Bedrock become cause, place and fix; unknown ones are not guessed at."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedrock_tuning.run.failure_advice import explain


@pytest.mark.parametrize(
    ("message", "cause", "fix"),
    [
        (
            "Could not validate GetObject permissions to access Amazon S3 bucket: "
            "training-data-bucket at key train.jsonl",
            "may not read the dataset",
            "s3:GetObject and s3:ListBucket",
        ),
        (
            "Amazon S3 perms missing (PutObject): Could not validate PutObject permissions to "
            "access S3 bucket: out at key output/.write_access_check_file.tmp",
            "may not write",
            ".write_access_check_file.tmp",
        ),
        (
            "Unable to parse Amazon S3 file: train.jsonl. Data files must conform to JSONL format.",
            "not JSON Lines",
            "tuning validate",
        ),
        (
            "Input size exceeded in file train.jsonl for record starting with Ron the dog",
            "more characters",
            "shorten it",
        ),
        ("Maximum input token count 4097 exceeds limit of 4096", "more tokens", "shorten it"),
        (
            "Max sum of input and output token length 4097 exceeds total limit of 4096",
            "more tokens",
            "shorten it",
        ),
        (
            "Automated tests flagged this fine-tuning job as including materials that are "
            "potentially inconsistent with Anthropic's third-party license terms.",
            "provider's terms",
            "AWS Support",
        ),
        (
            "Encountered an unexpected error when processing the request, please try again",
            "Bedrock itself failed",
            "start the run again",
        ),
        (
            "User is not authorized to perform iam:PassRole on resource: arn:aws:iam::1:role/x",
            "the caller may not do iam:PassRole on arn:aws:iam::1:role/x",
            "compare the role",
        ),
        (
            "The provided role does not have permissions to invoke the Lambda function reward",
            "may not call the grader",
            "customization file",
        ),
        ("Image file s3://b/c.jpg could not be downloaded", "cannot be read", "upload what"),
        ("Failed to find 'caption' key in line 3", "wrong format", "tuning validate"),
        ("The bucket is in a different region than the job", "different Region", "job's Region"),
        ("Number of training records is below the minimum of 1000", "too few", "docs/models.md"),
        (
            "Validation dataset is not supported for this model",
            "accepts no validation",
            "forbidden",
        ),
        ("A validation dataset is required", "needs a validation dataset", "upload one"),
        ("Invalid hyperparameter: batchSize", "refuses a hyperparameter", "docs/models.md"),
        (
            # Word for word what Bedrock answers, with the class ResourceNotFoundException.
            "This model version has reached the end of its life. Please refer to the AWS "
            "documentation for more details.",
            "no new jobs",
            "docs/models.md",
        ),
    ],
)
def test_a_known_message_has_a_cause_and_a_fix(message: str, cause: str, fix: str) -> None:
    found = explain(message)

    assert found.known
    assert cause in found.cause
    assert fix in found.fix
    assert found.message == message


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("AccessDeniedException", "may not pass the service role"),
        ("ConflictException", "already exists"),
        ("InternalServerException", "Bedrock itself failed"),
        ("ResourceNotFoundException", "does not exist in this Region"),
        ("ServiceQuotaExceededException", "default quota of 0"),
        ("ThrottlingException", "too many requests"),
        ("TooManyTagsException", "more tags"),
        ("ValidationException", "refuses the request"),
        ("Bedrock.ThrottlingException", "too many requests"),
    ],
)
def test_every_error_class_of_the_api_is_explained(code: str, cause: str) -> None:
    assert cause in explain("Something.", code=code).cause


def test_the_message_says_more_than_the_error_class() -> None:
    found = explain("Invalid hyperparameter: batchSize", code="ValidationException")

    assert "hyperparameter" in found.cause


ENDED = (
    "An error occurred (ResourceNotFoundException) when calling the "
    "CreateModelCustomizationJob operation: This model version has reached the end of its life. "
    "Please refer to the AWS documentation for more details."
)


@pytest.mark.parametrize(
    "model",
    [
        "titan-image-generator-v2",
        "amazon.titan-image-generator-v2:0",
        "arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-image-generator-v2:0",
    ],
)
def test_the_end_of_a_models_life_is_told_with_the_date_of_the_catalogue(model: str) -> None:
    found = explain(ENDED, code="Bedrock.ResourceNotFoundException", model=model)

    assert "Titan Image Generator G1 v2 is past end of life since 2026-06-30" in found.cause
    assert "docs/models.md" in found.fix


def test_the_model_is_known_when_only_the_message_names_it() -> None:
    found = explain(f"{ENDED} (cohere.command-text-v14)")

    assert "since 2025-08-12" in found.cause


@pytest.mark.parametrize("model", ["", "nova-micro", "a-model-of-tomorrow"])
def test_no_date_is_made_up_for_a_model_whose_end_is_not_known(model: str) -> None:
    found = explain(ENDED, model=model)

    assert found.cause == "the base model accepts no new jobs and no new Provisioned Throughput"


REFUSED = (
    "User: arn:aws:sts::000000000000:assumed-role/a-role/a-function is not authorized to perform: "
    "{} on resource: {} because no identity-based policy allows the {} action"
)


def test_a_refusal_is_told_with_role_action_and_resource() -> None:
    words = REFUSED.format("dynamodb:PutItem", "arn:aws:dynamodb:::table/runs", "dynamodb:PutItem")

    found = explain(words, code="ClientError")

    assert found.known
    assert found.cause == (
        "the role a-role may not do dynamodb:PutItem on arn:aws:dynamodb:::table/runs: no "
        "identity-based policy allows it"
    )
    assert "cdk drift" in found.fix


def test_a_refused_function_is_not_taken_for_the_service_role_because_of_the_key() -> None:
    found = explain(REFUSED.format("kms:Decrypt", "arn:aws:kms:::key/1", "kms:Decrypt"))

    assert "service role" not in found.cause
    assert "the role a-role may not do kms:Decrypt" in found.cause


def test_what_bedrock_says_about_its_service_role_is_kept_beside_the_refusal() -> None:
    words = REFUSED.format("s3:GetObject", "arn:aws:s3:::b/k", "s3:GetObject")

    found = explain(f"Could not validate GetObject permissions to access Amazon S3 ({words})")

    assert found.cause.startswith("the service role may not read the dataset: the role a-role")


@pytest.mark.parametrize("code", ["ClientError", "", "SomeError"])
def test_the_error_class_is_also_read_from_the_message(code: str) -> None:
    words = "An error occurred (AccessDenied) when calling the GetObject operation: Access Denied"

    assert "the caller may not do this" in explain(words, code=code).cause


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("Unable to parse file train.jsonl at line 17", 17),
        ("Malformed record in row #3", 3),
        ("malformed JSON, Line number: 500000", 500_000),
        ("the deadline 5 has passed", None),
        ("Maximum input token count 4097 exceeds limit of 4096", None),
    ],
)
def test_the_row_is_found_only_when_it_is_named(message: str, line: int | None) -> None:
    assert explain(message).line == line


def test_the_record_and_the_place_are_quoted_from_the_message() -> None:
    size = explain("Input size exceeded in file `a/train.jsonl` for record starting with: Ron the")
    read = explain(
        "Could not validate GetObject permissions to access Amazon S3 bucket: `my-data` "
        "at key `pets/manifest.jsonl`"
    )

    assert size.record == "Ron the"
    assert size.where == "a/train.jsonl"
    assert read.where == "s3://my-data/pets/manifest.jsonl"
    assert explain("Rate exceeded").where == ""


def test_an_unknown_message_is_passed_through_without_a_guess() -> None:
    found = explain("Flux capacitor misaligned")

    assert not found.known
    assert found.cause == "this message is not known here: Flux capacitor misaligned"
    assert "message is unknown" in found.fix


def test_no_message_at_all_is_said_to_be_none() -> None:
    assert explain("  ").cause == "Bedrock gives no reason"


@given(st.text(), st.text(max_size=40))
def test_no_message_is_lost_or_breaks_the_explanation(message: str, code: str) -> None:
    found = explain(message, code=code)

    assert found.message == message
    assert found.cause
    assert found.fix


@pytest.mark.parametrize("part", ["a", " ", "token exceeds ", "bucket: ", "image ", "line 1 "])
def test_a_huge_message_is_explained_at_once(part: str) -> None:
    assert explain(part * 200_000).message
