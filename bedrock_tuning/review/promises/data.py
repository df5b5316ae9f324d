"""Promises about datasets, reports, runs and logs: who reads, writes and deletes them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from bedrock_tuning import s3_layout
from bedrock_tuning.contracts import Condition
from bedrock_tuning.review.assembly import identity
from bedrock_tuning.review.iam.simulator import EvalRequest
from bedrock_tuning.review.promises.deployment import BEDROCK, DeploymentFacts
from bedrock_tuning.review.promises.promise import (
    SOURCE_ACCOUNT,
    Able,
    But,
    MustDeny,
    Never,
    but,
    request,
)

# A role that is not in the templates and may do everything by its own policies.
_SOMEBODY: Final = f"arn:{identity.PARTITION}:iam::{identity.ACCOUNT}:role/somebody"
_WRITES: Final = ("s3:Put*", "s3:Delete*", "s3:Replicate*", "s3:Restore*", "s3:Create*")


def _own_folders(deployment: DeploymentFacts) -> Iterator[But]:
    for name, role in deployment.service_roles.items():
        jobs = deployment.results(name)
        yield but(role.arn, "s3:GetObject", on=deployment.folders(name))
        yield but(role.arn, "s3:PutObject", on=jobs)
        prefixes = defaultdict[str, list[str]](list)
        for folder in deployment.folders(name):
            bucket, _, prefix = folder.partition("/")
            prefixes[bucket].append(prefix)
        for bucket, bucket_prefixes in prefixes.items():
            condition = Condition.of("StringLike", "s3:prefix", *bucket_prefixes)
            yield but(role.arn, "s3:ListBucket", on=bucket, when=condition)


def _service_role_requests(deployment: DeploymentFacts) -> Iterator[EvalRequest]:
    for name, role in deployment.service_roles.items():
        (jobs,) = deployment.bedrock("model-customization-job")
        source = {"aws:SourceAccount": identity.ACCOUNT, "aws:SourceArn": jobs.replace("*", "x/y")}
        yield request(BEDROCK, "sts:AssumeRole", role.arn, source)
        *inputs, output = (folder.replace("*", "a/b") for folder in deployment.folders(name))
        for path in inputs:
            bucket, _, key = path.partition("/")
            yield request(role.arn, "s3:GetObject", path)
            yield request(role.arn, "s3:ListBucket", bucket, {"s3:prefix": key})
        yield request(role.arn, "s3:PutObject", output)
        context = {"kms:ViaService": f"s3.{deployment.region}.amazonaws.com"}
        for action in ("kms:Decrypt", "kms:GenerateDataKey"):
            yield request(role.arn, action, deployment.key("DataKey"), context)


def _reports(deployment: DeploymentFacts) -> Iterable[But]:
    writers = (
        ("start_job", _checked_manifests(deployment)),
        ("merge record_job reconcile draw_page evaluate", _report_objects(deployment)),
        ("serve", tuple(f"{folder}/smoke.*" for folder in _report_objects(deployment))),
    )
    for handlers, resources in writers:
        yield but(deployment.function(*handlers.split()), "s3:PutObject", on=resources)


def _checked_manifests(deployment: DeploymentFacts) -> tuple[str, ...]:
    return tuple(f"{bucket}/{s3_layout.CHECKED}/*" for bucket in deployment.datasets)


def _report_objects(deployment: DeploymentFacts) -> tuple[str, ...]:
    return (f"{deployment.output}/{s3_layout.REPORTS}/*",)


def _forgeries(deployment: DeploymentFacts) -> Iterator[EvalRequest]:
    """Changes of what functions write."""
    approvals = f"{deployment.output}/{s3_layout.APPROVALS}"
    work = f"{deployment.output}/{s3_layout.WORK}"
    folders = (
        *_checked_manifests(deployment),
        *_report_objects(deployment),
        f"{work}/*",
        f"{approvals}/*",
    )
    for folder in folders:
        for action in ("s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"):
            context = {"s3:if-none-match": "*"}
            yield request(_SOMEBODY, action, folder.replace("*", "a/b"), context)
    for role in sorted(deployment.function("approve")):
        yield request(role, "s3:DeleteObject", f"{approvals}/a/b")
        # Without If-None-Match, it would write over an earlier decision.
        yield request(role, "s3:PutObject", f"{approvals}/a/b")


def _without_tls(deployment: DeploymentFacts) -> Iterator[EvalRequest]:
    of_type = deployment.evidence.assembly.of_type
    plain = {"aws:SecureTransport": "false"}
    for bucket in of_type("AWS::S3::Bucket"):
        for context in (plain, {"s3:TlsVersion": "1.1"}):
            yield request(_SOMEBODY, "s3:ListBucket", bucket.arn, context)
            yield request(_SOMEBODY, "s3:GetObject", f"{bucket.arn}/a/b", context)
            yield request(_SOMEBODY, "s3:PutObject", f"{bucket.arn}/a/b", context)
    for topic in of_type("AWS::SNS::Topic"):
        yield request(_SOMEBODY, "sns:Publish", topic.arn, plain)
    for queue in of_type("AWS::SQS::Queue"):
        for action in ("sqs:ReceiveMessage", "sqs:SendMessage"):
            yield request(_SOMEBODY, action, queue.arn, plain)


PROMISES: Final = (
    Never(
        id="M810",
        sentence="A Bedrock service role reaches S3 only in its own customization's folders: "
        "those that its settings name or else NAME/, _checked/NAME/ and jobs/NAME/, lists only "
        "under their s3:prefix, and writes only below jobs/, to NAME/ or what its settings name.",
        actions=("s3:*",),
        who=lambda d: [role.arn for role in d.service_roles.values()],
        but=_own_folders,
    ),
    Never(
        id="M811",
        sentence="Only StartJob writes checked manifests (_checked/*), only Merge, RecordJob, "
        "Reconcile, DrawPage and Evaluate write reports (reports/*), and Serve what its smoke test "
        "saw.",
        actions=_WRITES,
        resources=lambda d: (*_checked_manifests(d), *_report_objects(d)),
        but=_reports,
    ),
    Never(
        id="W523",
        sentence="No role may write where an upload starts a run: that could start the next one. "
        "Only uploaders do, who are people.",
        actions=("s3:PutObject*", "s3:CopyObject*", "s3:RestoreObject*", "s3:DeleteObject*"),
        resources=lambda d: [f"{bucket}/*/{s3_layout.MANIFEST_FILE}" for bucket in d.datasets],
        but=lambda d: [but(d.person("Uploader"), "s3:PutObject")],
    ),
    Never(
        id="M812",
        sentence="No role and no policy for people deletes data: no objects and versions, no "
        "models, no runs, no keys.",
        actions=(
            "bedrock:DeleteCustomModel",
            "s3:Delete*",
            "s3:PutLifecycleConfiguration",
            "dynamodb:Delete*",
            "dynamodb:PartiQLDelete",
            "dynamodb:BatchWriteItem",
            "kms:ScheduleKeyDeletion",
            "kms:DisableKey",
        ),
    ),
    Never(
        id="M813",
        sentence="No role deletes logs or shortens their retention, not even its own. With a "
        "stack, the logs of its functions are deleted.",
        actions=(
            "logs:DeleteLogGroup",
            "logs:DeleteLogStream",
            "logs:DeleteRetentionPolicy",
            "logs:PutRetentionPolicy",
            "logs:PutDataProtectionPolicy",
            "logs:DisassociateKmsKey",
            "ec2:DeleteFlowLogs",
        ),
    ),
    Never(
        id="M814",
        sentence="Only S3's log delivery reaches the bucket of the access logs: s3:PutObject for "
        "logging.s3.amazonaws.com with `aws:SourceAccount` = this account.",
        actions=("s3:*",),
        resources=lambda d: (d.bucket("AccessLogs"), f"{d.bucket('AccessLogs')}/*"),
        but=lambda d: [
            but(
                "logging.s3.amazonaws.com",
                "s3:PutObject",
                on=f"{d.bucket('AccessLogs')}/*",
                when=SOURCE_ACCOUNT,
            )
        ],
    ),
    MustDeny(
        id="M851",
        sentence="The buckets' own policies deny it to every other role and user of the account, "
        "whatever their policies allow: nobody else writes or deletes checked manifests, reports, "
        "results and decisions, and not even Approve deletes a decision or writes over one.",
        requests=_forgeries,
    ),
    MustDeny(
        id="M852",
        sentence="The policies of buckets, topics and queues deny every call without TLS, and "
        "those of buckets every call with a TLS older than 1.2, whatever the caller's policies "
        "allow.",
        requests=_without_tls,
    ),
    Able(
        id="M815",
        sentence="Amazon Bedrock can assume each service role with `aws:SourceAccount` and "
        "`aws:SourceArn` of a customization job here; the role can read and list its dataset and "
        "its checked manifests, write its metrics, and use the data key through S3.",
        requests=_service_role_requests,
    ),
)
