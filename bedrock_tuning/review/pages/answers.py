"""What a reviewer asks first, answered in sentences from the same evidence as the tables.

Who may do something is read from the policies; the rest of a sentence is what those checks prove
whose ids stand after it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from bedrock_tuning import s3_layout
from bedrock_tuning.config.customization_fields import LEASE_HOURS_MAX
from bedrock_tuning.contracts.people import PEOPLE
from bedrock_tuning.review.assembly import identity
from bedrock_tuning.review.check import Evidence
from bedrock_tuning.review.iam.policy import Statement
from bedrock_tuning.review.iam.wildcards import meets
from bedrock_tuning.review.pages.deletion import Deletion
from bedrock_tuning.review.pages.inventory import Cost
from bedrock_tuning.review.pages.labels import Labels
from bedrock_tuning.review.pages.money import Money
from bedrock_tuning.review.promises.deployment import Deployment
from bedrock_tuning.review.promises.promise import reached
from bedrock_tuning.review.workflow import graph
from bedrock_tuning.run.cost import HOURS_PER_MONTH
from bedrock_tuning.run.exposure import hourly
from bedrock_tuning.run.job import TAG_PREFIX
from bedrock_tuning.wording import counted

_DAY: Final = 86_400
_NOBODY: Final = "nobody"
_WRITE: Final = ("s3:Put*", "s3:Delete*", "s3:Replicate*", "s3:Restore*")
_LEASE: Final = f"{TAG_PREFIX}:expires"
_TAG: Final = ("bedrock:TagResource",)
_START: Final = ("states:StartExecution",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One sentence of an answer. checks: the ids of those that prove it."""

    text: str
    checks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A question and its answer. more: the section of the page that tells it in full."""

    question: str
    sentences: tuple[Sentence, ...]
    more: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changeable:
    """Something that limits spending: where it is kept, who changes it, up to what."""

    what: str
    kept: str
    who: str
    most: str


def answers(
    evidence: Evidence,
    labels: Labels,
    money: Money,
    *,
    costs: Sequence[Cost],
    deletions: Sequence[Deletion],
) -> Iterator[Answer]:
    """In the order in which people ask."""
    asked = _Asked(evidence, labels)
    for question, sentences, more in (
        ("Who can approve a price?", _approving(asked), "people"),
        ("How long does an approval wait, and what ends the wait?", _waiting(asked), "workflow"),
        ("When does serving need an approval?", _serving(asked), "limits"),
        ("Who can write what Amazon Bedrock reads?", _writing(asked), "guards"),
        ("What can it cost at most?", _spending(money), "money"),
        ("What goes on being billed while nothing runs?", _billed(costs), "costs"),
        ("What does deletion take, and leave?", _deleting(deletions), "deletion"),
    ):
        yield Answer(question=question, sentences=tuple(sentences), more=more)


class _Asked:
    """Who may do what, by the names that people know."""

    def __init__(self, evidence: Evidence, labels: Labels) -> None:
        self.evidence, self.labels = evidence, labels
        self.deployment = Deployment(evidence=evidence)
        self._known: dict[tuple[tuple[str, ...], str], list[tuple[str, frozenset[str]]]] = {}

    def who(
        self,
        actions: Collection[str],
        resources: Collection[str],
        *,
        tag: str = "",
        people: bool = False,
    ) -> str:
        """Whose policies allow an action. tag: only of those that may change it; people: or are
        people.
        """
        found = [
            self.labels.path(path)
            for path, allowed in self._allowed(tuple(actions), tag)
            if (path in self._people or not people)
            and any(meets(r, one) for r in resources for one in allowed)
        ]
        return ", ".join(found) or _NOBODY

    def _allowed(self, actions: tuple[str, ...], tag: str) -> list[tuple[str, frozenset[str]]]:
        """Whose policies allow one of the actions, and to which resources."""
        asked = (actions, tag)
        if asked not in self._known:
            self._known[asked] = [
                (role.path, resources)
                for role in self.evidence.permissions.roles.values()
                if (
                    resources := frozenset(
                        resource
                        for each in role.policy
                        if each.effect == "Allow" and _changes(each, tag)
                        for _, resource in reached(each, actions, ("*",))
                    )
                )
            ]
        return self._known[asked]

    @cached_property
    def _people(self) -> frozenset[str]:
        bound = self.evidence.bound
        whose = (*bound.contracts.people, *bound.contracts.roles)
        return frozenset(bound.path(each.place) for each in whose if "person." in each.name)

    def named(self, arns: Collection[str]) -> str:
        """Resources by their names."""
        return ", ".join(map(self.labels.arn, arns))

    def machines(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Every state of every state machine."""
        for machine in self.evidence.assembly.of_type("AWS::StepFunctions::StateMachine"):
            for each in graph.graphs(graph.template_definition(machine)):
                yield from each.states.items()


def _changes(statement: Statement, tag: str) -> bool:
    """Whether a statement does not keep a tag as it is."""
    keys = [c.values for c in statement.conditions if c.key == "aws:TagKeys"]
    return not tag or not keys or any(tag in values for values in keys)


def _approving(asked: _Asked) -> Iterator[Sentence]:
    approve = list(asked.deployment.handlers("approve"))
    yield Sentence(
        text=f"Whoever has {asked.who(('lambda:Invoke*',), approve)}, with a signed request: "
        "nobody can approve in somebody else's name.",
        checks=("M846", "M849", "W508"),
    )
    yield Sentence(
        text=f"Only {asked.who(('states:SendTask*',), ('*',))} lets a waiting run go on.",
        checks=("M844", "M847"),
    )
    yield Sentence(
        text="Whoever uploads cannot approve, and whoever approves cannot upload, even with both "
        "policies.",
        checks=("M840", "M841"),
    )
    decisions = f"{asked.deployment.output}/{s3_layout.APPROVALS}/*"
    yield Sentence(
        text=f"{asked.who(_WRITE, (decisions,))} writes each decision once; no "
        "role here changes or removes one.",
        checks=("M848", "R406"),
    )


def _waiting(asked: _Asked) -> Iterator[Sentence]:
    for name, state in asked.machines():
        if not str(state.get("Resource")).endswith(".waitForTaskToken"):
            continue
        seconds = state.get("TimeoutSeconds")
        time = counted(seconds // _DAY, "day") if isinstance(seconds, int) else "without an end"
        then = ", ".join(f"“{each.get('Next')}”" for each in state.get("Catch", ()))
        yield Sentence(
            text=f"“{name}” waits {time} at most. An approval ends the wait; a refusal or the end "
            f"of that time leads to {then}, and nothing starts.",
            checks=("F707", "F714", "F719"),
        )
    stop = asked.who(("states:StopExecution",), asked.deployment.machines)
    yield Sentence(
        text="No policy here lets anybody stop the execution, which would end the wait, too."
        if stop == _NOBODY
        else f"{stop} can stop the execution, which ends the wait, too."
    )
    yield Sentence(
        text="An approval counts for the dataset, the hyperparameters and the price that it was "
        "asked for; images that changed meanwhile end the run.",
        checks=("M801", "F713"),
    )


def _serving(asked: _Asked) -> Iterator[Sentence]:
    yield Sentence(
        text="A run asks once, before its job, for everything: its price includes a month of "
        "storage and the whole lease or commitment. A run within its limit serves its model "
        "without a question.",
        checks=("M801", "M828"),
    )
    yield Sentence(
        text="Quotas count beside the price: a run also waits for approval if the account has no "
        "room to keep or to serve its model."
    )
    start = asked.who(_START, asked.deployment.machines, people=True)
    yield Sentence(
        text=f"`tuning serve` needs no approver: whoever has {start} accepts the price that it "
        "shows. CloudTrail records who that was.",
    )
    yield Sentence(
        text="A deployment never begins to bill. It asks an approver if its terms are dearer than "
        "those approved for what is served now.",
        checks=("M803", "F720"),
    )


def _writing(asked: _Asked) -> Iterator[Sentence]:
    deployment = asked.deployment
    for each in deployment.customizations:
        folders = [
            f"{bucket}/{folder}*"
            for bucket in deployment.datasets
            for folder in deployment.uploaded(each.name)
        ]
        yield Sentence(
            text=f"{asked.named(folders)}: {asked.who(_WRITE, folders)}.", checks=("M842", "M843")
        )
    checked = [f"{bucket}/{s3_layout.CHECKED}/*" for bucket in deployment.datasets]
    yield Sentence(
        text=f"{asked.named(checked)}, the manifests that jobs read: {asked.who(_WRITE, checked)}; "
        "the buckets' policies deny it to everybody else in the account.",
        checks=("M811", "M842", "R406"),
    )
    closed = asked.evidence.bound.contracts.data_roles
    yield Sentence(
        text="The buckets' policies deny everything to other users and roles of the account "
        f"(`deny_others`), but for {', '.join(closed)} and the roles of these stacks."
        if closed
        else "Nothing denies the upload folders to other users and roles of the account whose own "
        "policies allow it (`deny_others` does); what they change after the check ends the run.",
        checks=("R406",) if closed else ("M801",),
    )


def _spending(money: Money) -> Iterator[Sentence]:
    prices = hourly(money.exposed)
    month = prices.usd * HOURS_PER_MONTH
    unknown = f", and what is unknown for {', '.join(prices.unknown)}" if prices.unknown else ""
    yield Sentence(
        text="A run: up to its limit in the table without a question, and beyond it what an "
        "approver accepts. Nothing limits how many runs there are.",
        checks=("M801", "M828"),
    )
    yield Sentence(
        text=f"Serving, if all models are served without a break: {month:,.2f} USD in 30 days"
        f"{unknown}. A lease is no maximum: see who can extend it.",
        checks=("M822", "M828"),
    )
    yield Sentence(
        text="Besides: a month's storage of each model that was trained, calls, and the AWS "
        "resources that the table of what is billed while nothing runs lists."
    )


def _billed(costs: Sequence[Cost]) -> Iterator[Sentence]:
    until: dict[str, list[str]] = {}
    for each in costs:
        until.setdefault(each.until, []).append(each.what)
    for end, what in until.items():
        yield Sentence(text=f"Until {end}: {', '.join(what)}.")


def _deleting(deletions: Sequence[Deletion]) -> Iterator[Sentence]:
    protected = [each.stack for each in deletions if each.protected]
    yield Sentence(
        text=f"Stacks are deleted in this order: {', '.join(each.stack for each in deletions)}. "
        f"Termination protection is on for {', '.join(protected) or 'none of them'}.",
        checks=("S611",),
    )
    kept = [name for each in deletions for name in each.keeps]
    yield Sentence(
        text=f"What stays: {', '.join(kept)}, and every custom model.", checks=("S601", "S614")
    )


def changeable(evidence: Evidence, labels: Labels) -> Iterator[Changeable]:
    """What limits spending, and who can change it once it is deployed."""
    asked = _Asked(evidence, labels)
    deployment = asked.deployment
    path = f"{deployment.settings_path}/*"
    start = f"arn:{identity.PARTITION}:ssm:{deployment.region}:{identity.ACCOUNT}"
    parameters = [f"{start}:parameter{path}"]
    deployers = next(each.name for each in PEOPLE if "deploy" in each.abilities)
    writes = asked.who(("ssm:PutParameter", "ssm:DeleteParameter*"), parameters)
    yield Changeable(
        what="limit and approval of runs, mode, model units, lease_hours, commitment",
        kept=f"the settings, parameters {path}",
        who=f"a {deployers}, by a deployment; of the roles here, {writes}",
        most="what the next review shows: compare with `--against`",
    )
    yield Changeable(
        what="the end of a running lease",
        kept=f"the endpoint's tag {_LEASE}",
        who=asked.who(_TAG, deployment.bedrock("provisioned-model"), tag=_LEASE),
        most=f"any date: IAM cannot limit it. `tuning lease` takes {LEASE_HOURS_MAX:,} hours from "
        "now at a time, as often as somebody likes; a run that ends well begins the lease anew",
    )
    yield Changeable(
        what="whether a model is served, and from when",
        kept="the item intent#NAME of the runs table",
        who=f"{asked.who(_START, deployment.machines, people=True)}, a run that ends well",
        most="the mode, units and lease of the settings",
    )
    decisions = f"{deployment.output}/{s3_layout.APPROVALS}/*"
    yield Changeable(
        what="a price that was approved",
        kept=f"the run's item, and {labels.arn(decisions)}",
        who=f"nobody: {asked.who(_WRITE, (decisions,))} writes each decision once",
        most="another price, dataset or hyperparameter is asked for anew",
    )
    yield Changeable(
        what="how many custom models are stored",
        kept="Amazon Bedrock",
        who="each run whose job ends well adds one; an administrator of the account removes them; "
        f"of the roles here, {asked.who(('bedrock:DeleteCustomModel',), ('*',))} does",
        most="the account's quota; each costs storage by the month",
    )
