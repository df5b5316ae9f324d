"""What messages of Amazon Bedrock, AWS and this project mean: patterns with cause and fix.

Patterns match what a message says, not one wording: a page, a validator and the service say the
same thing differently. Sources: Bedrock User Guide, pages fine-tuning-troubleshooting and
troubleshooting-api-error-codes; AWS re:Post, bedrock-fine-tuning-errors; AWS's dataset validators;
reports in the issue trackers of AWS's samples.
"""

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


def _reason(
    pattern: str, cause: str, fix: str, *, about: Literal["", "service role"] = ""
) -> Reason:
    return Reason(re.compile(pattern, re.IGNORECASE), cause, fix, about)


_VALIDATE: Final = "run `tuning validate` on the manifest and correct the rows that it names"
_AGAIN: Final = "start the run again in a few minutes"
_MEDIA: Final = r"(?:image|video|document|picture|media|tool_?result)s?\b"
_RECORDS: Final = r"(?:records|samples|examples|rows|prompts|images)"

# Bedrock's message about a model past its end of life. The error's class is then
# ResourceNotFoundException, which would suggest another cause.
CLOSED: Final = _reason(
    r"end of (?:its )?life|legacy|no longer (?:available|supported)|deprecated|retired model",
    "the base model takes no new jobs and no new Provisioned Throughput",
    "choose an open model: docs/models.md and `tuning models` list them with their dates; only an "
    "account with extended access can continue with this one",
)
_ACCESS: Final = (
    # S3 answers a HEAD request without a message.
    _reason(
        r"An error occurred \(403\) when calling",
        "S3 denies the caller access to an object, without a reason",
        "the caller must be able to read that object and to use its key: `cdk drift` shows whether "
        "its role was changed by hand; docs/permissions.md lists what it must be able to do",
    ),
    _reason(
        r"PutObject permission|perms missing \(PutObject\)|write_access_check_file"
        r"|(?:not|n't|unable to|cannot|failed to) (?:be able to )?write.{0,60}(?:output|S3|bucket)",
        "the service role may not write the job's metrics",
        "allow s3:PutObject on the output prefix, and kms:GenerateDataKey on the bucket's key; no "
        "bucket policy may deny the test file .write_access_check_file.tmp",
        about="service role",
    ),
    _reason(
        r"(?:GetObject|ListBucket) permission|perms missing \((?:GetObject|ListBucket)\)",
        "the service role may not read the dataset",
        "allow s3:GetObject and s3:ListBucket on the customization's folder and kms:Decrypt on "
        "the bucket's key; the bucket must be in the job's Region; `tuning review` proves what "
        "the role can do",
        about="service role",
    ),
    _reason(
        r"permissions?\b.{0,80}\b(?:S3|bucket)|access denied.{0,80}\b(?:S3|bucket)"
        r"|(?:S3|bucket)\b.{0,60}(?:denie[sd]|forbid|not accessible|cannot be accessed)",
        "S3 denies access to a bucket or an object",
        "allow the role that the message names, or else the service role, to read the dataset and "
        "to write the output, with the buckets' keys; no bucket policy may deny it: `tuning "
        "review` proves what each role can do",
    ),
    _reason(
        r"\bKMS\b|kms:|CiphertextRefersTo",
        "the service role may not use the key that encrypts a bucket or the custom model",
        "allow kms:Decrypt (and kms:GenerateDataKey for the output) on that key, through S3; the "
        "key must be enabled",
    ),
    _reason(
        r"permissions? to invoke.{0,60}\b(?:grader|lambda|function|reward|teacher)",
        "the service role may not call the grader or the teacher",
        "name it in the customization file and deploy it again: its role may call what it names",
    ),
    _reason(
        r"PermanentRedirect|AuthorizationHeaderMalformed"
        r"|(?:different|another|wrong|same) (?:AWS )?region",
        "a bucket lies in another Region than the job",
        "keep the training, validation and output buckets in the job's Region",
    ),
    _reason(
        r"assum(?:e|ed|ing)\b.{0,40}\brole|\brole\b.{0,80}\bassumed|sts:AssumeRole"
        r"|trust (?:policy|relationship)",
        "Bedrock cannot assume the service role",
        "the role's trust policy must name bedrock.amazonaws.com, this account and this Region's "
        "customization jobs; the role must exist",
    ),
    _reason(
        r"use.?case (?:details|form)|FTUFormNotFilled",
        "the provider of the model wants to know first what it is used for",
        "submit the use case form once per account: Bedrock console, Model catalog, the model, "
        "Submit use case details",
    ),
    _reason(
        r"(?:not|n't|no) (?:\w+ )?access to (?:\w+ )?models?\b|model access"
        r"|access to (?:\w+ ){0,3}model.{0,40}(?:denied|not)|BadCScore"
        r"|account is not authorized to (?:invoke|access|use)|aws-marketplace|marketplace subscri",
        "the account has no access to this model in this Region, or the model's id is wrong",
        "request access to the model (Bedrock console, Model access), check that the Region offers "
        "it and that the id is the model's: `tuning models`. The caller's policy is another matter",
    ),
    _reason(
        r"security token|Expired ?Token|InvalidClientTokenId|UnrecognizedClient|IncompleteSignature"
        r"|signature (?:we calculated|expired|does not)|unable to locate credentials"
        r"|SSO.{0,40}expired",
        "the caller's credentials are missing, wrong or expired",
        "sign in again, for example with `aws sso login`, and check the profile and the clock",
    ),
)
_MODEL: Final = (
    _reason(
        r"teacher.{0,80}(?:not|invalid|denied)",
        "the teacher of a distillation job is not one for this student, or may not be invoked",
        "the student's page in the Bedrock User Guide lists its teachers; the account needs access "
        "to the teacher in the job's Region",
    ),
    _reason(
        r"on-?demand throughput|inference profile",
        "this model cannot be invoked by its id: the call needs an endpoint or an inference "
        "profile",
        "invoke the endpoint's ARN, which `tuning endpoints` shows, instead of the model's id; a "
        "base model is invoked through its inference profile",
    ),
    CLOSED,
    _reason(
        r"model (?:identifier|id|arn)\b.{0,40}\binvalid|invalid model (?:identifier|id|arn)"
        r"|(?:resolve|find|recogni[sz]e) the (?:foundation |base |custom )?model"
        r"|model.{0,60}not (?:found|supported|available|offered)"
        r"|not (?:supported|available|offered) in (?:this|your|the) (?:AWS )?region",
        "the model's id is wrong, or this Region does not offer the model",
        "check the id and the Region: `tuning models KEY` shows both; ids for customization differ "
        "from ids for invocation",
    ),
    _reason(
        r"(?:not|n't) support.{0,30}(?:customiz|fine-?tun|pre-?train|distill|reinforcement)"
        r"|customization type.{0,60}(?:not|invalid|unsupported)|not customizable"
        r"|(?:invalid|unsupported) customization type",
        "the model does not take this type of customization",
        "`tuning models KEY` lists the types of each model",
    ),
    _reason(
        r"(?:not|n't) (?:yet )?ready for inference|ModelNotReady|model (?:is )?still",
        "the model is not ready yet",
        _AGAIN,
    ),
)
_STATE: Final = (
    _reason(
        r"too many tokens,? (?:please )?wait|too many requests|throttl|rate exceeded|slow ?down",
        "too many requests at once",
        _AGAIN,
    ),
    _reason(
        r"concurrent.{0,40}\bjobs?\b|\bjobs?\b.{0,40}\bconcurrent"
        r"|(?:limit|quota|maximum|too many).{0,60}(?:customization|training|scheduled) jobs?\b"
        r"|(?:customization|training|scheduled) jobs?\b.{0,60}(?:limit|quota|maximum)",
        "every slot for customization jobs of the account is taken: a job slot is awaited",
        "wait until another job ends (`tuning runs`): a run that waits starts by itself, one that "
        "failed starts again when its manifest is uploaded again. The quota may not be adjustable",
    ),
    _reason(
        r"(?:associated with|attached to|used by|in use by|has).{0,40}"
        r"(?:provisioned|throughput|deployment|endpoint)",
        "something is still served by this model",
        "end the endpoint first, `tuning lease NAME --end`, and delete other Provisioned "
        "Throughput and deployments of the model; then delete the model",
    ),
    _reason(
        r"\bname\b.{0,80}(?:already|currently|not unique|must be unique)|already (?:exists|in use)"
        r"|ResourceInUse",
        "the name is taken: names of jobs, models and endpoints are used once per account and "
        "Region",
        "choose another name, or delete what has it; the runs of this project have unique names",
    ),
    _reason(
        r"model units?\b|provisioned.{0,40}(?:quota|limit)",
        "the account has no model units left for this model; the default quota is 0",
        "request model units in Service Quotas, or delete a Provisioned Throughput",
    ),
    _reason(
        r"(?:being|currently) (?:updated|created|deleted)|\bin (?:the )?\w+ (?:state|status)\b",
        "the state of a job, a model or an endpoint does not allow this now",
        "wait until its change has ended: `tuning runs` and `tuning endpoints` show it",
    ),
    _reason(
        r"stopped by|job (?:was|has been) stopped",
        "somebody stopped the job: it leaves no model, and what was done is billed",
        "upload the manifest again to train anew",
    ),
    _reason(
        r"\bsubnet|security group|network interface|\bVPC\b",
        "the job cannot use the VPC's subnets or security groups",
        "they must exist in the job's Region, have free addresses and a way to S3; the service "
        "role needs the EC2 permissions of docs/permissions.md",
    ),
    _reason(
        r"\bgrader|reward (?:function|lambda|model)",
        "the grader of a reinforcement fine-tuning job failed",
        "test the function with a record of the dataset: it must return a score in time, and the "
        "service role must be able to invoke it",
    ),
)
_DATA: Final = (
    _reason(
        r"tokens? (?:are|is) (?:invalid|not allowed|reserved)|reserved (?:word|keyword|token)"
        r"|invalid text content",
        "a text has a word that the model reserves to mark turns or media, in any case",
        f"remove the word from the text; {_VALIDATE}",
    ),
    _reason(
        rf"{_MEDIA}.{{0,60}}(?:role|turn|message).{{0,20}}assistant"
        rf"|assistant.{{0,60}}{_MEDIA}",
        "an image, a video or a document stands in the assistant's turn, which holds text only",
        "move the image to the user's turn that asks about it",
    ),
    _reason(
        r"(?:reasoning|tool_?use|tool_?result|tool_?config)\w*.{0,100}"
        r"(?:only|not supported|unsupported|cannot|invalid|not found|duplicate|fail)"
        rf"|{_MEDIA}.{{0,40}}not supported by"
        r"|(?:only|invalid|unsupported).{0,40}(?:tool_?use|reasoning)",
        "a turn has a block that this model, or this role, does not take",
        f"remove the block, or choose a model that takes it; {_VALIDATE}",
    ),
    _reason(
        r"number of (?:images|videos|documents) \d+|only one (?:video|document|image)"
        r"|(?:both|mix\w*).{0,40}(?:image|video).{0,40}(?:image|video)",
        "a record has too many images, or images and a video together",
        f"split the record; {_VALIDATE}",
    ),
    _reason(
        r"(?:expected|last turn|first (?:turn|message)|valid values).{0,60}\b(?:user|assistant)\b"
        r"|roles?\b.{0,60}alternat|alternat\w*.{0,60}\brole"
        r"|(?:invalid|unknown|unsupported).{0,30}\brole\b"
        r"|\brole\b.{0,40}(?:invalid|not supported|unknown)|system message must"
        r"|(?:start|begin|end)s? with.{0,20}\b(?:user|assistant)|only one (?:system|user)",
        "the turns of a conversation are in the wrong order, or have an unknown role",
        f"user and assistant take turns, the user first, the assistant last; {_VALIDATE}",
    ),
    _reason(
        r"(?:empty|blank).{0,20}(?:text|content|message|prompt|completion|reference)"
        r"|(?:text|content|prompt|completion|reference_answer|tools)\b.{0,40}"
        r"(?:cannot be|is|are) (?:empty|blank)",
        "a text of a record is empty",
        f"write it, or remove the record; {_VALIDATE}",
    ),
    _reason(
        r"should be a file|not a directory|S3 ?URI.{0,40}invalid|invalid S3 ?URI"
        r"|must start with .?s3://|characters in .?uri",
        "an S3 URI is not one of a single object that Bedrock can read",
        "name the object itself, s3://bucket/folder/train.jsonl, not its folder; Bedrock takes no "
        "blank, =, + or @ in it",
    ),
    _reason(
        r"satisfy (?:constraint|regular expression)|regular expression pattern"
        r"|validation errors? detected",
        "a field of the request does not have the form that Bedrock demands",
        "the message names the field, its value and the pattern; `tuning review` checks every "
        "name and URI of a run before it starts",
    ),
    _reason(
        r"NoSuch(?:Key|Bucket)|does not exist|not found in S3|unable to find S3"
        r"|(?:not|n't|unable to|failed to|failure to) (?:be )?(?:download|fetch|retrieve)",
        "a file that the job needs does not exist, or cannot be read",
        "upload what the message names; the manifest's references must be s3:// URIs of "
        "existing objects",
    ),
    _reason(
        r"must (?:follow|match|be in|have|contain).{0,120}(?:format|schema|keys?\b|fields?\b)"
        r"|(?:wrong|invalid|incorrect|unexpected|unsupported|expected) "
        r"(?:(?:record|data|input|dataset) )?(?:format|schema)\b"
        r"|(?:missing|required|extraneous|unknown|unexpected) (?:required )?(?:key|field|property)"
        r"|(?:find|found|lacks?|without)\b.{0,40}\b(?:key|field|property)\b",
        "a record has the wrong format: other fields than the model and the type of job need",
        f"{_VALIDATE}; `tuning models KEY` shows the format",
    ),
    _reason(
        r"unable to parse|conform to JSON ?L|duplicate key|invalid JSON|malformed"
        r"|not (?:a )?valid JSON",
        "a manifest is not JSON Lines: one object per line, no blank line",
        _VALIDATE,
    ),
    _reason(
        r"input size exceeded|character (?:limit|quota)|(?:too many|exceed\w*).{0,40}characters",
        "a record has more characters than the model accepts",
        f"shorten it; {_VALIDATE}",
    ),
    _reason(
        r"token (?:count|length|limit).{0,60}exceed|exceeds?.{0,60}token|too many tokens"
        r"|input is too long|context (?:length|window)"
        r"|token(?:s| count| length).{0,40}(?:limit|maximum)"
        r"|(?:more than|over|above) [\d,]+ tokens",
        "a record has more tokens than the model accepts",
        f"shorten it; tokens can only be estimated in advance; {_VALIDATE}",
    ),
    _reason(
        r"(?:data|file|dataset|manifest)\b.{0,30}(?:is empty|too large)"
        r"|(?:file|dataset|manifest)\b.{0,20}exceeds.{0,40}(?:[MG]B|bytes)"
        r"|empty (?:file|dataset|manifest)|file size",
        "a manifest is empty, or larger than the model accepts",
        f"see the model's limits in docs/models.md; {_VALIDATE}",
    ),
    _reason(
        rf"(?:number|count) of (?:\w+ )?(?:\w+ )?{_RECORDS}"
        r"|(?:too (?:few|many)|minimum|maximum|at least|at most|less than|more than)"
        rf".{{0,40}}{_RECORDS}"
        rf"|{_RECORDS}.{{0,60}}(?:exceeds|maximum|minimum|out of bounds|required|at least)",
        "the dataset has too few or too many records",
        f"see the model's limits in docs/models.md; {_VALIDATE}",
    ),
    _reason(
        r"validation (?:data|dataset|file|set).{0,40}(?:not supported|unsupported|not allowed)"
        r"|not support.{0,20}validation",
        "this model accepts no validation dataset",
        'write [dataset] validation = "forbidden" in the customization and start again',
    ),
    _reason(
        r"validation (?:data|dataset|file|set).{0,40}(?:required|missing|must be provided)",
        "this model needs a validation dataset",
        'upload one, and write [dataset] validation = "required" in the customization',
    ),
    _reason(
        r"(?:invalid|unsupported|corrupt|decode|process).{0,40}image|image.{0,60}"
        r"(?:invalid|unsupported|corrupt|exceeds|too (?:large|small)|dimension|aspect|pixel"
        r"|decode)",
        "an image breaks the model's limits or cannot be read",
        "run `tuning validate --deep` on the manifest and correct the images that it names",
    ),
    _reason(
        r"hyper-?parameter|epoch ?Count|batch ?Size|learning ?Rate|step ?Count|warm-?up",
        "Bedrock refuses a hyperparameter",
        "compare the customization with the model's table in docs/models.md",
    ),
    _reason(
        r"third-party license|usage polic|potentially inconsistent|responsible AI|content polic",
        "an automated check finds the dataset inconsistent with the model provider's terms",
        "remove such content; if there is none, contact AWS Support with the job's ARN",
    ),
)
_REST: Final = (
    _reason(
        r"quota|service limit|LimitExceeded|(?:account|region)\b.{0,20}\blimit"
        r"|\blimit\b.{0,20}(?:reached|exceeded)",
        "a quota of the account is used up",
        "wait, delete what is not needed, or request an increase in Service Quotas",
    ),
    _reason(
        r"could not connect|connection (?:reset|aborted|refused|timed out)|endpoint URL"
        r"|name resolution|read timeout|connect timeout",
        "AWS cannot be reached from here",
        "check the network, the proxy and the Region; in a VPC without internet, its endpoints: "
        "docs/hardening.md",
    ),
    _reason(
        r"unexpected error.{0,80}AccessDenied",
        "the service role or the caller lacks a permission, and Bedrock does not say which",
        "`tuning review` proves what each role can do, `cdk drift` shows what was changed by hand",
    ),
    _reason(
        r"unexpected error|internal (?:server |service )?(?:error|failure)|service unavailable"
        r"|model timeout|timed out",
        "Bedrock itself failed",
        "start the run again; if it fails again, contact AWS Support with the job's ARN",
    ),
)
# The first match counts, so the specific ones come first.
REASONS: Final = (*_ACCESS, *_MODEL, *_STATE, *_DATA, *_REST)

# What Step Functions, Lambda and this project itself say: none of it comes from Bedrock.
OWN: Final = (
    _reason(
        r"\bStates\.(?:Timeout|HeartbeatTimeout)\b",
        "a step of the workflow took longer than it may; this is not a message of Bedrock",
        "`tuning run` shows the step; start the run again",
    ),
    _reason(
        r"\bStates\.\w+|\bLambda\.\w+|\bSandbox\.Timedout|\bRuntime\.\w+|Task timed out after"
        r"|Traceback \(most recent call last\)",
        "a function or a step of this project's workflow failed; this is not a message of Bedrock",
        "`tuning run` shows the step and the function's log has the cause; report it to the "
        "maintainers if a new start ends the same way",
    ),
    _reason(
        r"\b(?:Customization|Settings|Configuration|Catalogue|Request|User|Source|Denied|Tuning)"
        r"Error\b"
        r"|(?:^|\n)\s*fix: ",
        "this is a message of this project, not of Bedrock: what it says is the cause",
        "do what the message says after fix:",
    ),
)
