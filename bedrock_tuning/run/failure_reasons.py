"""What messages of Amazon Bedrock, AWS and this project mean: patterns with cause and fix.

Patterns match what a message says, not one wording: a page, a validator and the service say the
same thing differently. Sources: Bedrock User Guide, pages fine-tuning-troubleshooting and
troubleshooting-api-error-codes; AWS re:Post, bedrock-fine-tuning-errors; AWS's dataset validators;
reports in the issue trackers of AWS's samples.
"""

from typing import Final

from bedrock_tuning.run.reasons_of_data import OF_DATA, reason

_AGAIN: Final = "start the run again in a few minutes"

# Bedrock's message about a model past its end of life. The error's class is then
# ResourceNotFoundException, which would suggest another cause.
CLOSED: Final = reason(
    r"end of (?:its )?life|legacy|no longer (?:available|supported)|deprecated|retired model",
    "the base model accepts no new jobs and no new Provisioned Throughput",
    "choose an open model: docs/models.md and `tuning models` list them with their dates; only an "
    "account with extended access can continue with this one",
)
_ACCESS: Final = (
    # S3 answers a HEAD request without a message.
    reason(
        r"An error occurred \(403\) when calling",
        "S3 denies the caller access to an object, without a reason",
        "the caller must be able to read that object and to use its key: `cdk drift` shows whether "
        "its role was changed by hand; docs/permissions.md lists what it must be able to do",
    ),
    reason(
        r"PutObject permission|perms missing \(PutObject\)|write_access_check_file"
        r"|(?:not|n't|unable to|cannot|failed to) (?:be able to )?write.{0,60}(?:output|S3|bucket)",
        "the service role may not write the job's metrics",
        "allow s3:PutObject on the output prefix, and kms:GenerateDataKey on the bucket's key; no "
        "bucket policy may deny the test file .write_access_check_file.tmp",
        about="service role",
    ),
    reason(
        r"(?:GetObject|ListBucket) permission|perms missing \((?:GetObject|ListBucket)\)",
        "the service role may not read the dataset",
        "allow s3:GetObject and s3:ListBucket on the customization's folder and kms:Decrypt on "
        "the bucket's key; the bucket must be in the job's Region; `tuning review` proves what "
        "the role can do",
        about="service role",
    ),
    reason(
        r"permissions?\b.{0,80}\b(?:S3|bucket)|access denied.{0,80}\b(?:S3|bucket)"
        r"|(?:S3|bucket)\b.{0,60}(?:denie[sd]|forbid|not accessible|cannot be accessed)",
        "S3 denies access to a bucket or an object",
        "allow the role that the message names, or else the service role, to read the dataset and "
        "to write the output, with the buckets' keys; no bucket policy may deny it: `tuning "
        "review` proves what each role can do",
    ),
    reason(
        r"\bKMS\b|kms:|CiphertextRefersTo",
        "the service role may not use the key that encrypts a bucket or the custom model",
        "allow kms:Decrypt (and kms:GenerateDataKey for the output) on that key, through S3; the "
        "key must be enabled",
    ),
    reason(
        r"permissions? to invoke.{0,60}\b(?:grader|lambda|function|reward|teacher)",
        "the service role may not call the grader or the teacher",
        "name it in the customization file and deploy it again: its role may call what it names",
    ),
    reason(
        r"PermanentRedirect|AuthorizationHeaderMalformed"
        r"|(?:different|another|wrong|same) (?:AWS )?region",
        "a bucket is in a different Region than the job",
        "keep the training, validation and output buckets in the job's Region",
    ),
    reason(
        r"assum(?:e|ed|ing)\b.{0,40}\brole|\brole\b.{0,80}\bassumed|sts:AssumeRole"
        r"|trust (?:policy|relationship)",
        "Bedrock cannot assume the service role",
        "the role's trust policy must name bedrock.amazonaws.com, this account and this Region's "
        "customization jobs; the role must exist",
    ),
    reason(
        r"use.?case (?:details|form)|FTUFormNotFilled",
        "the model's provider first requires a description of your use case",
        "submit the use case form once per account: Bedrock console, Model catalog, the model, "
        "Submit use case details",
    ),
    reason(
        r"(?:not|n't|no) (?:\w+ )?access to (?:\w+ )?models?\b|model access"
        r"|access to (?:\w+ ){0,3}model.{0,40}(?:denied|not)|BadCScore"
        r"|account is not authorized to (?:invoke|access|use)|aws-marketplace|marketplace subscri"
        r"|operation not allowed",
        "the account has no access to this model in this Region, or the model's id is wrong",
        "request access to the model (Bedrock console, Model access), check that the Region offers "
        "it and that the id is the model's: `tuning models`. This is not the caller's policy",
    ),
    reason(
        r"security token|Expired ?Token|InvalidClientTokenId|UnrecognizedClient|IncompleteSignature"
        r"|signature (?:we calculated|expired|does not)|unable to locate credentials"
        r"|SSO.{0,40}expired",
        "the caller's credentials are missing, wrong or expired",
        "sign in again, for example with `aws sso login`, and check the profile and the clock",
    ),
)
_MODEL: Final = (
    reason(
        r"teacher.{0,80}(?:not|invalid|denied)",
        "the teacher of a distillation job is not one for this student, or may not be invoked",
        "the student's page in the Bedrock User Guide lists its teachers; the account needs access "
        "to the teacher in the job's Region",
    ),
    reason(
        r"on-?demand throughput|inference profile",
        "this model cannot be invoked by its id: the call needs an endpoint or an inference "
        "profile",
        "invoke the endpoint's ARN, which `tuning endpoints` shows, instead of the model's id; a "
        "base model is invoked through its inference profile",
    ),
    CLOSED,
    reason(
        r"model (?:identifier|id|arn)\b.{0,40}\binvalid|invalid model (?:identifier|id|arn)"
        r"|(?:resolve|find|recogni[sz]e) the (?:foundation |base |custom )?model"
        r"|model.{0,60}not (?:found|supported|available|offered)"
        r"|not (?:supported|available|offered) in (?:this|your|the) (?:AWS )?region",
        "the model's id is wrong, or this Region does not offer the model",
        "check the id and the Region: `tuning models KEY` shows both; ids for customization differ "
        "from ids for invocation",
    ),
    reason(
        r"(?:not|n't) support.{0,30}(?:customiz|fine-?tun|pre-?train|distill|reinforcement)"
        r"|(?:customization|task) type.{0,60}(?:not|only|invalid|unsupported)|not customizable"
        r"|(?:invalid|unsupported) customization type",
        "the model does not take this type of customization",
        "`tuning models KEY` lists the types of each model",
    ),
    reason(
        r"(?:not|n't) (?:yet )?ready for inference|ModelNotReady|model (?:is )?still",
        "the model is not ready yet",
        _AGAIN,
    ),
)
_STATE: Final = (
    reason(
        r"too many tokens,? (?:please )?wait|too many requests|throttl|rate exceeded|slow ?down",
        "too many requests at once",
        _AGAIN,
    ),
    reason(
        r"concurrent.{0,40}\bjobs?\b|\bjobs?\b.{0,40}\bconcurrent"
        r"|(?:limit|quota|maximum|too many).{0,60}(?:customization|training|scheduled) jobs?\b"
        r"|(?:customization|training|scheduled) jobs?\b.{0,60}(?:limit|quota|maximum)",
        "every slot for customization jobs of the account is taken: the run waits for a job slot",
        "wait until another job ends (`tuning runs`): a run that waits starts by itself, one that "
        "failed starts again when its manifest is uploaded again. The quota may not be adjustable",
    ),
    reason(
        r"(?:associated with|attached to|used by|in use by|has).{0,40}"
        r"(?:provisioned|throughput|deployment|endpoint)",
        "something is still served by this model",
        "end the endpoint first, `tuning lease NAME --end`, and delete other Provisioned "
        "Throughput and deployments of the model; then delete the model",
    ),
    reason(
        r"\bname\b.{0,80}(?:already|currently|not unique|must be unique)|already (?:exists|in use)"
        r"|ResourceInUse",
        "the name is taken: names of jobs, models and endpoints are used once per account and "
        "Region",
        "choose another name, or delete what has it; the runs of this project have unique names",
    ),
    reason(
        r"model units?\b|provisioned.{0,40}(?:quota|limit)",
        "the account has no model units left for this model; the default quota is 0",
        "request model units in Service Quotas, or delete a Provisioned Throughput",
    ),
    reason(
        r"(?:being|currently) (?:updated|created|deleted)|\bin (?:the )?\w+ (?:state|status)\b",
        "the state of a job, a model or an endpoint does not allow this now",
        "wait until its change has ended: `tuning runs` and `tuning endpoints` show it",
    ),
    reason(
        r"stopped by|job (?:was|has been) stopped",
        "somebody stopped the job: it leaves no model, and what was done is billed",
        "upload the manifest again to train anew",
    ),
    reason(
        r"\bsubnet|security group|network interface|\bVPC\b",
        "the job cannot use the VPC's subnets or security groups",
        "they must exist in the job's Region, have free addresses and a way to S3; the service "
        "role needs the EC2 permissions of docs/permissions.md",
    ),
    reason(
        r"\bgrader|reward (?:function|lambda|model)",
        "the grader of a reinforcement fine-tuning job failed",
        "test the function with a record of the dataset: it must return a score in time, and the "
        "service role must be able to invoke it",
    ),
)
_REST: Final = (
    reason(
        r"quota|service limit|LimitExceeded|(?:account|region)\b.{0,20}\blimit"
        r"|\blimit\b.{0,20}(?:reached|exceeded)",
        "a quota of the account is used up",
        "wait, delete what is not needed, or request an increase in Service Quotas",
    ),
    reason(
        r"could not connect|connection (?:reset|aborted|refused|timed out)|endpoint URL"
        r"|name resolution|read timeout|connect timeout",
        "AWS cannot be reached from here",
        "check the network, the proxy and the Region; in a VPC without internet, its endpoints: "
        "docs/hardening.md",
    ),
    reason(
        r"unexpected error.{0,80}AccessDenied",
        "the service role or the caller lacks a permission, and Bedrock does not say which",
        "`tuning review` proves what each role can do, `cdk drift` shows what was changed by hand",
    ),
    reason(
        r"unexpected error|internal (?:server |service )?(?:error|failure)|service unavailable"
        r"|ModelErrorException|model timeout|timed out",
        "Bedrock itself failed",
        "start the run again; if it fails again, contact AWS Support with the job's ARN",
    ),
)
# The first match counts, so the specific ones come first.
REASONS: Final = (*_ACCESS, *_MODEL, *_STATE, *OF_DATA, *_REST)

# What Step Functions, Lambda and this project itself say: none of it comes from Bedrock.
OWN: Final = (
    reason(
        r"\bStates\.(?:Timeout|HeartbeatTimeout)\b",
        "a step of the workflow took longer than it may; this is not a message of Bedrock",
        "`tuning run` shows the step; start the run again",
    ),
    reason(
        r"\bStates\.\w+|\bLambda\.\w+|\bSandbox\.Timedout|\bRuntime\.\w+|Task timed out after"
        r"|Traceback \(most recent call last\)",
        "a function or a step of this project's workflow failed; this is not a message of Bedrock",
        "`tuning run` shows the step and the function's log has the cause; report it to the "
        "maintainers if a new start ends the same way",
    ),
    reason(
        r"\b(?:Customization|Settings|Configuration|Catalogue|Request|User|Source|Denied|Tuning)"
        r"Error\b"
        r"|(?:^|\n)\s*fix: ",
        "this is a message of this project, not of Bedrock: what it says is the cause",
        "do what the message says after fix:",
    ),
)
