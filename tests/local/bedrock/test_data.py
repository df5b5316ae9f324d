"""A job fails when its service role is too narrow or its data is bad, and says which."""

import json
from typing import Any

import pytest

from bedrock_tuning.config.names import LOCAL_ACCOUNT
from local.emulator.layout import REGION
from tests.local.support import Pets, allow, picture, refused, role, set_policy

TROUBLE = "Could not validate GetObject permissions to access Amazon S3 bucket: "


def failure(pets: Pets, **changes: Any) -> str:
    """Why a job with these changes failed."""
    done = pets.finished(pets.start(**changes))
    assert done["status"] == "Failed", done
    message: str = done["failureMessage"]
    assert message.startswith("[Bedrock simulator] ")
    return message


def narrow_role(pets: Pets, statements: list[Any], **trust: Any) -> str:
    arn = role(pets.aws, "bedrock.amazonaws.com", **trust)
    set_policy(pets.aws, arn, statements)
    return arn


@pytest.mark.parametrize(
    ("missing", "sentence", "action"),
    [
        ("read", TROUBLE, "s3:GetObject"),
        ("list", TROUBLE, "s3:ListBucket"),
        ("write", "Amazon S3 perms missing (PutObject): ", "s3:PutObject"),
    ],
)
def test_a_role_that_lacks_one_right_fails_the_job(
    pets: Pets, missing: str, sentence: str, action: str
) -> None:
    statements = [rule for name, rule in pets.policy().items() if name != missing]
    message = failure(pets, roleArn=narrow_role(pets, statements))
    assert sentence in message
    assert f"not authorized to perform: {action}" in message


def test_a_role_that_may_read_the_manifest_but_not_the_images_fails_the_job(pets: Pets) -> None:
    policy = pets.policy()
    policy["read"] = allow("s3:GetObject", f"arn:aws:s3:::{pets.training}/pets/*.jsonl")
    message = failure(pets, roleArn=narrow_role(pets, list(policy.values())))
    assert f"{pets.training} at key pets/images/cat.png" in message
    assert "line 1 of pets/manifest.jsonl" in message


def test_a_role_that_may_list_another_folder_only_fails_the_job(pets: Pets) -> None:
    policy = pets.policy()
    policy["list"]["Condition"] = {"StringLike": {"s3:prefix": "cars/*"}}
    message = failure(pets, roleArn=narrow_role(pets, list(policy.values())))
    assert "s3:ListBucket" in message


def test_an_explicit_deny_wins(pets: Pets) -> None:
    statements = list(pets.policy().values())
    deny = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}
    message = failure(pets, roleArn=narrow_role(pets, [*statements, deny]))
    assert "explicit deny" in message


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:SourceAccount": "999999999999"}},
        {
            "ArnLike": {
                "aws:SourceArn": f"arn:aws:bedrock:{REGION}:{LOCAL_ACCOUNT}:evaluation-job/*"
            }
        },
        {"ArnEquals": {"aws:SourceArn": f"arn:aws:bedrock:eu-west-1:{LOCAL_ACCOUNT}:model-*/*"}},
    ],
)
def test_a_role_whose_trust_is_for_something_else_is_refused(pets: Pets, condition: Any) -> None:
    arn = narrow_role(pets, list(pets.policy().values()), condition=condition)
    with refused("ValidationException") as message:
        pets.start(roleArn=arn)
    assert "Could not assume provided IAM role." in message[0]


def test_a_role_of_another_service_is_refused(pets: Pets) -> None:
    with refused("ValidationException") as message:
        pets.start(roleArn=role(pets.aws, "lambda.amazonaws.com", list(pets.policy().values())))
    assert "trust policy" in message[0]


def encrypted(pets: Pets) -> tuple[str, str]:
    """The URI of a manifest that is encrypted with a key, and the key's ARN."""
    key = pets.aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    s3 = pets.aws.client("s3")
    body = s3.get_object(Bucket=pets.training, Key="pets/manifest.jsonl")["Body"].read()
    s3.put_object(
        Bucket=pets.training,
        Key="pets/encrypted.jsonl",
        Body=body,
        ServerSideEncryption="aws:kms",
        SSEKMSKeyId=key,
    )
    return f"s3://{pets.training}/pets/encrypted.jsonl", key


def test_a_role_without_the_key_fails_the_job(pets: Pets) -> None:
    uri, key = encrypted(pets)
    message = failure(pets, trainingDataConfig={"s3Uri": uri})
    assert "kms:Decrypt" in message
    assert key in message


def test_a_role_with_the_key_through_s3_trains(pets: Pets) -> None:
    uri, key = encrypted(pets)
    via = {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}
    statements = [*pets.policy().values(), allow("kms:Decrypt", key, Condition=via)]
    arn = narrow_role(pets, statements)
    done = pets.finished(pets.start(roleArn=arn, trainingDataConfig={"s3Uri": uri}))
    assert done["status"] == "Completed", done


def records(pets: Pets, count: int = 1000, **changes: Any) -> list[dict[str, Any]]:
    record = {"image-ref": f"s3://{pets.training}/pets/images/cat.png", "caption": "a cat"}
    return [dict(record) for _ in range(count - 1)] + [{**record, **changes}]


def manifest(pets: Pets, rows: list[dict[str, Any]]) -> dict[str, str]:
    lines = "".join(f"{json.dumps(row)}\n" for row in rows)
    return {"s3Uri": pets.manifest(lines.encode())}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"caption": None}, "must conform to JSONL format. (line 1000"),
        ({"caption": "x" * 2561}, "Input size exceeded in file pets/"),
        ({"image-ref": "images/cat.png"}, "line 1000: not an S3 URI"),
    ],
)
def test_a_bad_record_fails_the_job(pets: Pets, changes: dict[str, Any], sentence: str) -> None:
    data = manifest(pets, records(pets, **changes))
    assert sentence in failure(pets, trainingDataConfig=data)


def test_a_record_without_its_fields_fails_the_job(pets: Pets) -> None:
    data = manifest(pets, [*records(pets), {"prompt": "a", "completion": "b"}])
    message = failure(pets, trainingDataConfig=data)
    assert "line 1001 has no image-ref and no caption" in message


def test_a_conversation_that_breaks_its_contract_fails_the_job(pets: Pets) -> None:
    thought = {"reasoningContent": {"reasoningText": {"text": "hm"}}}
    turns = [
        {"role": "user", "content": [{"text": "hello"}]},
        {"role": "assistant", "content": [thought, {"text": "hi"}]},
    ]
    message = failure(
        pets,
        baseModelIdentifier="amazon.nova-lite-v1:0:300k",
        hyperParameters={"epochCount": "2"},
        validationDataConfig={"validators": []},
        trainingDataConfig=manifest(pets, [{"messages": turns}] * 8),
    )
    assert "line 1: Amazon Nova Lite does not accept reasoningContent" in message


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "below the minimum (0 records, Titan Multimodal Embeddings G1 needs at least 1000)"),
        (b"not json\n", "Data files must conform to JSONL format. (line 1"),
        (b"{}\n\n{}\n", "Data files must conform to JSONL format. (line 1 has no"),
        (b"[]\n", "line 1 is not a JSON object"),
    ],
)
def test_a_bad_manifest_fails_the_job(pets: Pets, body: bytes, sentence: str) -> None:
    assert sentence in failure(pets, trainingDataConfig={"s3Uri": pets.manifest(body)})


def test_too_few_records_fail_the_job(pets: Pets) -> None:
    message = failure(pets, trainingDataConfig=manifest(pets, records(pets, 999)))
    assert "999 records" in message


def test_a_manifest_that_is_not_there_fails_the_job(pets: Pets) -> None:
    uri = f"s3://{pets.training}/pets/nothing.jsonl"
    message = failure(pets, trainingDataConfig={"s3Uri": uri})
    assert "key does not exist" in message


def test_an_image_that_is_not_there_fails_the_job(pets: Pets) -> None:
    gone = f"s3://{pets.training}/pets/images/gone.png"
    data = manifest(pets, records(pets, **{"image-ref": gone}))
    message = failure(pets, trainingDataConfig=data)
    assert "at key pets/images/gone.png (line 1000 of" in message


@pytest.mark.parametrize("body", [b"<html></html>", b"", picture(kind="GIF")])
def test_an_image_that_is_none_fails_the_job(pets: Pets, body: bytes) -> None:
    s3 = pets.aws.client("s3")
    s3.put_object(Bucket=pets.training, Key="pets/images/wrong.png", Body=body)
    wrong = f"s3://{pets.training}/pets/images/wrong.png"
    data = manifest(pets, records(pets, **{"image-ref": wrong}))
    assert "must be in PNG or JPEG format" in failure(pets, trainingDataConfig=data)


def test_a_bad_validation_set_fails_the_job(pets: Pets) -> None:
    data = {"validators": [manifest(pets, records(pets, 7))]}
    message = failure(pets, validationDataConfig=data)
    assert "records in the validation dataset is below the minimum (7 records" in message


@pytest.mark.parametrize("place", ["its own", "another"])
def test_media_outside_of_the_datasets_bucket_fail_the_job(pets: Pets, place: str) -> None:
    where = pets.training if place == "its own" else pets.output
    pets.aws.client("s3").put_object(Bucket=where, Key="pets/images/seen.png", Body=picture())
    source = {"s3Location": {"uri": f"s3://{where}/pets/images/seen.png"}}
    turns = [
        {"role": "user", "content": [{"image": {"format": "png", "source": source}}]},
        {"role": "assistant", "content": [{"text": "a cat"}]},
    ]
    request = {
        "baseModelIdentifier": "amazon.nova-lite-v1:0:300k",
        "hyperParameters": {"epochCount": "2"},
        "validationDataConfig": {"validators": []},
        "trainingDataConfig": manifest(pets, [{"messages": turns}] * 8),
    }
    if place == "its own":
        assert pets.finished(pets.start(**request))["status"] == "Completed"
    else:
        assert "must be in the same Amazon S3 bucket as the dataset" in failure(pets, **request)
