"""Failure messages of Bedrock become cause, place and fix; unknown ones are not guessed at."""

import html
import json
from collections.abc import Callable
from textwrap import wrap

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedrock_tuning.run.failure_advice import explain
from bedrock_tuning.run.failure_reasons import _Row, reasons

# A message for each reason that is known, with words of its cause and of its fix.
KNOWN = [
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
    ("An error occurred (403) when calling HeadObject: Forbidden", "S3 denies the caller access",
     "docs/permissions.md"),
    ("Bedrock was unable to write to the output location", "may not write the job's metrics",
     "s3:PutObject"),
    ("Access denied for an object in S3", "S3 denies access to a bucket", "with the buckets' keys"),
    ("The KMS key is disabled", "may not use the key", "kms:Decrypt"),
    ("The provided role cannot be found", "cannot assume the service role", "role must exist"),
    ("arn:aws:iam::1:role/x does not exist", "cannot assume the service role", "role must exist"),
    ("Could not assume the provided role", "cannot assume the service role", "must name bedrock"),
    ("Model use case details have not been submitted for this account.",
     "requires a description of your use case", "Submit use case details"),
    ("You don't have access to the model with the specified model ID.", "no access to this model",
     "request access"),
    ("The security token included in the request is expired", "credentials are missing, wrong or",
     "aws sso login"),
    ("The teacher model is not valid", "teacher of a distillation job", "lists its teachers"),
    ("Invocation with on-demand throughput isn't supported.", "cannot be invoked by its id",
     "`tuning endpoints`"),
    ("The provided model identifier is invalid.", "the model's id is wrong", "`tuning models KEY`"),
    ("The model doesn't support fine-tuning", "does not take this type", "lists the types"),
    ("The model is not ready for inference", "not ready yet", "again in a few minutes"),
    ("Too many requests", "too many requests at once", "again in a few minutes"),
    ("The maximum number of concurrent customization jobs is reached", "every slot for",
     "wait until another job ends"),
    ("The model is associated with a Provisioned Throughput", "still served by this model",
     "`tuning lease NAME --end`"),
    ("A job with this name already exists", "the name is taken", "choose another name"),
    ("No model units are available", "no model units left", "request model units"),
    ("The resource is currently updated", "does not allow this now", "wait until its change"),
    ("The job was stopped by the user", "somebody stopped the job", "upload the manifest again"),
    ("The subnet has no free addresses", "the VPC's subnets", "EC2 permissions"),
    ("The grader returned no score", "grader of a reinforcement", "return a score in time"),
    ("These tokens are reserved", "reserves to mark turns or media", "remove the word"),
    ("The assistant's turn holds an image", "in the assistant's turn", "move the image"),
    ("Tool get_weather not found in the list", "tools that a record describes", "the same id"),
    ("reasoningContent is not supported", "a block that this model", "remove the block"),
    ("Number of images 12 is above 10", "too many images", "split the record"),
    ("Conversation roles must alternate", "turns of a conversation", "take turns, the user first"),
    ("The text cannot be empty", "a text of a record is empty", "write it, or remove the record"),
    ("The S3 URI is invalid", "not one of a single object", "name the object itself"),
    ("Value failed to satisfy constraint", "the form that Bedrock demands", "names the field"),
    ("The caption is too long", "longer than the model accepts", "shorten it"),
    ("The bucketOwner is wrong", "stated owner of a bucket", "the 12 digits"),
    ("The dataset is empty", "a manifest is empty", "limits in docs/models.md"),
    ("Unable to decode an image", "breaks the model's limits", "tuning validate --deep"),
    ("The account has reached a limit", "quota of the account is used up", "request an increase"),
    ("Could not connect to the endpoint URL", "cannot be reached from here", "docs/hardening.md"),
    ("An unexpected error happened: AccessDenied", "does not say which", "cdk drift"),
    ("States.Timeout", "took longer than it may", "shows the step; start the run again"),
    ("Runtime.ImportModuleError", "a function or a step of this project's", "report it to the"),
    ("CustomizationError: no such model", "a message of this project", "after fix:"),
    ("SSM parameter /cdk-bootstrap/hnb659fds/version not found", "not prepared for the CDK",
     "cdk bootstrap"),
    ("Cloud assembly schema version mismatch: supported is 39.0.0, found 40.0.0", "CLI is older",
     "npx cdk"),
    ("Stack is in UPDATE_ROLLBACK_FAILED state and can not be updated", "state of the stack",
     "continue-update-rollback"),
    ("The bucket you tried to delete is not empty", "deletes no data", "all versions"),
    ("Export A:B cannot be deleted as it is in use by C", "another stack still uses", "cdk deploy"),
    ("Requires capabilities : [CAPABILITY_IAM]", "to be acknowledged", "CAPABILITY_NAMED_IAM"),
    ("The requested bucket name is not available", "exists already, outside", "cdk import"),
    ("CloudFormation did not receive a response from your Custom Resource.", "a custom resource",
     "function's log"),
    ("Circular dependency between resources: [A, B]", "refuses the template", "cdk synth"),
    ("The policy failed legacy parsing", "a policy has a mistake", "that it names"),
    ("The role defined for the function cannot be assumed by Lambda.", "role of a function",
     "deploy again"),
    ("You must specify a region.", "no AWS Region is set", "--region"),
    ("'Bedrock' object has no attribute 'invoke_model'", "does not have the call",
     "bedrock-runtime"),
    ("Malformed input request: #: required key [messages] not found, please reformat your input",
     "not about a dataset", "tuning invoke"),
    ("The model is not supported for on-demand inference", "not support on-demand",
     "Provisioned Throughput"),
    ("It has a commitment and cannot be deleted before the term ends", "has a commitment",
     "tuning endpoints"),
    ("Access denied by a VPC endpoint policy", "policy of a VPC endpoint", "docs/hardening.md"),
    ("The stack named x failed to deploy: UPDATE_ROLLBACK_COMPLETE", "undid all of them",
     "describe-stack-events"),
    ("Stack with id x does not exist", "no such stack", "tuning environments"),
    ("--app is required either in command-line or in cdk.json", "project's folder", "cdk.json"),
    ("Training loss is NaN", "the training diverged", "lower learningRate"),
    ("commitmentDuration is missing", "only be bought with a commitment", "model's ARN"),
    ("'utf-8' codec can't decode byte 0x92", "is not UTF-8", "save it as UTF-8"),
    ("Stack x cannot be deleted while TerminationProtection is enabled", "is protected from",
     "update-termination-protection"),
    ("The CloudWatch Logs Resource Policy size was exceeded.", "longer than AWS allows",
     "describe-resource-policies"),
    ("INVALID_PAYMENT_INSTRUMENT", "payment method is missing", "Billing console"),
    ("The desired model must share the same base model", "another model of the same base model",
     "`tuning serve NAME`"),
    ("TaskTimedOut: 'Provided task does not exist anymore'", "no longer waits for this answer",
     "to be asked anew"),
    ("Model invocation logging is not enabled", "prompts in invocation logs", "tuning prepare"),
    ("Could not find model customization job x", "no such job, custom model or endpoint",
     "`tuning endpoints`"),
    ("Subprocess exited with error 1", "before anything was deployed", "`cdk synth` repeats"),
    ("No updates are to be performed.", "already matches its template", "nothing to do"),
    ("cdk: command not found", "is not installed", "make install"),
    ("[Errno 28] No space left on device", "a disk is full", "-o"),
    ("Cross-account pass role is not allowed.", "may not pass the service role", "job's account"),
    ("Images must be in the same S3 bucket as the training data", "in another bucket than its",
     "copy the images"),
    ("Tag key aws:team is reserved", "a tag does not have the form", "docs/settings.md"),
]  # fmt: skip

# Messages with words of one reason that are about something else, and words of what is right; ""
# for what nobody here can know.
ELSEWHERE = [
    ('Read timeout on endpoint URL: "https://bedrock-runtime.us-east-1.amazonaws.com/model/x"',
     "cannot be reached"),
    ('Could not connect to the endpoint URL: "https://lambda.us-east-1.amazonaws.com/"',
     "cannot be reached"),
    ("Malformed policy document: Invalid principal in policy", "a policy has a mistake"),
    ("The lambda response did not match the expected schema; missing aggregate_reward_score",
     "the grader"),
    ("An error occurred (ValidationException) when calling the Converse operation: A conversation "
     "must start with a user message.", "not about a dataset"),
    ("The ciphertext refers to a customer master key that does not exist", "may not use the key"),
    ("Resource of type 'AWS::S3::Bucket' with identifier 'x' already exists.", "outside of it"),
    ("Received response status [FAILED] from custom resource. Message: timed out", "of a custom"),
    ("The config profile (x) could not be found", "credentials"),
    ("An error occurred (RequestTimeTooSkewed) when calling the ListBuckets operation", "credent"),
    ("certificate verify failed: unable to get local issuer certificate", "cannot be reached"),
    ("The maximum number of VPCs has been reached.", "quota of the account"),
    ("This model doesn't support the image content block that you provided", "a block that this"),
    ("Content type image/heic not supported", "breaks the model"),
    ("Model is getting ready for inference. Please try again later", "not ready yet"),
    ("The job is in status Completed and cannot be stopped", "does not allow this now"),
    ("Cannot delete the model because deployments exist", "still served"),
    ("You have reached your limit of custom model deployments", "quota of the account"),
    ("Fine-tuning is not supported in region eu-central-1", "this Region does not offer"),
    ("Deployment failed: insufficient capacity", "Bedrock itself failed"),
    ("Consecutive user messages at index 3", "turns of a conversation"),
    ("Blank line found at line 10", "not JSON Lines"),
    ("prompt is missing at row 7", "wrong format"),
    ("image-ref s3://b/x.png not found", "cannot be read"),
    ("Number of pixels exceeds 12582912", "breaks the model"),
    ("maxResponseLengthForInference must be between 1 and 4096", "a hyperparameter"),
    ("CreateModelCustomizationJob operation: Validation dataset is not supported",
     "accepts no validation"),
    ("More than 10 images per sample", "too many images"),
    ("Mixed modality is not supported", "too many images"),
    ("Dataset validation failed: media not found: s3://b/c.png", "cannot be read"),
    ("An error occurred (404) when calling the HeadObject operation: Not Found", "cannot be read"),
    ("An error occurred (301) when calling the HeadBucket operation", "different Region"),
    *((f"{what}", "a video or a document breaks") for what in (
        "Video duration 120 seconds exceeds maximum 90", "Unsupported video codec",
        "Video too large: 60MB", "PDF exceeds 10 MB",
    )),
    ("Line 5: missing 'assistant' role", "turns of a conversation"),
    ("The training data file must have the .jsonl extension", "not JSON Lines"),
    ("Toxic content detected in training data", "provider's terms"),
    ("An error occurred (EntityAlreadyExists) when calling the CreateRole operation: Role with "
     "name x already exists.", "outside of it"),
    ("An error occurred (NoSuchEntity) when calling the GetRole operation: The role with name x "
     "cannot be found.", "role or user that does not exist"),
    ("current credentials could not be used to assume 'arn:aws:iam::111122223333:role/"
     "cdk-hnb659fds-deploy-role-111122223333-us-east-1'", "may not assume its roles"),
    ("The service role was not found or cannot be assumed", "cannot assume the service role"),
    *((f"{words}", "every slot for customization jobs") for words in (
        "The maximum number of jobs running at the same time is 2.",
        "You already have 2 jobs in progress. Wait for one of them to finish.",
    )),
    *((f"{words}", "in the assistant's turn, which") for words in (
        "image or video can't be part of an assistant message",
        "Video content is not allowed in assistant messages",
        "Images are only allowed in user messages",
    )),
    *((f"{words}", "wrong format") for words in (
        "Training data must be JSON lines with keys prompt and completion",
        'Each line of the file should be of the form {"prompt": …, "completion": …}',
        'Each line has to have the keys "prompt" and "completion"',
        "The file does not follow the required JSONL format with prompt and completion fields",
        "Row 12: 'messages' field is required",
        "Line 3: expected keys ['prompt'], got ['input']",
        "Training dataset format is not supported for model nova-micro",
        "schemaVersion must be bedrock-conversation-2024",
        "The data does not match the schema of the model",
    )),
    ("The data does not conform to JSONL format", "not JSON Lines"),
    ("File train.json has invalid extension", "not JSON Lines"),
    ("role arn:aws:iam::1:role/foo not assumable", "cannot assume the service role"),
    ("You need to request access to this model first", "no access to this model"),
    ("On demand throughput isn’t supported for this model", "cannot be invoked by its id"),
    ("Custom models can only be invoked through provisioned throughput", "cannot be invoked by"),
    ("Provided caption has length 2600 which is larger than 2560", "longer than the model"),
    *((f"{words}", "an image, a video or a document breaks") for words in (
        "Image resolution 128x128 is smaller than minimum 256",
        "The aspect ratio of s3://b/a.png is not between 0.25 and 4",
        "Image file format must be one of png, jpeg",
    )),
    ("Validation dataset cannot be provided for this model", "accepts no validation"),
    ("A validation dataset must be specified", "needs a validation dataset"),
    ("Delete all throughputs of the model before deleting it", "still served by this model"),
    ("The model cannot be deleted while it is deployed", "still served by this model"),
    ("Commitment terms are required for base models", "only be bought with a commitment"),
    ("FINE_TUNING is not a supported customization type", "does not take this type"),
    ("Document content is not supported for this model in fine-tuning", "a turn has a block"),
    ("Lambda function reward timed out during reward computation", "the grader"),
    ("toolUse id abc has no matching toolResult", "the tools that a record describes"),
    ("Tools must not be empty", "the tools that a record describes"),
    ("S3 bucket b is in us-west-2, but the job is in us-east-1", "different Region"),
    ("The bucket must be addressed using the specified endpoint", "different Region"),
    ("The request failed due to a temporary issue", "Bedrock itself failed"),
    ("Training data blocked by content filters", "provider's terms"),
    ('Resource handler returned message: "The log group already exists" (HandlerErrorCode: '
     "AlreadyExists)", "outside of it"),
    ("#: extraneous key [inputText] , please reformat your input", "not about a dataset"),
    ('Unknown parameter in input: "customizationConfig"', "does not have the call"),
    ("The model is not eligible for on-demand deployment", "not support on-demand"),
    ("Job has already completed", "does not allow this now"),
    ("The key policy does not allow Bedrock to create grants", "may not use the key"),
    ("Last message must be from the assistant", "turns of a conversation"),
    ("Caption for record 7 is empty", "a text of a record is empty"),
    ("image-ref in line 5 is not a valid S3 URI", "not one of a single object"),
    ("The S3 object in the dataset has 0 bytes", "cannot be read"),
    *((f"{words}", "a manifest is empty, or larger") for words in (
        "Reading 0 bytes from the object failed, file is empty",
        "train.jsonl has 0 bytes",
        "Validation dataset cannot be empty",
    )),
    ("Unable to parse Amazon S3 file: vertexai/train.jsonl. Data files must conform to JSONL "
     "format.", "not JSON Lines"),
    ("s3://b/azureopenai/train.jsonl is not UTF-8", "is not UTF-8"),
    ("An error occurred (AccessDenied) when calling the CreateFlowLogs operation",
     "may not do this"),
    ("Image count 4 is less than the minimum 5", "too few or too many records"),
    ("NaN encountered in loss", "the training diverged"),
    ("Number of epochs 200 exceeds max 100", "a hyperparameter"),
    ("ModelTimeoutException: The request took too long to process.", "Bedrock itself failed"),
    # In words of nobody's list: a subject and a fault in one sentence are enough.
    *((words, "wrong format") for words in (
        "The following keys are not permitted in the training data: ['label']",
        "Attribute 'caption' not found", "Unrecognized field 'imageRef' (class Record)",
        "data.messages[0].content must be array", "KeyError: 'completion'",
    )),
    *((words, "not JSON Lines") for words in (
        "Line 5 contains extra text after the JSON object", "Line 4 could not be parsed as JSON",
        "json.decoder.JSONDecodeError: Extra data: line 2 column 1 (char 120)",
        "Error parsing line 8 of training file",
    )),
    *((words, "an image, a video or a document breaks") for words in (
        "Image s3://b/a.jpg has width 200 which is less than the minimum of 256",
        "Total pixel count 16777216 exceeds the maximum of 12582912",
        "PIL.UnidentifiedImageError: cannot identify image file", "GIF images are not supported",
        "Video s3://b/v.mp4 has 120s; only 90s are supported",
    )),
    *((words, "too few or too many records") for words in (
        "The training dataset contains 20001 samples, which is more than the allowed 20000",
        "Expected at most 500000 image-caption pairs, got 600000",
    )),
    *((words, "more tokens") for words in (
        "Sample at index 41 exceeds the maximum sequence length of 32768",
        "Prompt at index 3 has 9000 tokens which is greater than the max of 4096",
    )),
    *((words, "a hyperparameter") for words in (
        "epochs must be between 1 and 5", "learning_rate out of bounds",
    )),
    *((words, "credentials") for words in (
        "Error loading SSO Token: Token for corp does not exist",
        "Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY",
        "An error occurred (InvalidAccessKeyId) when calling the ListBuckets operation: The AWS "
        "Access Key Id you provided does not exist in our records.",
        "Could not assume role: the security token included in the request is expired",
    )),
    *((words, "cannot be reached") for words in (
        "getaddrinfo ENOTFOUND bedrock.us-east-1.amazonaws.com", "connect ETIMEDOUT 10.0.0.1:443",
        "self-signed certificate in certificate chain",
    )),
    ("Customization is not available in eu-west-1", "this Region does not offer"),
    ("Your account does not currently have access to this model.", "no access to this model"),
    ("S3 URI must point to a file, not a prefix", "not one of a single object"),
    ("Service role r lacks s3:ListBucket on bucket b", "S3 denies access"),
    ("HeadObject returned 403 Forbidden for s3://b/1.png", "S3 denies access"),
    ("Too many tokens per day, please wait before trying again.", "too many requests"),
    ("You have exceeded the maximum of 100 custom models", "quota of the account"),
    ("Modifying service token is not allowed.", "a custom resource"),
    ("NoCredentialProviders: no valid providers in chain", "credentials"),
    ("The stack is in REVIEW_IN_PROGRESS", "state of the stack"),
    ("The customer managed key you specified cannot be used", "may not use the key"),
    ("You can't delete a Provisioned Throughput before its commitment term is complete",
     "has a commitment"),
    ("Lambda.TooManyRequestsException: Rate Exceeded.", "too many requests"),
    ("Reward lambda returned an error: Task timed out after 3.00 seconds", "the grader"),
    ("Validation dataset is mandatory for this model", "needs a validation dataset"),
    ("Turns must alternate between user and assistant", "turns of a conversation"),
    ("CREATE_FAILED | AWS::S3::Bucket | DataBucket | bucket already exists", "outside of it"),
    ("Not authorized to perform bedrock:CreateModelCustomizationJob", "the caller may not do bed"),
    ("RequestId: 1 Error: Runtime exited with error: signal: killed", "a function or a step"),
    # A word of one cause beside the subject of another.
    *((words, "an image, a video or a document breaks") for words in (
        "The image s3://b/1.png cannot be decoded", "An image at line 3 could not be decoded",
        "The image in /docker/data/1.png is too small",
    )),
    *((words, "the VPC's subnets or security groups") for words in (
        "The ID 'subnet-0123456789abcdef0' does not exist in us-east-1",
        "security group sg-1 does not exist in us-east-1",
    )),
    ("The specified bucket does not exist in eu-west-1", "a file that the job needs"),
    ("The base model does not exist in eu-west-1", "this Region does not offer"),
    ("Your dataset was flagged", "inconsistent with the model provider's terms"),
    ("Prompt has 20000 characters, the maximum is 8192", "more characters"),
    ("502 Bad Gateway", "Bedrock itself failed"), ("500 Error", "Bedrock itself failed"),
    ("DNS lookup failed", "cannot be reached"), ("cannot resolve by DNS", "cannot be reached"),
    ("The text cannot be decoded", "not UTF-8"),
    ("Failed to deserialize the line", "not JSON Lines"),
    # Of other services and tools.
    *((words, "") for words in (
        "Error code: 400 - {'error': {'message': 'Line 1 is not valid JSON', 'type': "
        "'invalid_request_error'}}",
        "Unable to find image 'app:latest' locally", "Error from docker: invalid image format",
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB for 4 images",
        "This file violates OpenAI's usage policies: too many examples",
        "openai.RateLimitError: Error code: 429 - You exceeded your current quota",
        "The job failed: quota exceeded for aiplatform.googleapis.com",
        "An error occurred (ResourceLimitExceeded) when calling the CreateTrainingJob operation: "
        "The account-level service limit 'ml.p3.2xlarge for training job usage' is 0 Instances",
        "Knowledge base data source sync failed: documents with unsupported format",
        "An error occurred (ConflictException) when calling the StartIngestionJob operation",
        "jsonschema.exceptions.ValidationError: 'name' is a required property",
        "psycopg2.OperationalError: connection refused",
        'Traceback (most recent call last):\n  File "a.py", line 1\n    tune(batchSize=1)\n'
        "KeyError: 'x'",
    )),
    *((words, "") for words in (
        "role 'tool' cannot be found in allowed roles",
        "FileNotFoundError: [Errno 2] No such file or directory: 'a.txt'",
        "Unexpected token < in JSON at position 0", "zsh: command not found: foo",
        "Error: listen EADDRINUSE: address already in use :::3000",
        "Meeting duration must be less than one hour", "Keys must be returned to the front desk",
        "The password must be at least 8 characters long", "Everything about JSON is fine",
        "A game console for video is required", "IndexError: list index out of range",
        "Response payload size (0 bytes) was read",
        # Lines of a log are no one sentence.
        *(f"{begin}reading images\n{begin}cannot find the cache" for begin in (
            "2026-11-28 12:00:00 ", "12:00:00 ", "[12:00:00] ", "INFO ", "[ERROR] ", "WARN: ",
        )),
        "The value 600 must be between 1 and 500 but it was 600",
        "ec2 i-1 does not exist in us-east-1",
        "Private DNS requires enableDnsSupport", "Your email was flagged as spam",
        "cdk.json must be an object, not []", "cannot read pets/train.jsonl: Permission denied",
        "REJECTED for titan-text-express: 12 records", "The link must point to a page",
        "Serializes and deserializes objects",
        "description: has 201 characters, the maximum is 200",
        "5 is below the minimum 10 (Titan Image Generator G1 v2, source UG-hp)",
        "The validation dataset must not be larger than 1000",
        "The model failed to deploy",
        "Chat template error: unexpected token",
        "An error occurred (MalformedXML)",
        "my name is already known",
        "DeprecationWarning: datetime.utcnow() is deprecated",
        "Node.js 18 has reached end of life",
        "error: unknown option: it does not exist",
        "The bus was stopped by the police",
        "This is a legacy system",
    )),
]  # fmt: skip


@pytest.mark.parametrize(("message", "cause", "fix"), KNOWN)
def test_a_known_message_has_a_cause_and_a_fix(message: str, cause: str, fix: str) -> None:
    found = explain(message)

    assert found.known
    assert cause in found.cause
    assert fix in found.fix
    assert found.message == message


@pytest.mark.parametrize(("message", "cause"), ELSEWHERE)
def test_a_message_with_words_of_another_cause_is_not_taken_for_it(
    message: str, cause: str
) -> None:
    found = explain(message)

    assert found.known is bool(cause)
    assert (cause or "is not known here") in found.cause


def test_every_reason_is_found_by_a_message_that_says_nothing_else() -> None:
    found = {(each.cause, each.fix) for message, *_ in KNOWN for each in [explain(message)]}
    table = reasons()
    assert {(each.cause, each.fix) for each in (*table.own, *table.known)} <= found


@pytest.mark.parametrize(
    ("code", "cause", "fix"),
    [
        ("AccessDenied", "may not pass the service role", "`tuning review` proves"),
        ("AccessDeniedException", "may not pass the service role", "`tuning review` proves"),
        ("UnauthorizedOperation", "may not pass the service role", "`tuning review` proves"),
        ("ConflictException", "already exists", "wait until its change has ended"),
        ("InternalServerException", "Bedrock itself failed", "contact AWS Support"),
        ("InternalFailure", "Bedrock itself failed", "contact AWS Support"),
        ("ServiceUnavailableException", "Bedrock itself failed", "contact AWS Support"),
        ("ResourceNotFoundException", "does not exist in this Region", "check the id and the"),
        ("ServiceQuotaExceededException", "default quota of 0", "request an increase"),
        ("ThrottlingException", "too many requests", "again in a few minutes"),
        ("TooManyRequestsException", "too many requests", "again in a few minutes"),
        ("TooManyTagsException", "more tags", "remove tags"),
        ("ValidationException", "AWS refuses the request: Something.", "which part"),
        ("ValidationError", "AWS refuses the request: Something.", "which part"),
        ("Bedrock.ThrottlingException", "too many requests", "again in a few minutes"),
    ],
)
def test_every_error_class_of_the_api_is_explained(code: str, cause: str, fix: str) -> None:
    found = explain("Something.", code=code)
    assert cause in found.cause
    assert fix in found.fix


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

    assert "Titan Image Generator G1 v2 is past its end-of-life date, 2026-06-30" in found.cause
    assert "docs/models.md" in found.fix


def test_the_model_is_known_when_only_the_message_names_it() -> None:
    found = explain(f"{ENDED} (cohere.command-text-v14)")

    assert "end-of-life date, 2025-08-12" in found.cause


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


def test_a_refusal_names_the_object_as_it_is_called() -> None:
    place = "arn:aws:s3:::training/_checked/pets/run_1/training.jsonl"
    found = explain(REFUSED.format("s3:PutObject", place, "s3:PutObject"), code="AccessDenied")
    assert f"may not do s3:PutObject on {place}:" in found.cause


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


@pytest.mark.parametrize(
    "changed",
    [
        lambda text: "\n".join(wrap(text, 30, break_on_hyphens=False)),
        lambda text: "> " + "\n> ".join(wrap(text, 30, break_on_hyphens=False)),
        lambda text: "\r\n │ ".join(wrap(text, 30, break_on_hyphens=False)),
        html.escape,
        lambda text: text.replace("'", "\\u0027"),
        lambda text: f"\x1b[31m{text}\x1b[0m",
        lambda text: f"*Failed:* _{text}_",
    ],
)
@pytest.mark.parametrize(("message", "cause", "fix"), KNOWN)
def test_what_mails_terminals_and_pages_make_of_a_message_is_the_same_message(
    message: str, cause: str, fix: str, changed: Callable[[str], str]
) -> None:
    found = explain(changed(message))
    assert cause in found.cause
    assert fix in found.fix


TRACEBACK = (
    "Traceback (most recent call last):\n"
    '  File "/var/task/tune.py", line 12, in <module>\n'
    '    bedrock.create_model_customization_job(hyperParameters={"batchSize": "1"})\n'
)


@pytest.mark.parametrize(
    ("ending", "cause", "line"),
    [
        ("botocore.errorfactory.ClientError: An error occurred (ValidationException) when calling "
         "the CreateModelCustomizationJob operation: Invalid JSON on line 3", "not JSON Lines", 3),
        ("KeyError: 'customization'", "a function or a step of this project's", None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("wrapped", [str, lambda text: json.dumps({"errorMessage": text})])
def test_of_a_traceback_only_the_error_is_read(
    ending: str, cause: str, line: int | None, wrapped: Callable[[str], str]
) -> None:
    found = explain(wrapped(TRACEBACK * 40 + ending))

    assert cause in found.cause
    assert found.line == line


def test_the_record_and_the_place_are_quoted_from_the_message() -> None:
    size = explain("Input size exceeded in file `a/train.jsonl` for record starting with: Ron the")
    read = explain(
        "Could not validate GetObject permissions to access Amazon S3 bucket: `my-data` "
        "at key `pets/manifest.jsonl`"
    )

    assert size.record == "Ron the"
    assert size.where == "a/train.jsonl"
    assert read.where == "s3://my-data/pets/manifest.jsonl"
    assert explain("The image s3://b/1.png: not found.").where == "s3://b/1.png"
    assert explain("Rate exceeded").where == ""


@pytest.mark.parametrize(
    "quoted", ["How do I use Vertex AI?", "You could not assume a role at line 7", "[R101] Ron"]
)
def test_what_the_record_itself_says_explains_nothing(quoted: str) -> None:
    found = explain(f"Input size exceeded in file a.jsonl for record starting with: {quoted}")

    assert "more characters" in found.cause
    assert (found.record, found.line) == (quoted, None)


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


@pytest.mark.parametrize(
    ("begins", "about"),
    [
        ("Could not validate PutObject permission: ", "may not write the job's metrics: "),
        ("Could not validate GetObject permission: ", "may not read the dataset: "),
        ("The bucket's permissions on S3 are wrong: ", ""),
    ],
)
def test_a_denial_in_a_message_about_the_service_role_says_whose_it_is(
    begins: str, about: str
) -> None:
    denied = "User: arn:aws:sts::1:assumed-role/x/y is not authorized to perform: s3:PutObject on "
    cause = explain(f"{begins}{denied}resource: arn:aws:s3:::b/k").cause

    assert "may not do s3:PutObject on arn:aws:s3:::b/k" in cause
    assert cause.startswith(f"the service role {about}" if about else "arn:") or not about
    assert ("the service role may not" in cause) is bool(about)


def test_a_misspelt_field_of_the_table_of_reasons_is_refused() -> None:
    row = {"says": ["a"], "cause": "b", "fix": "c"}
    assert msgspec.convert(row, _Row).subject == ""
    with pytest.raises(msgspec.ValidationError, match="subjekt"):
        msgspec.convert({**row, "subjekt": "d"}, _Row)
