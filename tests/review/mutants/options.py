"""Flaws of what settings switch on: networks, keys of models, closed buckets."""

from tests.review.broken import Copy, Raw
from tests.review.mutants._mutant import collected, flaw

BEDROCK = "pets-search/BedrockRole"


@flaw("P309", "function: its code may make network interfaces")
def interfaces_by_code(copy: Copy) -> None:
    statements = copy.policy("pipeline/Functions/Serve/Role")
    statements[:] = [s for s in statements if s["Sid"] != "NotByItsOwnCode"]


@flaw("P309", "function: the refusal speaks of one function only")
def refusal_of_one(copy: Copy) -> None:
    refusal = copy.statement("pipeline/Functions/Admit/Role", "NotByItsOwnCode")
    refusal["Condition"]["ArnLike"] = {
        "lambda:SourceFunctionArn": "arn:aws:lambda:us-east-1:111122223333:function:admit"
    }


@flaw("P304", "function: it may open security groups")
def opens_groups(copy: Copy) -> None:
    statement = copy.statement("pipeline/Functions/Merge/Role", "AttachToNetwork")
    statement["Action"].append("ec2:AuthorizeSecurityGroupIngress")


@flaw("P304", "Bedrock role: interfaces in any subnet")
def any_subnet(copy: Copy) -> None:
    del copy.statement(BEDROCK, "ManageInterfacesOfJobs")["Condition"]["ArnEquals"]["ec2:Subnet"]


@flaw("P304", "Bedrock role: interfaces without the job's tag")
def untagged(copy: Copy) -> None:
    del copy.statement(BEDROCK, "MakeInterfacesOfJobs")["Condition"]["ArnEquals"]


@flaw("P305", "Bedrock role: a subnet is missing")
def one_subnet_less(copy: Copy) -> None:
    copy.statement(BEDROCK, "MakeThemInTheseSubnets")["Resource"].pop()


@flaw("F706", "job: other subnets than its role may use")
def other_subnets(copy: Copy) -> None:
    copy.properties("pipeline/Workflow")["DefinitionSubstitutions"]["JobSubnet"] = "subnet-1"


@flaw("M830", "flow logs: any account's")
def flow_logs_of_others(copy: Copy) -> None:
    del copy.trust("network/FlowLogsRole")["Condition"]


@flaw("T201", "flow logs: for anything in EC2")
def flow_logs_for_anything(copy: Copy) -> None:
    copy.trust("network/FlowLogsRole")["Condition"]["ArnLike"] = {"aws:SourceArn": "arn:aws:ec2:*"}


@flaw("R405", "flow logs: their key does not know CloudWatch Logs")
def flow_logs_without_key(copy: Copy) -> None:
    statements = copy.statements_of("network/NetworkKey")
    statements[:] = [s for s in statements if s.get("Sid") != "LogsEncrypt"]


@flaw("M804", "default group: another group is closed")
def other_group(copy: Copy) -> None:
    copy.properties("network/DefaultGroup")["GroupId"] = "sg-01234567"


@flaw("P304", "default group: its function may open groups")
def closer_opens(copy: Copy) -> None:
    statement = copy.statement("network/CloseDefaultGroup/Role", "RevokeRules")
    statement["Action"] = "ec2:*"


@flaw("P304", "starter: the model's key without Bedrock")
def key_without_bedrock(copy: Copy) -> None:
    del copy.statement("pets-search/Starter", "EncryptModels")["Condition"]


@flaw("P305", "Serve: it cannot decrypt what it calls")
def cannot_decrypt(copy: Copy) -> None:
    statements = copy.policy("pipeline/Functions/Serve/Role")
    statements[:] = [s for s in statements if s["Sid"] != "DecryptModels"]


@flaw("S607", "model key: it does not rotate")
def never_rotates(copy: Copy) -> None:
    copy.properties("data/ModelKey")["EnableKeyRotation"] = False


@flaw("S601", "model key: it goes with its stack, and every model with it")
def key_goes(copy: Copy) -> None:
    copy.resource("data/ModelKey")["DeletionPolicy"] = "Delete"


@flaw("R406", "training bucket: others are not refused any more")
def lets_others_in(copy: Copy) -> None:
    statements = copy.statements_of("data/Training/Policy")
    statements[:] = [s for s in statements if s.get("Sid") != "OnlyNamedRoles"]


@flaw("R406", "output bucket: one more role is not refused")
def one_more(copy: Copy) -> None:
    statements = copy.statements_of("data/Output/Policy")
    refused = next(s for s in statements if s.get("Sid") == "OnlyNamedRoles")
    refused["Condition"]["ArnNotLike"]["aws:PrincipalArn"].append("arn:aws:iam::*:role/any")


@flaw("R410", "validation bucket: the one who reads it is refused")
def refuses_reader(copy: Copy) -> None:
    statements = copy.statements_of("data/Validation/Policy")
    refused = next(s for s in statements if s.get("Sid") == "OnlyNamedRoles")
    refused["Condition"]["ArnNotLike"]["aws:PrincipalArn"].pop(1)


@flaw("F700", "job: in one subnet only")
def job_in_one_subnet(copy: Copy) -> None:
    def change(definition: Raw) -> None:
        config = definition["States"]["Train"]["Parameters"]["VpcConfig"]
        config["SubnetIds"] = config["SubnetIds"][:1]

    copy.definition(change)


@flaw("F700", "job: in a network that its state names")
def job_elsewhere(copy: Copy) -> None:
    def change(definition: Raw) -> None:
        config = {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
        definition["States"]["Train"]["Parameters"]["VpcConfig"] = config

    copy.definition(change)


@flaw("F700", "job: the model under a foreign key")
def model_under_foreign_key(copy: Copy) -> None:
    def change(definition: Raw) -> None:
        key = "arn:aws:kms:us-east-1:999999999999:key/k"
        definition["States"]["Train"]["Parameters"]["CustomModelKmsKeyId"] = key

    copy.definition(change)


@flaw("R410", "endpoint: nothing is written through it")
def endpoint_refuses(copy: Copy) -> None:
    statement = {"Effect": "Deny", "Action": "s3:PutObject", "Principal": "*", "Resource": "*"}
    copy.properties("network/Endpoint-s3")["PolicyDocument"]["Statement"].append(statement)


@flaw("N902", "endpoint: to the API of another Region")
def endpoint_abroad(copy: Copy) -> None:
    copy.properties("network/Endpoint-kms")["ServiceRegion"] = "eu-west-1"


@flaw("N908", "flow logs: without addresses")
def flow_logs_empty(copy: Copy) -> None:
    copy.properties("network/Traffic")["LogFormat"] = "${version}"


@flaw("N906", "endpoint: open to a group of another account")
def group_of_others(copy: Copy) -> None:
    (first, *_) = copy.properties("network/EndpointsGroup")["SecurityGroupIngress"]
    first["SourceSecurityGroupOwnerId"] = "999999999999"


MUTANTS = collected(globals(), "options")
