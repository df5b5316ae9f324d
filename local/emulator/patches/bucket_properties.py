"""Gap: CloudFormation drops a bucket's encryption, lifecycle, tags, logging and ownership.

The properties go through the same handlers as the S3 API's own calls, in the XML that botocore
itself would send.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from local.emulator.patches._patching import expect

Properties = Any  # one property of AWS::S3::Bucket as CloudFormation parsed it


def apply() -> None:
    from ministack.services import s3
    from ministack.services.cloudformation import provisioners

    known = tuple(row[0] for row in provisioners._S3_BUCKET_CONFIGURATIONS)
    expect(
        known == ("CorsConfiguration", "PublicAccessBlockConfiguration", "WebsiteConfiguration"),
        "CloudFormation to apply only CORS, public access block and website to a bucket",
    )

    def drop_logging(bucket: str) -> None:
        s3._bucket_logging_config.pop(bucket, None)

    provisioners._S3_BUCKET_CONFIGURATIONS += (
        ("BucketEncryption", _encryption, s3._put_bucket_encryption, s3._delete_bucket_encryption),
        (
            "LifecycleConfiguration",
            _lifecycle,
            s3._put_bucket_lifecycle,
            s3._delete_bucket_lifecycle,
        ),
        ("Tags", _tags, s3._put_bucket_tagging, s3._delete_bucket_tagging),
        ("LoggingConfiguration", _logging, s3._put_bucket_logging, drop_logging),
        (
            "OwnershipControls",
            _ownership,
            s3._put_bucket_ownership_controls,
            s3._delete_bucket_ownership_controls,
        ),
    )


@cache
def _serializer() -> Callable[[str, Mapping[str, Any]], bytes]:
    import botocore.serialize
    import botocore.session

    model = botocore.session.get_session().get_service_model("s3")
    serializer = botocore.serialize.create_serializer("rest-xml", include_validation=False)

    def serialize(operation: str, arguments: Mapping[str, Any]) -> bytes:
        request = serializer.serialize_to_request(
            {"Bucket": "any", **arguments}, model.operation_model(operation)
        )
        body = request["body"]
        return body if isinstance(body, bytes) else str(body).encode()

    return serialize


def _xml(operation: str, **arguments: Any) -> bytes:
    return _serializer()(operation, arguments)


def _truth(value: object) -> bool:
    return str(value).lower() == "true"


def _encryption(properties: Properties) -> bytes:
    rules = []
    for rule in properties.get("ServerSideEncryptionConfiguration", ()):
        default = rule.get("ServerSideEncryptionByDefault", {})
        rules.append(
            {
                "ApplyServerSideEncryptionByDefault": default,
                "BucketKeyEnabled": _truth(rule.get("BucketKeyEnabled", False)),
            }
        )
    return _xml("PutBucketEncryption", ServerSideEncryptionConfiguration={"Rules": rules})


def _lifecycle(properties: Properties) -> bytes:
    rules = []
    for rule in properties.get("Rules", ()):
        out: dict[str, Any] = {
            "Status": rule["Status"],
            "Filter": {"Prefix": rule.get("Prefix", "")},
        }
        if "Id" in rule:
            out["ID"] = rule["Id"]
        if "ExpirationInDays" in rule:
            out["Expiration"] = {"Days": int(rule["ExpirationInDays"])}
        for name in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
            if name in rule:
                out[name] = {key: int(value) for key, value in rule[name].items()}
        if "Transitions" in rule:
            out["Transitions"] = [
                {"Days": int(step["TransitionInDays"]), "StorageClass": step["StorageClass"]}
                for step in rule["Transitions"]
            ]
        rules.append(out)
    return _xml("PutBucketLifecycleConfiguration", LifecycleConfiguration={"Rules": rules})


def _tags(properties: Properties) -> bytes:
    tags = [{"Key": tag["Key"], "Value": str(tag["Value"])} for tag in properties]
    return _xml("PutBucketTagging", Tagging={"TagSet": tags})


def _logging(properties: Properties) -> bytes:
    enabled = {
        "TargetBucket": properties.get("DestinationBucketName", ""),
        "TargetPrefix": properties.get("LogFilePrefix", ""),
    }
    return _xml("PutBucketLogging", BucketLoggingStatus={"LoggingEnabled": enabled})


def _ownership(properties: Properties) -> bytes:
    rules = [{"ObjectOwnership": rule["ObjectOwnership"]} for rule in properties.get("Rules", ())]
    return _xml("PutBucketOwnershipControls", OwnershipControls={"Rules": rules})
