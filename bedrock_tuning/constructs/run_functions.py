"""The functions of a run, each with the grants it needs written beside it."""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from bedrock_tuning import s3_layout
from bedrock_tuning.config.customization import Customization
from bedrock_tuning.config.lambda_environment import (
    CheckEnvironment,
    DatasetEnvironment,
    LeaseEnvironment,
    RunEnvironment,
    ServeEnvironment,
    StartEnvironment,
)
from bedrock_tuning.config.settings import Settings
from bedrock_tuning.constructs import statements as st
from bedrock_tuning.constructs.attachment import Attachment
from bedrock_tuning.constructs.function import PythonFunction, Runtime
from bedrock_tuning.contracts.options import serves_nova

_PARAMETERS = "/bedrock-tuning"
# Every finding goes through a file: 318 bytes each, several for each of 500,000 records, twice.
_FINDINGS_MB = 6_144


def parameter_prefix(environment: str) -> str:
    """Where the pointers to models and endpoints of an environment lie in SSM."""
    return f"{_PARAMETERS}/{environment}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What the functions work on."""

    training: s3.IBucket
    validation: s3.IBucket
    output: s3.IBucket
    data_key: kms.IKey
    table: dynamodb.ITable
    topic: sns.ITopic
    operations_key: kms.IKey
    model_key: kms.IKey | None = None


class RunFunctions(Construct):
    """All functions of the pipeline, by the name of their placeholder in the workflow."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        customizations: Mapping[str, Customization],
        resources: Resources,
        service_roles: Mapping[str, iam.IRole],
        network: Attachment | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        self._customizations = customizations
        self._use = resources
        self._stack = Stack.of(self)
        self._runtime = Runtime(
            self,
            "Runtime",
            settings=settings,
            log_key=resources.operations_key,
            network=network,
        )
        buckets = {
            "environment": settings.name,
            "training_bucket": resources.training.bucket_name,
            "validation_bucket": resources.validation.bucket_name,
            "output_bucket": resources.output.bucket_name,
        }
        run = RunEnvironment(**buckets, runs_table=resources.table.table_name)
        check = CheckEnvironment(**buckets, images_per_shard=settings.images_per_shard)
        roles = {name: role.role_arn for name, role in service_roles.items()}
        start = StartEnvironment(
            **buckets,
            runs_table=resources.table.table_name,
            service_roles=roles,
            approval_days=settings.approval_days,
        )
        self.by_name = {
            "Admit": self._function("Admit", "admit", run, self._admit()),
            "CheckManifest": self._function(
                "CheckManifest",
                "check_manifest",
                check,
                [self._read_manifests(), *self._work("text.json", "findings/*", "shards*")],
                memory_mb=1769,
                disk_mb=_FINDINGS_MB,
            ),
            "CheckImages": self._function(
                "CheckImages",
                "check_images",
                check,
                [
                    self._read_images(),
                    *self._work("results/*", "findings/*", read=["shards/*"]),
                    st.listing(
                        "TellMissingFromDenied",
                        self._stack,
                        buckets=self._datasets,
                        prefixes=[f"{s3_layout.folder(n)}*" for n in customizations],
                    ),
                ],
                memory_mb=1769,
                disk_mb=_FINDINGS_MB,
            ),
            "Merge": self._function(
                "Merge", "merge", run, self._merge(), memory_mb=1769, disk_mb=_FINDINGS_MB
            ),
            "StartJob": self._function("StartJob", "start_job", start, self._start_job()),
            "RecordJob": self._function("RecordJob", "record_job", run, self._record_job()),
            "Serve": self._function(
                "Serve",
                "serve",
                ServeEnvironment(
                    environment=settings.name,
                    parameter_prefix=parameter_prefix(settings.name),
                    poll_seconds=settings.poll_seconds,
                    serving_timeout_seconds=settings.serving_timeout_seconds,
                ),
                self._serve(),
            ),
            "CloseRun": self._function(
                "CloseRun", "close_run", run, self._runs("GetItem", "PutItem", "UpdateItem")
            ),
        }
        self.keep_leases = self._function(
            "KeepLeases",
            "keep_leases",
            LeaseEnvironment(
                environment=settings.name,
                topic_arn=resources.topic.topic_arn,
                parameter_prefix=parameter_prefix(settings.name),
            ),
            self._keep_leases(),
        )

    @property
    def _datasets(self) -> list[s3.IBucket]:
        return [self._use.training, self._use.validation]

    def _function(
        self,
        construct_id: str,
        module: str,
        environment: DatasetEnvironment | ServeEnvironment | LeaseEnvironment,
        statements: list[iam.PolicyStatement],
        *,
        memory_mb: int = 512,
        disk_mb: int = 512,
    ) -> PythonFunction:
        return PythonFunction(
            self,
            construct_id,
            runtime=self._runtime,
            module=module,
            environment=environment,
            statements=statements,
            timeout=Duration.minutes(15),
            memory_mb=memory_mb,
            disk_mb=disk_mb,
        )

    def _runs(self, *actions: str) -> list[iam.PolicyStatement]:
        return st.runs(self._stack, self._use.table, self._use.operations_key, actions=actions)

    def _find_manifests(self) -> iam.PolicyStatement:
        return st.listing(
            "FindManifests",
            self._stack,
            buckets=self._datasets,
            prefixes=[s3_layout.manifest_key(name) for name in self._customizations],
            versions=True,
        )

    def _read_manifests(self) -> iam.PolicyStatement:
        return st.objects(
            "ReadManifests",
            self._stack,
            actions=["s3:GetObject", "s3:GetObjectVersion"],
            buckets=self._datasets,
            patterns=[s3_layout.manifest_key(name) for name in self._customizations],
        )

    def _read_images(self) -> iam.PolicyStatement:
        return st.objects(
            "ReadImages",
            self._stack,
            actions=["s3:GetObject"],
            buckets=self._datasets,
            patterns=[f"{s3_layout.folder(name)}*" for name in self._customizations],
        )

    def _work(self, *write: str, read: list[str] | None = None) -> list[iam.PolicyStatement]:
        """Reads and writes below work/<any run>/, and the data key for it and for the datasets."""
        found = [
            st.objects(
                "WriteWork",
                self._stack,
                actions=["s3:PutObject"],
                buckets=[self._use.output],
                patterns=[f"{s3_layout.WORK}/*/{name}" for name in write],
            ),
            self._data_key(st.WRITE_KEY),
        ]
        if read:
            found.append(
                st.objects(
                    "ReadWork",
                    self._stack,
                    actions=["s3:GetObject"],
                    buckets=[self._use.output],
                    patterns=[f"{s3_layout.WORK}/*/{name}" for name in read],
                )
            )
        return found

    def _data_key(self, actions: tuple[str, ...]) -> iam.PolicyStatement:
        return st.key_for(
            "UseDataKey", self._stack, self._use.data_key, service="s3", actions=actions
        )

    def _write_reports(self, *files: str) -> iam.PolicyStatement:
        return st.objects(
            "WriteReports",
            self._stack,
            actions=["s3:PutObject"],
            buckets=[self._use.output],
            patterns=[
                f"{s3_layout.REPORTS}/{name}/*/{file}"
                for name in self._customizations
                for file in files
            ],
        )

    def _models(self) -> list[str]:
        ids = {c.base_model.invoke_id for c in self._customizations.values()}
        return [
            st.bedrock_arn(self._stack, f"foundation-model/{model}", account=False)
            for model in sorted(ids)
        ]

    def _admit(self) -> list[iam.PolicyStatement]:
        return [
            self._find_manifests(),
            *self._runs("GetItem", "PutItem"),
            iam.PolicyStatement(
                sid="AskWhetherModelIsOpen",
                actions=["bedrock:GetFoundationModel"],
                resources=self._models(),
            ),
        ]

    def _merge(self) -> list[iam.PolicyStatement]:
        return [
            st.objects(
                "ReadWork",
                self._stack,
                actions=["s3:GetObject"],
                buckets=[self._use.output],
                patterns=[f"{s3_layout.WORK}/*"],
            ),
            st.listing(
                "ListWork",
                self._stack,
                buckets=[self._use.output],
                prefixes=[f"{s3_layout.WORK}/*"],
            ),
            self._write_reports("report.json", "report.html", "rejected.jsonl"),
            self._data_key(st.WRITE_KEY),
            *self._runs("UpdateItem"),
        ]

    def _start_job(self) -> list[iam.PolicyStatement]:
        return [
            self._find_manifests(),
            *self._keep_checked_manifests(),
            *self._runs("GetItem", "PutItem", "UpdateItem"),
            iam.PolicyStatement(
                sid="AskWhatBecameOfEarlierWork",
                actions=["bedrock:GetModelCustomizationJob", "bedrock:GetCustomModel"],
                resources=[
                    st.bedrock_arn(self._stack, "model-customization-job/*"),
                    st.bedrock_arn(self._stack, "custom-model/*"),
                ],
            ),
        ]

    def _keep_checked_manifests(self) -> list[iam.PolicyStatement]:
        return [
            self._read_manifests(),
            st.objects(
                "KeepCheckedManifests",
                self._stack,
                actions=["s3:PutObject"],
                buckets=[self._use.output],
                patterns=[f"{s3_layout.manifests_prefix(name)}*" for name in self._customizations],
            ),
            self._data_key(st.WRITE_KEY),
        ]

    def _record_job(self) -> list[iam.PolicyStatement]:
        jobs = [f"{s3_layout.jobs_prefix(name)}*" for name in self._customizations]
        return [
            st.objects(
                "ReadMetrics",
                self._stack,
                actions=["s3:GetObject"],
                buckets=[self._use.output],
                patterns=jobs,
            ),
            st.listing("ListMetrics", self._stack, buckets=[self._use.output], prefixes=jobs),
            self._write_reports("metrics.json"),
            self._data_key(st.WRITE_KEY),
            *self._runs("GetItem", "PutItem", "UpdateItem"),
        ]

    def _serve(self) -> list[iam.PolicyStatement]:
        name = self._settings.name
        models = st.bedrock_arn(self._stack, "custom-model/*")
        endpoints = [
            st.bedrock_arn(self._stack, "provisioned-model/*"),
            st.bedrock_arn(self._stack, "custom-model-deployment/*"),
        ]
        return [
            *st.observe_endpoints(self._stack),
            st.delete_endpoints(self._stack, name),
            iam.PolicyStatement(
                sid="BuyEndpoints",
                actions=[
                    "bedrock:CreateProvisionedModelThroughput",
                    "bedrock:CreateCustomModelDeployment",
                ],
                resources=[models],
                conditions={"StringEquals": {"aws:RequestTag/bedrock-tuning:environment": name}},
            ),
            iam.PolicyStatement(
                sid="SwapModels",
                actions=[
                    "bedrock:UpdateProvisionedModelThroughput",
                    "bedrock:UpdateCustomModelDeployment",
                ],
                resources=[models, *endpoints],
                conditions=st.ours(name),
            ),
            st.tag_new("TagNewEndpoints", name, resources=endpoints),
            iam.PolicyStatement(
                sid="RenewLeases",
                actions=["bedrock:TagResource"],
                resources=endpoints,
                conditions=st.ours(name),
            ),
            iam.PolicyStatement(
                sid="SmokeTest",
                actions=["bedrock:InvokeModel"],
                resources=endpoints,
                conditions=st.ours(name),
            ),
            iam.PolicyStatement(
                sid="LookAtModels", actions=["bedrock:GetCustomModel"], resources=[models]
            ),
            self._pointers("ssm:GetParameter", "ssm:PutParameter", "ssm:DeleteParameter"),
            *st.use_model(self._stack, self._use.model_key, nova=serves_nova(self._customizations)),
        ]

    def _keep_leases(self) -> list[iam.PolicyStatement]:
        return [
            *st.observe_endpoints(self._stack),
            st.delete_endpoints(self._stack, self._settings.name),
            self._pointers("ssm:GetParameter", "ssm:DeleteParameter"),
            *st.publish(self._stack, self._use.topic, self._use.operations_key),
        ]

    def _pointers(self, *actions: str) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            sid="Pointers",
            actions=list(actions),
            resources=[st.parameters_arn(self._stack, parameter_prefix(self._settings.name))],
        )
