"""A network without a way out: subnets in every zone, and an endpoint for every API in use."""

import ipaddress
from typing import Any, Final

from aws_cdk import CustomResource, Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from bedrock_tuning.config.settings_limits import HTTPS
from bedrock_tuning.constructs.attachment import Attachment
from bedrock_tuning.constructs.function import PythonFunction, Runtime, log_group
from bedrock_tuning.constructs.permissions import Permissions
from bedrock_tuning.contracts import vpc_endpoints
from bedrock_tuning.contracts.network import CLOSE_DEFAULT_GROUP
from bedrock_tuning.contracts.vpc_endpoints import VpcEndpoint

# CloudFormation reads an empty list of rules as "everything is allowed", so what sends nothing
# names a place that does not exist; the CDK does the same.
_NOWHERE: Final = ec2.CfnSecurityGroup.EgressProperty(
    ip_protocol="icmp",
    cidr_ip="255.255.255.255/32",
    from_port=252,
    to_port=86,
    description="Sends nothing",
)


class Network:
    """Isolated subnets, gateway and interface endpoints, three security groups, flow logs.

    There is no route out of it, so "to anywhere" in a security group ends at the endpoints. Its
    parts are constructs of `scope` itself.
    """

    def __init__(self, scope: Construct, *, permissions: Permissions, key: kms.IKey) -> None:
        settings = self._settings = permissions.settings
        self._scope = scope
        self._permissions = permissions
        self._key = key
        self.vpc = ec2.CfnVPC(
            scope,
            "Vpc",
            cidr_block=settings.vpc_cidr,
            # Private names: the SDKs find the endpoints under the services' usual addresses.
            enable_dns_hostnames=True,
            enable_dns_support=True,
        )
        self._routes = ec2.CfnRouteTable(scope, "Routes", vpc_id=self.vpc.ref)
        self.subnets = self._subnets()
        self._functions_group = self._group(
            "FunctionsGroup",
            "Functions: nobody calls them, they call the APIs of AWS",
            egress=_to_apis(),
        )
        self._jobs_group = self._group_of_jobs()
        self._endpoints_group = self._group_of_endpoints()
        permissions.register(
            "vpc", DefaultSecurityGroup=self.vpc.attr_default_security_group, name=self.vpc.ref
        )
        for number, subnet in enumerate(self.subnets):
            permissions.register(f"subnet.{number}", name=subnet.ref)
        permissions.register("group.jobs", name=self._jobs_group.ref)
        for endpoint in vpc_endpoints.of_roles(permissions.contracts.callers):
            self._endpoint(endpoint)
        self._record_traffic()
        near = self.subnets[: settings.vpc_endpoint_zones]
        self.attachment = Attachment(
            function_subnets=[subnet.ref for subnet in near],
            function_groups=[self._functions_group.ref],
            closer=self._close_default_group(),
        )

    def _subnets(self) -> list[ec2.CfnSubnet]:
        """One in each zone, so that Bedrock finds room for its job in any of them."""
        network = ipaddress.IPv4Network(self._settings.vpc_cidr)
        blocks = list(network.subnets(prefixlen_diff=4))
        subnets = []
        for number, zone in enumerate(self._settings.zones):
            subnet = ec2.CfnSubnet(
                self._scope,
                f"Subnet{number}",
                vpc_id=self.vpc.ref,
                availability_zone_id=zone,
                cidr_block=str(blocks[number]),
                map_public_ip_on_launch=False,
            )
            ec2.CfnSubnetRouteTableAssociation(
                self._scope,
                f"Subnet{number}Routes",
                subnet_id=subnet.ref,
                route_table_id=self._routes.ref,
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
            self._scope,
            construct_id,
            group_description=description,
            vpc_id=self.vpc.ref,
            security_group_egress=[egress],
            security_group_ingress=ingress,
        )

    def _group_of_jobs(self) -> ec2.CfnSecurityGroup:
        group = self._group(
            "JobsGroup",
            "Customization jobs of Bedrock: among themselves, S3, KMS",
            egress=_to_apis(),
        )
        # A group cannot name itself in its own properties, so these are resources.
        ec2.CfnSecurityGroupIngress(
            self._scope,
            "JobsFromEachOther",
            group_id=group.ref,
            ip_protocol="-1",
            source_security_group_id=group.ref,
            description="The parts of one job talk to each other",
        )
        ec2.CfnSecurityGroupEgress(
            self._scope,
            "JobsToEachOther",
            group_id=group.ref,
            ip_protocol="-1",
            destination_security_group_id=group.ref,
            description="The parts of one job talk to each other",
        )
        return group

    def _group_of_endpoints(self) -> ec2.CfnSecurityGroup:
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
                    (self._functions_group, "Functions call the APIs of AWS"),
                    (self._jobs_group, "Jobs call the APIs of AWS"),
                )
            ],
        )

    def _endpoint(self, endpoint: VpcEndpoint) -> None:
        policy = iam.PolicyDocument(
            statements=self._permissions.statements(
                vpc_endpoints.grants(endpoint), self._scope, principal=iam.AnyPrincipal()
            )
        )
        place: dict[str, Any] = {
            "vpc_endpoint_type": "Interface",
            "subnet_ids": [s.ref for s in self.subnets[: self._settings.vpc_endpoint_zones]],
            "security_group_ids": [self._endpoints_group.ref],
            "private_dns_enabled": True,
        }
        if endpoint.is_gateway:
            place = {"vpc_endpoint_type": "Gateway", "route_table_ids": [self._routes.ref]}
        ec2.CfnVPCEndpoint(
            self._scope,
            f"Endpoint-{endpoint.service}",
            vpc_id=self.vpc.ref,
            service_name=f"com.amazonaws.{self._settings.region}.{endpoint.service}",
            policy_document=policy,
            **place,
        )

    def _record_traffic(self) -> None:
        days = self._settings.log_retention_days
        group = log_group(self._scope, "FlowLogs", key=self._key, days=days)
        self._permissions.register("logs.flow-logs", arn=group.log_group_arn)
        role = self._permissions.role(self._scope, "flow-logs")
        ec2.CfnFlowLog(
            self._scope,
            "Traffic",
            resource_id=self.vpc.ref,
            resource_type="VPC",
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_group_name=group.log_group_name,
            deliver_logs_permission_arn=role.role_arn,
        )

    def _close_default_group(self) -> lambda_.IFunction:
        """A VPC comes with a group that lets its members talk; CloudFormation cannot close it."""
        runtime = Runtime(
            self._scope,
            "Runtime",
            permissions=self._permissions,
            log_key=self._key,
        )
        spec = CLOSE_DEFAULT_GROUP
        closer = PythonFunction(self._scope, spec.path, spec=spec, runtime=runtime)
        CustomResource(
            self._scope,
            "DefaultGroup",
            resource_type="Custom::ClosedSecurityGroup",
            service_token=closer.function.function_arn,
            service_timeout=Duration.minutes(5),
            properties={"GroupId": self.vpc.attr_default_security_group},
        )
        return closer.function


def _to_apis() -> ec2.CfnSecurityGroup.EgressProperty:
    return ec2.CfnSecurityGroup.EgressProperty(
        ip_protocol="tcp",
        from_port=HTTPS,
        to_port=HTTPS,
        cidr_ip="0.0.0.0/0",
        description="HTTPS; without a route out this ends at the endpoints",
    )
