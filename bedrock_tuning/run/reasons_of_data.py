"""What messages about a dataset mean: its records, its images, its files, its hyperparameters."""

import re
from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Reason:
    """about: whose permission is missing, if AWS's own access-denied message does not say it."""

    pattern: re.Pattern[str]
    cause: str
    fix: str
    about: Literal["", "service role"] = ""


def reason(
    pattern: str, cause: str, fix: str, *, about: Literal["", "service role"] = ""
) -> Reason:
    return Reason(re.compile(pattern, re.IGNORECASE), cause, fix, about)


_VALIDATE: Final = "run `tuning validate` on the manifest and correct the rows that it names"
_MEDIA: Final = r"(?:image|video|document|picture|media|tool_?result)s?\b"
_RECORDS: Final = r"(?:records|samples|examples|rows|prompts|images)"

OF_DATA: Final = (
    reason(
        r"tokens? (?:are|is) (?:invalid|not allowed|reserved)|reserved (?:word|keyword|token)"
        r"|invalid text content",
        "a text has a word that the model reserves to mark turns or media, in any case",
        f"remove the word from the text; {_VALIDATE}",
    ),
    reason(
        rf"{_MEDIA}.{{0,60}}(?:role|turn|message).{{0,20}}assistant"
        rf"|assistant.{{0,60}}{_MEDIA}",
        "an image, a video or a document is in the assistant's turn, which holds text only",
        "move the image to the user's turn that asks about it",
    ),
    reason(
        r"\btools?\w*\b.{0,80}(?:not found in|duplicate|must be a|must have a|must be provided"
        r"|must be .?function|cannot be empty)|duplicate tool"
        r"|invalid (?:inputSchema|parameters type|properties|function (?:name|description))",
        "the tools that a record describes, its calls and their results do not fit together",
        "describe each tool once, with a name, a description and a schema, and give each call and "
        f"its result the same id; {_VALIDATE}",
    ),
    reason(
        r"(?:reasoning|tool_?use|tool_?result|tool_?config)\w*.{0,100}"
        r"(?:only|not supported|unsupported|cannot|invalid|not found|duplicate|fail)"
        rf"|{_MEDIA}.{{0,40}}not supported by"
        r"|(?:only|invalid|unsupported).{0,40}(?:tool_?use|reasoning)",
        "a turn has a block that this model, or this role, does not accept",
        f"remove the block, or choose a model that accepts it; {_VALIDATE}",
    ),
    reason(
        r"number of (?:images|videos|documents) \d+|only one (?:video|document|image)"
        r"|(?:both|mix\w*).{0,40}(?:image|video).{0,40}(?:image|video)",
        "a record has too many images, or images and a video together",
        f"split the record; {_VALIDATE}",
    ),
    reason(
        r"(?:expected|last turn|first (?:turn|message)|valid values).{0,60}\b(?:user|assistant)\b"
        r"|roles?\b.{0,60}alternat|alternat\w*.{0,60}\brole"
        r"|(?:invalid|unknown|unsupported).{0,30}\brole\b"
        r"|\brole\b.{0,40}(?:invalid|not supported|unknown)|system message must"
        r"|(?:start|begin|end)s? with.{0,20}\b(?:user|assistant)|only one (?:system|user)"
        r"|both .{0,20}\buser\b.{0,20}\bassistant\b|at least one (?:user|assistant)",
        "the turns of a conversation are in the wrong order, or have an unknown role",
        f"user and assistant take turns, the user first, the assistant last; {_VALIDATE}",
    ),
    reason(
        r"(?:empty|blank).{0,20}(?:text|content|message|prompt|completion|reference)"
        r"|(?:text|content|prompt|completion|reference_answer|tools)\b.{0,40}"
        r"(?:cannot be|is|are) (?:empty|blank)",
        "a text of a record is empty",
        f"write it, or remove the record; {_VALIDATE}",
    ),
    reason(
        r"should be a file|not a directory|S3 ?URI.{0,40}invalid|invalid S3 ?URI"
        r"|must start with .?s3://|characters in .?uri",
        "an S3 URI is not one of a single object that Bedrock can read",
        "name the object itself, s3://bucket/folder/train.jsonl, not its folder; Bedrock takes no "
        "blank, =, + or @ in it",
    ),
    reason(
        r"satisfy (?:constraint|regular expression)|regular expression pattern"
        r"|validation errors? detected|parameter validation failed|expected (?:min|max)\w+:",
        "a field of the request does not have the form that Bedrock demands",
        "the message names the field, its value and the pattern; `tuning review` checks every "
        "name and URI of a run before it starts",
    ),
    reason(
        r"NoSuch(?:Key|Bucket)|does not exist|not found in S3|unable to find S3"
        r"|(?:not|n't|unable to|failed to|failure to) (?:be )?(?:download|fetch|retrieve)",
        "a file that the job needs does not exist, or cannot be read",
        "upload what the message names; the manifest's references must be s3:// URIs of "
        "existing objects",
    ),
    reason(
        r"must (?:follow|match|be in|have|contain).{0,120}(?:format|schema|keys?\b|fields?\b)"
        r"|(?:wrong|invalid|incorrect|unexpected|unsupported|expected) "
        r"(?:(?:record|data|input|dataset) )?(?:format|schema)\b"
        r"|(?:missing|required|extraneous|unknown|unexpected) (?:required )?(?:key|field|property)"
        r"|field required|extra (?:fields?|inputs?|keys?)\b|must be a (?:string|dictionary|list)"
        r"|at least one of .{0,200}must be provided|candidates? (?:list|message|contents)"
        r"|(?:find|found|lacks?|without)\b.{0,40}\b(?:key|field|property)\b",
        "a record has the wrong format: other fields than the model and the type of job need",
        f"{_VALIDATE}; `tuning models KEY` shows the format",
    ),
    reason(
        r"(?:unable|fail\w*|could not|cannot) (?:to )?parse|conform to JSON ?L|duplicate key"
        r"|invalid JSON|malformed|not (?:a )?(?:valid )?JSON|expecting (?:value|property name)",
        "a manifest is not JSON Lines: one object per line, no blank line",
        _VALIDATE,
    ),
    reason(
        r"input size exceeded|character (?:limit|quota)|(?:too many|exceed\w*).{0,40}characters",
        "a record has more characters than the model accepts",
        f"shorten it; {_VALIDATE}",
    ),
    reason(
        r"token (?:count|length|limit).{0,60}exceed|exceeds?.{0,60}token|too many tokens"
        r"|input is too long|context (?:length|window)"
        r"|token(?:s| count| length).{0,40}(?:limit|maximum)"
        r"|(?:more than|over|above) [\d,]+ tokens",
        "a record has more tokens than the model accepts",
        f"shorten it; tokens can only be estimated in advance; {_VALIDATE}",
    ),
    reason(
        r"(?:caption|text|prompt|completion|message)\b.{0,60}"
        r"(?:too long|longer than|exceeds|maximum length)",
        "a text of a record is longer than the model accepts",
        f"shorten it; {_VALIDATE}",
    ),
    reason(
        r"bucket ?owner",
        "the stated owner of a bucket is not the account that owns it",
        "write the 12 digits of that account as bucketOwner, or omit the field",
    ),
    reason(
        r"(?:data|file|dataset|manifest)\b.{0,30}(?:is empty|too large)"
        r"|(?:file|dataset|manifest)\b.{0,20}exceeds.{0,40}(?:[MG]B|bytes)"
        r"|empty (?:file|dataset|manifest)|file size",
        "a manifest is empty, or larger than the model accepts",
        f"see the model's limits in docs/models.md; {_VALIDATE}",
    ),
    reason(
        rf"(?:number|count) of (?:\w+ )?(?:\w+ )?{_RECORDS}"
        rf"|between [\d,]+ and [\d,]+ (?:\w+ ){{0,2}}{_RECORDS}"
        r"|(?:too (?:few|many)|minimum|maximum|at least|at most|less than|more than)"
        rf".{{0,40}}{_RECORDS}"
        rf"|{_RECORDS}.{{0,60}}(?:exceeds|maximum|minimum|out of bounds|required|at least)",
        "the dataset has too few or too many records",
        f"see the model's limits in docs/models.md; {_VALIDATE}",
    ),
    reason(
        r"validation (?:data|dataset|file|set).{0,40}(?:not supported|unsupported|not allowed)"
        r"|not support.{0,20}validation",
        "this model accepts no validation dataset",
        'write [dataset] validation = "forbidden" in the customization and start again',
    ),
    reason(
        r"validation (?:data|dataset|file|set).{0,40}(?:required|missing|must be provided)",
        "this model needs a validation dataset",
        'upload one, and write [dataset] validation = "required" in the customization',
    ),
    reason(
        r"(?:invalid|unsupported|corrupt|decode|process).{0,40}image|image.{0,60}"
        r"(?:invalid|unsupported|corrupt|exceeds|too (?:large|small)|dimension|aspect|pixel"
        r"|decode)",
        "an image breaks the model's limits or cannot be read",
        "run `tuning validate --deep` on the manifest and correct the images that it names",
    ),
    reason(
        r"hyper-?parameter|epoch ?Count|batch ?Size|learning ?Rate|step ?Count|warm-?up",
        "Bedrock refuses a hyperparameter",
        "compare the customization with the model's table in docs/models.md",
    ),
    reason(
        r"third-party license|usage polic|violat\w+.{0,40}polic|potentially inconsistent"
        r"|responsible AI|content polic",
        "an automated check finds the dataset inconsistent with the model provider's terms",
        "remove such content; if there is none, contact AWS Support with the job's ARN",
    ),
)
