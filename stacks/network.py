"""The optional unit without a way out: subnets in every zone, and endpoints for what is called."""

import ipaddress
from collections.abc import Mapping
from typing import Any, Final

from aws_cdk import CustomResource, Duration, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from bedrock_tuning import contracts as permissions
from bedrock_tuning.config.customization import Customization
from bedrock_tuning.config.lambda_environment import Environment
from bedrock_tuning.config.network_limits import HTTPS
from bedrock_tuning.config.settings import Settings
from bedrock_tuning.constructs import statements as st
from bedrock_tuning.constructs.attachment import Attachment
from bedrock_tuning.constructs.function import PythonFunction, Runtime, retention
from bedrock_tuning.constructs.output import export
from bedrock_tuning.constructs.role import trusted_by
from bedrock_tuning.contracts import vpc_endpoints
from bedrock_tuning.contracts.vpc_endpoints import VpcEndpoint
from stacks.data import DataStack

# CloudFormation reads an empty list of rules as "everything is allowed", so what sends nothing
# names a place that does not exist; the CDK does the same.
_NOWHERE: Final = ec2.CfnSecurityGroup.EgressProperty(
    ip_protocol="icmp",
    cidr_ip="255.255.255.255/32",
    from_port=252,
    to_port=86,
    description="Sends nothing",
)
_ANSWERS: Final = "cloudformation-custom-resource-response-"


class NetworkStack(Stack):
    """Isolated subnets, gateway and interface endpoints, three security groups, flow logs.

    There is no route out of it, so "to anywhere" in a security group ends at the endpoints.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        customizations: Mapping[str, Customization],
        data: DataStack,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self.settings = settings
        self._data = data
        self.key = kms.Key(
            self,
            "NetworkKey",
            description=f"Flow logs of bedrock-tuning ({settings.name})",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        self.key.add_to_resource_policy(st.encrypt_logs(self, f"tuning-{settings.name}-network-*"))
        self.vpc = ec2.CfnVPC(
            self,
            "Vpc",
            cidr_block=settings.vpc_cidr,
            # Private names: the SDKs find the endpoints under the services' usual addresses.
            enable_dns_hostnames=True,
            enable_dns_support=True,
        )
        self.routes = ec2.CfnRouteTable(self, "Routes", vpc_id=self.vpc.ref)
        self.subnets = self._subnets()
        self.functions_group = self._group(
            "FunctionsGroup",
            "Functions: nobody calls them, they call the APIs of AWS",
            egress=_to_apis(),
        )
        self.jobs_group = self._jobs_group()
        self.endpoints_group = self._endpoints_group()
        contracts = permissions.contracts(settings, customizations)
        self.endpoints = {
            endpoint.service: self._endpoint(endpoint)
            for endpoint in vpc_endpoints.of_roles(contracts.roles)
        }
        self._record_traffic()
        self._close_default_group()
        near = self.subnets[: settings.vpc_endpoint_zones]
        self.attachment = Attachment(
            function_subnets=[subnet.ref for subnet in near],
            function_groups=[self.functions_group.ref],
            job_subnets=[subnet.ref for subnet in self.subnets],
            job_groups=[self.jobs_group.ref],
            closer=self.closer.function,
        )
        export(self, "Vpc", self.vpc.ref)
        export(self, "Subnets", ",".join(subnet.ref for subnet in self.subnets))

    def _subnets(self) -> list[ec2.CfnSubnet]:
        """One in each zone, so that Bedrock finds room for its job in any of them."""
        network = ipaddress.IPv4Network(self.settings.vpc_cidr)
        blocks = list(network.subnets(prefixlen_diff=4))
        subnets = []
        for number, zone in enumerate(self.settings.zones):
            subnet = ec2.CfnSubnet(
                self,
                f"Subnet{number}",
                vpc_id=self.vpc.ref,
                availability_zone_id=zone,
                cidr_block=str(blocks[number]),
                map_public_ip_on_launch=False,
            )
            ec2.CfnSubnetRouteTableAssociation(
                self, f"Subnet{number}Routes", subnet_id=subnet.ref, route_table_id=self.routes.ref
            )
            subnets.append(subnet)
        return subnets

    def _group(
        self,
        construct_id: str,
        description: str,
        *,
        egress: ec2.CfnSecurityGroup.EgressProperty,
        ingress: list[ec2.CfnSecurityGroup.IngressProperty] | None = None,
    ) -> ec2.CfnSecurityGroup:
        return ec2.CfnSecurityGroup(
            self,
            construct_id,
            group_description=description,
            vpc_id=self.vpc.ref,
            security_group_egress=[egress],
            security_group_ingress=ingress,
        )

    def _jobs_group(self) -> ec2.CfnSecurityGroup:
        group = self._group(
            "JobsGroup",
            "Customization jobs of Bedrock: among themselves, S3, KMS",
            egress=_to_apis(),
        )
        # A group cannot name itself in its own properties, so these are resources.
        ec2.CfnSecurityGroupIngress(
            self,
            "JobsFromEachOther",
            group_id=group.ref,
            ip_protocol="-1",
            source_security_group_id=group.ref,
            description="The parts of one job talk to each other",
        )
        ec2.CfnSecurityGroupEgress(
            self,
            "JobsToEachOther",
            group_id=group.ref,
            ip_protocol="-1",
            destination_security_group_id=group.ref,
            description="The parts of one job talk to each other",
        )
        return group

    def _endpoints_group(self) -> ec2.CfnSecurityGroup:
        return self._group(
            "EndpointsGroup",
            "Interface endpoints: called by functions and jobs",
            egress=_NOWHERE,
            ingress=[
                ec2.CfnSecurityGroup.IngressProperty(
                    ip_protocol="tcp",
                    from_port=HTTPS,
                    to_port=HTTPS,
                    source_security_group_id=group.ref,
                    description=description,
                )
                for group, description in (
                    (self.functions_group, "Functions call the APIs of AWS"),
                    (self.jobs_group, "Jobs call the APIs of AWS"),
                )
            ],
        )

    def _endpoint(self, endpoint: VpcEndpoint) -> ec2.CfnVPCEndpoint:
        service = f"com.amazonaws.{self.region}.{endpoint.service}"
        construct_id = f"Endpoint-{endpoint.service}"
        policy = self._policy(endpoint)
        if endpoint.is_gateway:
            return ec2.CfnVPCEndpoint(
                self,
                construct_id,
                vpc_id=self.vpc.ref,
                service_name=service,
                vpc_endpoint_type="Gateway",
                route_table_ids=[self.routes.ref],
                policy_document=policy,
            )
        return ec2.CfnVPCEndpoint(
            self,
            construct_id,
            vpc_id=self.vpc.ref,
            service_name=service,
            vpc_endpoint_type="Interface",
            subnet_ids=[s.ref for s in self.subnets[: self.settings.vpc_endpoint_zones]],
            security_group_ids=[self.endpoints_group.ref],
            private_dns_enabled=True,
            policy_document=policy,
        )

    def _policy(self, endpoint: VpcEndpoint) -> iam.PolicyDocument:
        """What the contracts name, by principals of this account, on resources of this account."""
        statements = []
        if endpoint.actions:
            statements.append(
                self._through("OwnResources", endpoint.actions, self._resources(endpoint.service))
            )
        if endpoint.unbound:
            statements.append(self._through("WithoutResources", endpoint.unbound, ["*"]))
        if endpoint.service == "s3":
            statements.append(self._answers())
        return iam.PolicyDocument(statements=statements)

    def _through(
        self, sid: str, actions: tuple[str, ...], resources: list[str]
    ) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            sid=sid,
            principals=[iam.AnyPrincipal()],
            actions=list(actions),
            resources=resources,
            conditions={"StringEquals": {"aws:PrincipalAccount": self.account}},
        )

    def _resources(self, service: str) -> list[str]:
        if service == "s3":
            data = self._data
            arns = [b.bucket_arn for b in (data.training, data.validation, data.output)]
            return [text for arn in arns for text in (arn, f"{arn}/*")]
        prefix = f"arn:{self.partition}:{service.removesuffix('-runtime')}:{self.region}"
        ours = f"{prefix}:{self.account}:*"
        # Foundation models belong to no account.
        return [ours, f"{prefix}::foundation-model/*"] if service == "bedrock" else [ours]

    def _answers(self) -> iam.PolicyStatement:
        """Custom resources answer into a bucket of CloudFormation, by an address it has signed."""
        bucket = f"{_ANSWERS}{self.region.replace('-', '')}"
        return iam.PolicyStatement(
            sid="AnswerCloudFormation",
            principals=[iam.AnyPrincipal()],
            actions=["s3:PutObject"],
            resources=[f"arn:{self.partition}:s3:::{bucket}/*"],
        )

    def _record_traffic(self) -> None:
        group = logs.LogGroup(
            self,
            "FlowLogs",
            encryption_key=self.key,
            retention=retention(self.settings.log_retention_days),
            removal_policy=RemovalPolicy.DESTROY,
        )
        role = trusted_by(
            self,
            "FlowLogsRole",
            name="flow-logs",
            service="vpc-flow-logs.amazonaws.com",
            description="Flow logs: written to their log group",
            settings=self.settings,
            conditions={
                "StringEquals": {"aws:SourceAccount": self.account},
                "ArnLike": {
                    "aws:SourceArn": (
                        f"arn:{self.partition}:ec2:{self.region}:{self.account}:vpc-flow-log/*"
                    )
                },
            },
            statements=[
                iam.PolicyStatement(
                    sid="WriteFlowLogs",
                    actions=[
                        "logs:CreateLogStream",
                        "logs:DescribeLogStreams",
                        "logs:PutLogEvents",
                    ],
                    resources=[group.log_group_arn],
                )
            ],
        )
        ec2.CfnFlowLog(
            self,
            "Traffic",
            resource_id=self.vpc.ref,
            resource_type="VPC",
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_group_name=group.log_group_name,
            deliver_logs_permission_arn=role.role_arn,
        )

    def _close_default_group(self) -> None:
        """A VPC comes with a group that lets its members talk; CloudFormation cannot close it."""
        group = self.vpc.attr_default_security_group
        self.closer = PythonFunction(
            self,
            "CloseDefaultGroup",
            runtime=Runtime(self, "Runtime", settings=self.settings, log_key=self.key),
            module="close_default_group",
            environment=Environment(environment=self.settings.name),
            statements=[
                iam.PolicyStatement(
                    # EC2's Describe actions know no resources.
                    sid="LookAtRules",
                    actions=["ec2:DescribeSecurityGroupRules"],
                    resources=["*"],
                ),
                iam.PolicyStatement(
                    sid="RevokeRules",
                    actions=["ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress"],
                    resources=[
                        f"arn:{self.partition}:ec2:{self.region}:{self.account}"
                        f":security-group/{group}"
                    ],
                ),
            ],
            timeout=Duration.minutes(2),
        )
        CustomResource(
            self,
            "DefaultGroup",
            resource_type="Custom::ClosedSecurityGroup",
            service_token=self.closer.function.function_arn,
            service_timeout=Duration.minutes(5),
            properties={"GroupId": group},
        )


def _to_apis() -> ec2.CfnSecurityGroup.EgressProperty:
    return ec2.CfnSecurityGroup.EgressProperty(
        ip_protocol="tcp",
        from_port=HTTPS,
        to_port=HTTPS,
        cidr_ip="0.0.0.0/0",
        description="HTTPS; without a route out this ends at the endpoints",
    )
