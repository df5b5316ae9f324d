"""The decision table of serving: every row, and what must hold whatever exists."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedrock_tuning.serving.plan import (
    STATUS,
    Action,
    DesiredState,
    Endpoint,
    Plan,
    commitment_reason,
    plan,
    removable,
)

BASE = "arn:aws:bedrock:us-east-1::foundation-model/a"
OTHER_BASE = "arn:aws:bedrock:us-east-1::foundation-model/b"
MODEL, OLDER = "model-2", "model-1"

READY = Endpoint(
    kind="provisioned", arn="pt-1", status="ready", model_arn=MODEL, base_arn=BASE, units=1
)


def _desired(**changes: Any) -> DesiredState:
    known = {"mode": "provisioned", "model_arn": MODEL, "base_arn": None, "units": 1}
    return DesiredState(**{**known, "commitment": None, **changes})


DESIRED = _desired(mode="provisioned", model_arn=MODEL, base_arn=BASE)
DEPLOYED = Endpoint(kind="on-demand", arn="od-1", status="ready", model_arn=MODEL)


def _older(endpoint: Endpoint = READY, **changes: Any) -> Endpoint:
    return replace(endpoint, model_arn=OLDER, **changes)


def _committed(endpoint: Endpoint = READY, **changes: Any) -> Endpoint:
    return replace(
        endpoint, commitment="OneMonth", committed_until="2027-01-01T00:00:00Z", **changes
    )


@pytest.mark.parametrize("status", ["creating", "updating"])
@pytest.mark.parametrize("mode", ["provisioned", "on-demand", "none"])
@pytest.mark.parametrize("model", [None, MODEL])
def test_while_anything_changes_we_wait(status: Any, mode: Any, model: str | None) -> None:
    busy = replace(READY, status=status, arn="busy")

    step = plan(_desired(mode=mode, model_arn=model), [READY, busy])

    assert (step.action, step.target) == (Action.WAIT, busy)
    assert step.reason == f"busy is {status}"


@pytest.mark.parametrize("endpoint", [READY, DEPLOYED, replace(READY, status="failed")])
def test_when_nothing_is_desired_what_exists_is_deleted(endpoint: Endpoint) -> None:
    step = plan(_desired(mode="none", model_arn=MODEL), [_committed(arn="kept"), endpoint])

    assert (step.action, step.target) == (Action.DELETE, endpoint)


def test_when_nothing_is_desired_a_commitment_stays_and_the_reason_names_its_end() -> None:
    step = plan(_desired(mode="none", model_arn=MODEL), [_committed()])

    assert step.action is Action.NOTHING
    assert "pt-1 has a commitment (OneMonth) until 2027-01-01T00:00:00Z" in step.reason


def test_when_nothing_is_desired_and_nothing_exists_nothing_is_done() -> None:
    assert plan(_desired(mode="none", model_arn=None), []).action is Action.NOTHING


@pytest.mark.parametrize("mode", ["provisioned", "on-demand"])
def test_without_a_model_serving_is_pending_and_costs_nothing(mode: Any) -> None:
    step = plan(_desired(mode=mode, model_arn=None), [])

    assert step.action is Action.PENDING
    assert "nothing to serve or to pay" in step.reason


def test_without_a_new_model_what_is_served_stays() -> None:
    assert plan(_desired(mode="provisioned", model_arn=None), [READY]).action is Action.NOTHING


def test_an_endpoint_that_failed_is_deleted_first_and_its_failure_told() -> None:
    failed = replace(READY, arn="pt-2", status="failed", failure="no capacity")

    step = plan(DESIRED, [READY, failed])

    assert (step.action, step.target) == (Action.DELETE, failed)
    assert step.reason == "pt-2 failed: no capacity"


def test_a_committed_endpoint_that_failed_stops_the_flow_because_it_cannot_be_deleted() -> None:
    failed = _committed(status="failed")

    step = plan(DESIRED, [failed])

    assert (step.action, step.target) == (Action.FAILED, failed)
    assert "Bedrock gives no reason" in step.reason
    assert commitment_reason(failed) in step.reason


def test_an_endpoint_that_serves_the_model_is_ready_and_all_others_are_surplus() -> None:
    other, third = _older(arn="pt-0"), replace(READY, arn="pt-3", units=2)

    step = plan(DESIRED, [other, READY, third])

    assert (step.action, step.target, step.surplus) == (Action.READY, READY, (other, third))


def test_another_model_is_swapped_in_place() -> None:
    step = plan(DESIRED, [_older()])

    assert (step.action, step.target, step.surplus) == (Action.SWAP, _older(), ())


def test_a_model_of_another_round_is_swapped_into_the_endpoint_of_its_base_model() -> None:
    made_from = "arn:aws:bedrock:us-east-1:111122223333:custom-model/a/abcdefghijkl"
    assert plan(replace(DESIRED, base_arn=made_from), [_older()]).action is Action.SWAP


@pytest.mark.parametrize(
    "unfit",
    [
        _older(units=2),
        _older(commitment="SixMonths"),
        _older(base_arn=OTHER_BASE),
        _older(DEPLOYED),
        _committed(_older(base_arn=OTHER_BASE)),
    ],
    ids=["units", "commitment", "base", "kind", "commitment on another base"],
)
def test_an_endpoint_that_cannot_become_what_is_desired_is_replaced(unfit: Endpoint) -> None:
    """Created beside it, so traffic goes on; what existed goes once the new one is proved."""
    step = plan(DESIRED, [unfit])

    assert (step.action, step.target, step.surplus) == (Action.CREATE, None, (unfit,))


def test_what_callers_use_is_kept_and_replaced_by_an_endpoint_of_its_own() -> None:
    used = _older()

    step = plan(replace(DESIRED, kept=frozenset({used.arn})), [used])

    assert (step.action, step.surplus) == (Action.CREATE, (used,))
    assert f"{used.arn} serves until the new model is tested" in step.reason


def test_an_endpoint_that_nobody_calls_yet_is_swapped_beside_the_one_that_is_kept() -> None:
    used, new = _older(), _older(arn="pt-2")

    step = plan(replace(DESIRED, kept=frozenset({used.arn})), [used, new])

    assert (step.action, step.target, step.surplus) == (Action.SWAP, new, (used,))


def test_an_unfit_endpoint_is_replaced_even_if_it_serves_the_model() -> None:
    assert plan(replace(DESIRED, units=2), [READY]).action is Action.CREATE


def test_a_desired_state_without_a_known_base_takes_the_endpoint_that_there_is() -> None:
    assert plan(replace(DESIRED, base_arn=None), [_older()]).action is Action.SWAP


@pytest.mark.parametrize(
    "desired", [DESIRED, replace(DESIRED, units=3), replace(DESIRED, mode="on-demand")]
)
def test_a_running_commitment_is_used_because_it_is_paid_for_anyway(desired: DesiredState) -> None:
    step = plan(desired, [_committed(_older(arn="paid", units=2))])

    assert step.action is Action.SWAP
    assert step.target is not None
    assert step.target.arn == "paid"
    assert "billed until then and cannot be deleted or resized" in step.reason


def test_a_commitment_that_serves_the_model_already_is_ready() -> None:
    assert plan(replace(DESIRED, units=3), [_committed()]).action is Action.READY


def test_an_on_demand_deployment_fits_what_is_desired_whatever_its_units() -> None:
    desired = _desired(mode="on-demand", model_arn=MODEL, base_arn=BASE, units=5)

    assert plan(desired, [DEPLOYED]).action is Action.READY
    assert plan(desired, [_older(DEPLOYED)]).action is Action.SWAP


def test_nothing_exists_and_a_model_is_desired_so_an_endpoint_is_created() -> None:
    assert plan(DESIRED, []).action is Action.CREATE


def test_every_status_that_bedrock_has_for_an_endpoint_has_a_word_here() -> None:
    published = {"Creating", "InService", "Updating", "Failed", "Active"}

    assert set(STATUS) == published


MODELS = st.sampled_from([OLDER, MODEL, "model-0"])
BASES = st.sampled_from([BASE, OTHER_BASE])
STATUSES = st.sampled_from(["creating", "ready", "updating", "failed"])


@st.composite
def _endpoints(draw: st.DrawFn) -> list[Endpoint]:
    found = []
    for number in range(draw(st.integers(0, 4))):
        arn, status, model = f"e-{number}", draw(STATUSES), draw(MODELS)
        if draw(st.booleans()):
            commitment = draw(st.sampled_from([None, "OneMonth", "SixMonths"]))
            runs = commitment is not None and draw(st.booleans())
            found.append(
                Endpoint(
                    kind="provisioned",
                    arn=arn,
                    status=status,
                    model_arn=model,
                    base_arn=draw(BASES),
                    units=draw(st.integers(1, 2)),
                    commitment=commitment,
                    committed_until="2027-01-01T00:00:00Z" if runs else None,
                )
            )
        else:
            found.append(Endpoint(kind="on-demand", arn=arn, status=status, model_arn=model))
    return found


DESIRED_STATES = st.builds(
    DesiredState,
    mode=st.sampled_from(["provisioned", "on-demand", "none"]),
    model_arn=st.none() | MODELS,
    base_arn=st.none() | BASES,
    units=st.integers(1, 2),
    commitment=st.sampled_from([None, "OneMonth", "SixMonths"]),
    kept=st.frozensets(st.sampled_from(["e-0", "e-1", "e-2", "e-3"]), max_size=2),
)


@given(desired=DESIRED_STATES, endpoints=_endpoints())
def test_one_step_never_breaks_what_bedrock_or_the_bill_allows(
    desired: DesiredState, endpoints: list[Endpoint]
) -> None:
    step = plan(desired, endpoints)
    busy = any(e.status in ("creating", "updating") for e in endpoints)

    # Bedrock refuses a second change, and what is billed follows from one decision at a time.
    assert (step.action is Action.WAIT) is busy
    if step.action is Action.DELETE:
        assert step.target in endpoints
        assert removable(step.target)
        assert step.target.status == "failed" or desired.mode == "none"
    if step.action in (Action.CREATE, Action.SWAP):
        assert desired.model_arn is not None
        assert desired.mode != "none"
        assert all(e.status == "ready" for e in endpoints)
    if step.action is Action.SWAP:
        assert step.target is not None
        assert step.target.model_arn != desired.model_arn
        assert None in (step.target.base_arn, desired.base_arn) or (
            step.target.base_arn == desired.base_arn
        )
        # Callers of what is kept meet no model that nobody tested, unless it is paid for anyway.
        assert step.target.arn not in desired.kept or step.target.committed_until
    if step.action is Action.READY:
        assert step.target is not None
        assert step.target.model_arn == desired.model_arn
    # What serves the desired state is never retired as well, and nothing that exists is forgotten.
    if step.action in (Action.READY, Action.SWAP, Action.CREATE):
        assert step.target not in step.surplus
        assert {*step.surplus, step.target} - {None} == set(endpoints)
    assert step.reason


@given(mode=st.sampled_from(["provisioned", "on-demand"]), endpoints=_endpoints())
def test_without_a_model_no_step_ever_costs_anything(mode: Any, endpoints: list[Endpoint]) -> None:
    step = plan(_desired(mode=mode, model_arn=None), endpoints)

    assert step.action in (Action.PENDING, Action.NOTHING, Action.WAIT)


@dataclass
class Bedrock:
    """As much of Bedrock as serving sees: changes take a turn, some of them fail."""

    endpoints: list[Endpoint]
    fails: list[bool]
    created: int = 0
    deleted: list[Endpoint] = field(default_factory=list)

    def settle(self) -> None:
        """Ends every change under way."""
        for place, each in enumerate(self.endpoints):
            if each.status in ("creating", "updating"):
                failed = bool(self.fails) and self.fails.pop()
                self.endpoints[place] = replace(each, status="failed" if failed else "ready")

    def carry_out(self, desired: DesiredState, step: Plan) -> None:
        """One step of a plan; refuses what Bedrock refuses."""
        if step.action is Action.WAIT:
            self.settle()
        elif step.action is Action.CREATE:
            assert desired.model_arn is not None
            assert desired.mode != "none"
            self.created += 1
            committed = desired.commitment if desired.mode == "provisioned" else None
            self.endpoints.append(
                Endpoint(
                    kind=desired.mode,
                    arn=f"new-{self.created}",
                    status="creating",
                    model_arn=desired.model_arn,
                    base_arn=desired.base_arn if desired.mode == "provisioned" else None,
                    units=desired.units,
                    commitment=committed,
                    committed_until="2027-06-01T00:00:00Z" if committed else None,
                )
            )
        elif step.action is Action.SWAP:
            assert step.target is not None
            assert desired.model_arn is not None
            assert step.target.status == "ready"
            place = self.endpoints.index(step.target)
            self.endpoints[place] = replace(
                step.target, status="updating", model_arn=desired.model_arn
            )
        elif step.action is Action.DELETE:
            assert step.target is not None
            self.delete(step.target)

    def delete(self, endpoint: Endpoint) -> None:
        """Refuses what is committed or changes."""
        assert endpoint.committed_until is None
        assert endpoint.status in ("ready", "failed")
        self.endpoints.remove(endpoint)
        self.deleted.append(endpoint)


END = (Action.READY, Action.PENDING, Action.NOTHING, Action.FAILED)


def _followed(desired: DesiredState, bedrock: Bedrock) -> Plan:
    """Carries out plans until one is an end; what can go wrong bounds the number of steps."""
    for _ in range(2 * (len(bedrock.endpoints) + len(bedrock.fails)) + 8):
        step = plan(desired, bedrock.endpoints)
        if step.action in END:
            return step
        bedrock.carry_out(desired, step)
    raise AssertionError(f"no end in sight: {step}")


def _retire(bedrock: Bedrock, surplus: Sequence[Endpoint]) -> None:
    for each in surplus:
        if removable(each):
            bedrock.delete(each)


@given(desired=DESIRED_STATES, endpoints=_endpoints(), fails=st.lists(st.booleans(), max_size=3))
def test_plans_lead_to_an_end_and_what_is_billed_then_is_what_was_desired(
    desired: DesiredState, endpoints: list[Endpoint], fails: list[bool]
) -> None:
    bedrock = Bedrock(list(endpoints), fails)

    step = _followed(desired, bedrock)
    _retire(bedrock, step.surplus if step.action is Action.READY else ())

    left = bedrock.endpoints
    if desired.mode == "none":
        assert step.action is Action.NOTHING
        assert all(e.committed_until for e in left)
    elif desired.model_arn is None:
        assert step.action in (Action.PENDING, Action.NOTHING)
        assert bedrock.created == 0
        assert bedrock.deleted == []
    elif step.action is Action.FAILED:
        # Only a commitment that failed stops the flow, and then nothing more is bought.
        assert step.target is not None
        assert step.target.committed_until
    else:
        assert step.action is Action.READY
        uncommitted = [e for e in left if removable(e)]
        assert len(uncommitted) <= 1
        assert step.target is not None
        assert step.target.model_arn == desired.model_arn


@given(desired=DESIRED_STATES, endpoints=_endpoints(), fails=st.lists(st.booleans(), max_size=3))
def test_once_the_end_is_reached_asking_again_changes_nothing(
    desired: DesiredState, endpoints: list[Endpoint], fails: list[bool]
) -> None:
    bedrock = Bedrock(list(endpoints), fails)
    step = _followed(desired, bedrock)
    _retire(bedrock, step.surplus if step.action is Action.READY else ())
    before = list(bedrock.endpoints)

    again = _followed(desired, bedrock)

    assert bedrock.endpoints == before
    assert again.action is step.action
    assert [e for e in again.surplus if removable(e)] == []
