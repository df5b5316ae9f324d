"""Flaws of what roles may do."""

from tests.review.broken import Copy, Raw
from tests.review.mutants._mutant import collected, flaw

BEDROCK = "pets-search/BedrockRole"
SERVE = "pipeline/Functions/Serve/Role"
STARTER = "pets-search/Starter"
WORKFLOW = "pipeline/WorkflowRole"


def _ends(value: object, old: str, new: str) -> object:
    """A Join or text whose end is replaced."""
    if isinstance(value, str):
        return value.replace(old, new)
    assert isinstance(value, dict)
    separator, parts = value["Fn::Join"]
    return {"Fn::Join": [separator, [*parts[:-1], parts[-1].replace(old, new)]]}


def _resources(statement: Raw) -> list[object]:
    found = statement["Resource"]
    return found if isinstance(found, list) else [found]


@flaw("P304", "Bedrock role: look-alike prefix (train* for train/*)")
def look_alike_prefix(copy: Copy) -> None:
    statement = copy.statement(BEDROCK, "ReadDataset")
    statement["Resource"] = [
        _ends(r, "pets-search/*", "pets-search*") for r in _resources(statement)
    ]


@flaw("P304", "Bedrock role: reads the whole bucket")
def reads_everything(copy: Copy) -> None:
    statement = copy.statement(BEDROCK, "ReadDataset")
    statement["Resource"] = [_ends(r, "/pets-search/*", "/*") for r in _resources(statement)]


@flaw("M810", "Bedrock role: reads another customization's dataset")
def reads_another(copy: Copy) -> None:
    statement = copy.statement(BEDROCK, "ReadDataset")
    found = _resources(statement)
    statement["Resource"] = [*found, _ends(found[-1], "pets-search", "pets-style")]


@flaw("P304", "Bedrock role: reads every bucket")
def reads_all_buckets(copy: Copy) -> None:
    copy.statement(BEDROCK, "ReadDataset")["Resource"] = "*"


@flaw("P305", "Bedrock role: cannot write its metrics")
def cannot_write(copy: Copy) -> None:
    copy.policy(BEDROCK).remove(copy.statement(BEDROCK, "WriteOutput"))


@flaw("P304", "Bedrock role: may delete its output")
def deletes_output(copy: Copy) -> None:
    copy.statement(BEDROCK, "WriteOutput")["Action"] = ["s3:PutObject", "s3:DeleteObject"]


@flaw("P304", "Bedrock role: may change permissions of objects")
def changes_acl(copy: Copy) -> None:
    copy.statement(BEDROCK, "WriteOutput")["Action"] = ["s3:PutObject", "s3:PutObjectAcl"]


@flaw("P304", "Bedrock role: an action with a wildcard")
def wildcard_action(copy: Copy) -> None:
    copy.statement(BEDROCK, "ReadDataset")["Action"] = "s3:Get*"


@flaw("P304", "Bedrock role: lists without a prefix")
def lists_everything(copy: Copy) -> None:
    del copy.statement(BEDROCK, "ListDataset")["Condition"]["StringLike"]


@flaw("P304", "Bedrock role: lists with a look-alike prefix")
def lists_look_alike(copy: Copy) -> None:
    like = copy.statement(BEDROCK, "ListDataset")["Condition"]["StringLike"]
    like["s3:prefix"] = "pets-search*"


@flaw("P304", "Bedrock role: buckets of other accounts")
def other_accounts(copy: Copy) -> None:
    del copy.statement(BEDROCK, "ReadDataset")["Condition"]


@flaw("P304", "Bedrock role: KMS without ViaService")
def key_directly(copy: Copy) -> None:
    del copy.statement(BEDROCK, "UseDataKey")["Condition"]


@flaw("P304", "Bedrock role: KMS through any service")
def key_through_any(copy: Copy) -> None:
    condition = copy.statement(BEDROCK, "UseDataKey")["Condition"]
    condition["StringLike"] = {"kms:ViaService": "*.amazonaws.com"}
    del condition["StringEquals"]


@flaw("P304", "Bedrock role: KMS ViaService IfExists")
def key_if_exists(copy: Copy) -> None:
    condition = copy.statement(BEDROCK, "UseDataKey")["Condition"]
    condition["StringEqualsIfExists"] = condition.pop("StringEquals")


@flaw("P304", "Bedrock role: every key")
def every_key(copy: Copy) -> None:
    copy.statement(BEDROCK, "UseDataKey")["Resource"] = "*"


@flaw("P304", "Bedrock role: may make grants of the key")
def key_grants(copy: Copy) -> None:
    statement = copy.statement(BEDROCK, "UseDataKey")
    statement["Action"] = [*statement["Action"], "kms:CreateGrant"]


@flaw("P305", "Bedrock role: cannot use the key of its buckets")
def no_key(copy: Copy) -> None:
    copy.policy(BEDROCK).remove(copy.statement(BEDROCK, "UseDataKey"))


@flaw("P305", "Bedrock role: a typo in s3:prefix")
def typo_in_prefix(copy: Copy) -> None:
    like = copy.statement(BEDROCK, "ListDataset")["Condition"]["StringLike"]
    like["s3:prefixes"] = like.pop("s3:prefix")


@flaw("P304", "Bedrock role: NotAction")
def not_action(copy: Copy) -> None:
    statement = copy.statement(BEDROCK, "WriteOutput")
    statement["NotAction"] = statement.pop("Action")


@flaw("P304", "Bedrock role: NotResource")
def not_resource(copy: Copy) -> None:
    statement = copy.statement(BEDROCK, "WriteOutput")
    statement["NotResource"] = statement.pop("Resource")


@flaw("P302", "Bedrock role: a managed policy")
def managed_policy(copy: Copy) -> None:
    arn = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
    copy.properties(BEDROCK)["ManagedPolicyArns"] = [arn]


@flaw("P302", "Bedrock role: a policy beside the role")
def separate_policy(copy: Copy) -> None:
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    }
    copy.add(
        "pipeline",
        "Extra",
        "AWS::IAM::Policy",
        PolicyName="Extra",
        PolicyDocument=document,
        Roles=[{"Ref": copy.logical_id(BEDROCK)}],
    )


@flaw("P304", "Bedrock role: administrator")
def administrator(copy: Copy) -> None:
    copy.policy(BEDROCK).append({"Effect": "Allow", "Action": "*", "Resource": "*"})


@flaw("R410", "Bedrock role: a Deny that stops its own work")
def self_denied(copy: Copy) -> None:
    copy.policy(BEDROCK).append({"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"})


@flaw("M821", "starter: passes any role")
def passes_any_role(copy: Copy) -> None:
    copy.statement(STARTER, "PassOwnServiceRole")["Resource"] = "*"


@flaw("M821", "starter: passes to any service")
def passes_to_any(copy: Copy) -> None:
    del copy.statement(STARTER, "PassOwnServiceRole")["Condition"]


@flaw("P304", "starter: passes to EC2, too")
def passes_to_ec2(copy: Copy) -> None:
    equals = copy.statement(STARTER, "PassOwnServiceRole")["Condition"]["StringEquals"]
    equals["iam:PassedToService"] = ["bedrock.amazonaws.com", "ec2.amazonaws.com"]


@flaw("P304", "workflow: starts any state machine")
def starts_any(copy: Copy) -> None:
    copy.statement(WORKFLOW, "RunShards")["Resource"] = "*"


@flaw("P304", "workflow: calls any function")
def calls_any(copy: Copy) -> None:
    copy.statement(WORKFLOW, "CallFunctions")["Resource"] = "*"


@flaw("P305", "starter: cannot stop its job")
def cannot_stop(copy: Copy) -> None:
    copy.statement(STARTER, "WatchJobs")["Action"] = "bedrock:GetModelCustomizationJob"


@flaw("P304", "serve: buys without its tag")
def buys_untagged(copy: Copy) -> None:
    del copy.statement(SERVE, "BuyEndpoints")["Condition"]


@flaw("P304", "serve: deletes anybody's endpoints")
def deletes_any(copy: Copy) -> None:
    del copy.statement(SERVE, "EndBilling")["Condition"]


@flaw("P304", "serve: claims another environment's endpoints by tagging them")
def claims_endpoints(copy: Copy) -> None:
    del copy.statement(SERVE, "TagNewEndpoints")["Condition"]["StringEqualsIfExists"]


@flaw("P304", "serve: the tag of another environment")
def wrong_environment(copy: Copy) -> None:
    equals = copy.statement(SERVE, "EndBilling")["Condition"]["StringEquals"]
    equals["aws:ResourceTag/bedrock-tuning:environment"] = "prod"


@flaw("P304", "serve: invokes foundation models")
def invokes_any(copy: Copy) -> None:
    copy.statement(SERVE, "SmokeTest")["Resource"] = "arn:aws:bedrock:*::foundation-model/*"


@flaw("P304", "lease keeper: buys")
def lease_keeper_buys(copy: Copy) -> None:
    policy = copy.policy("pipeline/Functions/KeepLeases/Role")
    policy.append(copy.statement(SERVE, "BuyEndpoints"))


@flaw("P305", "lease keeper: cannot delete")
def lease_keeper_cannot_delete(copy: Copy) -> None:
    role = "pipeline/Functions/KeepLeases/Role"
    copy.policy(role).remove(copy.statement(role, "EndBilling"))


@flaw("P304", "admit: reads whole items of other tables")
def other_tables(copy: Copy) -> None:
    copy.statement("pipeline/Functions/Admit/Role", "UseRuns")["Resource"] = (
        "arn:aws:dynamodb:us-east-1:111122223333:table/*"
    )


@flaw("P304", "check manifest: reads images")
def reads_images(copy: Copy) -> None:
    statement = copy.statement("pipeline/Functions/CheckManifest/Role", "ReadManifests")
    statement["Resource"] = [_ends(r, "manifest.jsonl", "*") for r in _resources(statement)]


@flaw("W523", "merge: write prefix inside a trigger prefix")
def writes_into_trigger(copy: Copy) -> None:
    read = copy.statement("pipeline/Functions/CheckManifest/Role", "ReadManifests")
    write = copy.statement("pipeline/Functions/Merge/Role", "WriteReports")
    write["Resource"] = [*_resources(write), *_resources(read)]


@flaw("P304", "merge: logs of other functions")
def other_logs(copy: Copy) -> None:
    copy.statement("pipeline/Functions/Merge/Role", "WriteOwnLogs")["Resource"] = "*"


@flaw("P304", "provider: parameters of other environments")
def other_parameters(copy: Copy) -> None:
    copy.statement("serving/ProvisionedThroughput/Role", "PublishPointers")["Resource"] = (
        "arn:aws:ssm:us-east-1:111122223333:parameter/*"
    )


@flaw("P304", "start job: bucket-wide grants as grant_read gives them")
def granted(copy: Copy) -> None:
    statement = copy.statement("pipeline/Functions/StartJob/Role", "ReadManifests")
    statement["Action"] = ["s3:GetObject*", "s3:GetBucket*", "s3:List*"]


@flaw("A110", "a role without a contract")
def unknown_role(copy: Copy) -> None:
    role = copy.properties("pipeline/Functions/Admit/Role")
    copy.add("pipeline", "Another", "AWS::IAM::Role", **role)


@flaw("A106", "a contract without its role")
def role_gone(copy: Copy) -> None:
    resources = copy.stack("pipeline")["Resources"]
    del resources[copy.logical_id("pipeline/LeaseScheduleRole")]


@flaw("P303", "a permissions boundary that nobody set")
def boundary(copy: Copy) -> None:
    copy.properties(BEDROCK)["PermissionsBoundary"] = "arn:aws:iam::111122223333:policy/Other"


@flaw("R401", "an unknown element in a statement")
def unknown_element(copy: Copy) -> None:
    statement = copy.statement(BEDROCK, "ListDataset")
    statement["Conditions"] = statement.pop("Condition")


@flaw("R401", "the old version of the policy language")
def old_version(copy: Copy) -> None:
    copy.properties(BEDROCK)["Policies"][0]["PolicyDocument"]["Version"] = "2008-10-17"


@flaw("A101", "a resource that nobody can resolve")
def unresolvable(copy: Copy) -> None:
    copy.statement(BEDROCK, "ReadDataset")["Resource"] = {"Fn::FindInMap": ["A", "B", "C"]}


MUTANTS = collected(globals())
