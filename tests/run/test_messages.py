"""Messages of the service, of AWS's validators and pages, and of people's reports are explained."""

import pytest

from bedrock_tuning.rules import BY_NAME
from bedrock_tuning.run.failure_advice import explain

# What is wrong, a word of the fix, and messages that say so, each in words of its own.
MEANINGS: list[tuple[str, str, tuple[str, ...]]] = [
    (
        "wrong format",
        "tuning validate",
        (
            'Input data at a/train.jsonl must follow \'{"prompt": "<input text>", "completion": '
            '"<output text>"}\' format',
            "Malformed input request: required key [prompt] not found, please reformat your input",
            "Data files must have keys input and output",
            "Unexpected dataset format",
            "Field required: messages",
            "Extra inputs are not permitted",
            "Invalid reference_answer, must be a string or dictionary",
            "Invalid content, at least one of ['text', 'image', 'video'] must be provided",
            "Invalid messages, last message must be a candidates message",
        ),
    ),
    (
        "cannot assume the service role",
        "trust policy",
        (
            "Could not assume provided IAM role.",
            "Unable to assume the provided role",
            "The role arn:aws:iam::111122223333:role/x cannot be assumed by the service",
        ),
    ),
    (
        "no access to this model",
        "Region",
        (
            "You don't have access to the model with the specified model ID.",
            "You don\u2019t have access to the model with the specified model ID.",
            "Your account is not authorized to invoke this API operation.",
            "Your account is not authorized to access this model",
        ),
    ),
    (
        "the model's id is wrong",
        "tuning models",
        (
            "The provided model identifier is invalid.",
            "Could not resolve the foundation model from the provided model identifier.",
            "The requested model is not supported in this region",
        ),
    ),
    (
        "cannot be invoked by its id",
        "endpoint's ARN",
        (
            "Invocation of model ID amazon.nova-micro-v1:0 with on-demand throughput isn't "
            "supported. Retry your request with the ID or ARN of an inference profile",
            "On-demand throughput is not supported for this model",
        ),
    ),
    (
        "the assistant's turn",
        "user's turn",
        (
            "Invalid content, image/video cannot be included when role is 'assistant'",
            "Invalid content, image/video/document/toolResult cannot be included when role is "
            "'assistant'",
            "A message with the role 'assistant' should not contain any images.",
        ),
    ),
    (
        "a job slot is awaited",
        "starts by itself",
        (
            "An error occurred (ServiceQuotaExceededException) when calling the "
            "CreateModelCustomizationJob operation: you have reached the limit of concurrent "
            "customization jobs",
            "You have exceeded the maximum number of concurrent model customization jobs",
            "Account limit for training jobs reached",
        ),
    ),
    (
        "what it is used for",
        "use case form",
        ("Model use case details have not been submitted for this account",),
    ),
    (
        "still served by this model",
        "tuning lease",
        (
            "The custom model is associated with a provisioned throughput",
            "Model cannot be deleted because it has an active deployment",
        ),
    ),
    ("the name is taken", "another name", ("The provided job name is currently in use",)),
    (
        "too many requests",
        "few minutes",
        ("Too many tokens, please wait before trying again.", "Rate exceeded"),
    ),
    (
        "reserves",
        "remove the word",
        ("Invalid text content, following tokens are invalid: `User:`. Please check",),
    ),
    (
        "wrong order",
        "take turns",
        (
            "Invalid messages, expected user role but found assistant",
            "Invalid messages, last turn should have assistant role",
            "Messages must alternate between 'user' and 'assistant' roles, starting with 'user'.",
            "Invalid messages, system message must be first if present.",
            "Invalid messages, both ['user', 'assistant'] are needed in sample",
            "Invalid messages, must have at least one user message",
            "Invalid value for role, valid values are ['user', 'assistant']",
        ),
    ),
    (
        "does not take",
        "remove the block",
        (
            "Invalid content, image/video samples not supported by Nova Micro model",
            "Invalid content, reasoning samples are only supported by Nova 2.0 Lite.",
            "Invalid content, toolUse cannot be included when role is 'user'",
            "Invalid content, reasoningContent can only be included in assistant messages",
        ),
    ),
    (
        "do not fit together",
        "describe each tool once",
        (
            "Invalid toolUse, tool 'x' not found in toolConfig",
            "Invalid toolUse, duplicate toolUseId 't'",
            "Invalid toolUse, input must be a JSON object",
            "Invalid toolUse, toolUseId cannot be empty",
            "Invalid toolResult, toolUseId 't' not found in previous toolUse",
            "Invalid toolResult content, either text or json must be provided",
            "Invalid toolConfig, duplicate tool names found",
            "Invalid toolConfig, tools list cannot be empty",
            "Invalid toolSpec, description cannot be empty",
            "Invalid inputSchema, json must have a 'type' field",
            "Invalid tools, tools field is required and cannot be empty list",
            "Invalid tool type, must be 'function'",
            "Invalid parameters type, must be 'object'",
        ),
    ),
    (
        "too many images",
        "split the record",
        (
            "Invalid content, number of images 11 exceed maximum allowed limit of 10",
            "Only one video is allowed per sample",
            "'content' list cannot contain both video items and image items for a given sample",
        ),
    ),
    ("text of a record is empty", "write it", ("Invalid content, empty text content",)),
    (
        "too few or too many records",
        "docs/models.md",
        (
            "Number of samples 7 out of bounds between 8 and 20000 for lite",
            "The training dataset must contain at least 100 records",
            "Input data at train.jsonl should contain between 8 and 20000 records",
            "Training dataset must have between 1,000 and 500,000 training samples",
            "Number of valid training samples (5) is below the minimum of 8 for lite",
        ),
    ),
    (
        "accepts no validation",
        "forbidden",
        ("Nova 2.0 (lite-2.0) does not support a validation dataset",),
    ),
    (
        "S3 URI",
        "the object itself",
        (
            "Invalid training input data configuration. Check the input data S3 Uris (Uri should "
            "be a file, not a directory) and retry request",
            "The provided S3 URI is invalid",
        ),
    ),
    (
        "a field of the request",
        "names the field",
        (
            "1 validation error detected: Value 's3://..' at 'trainingDataConfig.s3Uri' failed to "
            "satisfy constraint: Member must satisfy regular expression pattern",
            "Parameter validation failed: Invalid length for parameter jobName",
            "Malformed input request: expected maxLength: 2048, actual: 3000",
        ),
    ),
    (
        "lacks a permission",
        "tuning review",
        ("Encountered an unexpected error when processing the request, AccessDenied.",),
    ),
    (
        "no new jobs",
        "open model",
        (
            "Access denied. This Model is marked by provider as Legacy and you have not been "
            "actively using the model in the last 15 days.",
        ),
    ),
    ("an image breaks", "--deep", ("Image exceeds max pixels allowed",)),
    ("credentials", "sign in", ("The security token included in the request is expired",)),
    (
        "type of customization",
        "tuning models",
        (
            "The model you specified does not support fine-tuning",
            "RFT task type is only supported on lite-2.0 model. Current model: pro.",
        ),
    ),
    (
        "more tokens",
        "shorten",
        ("Input is too long for requested model.", "A row has more than 32,000 tokens"),
    ),
    (
        "cannot be reached",
        "network",
        ('Could not connect to the endpoint URL: "https://bedrock.us-east-1.amazonaws.com/"',),
    ),
    ("the caller may not", "tuning review", ("AccessDenied",)),
    (
        "denies access to a bucket",
        "bucket policy",
        (
            "The IAM role does not have sufficient permissions to access the S3 bucket",
            "Access denied when trying to access S3 object s3://b/k",
            "Bucket policy denies access",
        ),
    ),
    (
        "empty, or larger",
        "docs/models.md",
        (
            "The training data file is empty",
            "Training file is too large. Maximum file size is 1 GB",
        ),
    ),
    ("stopped the job", "upload", ("Customization job stopped by user",)),
    ("teacher", "student's page", ("Teacher model x is not supported for student model y",)),
    (
        "does not allow this now",
        "its change has ended",
        ("The model is currently being updated", "The endpoint is in CREATING state"),
    ),
    ("a quota", "Service Quotas", ("You have reached the custom models per account limit",)),
    (
        "not JSON Lines",
        "tuning validate",
        (
            "Duplicate key found in JSON",
            "Failed to parse line 3: Expecting value",
            "Could not parse record 7",
            "File is not jsonl: train.csv",
        ),
    ),
    (
        "longer than the model accepts",
        "shorten it",
        ("Dataset validation failed: caption for record 17 exceeds maximum length",),
    ),
    (
        "owner of a bucket",
        "12 digits",
        ("Bucket owner mismatch: expected 111122223333", "Invalid bucketOwner in record 3"),
    ),
    ("provider's terms", "AWS Support", ("The dataset has content that violates our policies",)),
]


@pytest.mark.parametrize(
    ("message", "cause", "fix"),
    [(message, cause, fix) for cause, fix, messages in MEANINGS for message in messages],
)
def test_a_message_is_explained_by_what_it_says(message: str, cause: str, fix: str) -> None:
    found = explain(message)

    assert found.known
    assert cause in found.cause
    assert fix in found.fix


@pytest.mark.parametrize(
    "message",
    [
        "error: which model is the dataset for?\n  fix: add --model KEY",
        "CustomizationError: pets.toml: base_model is missing",
        "States.TaskFailed",
        "2026-11-25 Task timed out after 900.00 seconds",
    ],
)
def test_what_this_project_says_is_not_taken_for_bedrock(message: str) -> None:
    found = explain(message)

    assert found.known
    assert "not" in found.cause
    assert "Bedrock" in found.cause
    assert "AWS Support" not in found.fix


@pytest.mark.parametrize(
    "message",
    [
        "training line 3 [caption]: caption-too-long (R201): the caption has 2,800 characters",
        "caption-too-long",
        "R201",
    ],
)
def test_a_finding_of_the_check_leads_to_its_rule(message: str) -> None:
    rule = BY_NAME["caption-too-long"]

    found = explain(message)

    assert rule.summary in found.cause
    assert rule.fix in found.fix
    assert "tuning rules R201" in found.fix


@pytest.mark.parametrize("code", ["ValidationException", "Bedrock.ValidationException"])
def test_a_class_that_says_nothing_leaves_the_message_unknown_and_whole(code: str) -> None:
    found = explain("the moon was full", code=code)

    assert not found.known
    assert "the moon was full" in found.cause
    assert "refuses the request" in found.cause
