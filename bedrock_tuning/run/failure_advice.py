"""Cause, row and fix for a failure message of Amazon Bedrock or an error of AWS."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from bedrock_tuning.access_denied import denial
from bedrock_tuning.catalogue import catalogue

# Bedrock cuts its messages at 2,048 characters; nothing longer is worth matching.
_LONGEST: Final = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A failure in words.

    known: False for an unknown message; then `cause` only repeats it.
    line: of the manifest, from 1, if the message names it. record: the record's beginning as the
    message quotes it. where: the S3 object or the file that it names. message: Bedrock's own words.
    """

    known: bool
    cause: str
    fix: str
    message: str
    line: int | None = None
    record: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class _Reason:
    """about: whose permission is missing, if AWS's own access-denied message does not say it."""

    pattern: re.Pattern[str]
    cause: str
    fix: str
    about: Literal["", "service role"] = ""


def _reason(
    pattern: str, cause: str, fix: str, *, about: Literal["", "service role"] = ""
) -> _Reason:
    return _Reason(re.compile(pattern, re.IGNORECASE), cause, fix, about)


_VALIDATE: Final = "run `tuning validate` on the manifest and correct the rows that it names"

# Bedrock's message about a model past its end of life. The error's class is then
# ResourceNotFoundException, which would suggest another cause.
_CLOSED: Final = _reason(
    r"end of (?:its )?life|legacy|no longer (?:available|supported)|deprecated",
    "the base model takes no new jobs and no new Provisioned Throughput",
    "choose an open model: docs/models.md and `tuning models` list them with their dates; only an "
    "account with extended access can continue with this one",
)
# The first match counts, so the specific ones come first.
# Source of the messages: Bedrock User Guide, fine-tuning-troubleshooting.
_REASONS: Final = (
    # S3 answers a HEAD request without a message.
    _reason(
        r"An error occurred \(403\) when calling",
        "S3 denies the caller access to an object, without a reason",
        "the caller must be able to read that object and to use its key: `cdk drift` shows whether "
        "its role was changed by hand; docs/permissions.md lists what it must be able to do",
    ),
    _reason(
        r"validate PutObject|perms missing \(PutObject\)|write_access_check_file",
        "the service role may not write the job's metrics",
        "allow s3:PutObject on the output prefix, and kms:GenerateDataKey on the bucket's key; no "
        "bucket policy may deny the test file .write_access_check_file.tmp",
        about="service role",
    ),
    _reason(
        r"validate (?:GetObject|ListBucket)|perms missing \((?:GetObject|ListBucket)\)",
        "the service role may not read the dataset",
        "allow s3:GetObject and s3:ListBucket on the customization's folder and kms:Decrypt on "
        "the bucket's key; `tuning review` proves what the role can do",
        about="service role",
    ),
    _reason(
        r"\bKMS\b|kms:|CiphertextRefersTo",
        "the service role may not use the key that encrypts a bucket or the custom model",
        "allow kms:Decrypt (and kms:GenerateDataKey for the output) on that key, through S3",
    ),
    _reason(
        r"PermanentRedirect|AuthorizationHeaderMalformed|(?:different|another|wrong|same) region",
        "a bucket lies in another Region than the job",
        "keep the training, validation and output buckets in the job's Region",
    ),
    _reason(
        r"assume(?:d)? (?:the )?role|sts:AssumeRole|trust (?:policy|relationship)",
        "Bedrock cannot assume the service role",
        "the role's trust policy must name bedrock.amazonaws.com, this account and this Region's "
        "customization jobs",
    ),
    _reason(
        r"NoSuch(?:Key|Bucket)|does not exist|not found in S3|unable to find S3",
        "a file that the job needs does not exist",
        "upload what the message names; the manifest's references must be s3:// URIs of "
        "existing objects",
    ),
    _reason(
        r"unable to parse|conform to JSONL|invalid JSON|malformed|not (?:a )?valid JSON",
        "a manifest is not JSON Lines: one object per line, no blank line",
        _VALIDATE,
    ),
    _reason(
        r"input size exceeded|character (?:limit|quota)",
        "a record has more characters than the model accepts",
        f"shorten it; {_VALIDATE}",
    ),
    _reason(
        r"token (?:count|length).{0,60}exceeds|exceeds.{0,60}token|too many tokens",
        "a record has more tokens than the model accepts",
        f"shorten it; tokens can only be estimated in advance; {_VALIDATE}",
    ),
    _reason(
        r"(?:number|count) of (?:training |validation )?(?:records|samples|examples|images)"
        r"|(?:too (?:few|many)|minimum|maximum|at least|at most).{0,40}"
        r"(?:records|samples|examples|images)",
        "the dataset has too few or too many records",
        f"see the model's limits in docs/models.md; {_VALIDATE}",
    ),
    _reason(
        r"validation (?:data|dataset|file).{0,40}(?:not supported|unsupported)",
        "this model accepts no validation dataset",
        'write [dataset] validation = "forbidden" in the customization and start again',
    ),
    _reason(
        r"validation (?:data|dataset|file).{0,40}(?:required|missing|must be provided)",
        "this model needs a validation dataset",
        'upload one, and write [dataset] validation = "required" in the customization',
    ),
    _reason(
        r"(?:invalid|unsupported|corrupt).{0,40}image|image.{0,60}"
        r"(?:invalid|unsupported|corrupt|exceeds|too (?:large|small)|dimension|aspect|pixel)",
        "an image breaks the model's limits or cannot be read",
        "run `tuning validate --deep` on the manifest and correct the images that it names",
    ),
    _reason(
        r"hyper-?parameter",
        "Bedrock refuses a hyperparameter",
        "compare the customization with the model's table in docs/models.md",
    ),
    _reason(
        r"third-party license|usage polic|potentially inconsistent",
        "an automated check finds the dataset inconsistent with the model provider's terms",
        "remove such content; if there is none, contact AWS Support with the job's ARN",
    ),
    _CLOSED,
    _reason(
        r"model units?|provisioned.{0,40}(?:quota|limit)",
        "the account has no model units left for this model; the default quota is 0",
        "request model units in Service Quotas, or delete a Provisioned Throughput",
    ),
    _reason(
        r"quota|service limit|LimitExceeded",
        "a quota of the account is used up",
        "wait, delete what is not needed, or request an increase in Service Quotas",
    ),
    _reason(
        r"too many requests|throttl|rate exceeded",
        "too many requests at once",
        "start the run again in a few minutes",
    ),
    _reason(
        r"unexpected error|internal (?:server )?error|service unavailable",
        "Bedrock itself failed",
        "start the run again; if it fails again, contact AWS Support with the job's ARN",
    ),
)

# Error classes of the control plane (botocore), for a call that was refused at once.
_REFUSED: Final = (
    "the caller may not do this, or may not pass the service role",
    "`tuning review` proves what each role can do, `cdk drift` shows what was changed by hand; "
    "check your service control policies as well",
)
_CODES: Final[Mapping[str, tuple[str, str]]] = {
    "AccessDenied": _REFUSED,
    "AccessDeniedException": _REFUSED,
    "ConflictException": (
        "a resource with this name already exists, or its state does not allow the change",
        "wait until its change has ended; an endpoint with a commitment cannot be deleted",
    ),
    "InternalServerException": (
        "Bedrock itself failed",
        "start the run again; if it fails again, contact AWS Support with the request id",
    ),
    "ResourceNotFoundException": (
        "the model, job or Provisioned Throughput does not exist in this Region",
        "check the id and the Region; docs/models.md lists where each model can be customized",
    ),
    "ServiceQuotaExceededException": (
        "a quota of the account is used up; model units have a default quota of 0",
        "request an increase in Service Quotas, or delete what is not needed",
    ),
    "ThrottlingException": ("too many requests at once", "start the run again in a few minutes"),
    "TooManyTagsException": (
        "more tags than a resource may have",
        "remove tags from the customization",
    ),
    "ValidationException": (
        "Bedrock refuses the request",
        "the message says which part; compare the customization with docs/models.md",
    ),
}

_LINE: Final = re.compile(
    r"\b(?:line|row)(?: number| no\.?)?\s*[:#]?\s*(\d{1,12})\b", re.IGNORECASE
)
# How botocore words an error: its class stands in the text when all that is known is ClientError.
_BOTOCORE: Final = re.compile(r"An error occurred \(([\w.]{1,60})\) when calling the \w{1,60} ope")
_RECORD: Final = re.compile(r"record starting with:?\s*(\S.{0,200})", re.IGNORECASE | re.DOTALL)
_BUCKET: Final = re.compile(
    r"bucket:?\s*[`'\"]?([a-z0-9][a-z0-9.-]{2,62})[`'\"]?\s+at key:?\s*[`'\"]?([^\s`'\"]{1,1024})",
    re.IGNORECASE,
)
_FILE: Final = re.compile(r"(s3://[^\s`'\"]{1,1024}|[\w./-]{1,200}\.jsonl)", re.IGNORECASE)


def explain(message: str, *, code: str = "", model: str = "") -> Explanation:
    """Cause and fix of a failureMessage, or of an error that a call returned.

    code: the error class, e.g. "ServiceQuotaExceededException", for a message that is unknown.
    model: the base model's key, id or ARN, for what the catalogue knows about it.
    AWS's access-denied messages name who may not do what to what. An unknown message is passed on
    without a guess.
    """
    text = message[:_LONGEST]
    reason = next((reason for reason in _REASONS if reason.pattern.search(text)), None)
    refused = denial(text)
    by_code = _CODES.get(code.rpartition(".")[2]) or _by_botocore(text)
    known = True
    if refused is not None:
        about = f"{reason.cause}: " if reason is not None and reason.about else ""
        cause, fix = about + refused.cause, refused.fix
    elif reason is _CLOSED:
        cause, fix = _closed(text, model), reason.fix
    elif reason is not None:
        cause, fix = reason.cause, reason.fix
    elif by_code is not None:
        cause, fix = by_code
    else:
        known = False
        cause = "Bedrock says: " + message if message.strip() else "Bedrock gives no reason"
        fix = "this message is unknown: contact AWS Support with the job's ARN"
    line, record = _LINE.search(text), _RECORD.search(text)
    return Explanation(
        known=known,
        cause=cause,
        fix=fix,
        message=message,
        line=int(line[1]) if line else None,
        record=record[1].strip() if record else "",
        where=_place(text),
    )


def with_advice(message: str, *, model: str = "") -> str:
    """A message followed by its cause and fix; the message alone if they are unknown."""
    advice = explain(message, model=model)
    if not advice.known:
        return message
    return f"{message}\nLikely cause: {advice.cause}\nWhat to do: {advice.fix}"


def _by_botocore(text: str) -> tuple[str, str] | None:
    match = _BOTOCORE.search(text)
    return _CODES.get(match[1]) if match else None


def _closed(text: str, model: str) -> str:
    """That the base model is closed; since when, if it is one of the catalogue's."""
    for base in catalogue().values():
        names = {base.key, *base.customization_ids, *base.throughput_ids, *base.invoke_ids}
        if model.rpartition("foundation-model/")[2] in names or any(name in text for name in names):
            why = base.lifecycle.closed_because().partition(":")[0]
            return f"{_CLOSED.cause}: {base.name} is {why}" if why else _CLOSED.cause
    return _CLOSED.cause


def _place(text: str) -> str:
    bucket = _BUCKET.search(text)
    if bucket:
        return f"s3://{bucket[1]}/{bucket[2]}"
    file = _FILE.search(text)
    return file[1] if file else ""
