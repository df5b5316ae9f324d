"""The optional network: no way out, an endpoint for what is called, and nobody else's traffic."""

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from app import build_app
from tests.stacks.readable import resolved
from tools.scan.cases import OPTIONS, Case

Resource = dict[str, Any]
ACCOUNT = "${AWS::AccountId}"
JOBS = f"arn:aws:bedrock:us-east-1:{ACCOUNT}:model-customization-job/*"
EC2 = f"arn:aws:ec2:us-east-1:{ACCOUNT}"
# As AWS names its VPC endpoints; the others are named like the prefix of their actions.
NAMES = {"bedrock:InvokeModel": "bedrock-runtime", "cloudwatch": "monitoring"}
# Lambda does these itself, from outside; services use keys for their callers.
NOT_BY_THE_FUNCTION = ("logs:*", "ec2:*", "kms:*")


def _all(assembly: Any, kind: str, *, stack: str = "") -> Iterator[tuple[str, Resource]]:
    for each in assembly.stacks:
        if each.stack_name.endswith(stack):
            for name, resource in resolved(each.template)["Resources"].items():
                if resource["Type"] == kind:
                    yield name, resource["Properties"]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _statements(assembly: Any, role: str) -> dict[str, Resource]:
    # Both customizations' stacks have one of the same name: they say the same.
    found = next(r for n, r in _all(assembly, "AWS::IAM::Role") if n.startswith(role))
    (policy,) = found["Policies"]
    return {s["Sid"]: s for s in policy["PolicyDocument"]["Statement"]}


@pytest.fixture(scope="session")
def network(synth: Any) -> Any:
    """The assembly with the app's own network."""
    return synth("dev", "vpc")


def _endpoints(network: Any) -> dict[str, Resource]:
    found = dict(_all(network, "AWS::EC2::VPCEndpoint"))
    return {each["ServiceName"].rpartition(".")[2]: each for each in found.values()}


def test_every_zone_of_the_region_has_one_subnet(network: Any) -> None:
    subnets = [properties for _, properties in _all(network, "AWS::EC2::Subnet")]
    zones = [subnet["AvailabilityZoneId"] for subnet in subnets]
    assert sorted(zones) == [f"use1-az{number}" for number in range(1, 7)]
    assert len({subnet["CidrBlock"] for subnet in subnets}) == 6
    assert not any(subnet["MapPublicIpOnLaunch"] for subnet in subnets)


def test_nothing_leads_out_of_the_network(network: Any) -> None:
    (stack,) = [s for s in network.stacks if s.stack_name.endswith("-network")]
    kinds = {resource["Type"] for resource in stack.template["Resources"].values()}
    ways_out = ("Gateway", "Route", "VPCPeering", "TransitGateway", "EIP", "NatGateway")
    assert not {kind for kind in kinds if kind.removeprefix("AWS::EC2::").startswith(ways_out)} - {
        "AWS::EC2::RouteTable"
    }
    associated = [
        a["RouteTableId"] for _, a in _all(network, "AWS::EC2::SubnetRouteTableAssociation")
    ]
    assert associated == ["${Routes}"] * 6


def test_synthesis_asks_aws_for_nothing(network: Any) -> None:
    manifest = json.loads(Path(network.directory, "manifest.json").read_text("utf-8"))
    assert "missing" not in manifest
    assert all(stack.environment.account == "unknown-account" for stack in network.stacks)


def test_zones_and_addresses_are_the_ones_of_the_settings(tmp_path: Any) -> None:
    context = Case(options="vpc").context()
    context["tuning"]["environments"]["dev"] |= {
        "vpc_zones": ["use1-az5", "use1-az2", "use1-az6"],
        "vpc_cidr": "10.1.0.0/20",
        "vpc_endpoint_zones": 3,
    }
    network = build_app(context, outdir=str(tmp_path)).synth()
    subnets = [s for _, s in _all(network, "AWS::EC2::Subnet")]
    found = {s["AvailabilityZoneId"]: s["CidrBlock"] for s in subnets}
    assert found == {
        "use1-az5": "10.1.0.0/24",
        "use1-az2": "10.1.1.0/24",
        "use1-az6": "10.1.2.0/24",
    }
    assert len(_endpoints(network)["bedrock"]["SubnetIds"]) == 3


def _called(network: Any) -> dict[str, set[str]]:
    """By endpoint, the actions that functions in the network use themselves, and jobs' too."""
    found: dict[str, set[str]] = {}
    for name, role in _all(network, "AWS::IAM::Role"):
        service = role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"].get("Service")
        job = service == "bedrock.amazonaws.com"
        if service != "lambda.amazonaws.com" and not job:
            continue
        if name.startswith("CloseDefaultGroup"):
            continue
        for statement in role["Policies"][0]["PolicyDocument"]["Statement"]:
            for action in _listed(statement["Action"]):
                hidden = ("ec2:*",) if job else NOT_BY_THE_FUNCTION
                if not any(fnmatchcase(action, pattern) for pattern in hidden):
                    prefix = action.partition(":")[0]
                    where = NAMES.get(action, NAMES.get(prefix, prefix))
                    found.setdefault(where, set()).add(action)
    return found


def test_every_api_that_is_called_has_an_endpoint_that_lets_exactly_that_through(
    network: Any,
) -> None:
    allowed = {}
    for service, endpoint in _endpoints(network).items():
        statements = endpoint["PolicyDocument"]["Statement"]
        allowed[service] = {a for s in statements for a in _listed(s["Action"])}
    assert allowed == _called(network)
    assert {"s3", "kms", "bedrock"} <= set(allowed), "jobs and functions"


def test_only_principals_of_this_account_get_through_and_only_to_its_resources(
    network: Any,
) -> None:
    without_resources = {
        action
        for _, role in _all(network, "AWS::IAM::Role")
        for statement in role["Policies"][0]["PolicyDocument"]["Statement"]
        if statement["Resource"] == "*"
        for action in _listed(statement["Action"])
    }
    for service, endpoint in _endpoints(network).items():
        for statement in endpoint["PolicyDocument"]["Statement"]:
            if statement["Sid"] == "AnswerCloudFormation":
                continue
            own = {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}
            assert statement["Condition"] == own, service
            resources = _listed(statement["Resource"])
            if statement["Sid"] == "WithoutResources":
                assert resources == ["*"]
                assert set(_listed(statement["Action"])) <= without_resources, service
                continue
            ours = (f":{ACCOUNT}:", "${data:")
            foundation = "arn:aws:bedrock:us-east-1::foundation-model/*"
            assert all(r == foundation or any(o in r for o in ours) for r in resources), service


def test_custom_resources_can_answer_cloudformation(network: Any) -> None:
    statements = {s["Sid"]: s for s in _endpoints(network)["s3"]["PolicyDocument"]["Statement"]}
    answer = statements["AnswerCloudFormation"]
    bucket = "arn:aws:s3:::cloudformation-custom-resource-response-useast1/*"
    assert (answer["Action"], answer["Resource"]) == ("s3:PutObject", bucket)


def test_functions_stand_where_the_endpoints_stand(network: Any) -> None:
    near = ["${Subnet0}", "${Subnet1}"]
    for service, endpoint in _endpoints(network).items():
        if endpoint["VpcEndpointType"] == "Interface":
            assert endpoint["SubnetIds"] == near, service
            assert endpoint["PrivateDnsEnabled"] is True, service
        else:
            assert endpoint["RouteTableIds"] == ["${Routes}"], service
    ((_, vpc),) = _all(network, "AWS::EC2::VPC")
    assert vpc["EnableDnsHostnames"] is vpc["EnableDnsSupport"] is True
    inside = {name: f.get("VpcConfig") for name, f in _all(network, "AWS::Lambda::Function")}
    (closer,) = [name for name in inside if name.startswith("CloseDefaultGroup")]
    assert inside.pop(closer) is None, "it answers from outside"
    assert {name for name, config in inside.items() if config is None} == set()
    for config in inside.values():
        assert config == {
            "SubnetIds": ["${network:Subnet0}", "${network:Subnet1}"],
            "SecurityGroupIds": ["${network:FunctionsGroup}"],
        }


def test_security_groups_let_in_what_is_meant_and_nothing_else(network: Any) -> None:
    groups = dict(_all(network, "AWS::EC2::SecurityGroup"))
    assert "SecurityGroupIngress" not in groups["FunctionsGroup"]
    assert "SecurityGroupIngress" not in groups["JobsGroup"]
    rules = groups["EndpointsGroup"]["SecurityGroupIngress"]
    assert {rule["SourceSecurityGroupId"] for rule in rules} == {
        "${FunctionsGroup}",
        "${JobsGroup}",
    }
    assert {(r["IpProtocol"], r["FromPort"], r["ToPort"]) for r in rules} == {("tcp", 443, 443)}
    for group in groups.values():
        (egress,) = group["SecurityGroupEgress"]
        assert egress["CidrIp"] == "255.255.255.255/32" or egress["ToPort"] == 443


def test_the_parts_of_a_job_talk_to_each_other(network: Any) -> None:
    ((_, incoming),) = _all(network, "AWS::EC2::SecurityGroupIngress")
    ((_, outgoing),) = _all(network, "AWS::EC2::SecurityGroupEgress")
    assert incoming["GroupId"] == incoming["SourceSecurityGroupId"] == "${JobsGroup}"
    assert outgoing["GroupId"] == outgoing["DestinationSecurityGroupId"] == "${JobsGroup}"
    assert incoming["IpProtocol"] == outgoing["IpProtocol"] == "-1"


def test_the_default_group_of_the_network_is_closed(network: Any) -> None:
    ((_, closed),) = _all(network, "Custom::ClosedSecurityGroup")
    assert closed["GroupId"] == "${Vpc.DefaultSecurityGroup}"
    statements = _statements(network, "CloseDefaultGroupRole")
    group = f"{EC2}:security-group/${{Vpc.DefaultSecurityGroup}}"
    assert statements["RevokeRules"]["Resource"] == group


def test_all_traffic_is_recorded_encrypted_and_for_this_account_only(network: Any) -> None:
    ((_, log),) = _all(network, "AWS::EC2::FlowLog")
    assert (log["ResourceId"], log["TrafficType"]) == ("${Vpc}", "ALL")
    groups = dict(_all(network, "AWS::Logs::LogGroup", stack="-network"))
    (flow_logs,) = [g for name, g in groups.items() if name.startswith("FlowLogs")]
    assert flow_logs["KmsKeyId"].startswith("${NetworkKey")
    (role,) = [r for n, r in _all(network, "AWS::IAM::Role") if n.startswith("FlowLogsRole")]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "vpc-flow-logs.amazonaws.com"}
    assert trust["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": f"{EC2}:vpc-flow-log/*"},
    }


def test_a_functions_own_code_cannot_touch_the_network(network: Any) -> None:
    statements = _statements(network, "FunctionsServeRole")
    assert statements["AttachToNetwork"]["Effect"] == "Allow"
    refusal = statements["NotByItsOwnCode"]
    assert (refusal["Effect"], refusal["Action"], refusal["Resource"]) == ("Deny", "ec2:*", "*")
    functions = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:*"
    assert refusal["Condition"] == {"ArnLike": {"lambda:SourceFunctionArn": functions}}


@pytest.mark.parametrize("options", ["vpc", "subnets"])
def test_bedrock_may_put_jobs_into_these_subnets_as_awss_guide_says(
    synth: Any, options: str
) -> None:
    subnets = [f"${{Subnet{number}Name}}" for number in range(6)]
    groups = ["${GroupJobsName}"]
    if options == "subnets":
        subnets = list(OPTIONS["subnets"]["vpc_subnets"])
        groups = list(OPTIONS["subnets"]["vpc_security_groups"])
    places = [f"{EC2}:subnet/{subnet}" for subnet in subnets]
    statements = _statements(synth("dev", options), "BedrockRole")
    found = {sid: s for sid, s in statements.items() if "ec2:" in json.dumps(s["Action"])}
    for statement in found.values():
        assert statement.pop("Effect") == "Allow"
    job = "BedrockModelCustomizationJobArn"
    # docs/facts/iam.md#vpc, row by row.
    assert found == {
        "DescribeNetwork": {
            "Sid": "DescribeNetwork",
            "Action": [
                "ec2:DescribeDhcpOptions",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
            ],
            "Resource": "*",
        },
        "MakeInterfacesOfJobs": {
            "Sid": "MakeInterfacesOfJobs",
            "Action": "ec2:CreateNetworkInterface",
            "Resource": f"{EC2}:network-interface/*",
            "Condition": {
                "StringEquals": {"aws:RequestTag/BedrockManaged": "true"},
                "ArnEquals": {f"aws:RequestTag/{job}": JOBS},
            },
        },
        "MakeThemInTheseSubnets": {
            "Sid": "MakeThemInTheseSubnets",
            "Action": "ec2:CreateNetworkInterface",
            "Resource": [*(f"{EC2}:security-group/{group}" for group in groups), *places],
        },
        "ManageInterfacesOfJobs": {
            "Sid": "ManageInterfacesOfJobs",
            "Action": [
                "ec2:CreateNetworkInterfacePermission",
                "ec2:DeleteNetworkInterface",
                "ec2:DeleteNetworkInterfacePermission",
            ],
            "Resource": "*",
            "Condition": {
                "ArnEquals": {"ec2:Subnet": places, f"ec2:ResourceTag/{job}": JOBS},
                "StringEquals": {"ec2:ResourceTag/BedrockManaged": "true"},
            },
        },
        "TagNewInterfaces": {
            "Sid": "TagNewInterfaces",
            "Action": "ec2:CreateTags",
            "Resource": f"{EC2}:network-interface/*",
            "Condition": {
                "StringEquals": {"ec2:CreateAction": "CreateNetworkInterface"},
                "ForAllValues:StringEquals": {"aws:TagKeys": ["BedrockManaged", job]},
            },
        },
    }


def test_subnets_that_exist_are_used_and_none_is_made(synth: Any) -> None:
    assembly = synth("dev", "subnets")
    assert not [s for s in assembly.stacks if s.stack_name.endswith("-network")]
    assert not list(_all(assembly, "AWS::EC2::VPC"))
    wanted = {
        "SubnetIds": list(OPTIONS["subnets"]["vpc_subnets"]),
        "SecurityGroupIds": list(OPTIONS["subnets"]["vpc_security_groups"]),
    }
    functions = dict(_all(assembly, "AWS::Lambda::Function"))
    assert functions
    assert all(function["VpcConfig"] == wanted for function in functions.values())


@pytest.mark.parametrize("options", ["vpc", "subnets", "all"])
def test_jobs_are_asked_for_in_the_network_in_a_request_that_bedrock_understands(
    synth: Any, options: str
) -> None:
    ((_, machine),) = _all(synth("dev", options), "AWS::StepFunctions::StateMachine")
    filled = machine["DefinitionSubstitutions"]
    states = machine["Definition"]["States"]
    ways = [state for name, state in states.items() if name.startswith("Train")]
    assert len(ways) == 4
    for state in ways:
        parameters = state["Parameters"]
        asked = {
            key: [filled[text[2:-1]] for text in parameters["VpcConfig"][key]]
            for key in ("SubnetIds", "SecurityGroupIds")
        }
        place = OPTIONS["subnets"] if options == "subnets" else None
        subnets = place["vpc_subnets"] if place else [f"${{network:Subnet{n}}}" for n in range(6)]
        groups = place["vpc_security_groups"] if place else ["${network:JobsGroup}"]
        assert asked == {"SubnetIds": list(subnets), "SecurityGroupIds": list(groups)}
        assert ("CustomModelKmsKeyId" in parameters) == (options == "all")
        assert _misunderstood(parameters) == ""


def _misunderstood(parameters: dict[str, Any]) -> str:
    """What botocore's model of CreateModelCustomizationJob says about a state's parameters.

    What the workflow fills in at run time is replaced by a value of the right shape.
    """
    model = botocore.session.get_session().get_service_model("bedrock")
    shape = model.operation_model("CreateModelCustomizationJob").input_shape
    samples: dict[str, Any] = {
        "structure": {"s3Uri": "s3://bucket/key"},
        "map": {"epochCount": "1"},
        "list": [{"key": "team", "value": "pets"}],
    }
    request: dict[str, Any] = {}
    for key, value in parameters.items():
        name = key.removesuffix(".$")
        name = name[0].lower() + name[1:]
        if key.endswith(".$"):
            kind = shape.members[name].type_name
            request[name] = samples.get(kind, "text")
        else:
            request[name] = _camel(value)
    if "customizationConfig" in request:
        request["customizationConfig"] = {"rftConfig": {}}
    if "validationDataConfig" in request:
        request["validationDataConfig"] = {"validators": [{"s3Uri": "s3://bucket/key"}]}
    return str(ParamValidator().validate(request, shape).generate_report())


def _camel(value: Any) -> Any:
    if isinstance(value, dict):
        return {key[0].lower() + key[1:]: _camel(item) for key, item in value.items()}
    return value
