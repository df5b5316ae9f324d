"""Flaws of the optional network; applied to an environment that has one."""

from tests.review.broken import Copy
from tests.review.mutants._mutant import collected, flaw

S3 = "network/Endpoint-s3"
BEDROCK = "network/Endpoint-bedrock"


@flaw("A106", "network: no endpoint for an API that functions call")
def endpoint_missing(copy: Copy) -> None:
    del copy.stack("network")["Resources"][copy.logical_id("network/Endpoint-states")]


@flaw("A110", "network: an endpoint that nobody needs")
def endpoint_extra(copy: Copy) -> None:
    found = {**copy.properties("network/Endpoint-states")}
    found["ServiceName"] = "com.amazonaws.us-east-1.ec2"
    copy.add("network", "Extra", "AWS::EC2::VPCEndpoint", **found)


@flaw("N902", "network: an endpoint without a policy")
def no_policy(copy: Copy) -> None:
    del copy.properties(S3)["PolicyDocument"]


@flaw("N902", "network: a weak endpoint policy, everything for everybody")
def weak_policy(copy: Copy) -> None:
    copy.properties(S3)["PolicyDocument"] = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}],
    }


@flaw("N902", "network: principals of other accounts get through")
def other_principals(copy: Copy) -> None:
    statement = copy.properties(BEDROCK)["PolicyDocument"]["Statement"][0]
    del statement["Condition"]


@flaw("N902", "network: data leaves to buckets of other accounts")
def other_buckets(copy: Copy) -> None:
    statement = copy.properties(S3)["PolicyDocument"]["Statement"][0]
    statement["Resource"] = "arn:aws:s3:::*"


@flaw("N902", "network: an endpoint that refuses what functions need")
def too_narrow(copy: Copy) -> None:
    statement = copy.properties(S3)["PolicyDocument"]["Statement"][0]
    statement["Action"] = [a for a in statement["Action"] if a != "s3:PutObject"]


@flaw("N902", "network: answers to CloudFormation do not get through")
def no_answers(copy: Copy) -> None:
    copy.properties(S3)["PolicyDocument"]["Statement"].pop()


@flaw("N902", "network: an endpoint without private names")
def no_private_names(copy: Copy) -> None:
    copy.properties(BEDROCK)["PrivateDnsEnabled"] = False


@flaw("N902", "network: a gateway without a route")
def no_route(copy: Copy) -> None:
    copy.properties(S3)["RouteTableIds"] = []


@flaw("N902", "network: an endpoint open to another group")
def other_group(copy: Copy) -> None:
    group = {"Ref": copy.logical_id("network/JobsGroup")}
    copy.properties(BEDROCK)["SecurityGroupIds"] = [group]


@flaw("N902", "network: an endpoint where no function is")
def elsewhere(copy: Copy) -> None:
    copy.properties(BEDROCK)["SubnetIds"].pop()


@flaw("W505", "network: a function outside of it")
def outside(copy: Copy) -> None:
    del copy.properties("pipeline/Functions/Merge/Function")["VpcConfig"]


@flaw("W505", "network: a function in one zone only")
def one_zone(copy: Copy) -> None:
    copy.properties("pipeline/Functions/Merge/Function")["VpcConfig"]["SubnetIds"].pop()


@flaw("W505", "network: a function in the jobs' group")
def wrong_group(copy: Copy) -> None:
    config = copy.properties("pipeline/Functions/Merge/Function")["VpcConfig"]
    config["SecurityGroupIds"] = copy.properties(BEDROCK)["SecurityGroupIds"]


@flaw("N906", "network: endpoints open to world")
def open_group(copy: Copy) -> None:
    rules = copy.properties("network/EndpointsGroup")["SecurityGroupIngress"]
    rules.append({"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/0"})


@flaw("N906", "network: functions may send anything")
def functions_send(copy: Copy) -> None:
    del copy.properties("network/FunctionsGroup")["SecurityGroupEgress"]


@flaw("N906", "network: functions may use any port")
def any_port(copy: Copy) -> None:
    rule = copy.properties("network/FunctionsGroup")["SecurityGroupEgress"][0]
    rule["FromPort"], rule["ToPort"] = 0, 65535


@flaw("A106", "network: jobs cannot talk to each other")
def no_self_rule(copy: Copy) -> None:
    del copy.stack("network")["Resources"][copy.logical_id("network/JobsFromEachOther")]


@flaw("A110", "network: a rule beside the group")
def rule_beside(copy: Copy) -> None:
    copy.add(
        "network",
        "Extra",
        "AWS::EC2::SecurityGroupIngress",
        GroupId={"Ref": copy.logical_id("network/FunctionsGroup")},
        IpProtocol="-1",
        CidrIp="10.0.0.0/8",
    )


@flaw("N907", "network: a subnet with public addresses")
def public_subnet(copy: Copy) -> None:
    copy.properties("network/Subnet0")["MapPublicIpOnLaunch"] = True


@flaw("N907", "network: two subnets in one zone")
def same_zone(copy: Copy) -> None:
    first = copy.properties("network/Subnet0")["AvailabilityZoneId"]
    copy.properties("network/Subnet1")["AvailabilityZoneId"] = first


@flaw("A106", "network: a subnet without routes to the gateways")
def no_routes(copy: Copy) -> None:
    del copy.stack("network")["Resources"][copy.logical_id("network/Subnet0Routes")]


@flaw("A110", "network: a way out")
def way_out(copy: Copy) -> None:
    copy.add("network", "Gateway", "AWS::EC2::InternetGateway")


@flaw("A110", "network: a way out through NAT")
def nat(copy: Copy) -> None:
    subnet = {"Ref": copy.logical_id("network/Subnet0")}
    copy.add("network", "Nat", "AWS::EC2::NatGateway", SubnetId=subnet)


@flaw("A106", "network: a zone without a subnet")
def zone_missing(copy: Copy) -> None:
    del copy.stack("network")["Resources"][copy.logical_id("network/Subnet5")]


@flaw("A106", "network: traffic is not recorded")
def no_flow_log(copy: Copy) -> None:
    del copy.stack("network")["Resources"][copy.logical_id("network/Traffic")]


@flaw("N908", "network: only refused traffic is recorded")
def rejected_only(copy: Copy) -> None:
    copy.properties("network/Traffic")["TrafficType"] = "REJECT"


@flaw("N907", "network: no names")
def no_names(copy: Copy) -> None:
    copy.properties("network/Vpc")["EnableDnsSupport"] = False


@flaw("N907", "network: a subnet outside of the network's addresses")
def subnet_elsewhere(copy: Copy) -> None:
    copy.properties("network/Subnet0")["CidrBlock"] = "192.168.0.0/24"


@flaw("N907", "network: two subnets with the same addresses")
def subnets_overlap(copy: Copy) -> None:
    first = copy.properties("network/Subnet0")["CidrBlock"]
    copy.properties("network/Subnet1")["CidrBlock"] = first


@flaw("N907", "network: public addresses inside")
def public_network(copy: Copy) -> None:
    copy.properties("network/Vpc")["CidrBlock"] = "54.0.0.0/16"


@flaw("N907", "network: the table of routes of another network")
def routes_elsewhere(copy: Copy) -> None:
    for _, _, resource in copy.all():
        if resource["Type"] == "AWS::EC2::RouteTable":
            resource["Properties"]["VpcId"] = "vpc-0123456789abcdef0"


@flaw("N906", "network: a security group of another network")
def group_elsewhere(copy: Copy) -> None:
    for _, _, resource in copy.all():
        if resource["Type"] == "AWS::EC2::SecurityGroup":
            resource["Properties"]["VpcId"] = "vpc-0123456789abcdef0"


@flaw("A110", "network: a rule of a group that is not in the templates")
def rule_of_other_group(copy: Copy) -> None:
    copy.add(
        "network",
        "Extra",
        "AWS::EC2::SecurityGroupEgress",
        GroupId="sg-0123456789abcdef0",
        IpProtocol="-1",
        CidrIp="0.0.0.0/0",
    )


@flaw("A110", "network: a second table of routes")
def second_table(copy: Copy) -> None:
    vpc = {"Ref": copy.logical_id("network/Vpc")}
    copy.add("network", "Extra", "AWS::EC2::RouteTable", VpcId=vpc)


MUTANTS = collected(globals(), "options")
