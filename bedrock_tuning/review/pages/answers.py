"""What a reviewer asks first, answered in sentences from the same evidence as the tables.

Who may do something is read from the policies; the rest of a sentence is what those checks prove
whose ids stand after it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bedrock_tuning import s3_layout
from bedrock_tuning.config.customization_fields import LEASE_HOURS_MAX
from bedrock_tuning.config.tags import EXPIRES_TAG
from bedrock_tuning.contracts.people import PEOPLE
from bedrock_tuning.review.assembly import identity
from bedrock_tuning.review.assembly.json_path import get
from bedrock_tuning.review.check import Evidence
from bedrock_tuning.review.pages.access_index import NOBODY, AccessIndex
from bedrock_tuning.review.pages.deletion import Deletion
from bedrock_tuning.review.pages.inventory import Cost
from bedrock_tuning.review.pages.labels import Labels
from bedrock_tuning.review.pages.money import Money
from bedrock_tuning.review.promises.people import WRITING
from bedrock_tuning.run.cost import HOURS_PER_MONTH
from bedrock_tuning.run.exposure import hourly
from bedrock_tuning.wording import counted, first_of

_DAY: Final = 86_400
_TAG: Final = ("bedrock:TagResource",)
_RESUMES: Final = "$$.Task.Token"
_ITEM: Final = re.compile(r"States\.Format\('(\w+#)\{\}', \$\.\w+\.run\)")
_START: Final = ("states:StartExecution",)
_STOP: Final = ("states:StopExecution",)


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
    access = AccessIndex(evidence, labels)
    for question, sentences, section in (
        ("Who can approve a price?", _approving(access), "people"),
        ("How long does an approval wait, and what ends the wait?", _waiting(access), "workflow"),
        ("When does serving need an approval?", _serving(access), "limits"),
        ("Who can write what Amazon Bedrock reads?", _writing(access), "guards"),
        ("What can it cost at most?", _spending(money), "money"),
        ("What is still billed when nothing runs?", _billing(costs), "costs"),
        ("What does deletion remove, and what remains?", _deleting(deletions), "deletion"),
    ):
        yield Answer(question=question, sentences=tuple(sentences), more=section)


def _approving(access: AccessIndex) -> Iterator[Sentence]:
    handlers = list(access.deployment.handlers("approve"))
    yield Sentence(
        text=f"Whoever has {access.who(('lambda:Invoke*',), handlers)}, with a signed request. The "
        "decision is recorded under the IAM identity that signed it.",
        checks=("M846", "M849", "W508"),
    )
    yield Sentence(
        text=f"Of the roles here, only {access.who(('states:SendTask*',), ('*',))} can resume a "
        "run that waits.",
        checks=("M844", "M847"),
    )
    tokens = (token for state in access.states() for token in _tokens(*state))
    yield Sentence(
        text="The token that resumes it, with what is asked, is written to "
        f"{' and '.join(sorted(set(tokens))) or 'nothing'}, and nowhere else.",
        checks=("F700", "M847"),
    )
    yield Sentence(
        text="No IAM user or role can both upload and approve, even with both policies attached. A "
        "person who can assume one role with each policy can.",
        checks=("M840", "M841"),
    )
    decisions = f"{access.deployment.output}/{s3_layout.APPROVALS}/*"
    yield Sentence(
        text=f"{access.who(WRITING, (decisions,))} writes each decision once; no role here "
        "changes or deletes one.",
        checks=("M848", "R406"),
    )


def _tokens(name: str, state: Mapping[str, Any]) -> Iterator[str]:
    """Where a state writes the token with which it goes on."""
    if _RESUMES in str(
        {
            field: value
            for field, value in state.items()
            if field not in ("ItemProcessor", "Branches")
        }
    ):
        key = _ITEM.fullmatch(str(get(state, "Parameters", "Key", "id", "S.$")))
        yield f"the item `{key[1]}RUN` of the runs table" if key else f"what “{name}” calls"


def _waiting(access: AccessIndex) -> Iterator[Sentence]:
    for name, state in access.states():
        if not str(state.get("Resource")).endswith(".waitForTaskToken"):
            continue
        seconds = state.get("TimeoutSeconds")
        time = f"at most {counted(seconds // _DAY, 'day')}" if isinstance(seconds, int) else "on"
        targets = ", ".join(f"“{catcher.get('Next')}”" for catcher in state.get("Catch", ()))
        yield Sentence(
            text=f"“{name}” waits {time}. An approval ends the wait; a refusal or the end of that "
            f"time leads to {targets}, and nothing starts.",
            checks=("F700",),
        )
    runs = [
        f"{machine.replace(':stateMachine:', ':execution:')}:*"
        for machine in access.deployment.machines
    ]
    people, principals = access.who(_STOP, runs, people=True), access.who(_STOP, runs)
    yield Sentence(
        text="No policy for people allows stopping an execution, which would end the wait, too"
        f"{'.' if principals == NOBODY else f'; {principals} can.'}"
        if people == NOBODY
        else f"{principals} can stop an execution, which ends the wait, too."
    )
    yield Sentence(
        text="An approval counts for the dataset, the hyperparameters and the price for which it "
        "was requested. The functions compare them, and their code is not part of this proof. The "
        "workflow starts the job that StartJob requested, and changes nothing of it.",
        checks=("M801", "F700"),
    )


def _serving(access: AccessIndex) -> Iterator[Sentence]:
    yield Sentence(
        text="A run requests one approval, before its job, which covers everything: its price "
        "includes a month of storage and the whole lease or commitment. A run within its limit "
        "serves its model without one.",
        checks=("M801", "M828"),
    )
    yield Sentence(
        text="Quotas count, too: a run also waits for approval if the account lacks the quota to "
        "store or to serve its model."
    )
    starters = access.who(_START, access.deployment.machines, people=True)
    yield Sentence(
        text=f"`tuning serve` needs no approver: whoever has {starters} accepts the price that it "
        "shows. CloudTrail, which these templates do not set up, records who that was.",
    )
    yield Sentence(
        text="A deployment never starts billing by itself. If its terms cost more than those "
        "approved for what is served now, it asks an approver.",
        checks=("M803", "F700"),
    )


def _writing(access: AccessIndex) -> Iterator[Sentence]:
    deployment, bound = access.deployment, access.evidence.bound
    for customization in deployment.customizations:
        folders = [
            f"{bucket}/{folder}*"
            for bucket in deployment.datasets
            for folder in deployment.uploaded(customization.name)
        ]
        yield Sentence(
            text=f"{access.names(folders)}: {access.who(WRITING, folders)}.",
            checks=("M842", "M843"),
        )
    manifests = [f"{bucket}/{s3_layout.CHECKED}/*" for bucket in deployment.datasets]
    path = deployment.at_path("check").partition(":role")[2]
    denies = "have to deny" if "training" in bound.contracts.given else "deny"
    yield Sentence(
        text=f"{access.names(manifests)}, the manifests that jobs read: "
        f"{access.who(WRITING, manifests)}. The buckets' policies {denies} it to all but roles "
        f"below `role{path}`.",
        checks=("M811", "M842", "R406"),
    )
    yield Sentence(
        text="Jobs read images where they were uploaded. Right before a job starts, the run "
        "compares them with those that were checked, and ends if one differs. It does not see a "
        "change after that.",
        checks=("M801",),
    )
    roles = bound.contracts.data_roles
    yield Sentence(
        text="The buckets' policies deny everything to other users and roles of the account "
        f"(`deny_others`), except {', '.join(roles)} and the roles of these stacks."
        if roles
        else "Nothing prevents other users and roles of the account from writing to the upload "
        "folders if their own policies allow it. The setting `deny_others` does; it is off here.",
        checks=("R406",) if roles else (),
    )


def _spending(money: Money) -> Iterator[Sentence]:
    prices = hourly(money.exposed)
    month = prices.usd * HOURS_PER_MONTH
    suffix = f", plus an unknown amount for {first_of(prices.unknown)}" if prices.unknown else ""
    yield Sentence(
        text="There is no maximum: nothing limits how many runs there are. A run costs up to its "
        "limit in the table without an approval, and above it whatever an approver accepts.",
        checks=("M801", "M828"),
    )
    yield Sentence(
        text=f"Serving all models without a break: {month:,.2f} USD in 30 days{suffix}. A lease "
        "is not a cap, as it can be extended.",
        checks=("M822", "M828"),
    )
    yield Sentence(
        text="In addition: a month's storage of each trained model, calls, and the resources under "
        "“What is billed while nothing runs”."
    )


def _billing(costs: Sequence[Cost]) -> Iterator[Sentence]:
    costs_by_end: dict[str, list[str]] = {}
    for cost in costs:
        costs_by_end.setdefault(cost.until, []).append(cost.what)
    for end, names in costs_by_end.items():
        yield Sentence(text=f"Until {end}: {', '.join(names)}.")


def _deleting(deletions: Sequence[Deletion]) -> Iterator[Sentence]:
    stacks = [deletion.stack for deletion in deletions]
    protected_stacks = [deletion.stack for deletion in deletions if deletion.protected]
    yield Sentence(
        text=f"Delete the stacks in this order: {', '.join(stacks)}. "
        f"Termination protection is on for {', '.join(protected_stacks) or 'none of them'}.",
        checks=("S611",),
    )
    remains = [name for deletion in deletions for name in deletion.keeps]
    yield Sentence(
        text=f"What remains: {', '.join(remains)}, and every custom model.", checks=("S601", "S614")
    )
    yield Sentence(
        text="Leases end only as long as their keeper is there: what is still served when its "
        "stack is deleted is billed until somebody deletes it."
    )


def changeable(evidence: Evidence, labels: Labels) -> Iterator[Changeable]:
    """What limits spending, and who can change it once it is deployed."""
    access = AccessIndex(evidence, labels)
    deployment = access.deployment
    path = f"{deployment.settings_path}/*"
    prefix = f"arn:{identity.PARTITION}:ssm:{deployment.region}:{identity.ACCOUNT}"
    parameters = [f"{prefix}:parameter{path}"]
    deployers = next(persona.name for persona in PEOPLE if "deploy" in persona.abilities)
    writers = access.who(("ssm:PutParameter", "ssm:DeleteParameter*"), parameters)
    yield Changeable(
        what="limit and approval of runs, mode, model units, lease_hours, commitment",
        kept=f"the settings, parameters {path}",
        who=f"a {deployers}, by a deployment; of the roles here, {writers}",
        most="any value; the next review shows it (`--against`)",
    )
    yield Changeable(
        what="the end of a running lease",
        kept=f"the endpoint's tag {EXPIRES_TAG}",
        who=access.who(_TAG, deployment.bedrock("provisioned-model"), tag=EXPIRES_TAG),
        most=f"any date: IAM cannot limit it. `tuning lease` extends it to at most "
        f"{LEASE_HOURS_MAX:,} hours from now, any number of times; a successful run restarts it",
    )
    yield Changeable(
        what="whether a model is served, and from when",
        kept="the item intent#NAME of the runs table",
        who=f"{access.who(_START, deployment.machines, people=True)}, by an execution; "
        f"{access.writers('intent#')} write the item",
        most="the mode, units and lease of the settings",
    )
    decisions = f"{deployment.output}/{s3_layout.APPROVALS}/*"
    yield Changeable(
        what="a price that was approved",
        kept=f"the run's item, and {labels.arn(decisions)}",
        who=f"no person: {access.writers('run#')} write the run's item, and only "
        f"{access.who(WRITING, (decisions,))} the copy, once",
        most="another price, dataset or hyperparameter needs a new approval",
    )
    yield Changeable(
        what="how many custom models are stored",
        kept="Amazon Bedrock",
        who="each successful job adds one; an administrator of the account deletes them; "
        f"of the roles here, {access.who(('bedrock:DeleteCustomModel',), ('*',))} does",
        most="the account's quota; each costs storage per month",
    )
