"""A good run, and what brings the deployed app into the state in which one permission is needed."""

import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bedrock_tuning.contracts.states import workflow
from tests.e2e.following import EndedExecution
from tests.e2e.taken import FunctionFailedError, Roles, Steps, answers
from tests.e2e.world import NAME, World, eventually

KEYS = ("DataKey", "ModelKey", "OperationsKey")
EARLIER = "2026-01-01T00:00:00Z"


@dataclass
class Stage:
    """The deployed app after a good run, whose steps can be made again one by one.

    options: the settings that were put on top of the environment's.
    """

    world: World
    good: EndedExecution
    options: Mapping[str, Any] = field(default_factory=dict)
    asked: int = 0

    @cached_property
    def roles(self) -> Roles:
        return Roles(self.world, self.options)

    @cached_property
    def steps(self) -> Steps:
        return Steps(self.world, self.good.arn)

    @cached_property
    def keys(self) -> dict[str, str]:
        """Key ids by the names that `on` takes."""
        deployed = self.world.deployed("AWS::KMS::Key")
        return {name: key for name in KEYS for path, key in deployed.items() if f"/{name}/" in path}

    @contextlib.contextmanager
    def without(self, role: str, action: str, on: str = "") -> Iterator[str]:
        """As Roles.without; on: also the name of a key."""
        with self.roles.without(role, action, on=self.keys.get(on, on)) as physical:
            yield physical

    def state(self, name: str) -> None:
        """Makes the call of one state again."""
        described = workflow.definition(environment="local", approval_days=7)["States"][name]
        self.steps.call(described["Resource"][2:-1], self.steps.payload(name))

    def shard(self) -> None:
        self.steps.call("CheckImages", self.steps.shard())

    def same_work_again(self) -> None:
        """Another run with the data of the good one."""
        payload = self.steps.payload("Prepare job")
        payload["admission"]["run"] = "20990101-000000-aaaaaa"
        self.steps.call("StartJob", payload)

    def work_that_failed_again(self) -> None:
        """Another run with the data of one whose end nobody knows."""
        table = self.world.aws.client("dynamodb")
        key = self.steps.entered["Await approval"]["start"]["run_key"]
        name = {"TableName": self.world.deployment.runs_table, "Key": {"id": {"S": f"key#{key}"}}}
        before = table.get_item(**name)["Item"]["state"]["S"]
        change = {
            "UpdateExpression": "SET #s = :s",
            "ExpressionAttributeNames": {"#s": "state"},
        }
        table.update_item(**name, **change, ExpressionAttributeValues={":s": {"S": "failed"}})
        try:
            self.same_work_again()
        finally:
            table.update_item(**name, **change, ExpressionAttributeValues={":s": {"S": before}})

    def serving(self, **more: Any) -> dict[str, Any]:
        """What serving begins with at a person's word, newer than every run before; and more."""
        self.asked += 1
        run = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-serve-{self.asked:06d}"
        person = {"run": run, "started_by": "person", "model_run": self.good_run}
        return {**self.steps.entered["Serve"]["serving"], **person, **more}

    @property
    def good_run(self) -> str:
        """The name of the good run."""
        return str(self.steps.entered["Serve"]["serving"]["run"])

    def serve(self, action: str, serving: dict[str, Any], **more: Any) -> dict[str, Any]:
        """One step of serving."""
        settings = self.steps.entered["Serve"]["settings"]["value"]
        payload = {"action": action, "serving": {**serving, **more}, "settings": settings}
        found: dict[str, Any] = self.steps.call("Serve", payload)
        return found

    def _until(self, step: str, **serving: Any) -> dict[str, Any]:
        """The state of serving in which this step is next."""
        state = self.serving(**serving)
        for _ in range(100):
            state = self.serve("serve", state)
            if state["step"] == step:
                return state
            time.sleep(0.1)
        raise AssertionError(f"not {step}: {state}")

    def unserved(self) -> None:
        """A person ends what is served: then nothing is billed."""
        self._until("removed", end=True)
        names = [str(each["provisionedModelName"]) for each in self.world.throughputs()]
        assert not [each for each in names if each.startswith(f"local-{NAME}-")]

    def served(self) -> str:
        """The good run's model is served and published; the endpoint's ARN."""
        state = self.serve("publish", self.serve("smoke", self._until("smoke")))
        return str(state["endpoint_arn"])

    def buy(self) -> None:
        self.unserved()
        self.serve("serve", self.serving())

    def learn_the_base(self) -> None:
        payload = self.serving()
        del payload["base_arn"]
        self.serve("serve", payload)

    def undo_create(self) -> None:
        self.unserved()
        state = self._until("smoke")
        self.point_to(state["endpoint_arn"])
        self.serve("roll-back", state, reason="a test")

    def undo_swap(self) -> None:
        """As if the owner had moved the model into an endpoint that served another."""
        arn = self.served()
        state = self._until("smoke")
        begun = {
            "swapped_arn": arn,
            "swapped_from": state["base_arn"],
            "swapped_to": [state["model_arn"]],
        }
        self._remember(begun=begun)
        self.serve("roll-back", state, reason="a test")

    def _remember(self, **changes: Any) -> None:
        """Changes the item that says what the customization serves."""
        table = self.world.aws.client("dynamodb")
        key = {"id": {"S": f"intent#{NAME}"}}
        name = self.world.deployment.runs_table
        item = table.get_item(TableName=name, Key=key)["Item"]
        item["version"] = {"N": str(int(item["version"]["N"]) + 1)}
        intent = {**json.loads(item["intent"]["S"]), "version": int(item["version"]["N"])}
        item["intent"] = {"S": json.dumps({**intent, **changes})}
        table.put_item(TableName=name, Item=item)

    def keep_leases(self) -> None:
        """An endpoint's lease has ended; then the keeper is called."""
        arn = self.served()
        self.point_to(arn)
        self.world.aws.client("bedrock").tag_resource(
            resourceARN=arn, tags=[{"key": "bedrock-tuning:expires", "value": EARLIER}]
        )
        self.steps.call("KeepLeases", {})

    def point_to(self, endpoint: str) -> None:
        """The endpoint is what applications use."""
        self.world.aws.client("ssm").put_parameter(
            Name=f"/bedrock-tuning/local/{NAME}/endpoint",
            Value=endpoint,
            Type="String",
            Overwrite=True,
        )

    def guard_runs(self) -> None:
        """CloudFormation asks whether a deployment takes from open runs what they use."""
        self.ask("GuardRuns", "Create", {"Uses": "training"})

    def deploy(self) -> None:
        """CloudFormation updates the resource of what is served: its lease has to change."""
        self.served()
        self._ask("Update", LeaseHours="1")

    def deploy_again(self) -> None:
        """The same while the model is served."""
        self.served()
        self._ask("Update")

    def destroy(self) -> None:
        """CloudFormation deletes the serving stack's resource while the model is served."""
        self.served()
        self._forget_begun_runs()
        try:
            self._ask("Delete")
        finally:
            self.world.aws.client("ssm").put_parameter(
                Name=f"/bedrock-tuning/local/{NAME}/serving",
                Value="deployed",
                Type="String",
                Overwrite=True,
            )

    def _forget_begun_runs(self) -> None:
        """Calls of single functions have begun runs that no execution ends; they need the stack."""
        table, name = self.world.aws.client("dynamodb"), self.world.deployment.runs_table
        for item in table.scan(TableName=name)["Items"]:
            if item.get("open", {}).get("S") == "yes":
                table.update_item(
                    TableName=name,
                    Key={"id": item["id"]},
                    UpdateExpression="REMOVE #open",
                    ExpressionAttributeNames={"#open": "open"},
                )

    def _ask(self, kind: str, **old: str) -> None:
        desired = {"Customization": NAME, "Mode": "provisioned", **self._own_roles}
        self.ask("ProvisionedThroughput", kind, desired, **old)

    @cached_property
    def _own_roles(self) -> dict[str, str]:
        """Roles and what they use, as the customization's stack tells them to its resource."""
        found = self.world.aws.client("ssm").get_parameter(
            Name=f"/bedrock-tuning-settings/local/{NAME}"
        )
        settings = json.loads(found["Parameter"]["Value"])
        template = self.world.aws.client("cloudformation").get_template(
            StackName=f"tuning-local-{NAME}"
        )["TemplateBody"]
        if isinstance(template, str):
            template = json.loads(template)
        return {
            "ServiceRole": settings["service_role"],
            "StarterRole": settings["starter_role"],
            "Uses": template["Resources"]["Throughput"]["Properties"]["Uses"],
        }

    def ask(self, function: str, kind: str, properties: dict[str, str], **old: str) -> None:
        """As CloudFormation asks a custom resource; old: properties that were others before.

        Raises FunctionFailedError with the reason that CloudFormation shows.
        """
        with answers() as (address, taken):
            event = {
                "RequestType": kind,
                "ResponseURL": address,
                "StackId": "arn:aws:cloudformation:us-east-1:000000000000:stack/a/b",
                "RequestId": f"taken-{time.time_ns()}",
                "LogicalResourceId": "Throughput",
                "PhysicalResourceId": f"provisioned-throughput/local/{NAME}",
                "ResourceProperties": properties,
                "OldResourceProperties": {**properties, **old},
            }
            with contextlib.suppress(FunctionFailedError):
                self.steps.call(function, event)
            (answer,) = taken
        if answer["Status"] == "FAILED":
            raise FunctionFailedError({"errorMessage": answer["Reason"], "errorType": "Reason"})

    def train(self, role: str) -> str:
        """A job with this service role on the good run's data; its failure message, "" if none."""
        request = self.steps.entered["Await approval"]["start"]["request"]
        unique = f"taken-{time.time_ns()}"
        bedrock = self.world.aws.client("bedrock")
        # What is refused here is not that the role is new.
        self.world.aws.faults.options(new_role_seconds=0)
        arn = bedrock.create_model_customization_job(
            jobName=unique,
            customModelName=unique,
            roleArn=f"arn:aws:iam::000000000000:role/tuning/local/bedrock/{self.roles.names[role]}",
            baseModelIdentifier=request["BaseModelIdentifier"],
            trainingDataConfig={"s3Uri": request["TrainingDataConfig"]["S3Uri"]},
            outputDataConfig={"s3Uri": request["OutputDataConfig"]["S3Uri"]},
            hyperParameters=request["HyperParameters"],
        )["jobArn"]
        ended = {}

        def over() -> bool:
            ended.update(bedrock.get_model_customization_job(jobIdentifier=arn))
            return ended["status"] in ("Completed", "Failed")

        assert eventually(over)
        return str(ended.get("failureMessage", ""))

    def execute(self, state: str) -> EndedExecution:
        """The workflow with its own role, from one of its states on, with what the good run had.

        It is another state machine, so it cannot become a starter.
        """
        states = self.world.aws.client("stepfunctions")
        whole = states.describe_state_machine(stateMachineArn=self.world.deployment.workflow_arn)
        definition = {**json.loads(whole["definition"]), "StartAt": state}
        machine = states.create_state_machine(
            name=f"from-{time.time_ns()}",
            definition=json.dumps(definition),
            roleArn=whole["roleArn"],
        )["stateMachineArn"]
        entered = json.dumps(self.steps.entered[state])
        arn = states.start_execution(stateMachineArn=machine, input=entered)["executionArn"]
        return self.world.end_of(arn, approve=False)
