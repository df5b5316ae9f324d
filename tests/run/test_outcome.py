"""How a run ended: the last step that knows something decides, and people are told what to do."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedrock_tuning.run.outcome import Outcome, cause_words, declined_by
from bedrock_tuning.run.outcome import outcome as worded

ADMITTED = {"customization": "pets-search", "run": "r", "decision": "run", "reason": "checking"}
VALID = {"valid": True, "errors": 0, "counts": {}, "report": "s3://output/report.json"}
START = {"decision": "start", "reason": "the price is within the budget", "run_key": "k"}
APPROVE = {**START, "decision": "approve", "reason": "no price is known for training"}
MODEL = "arn:aws:bedrock:us-east-1:000000000000:custom-model/amazon.a/abcdefghijkl"
ENDPOINT = "arn:aws:bedrock:us-east-1:000000000000:provisioned-model/abcdefghijkl"
JOB = {"JobArn": "arn:job", "Status": "Completed", "OutputModelArn": MODEL}
SERVING = {"customization": "pets-search", "run": "r", "model_arn": MODEL}


def outcome(state: Mapping[str, Any]) -> Outcome:
    return worded(state, environment="prod")


def _failed(error: str, cause: Any, **reached: Any) -> Outcome:
    text = cause if isinstance(cause, str) else json.dumps(cause)
    return outcome({"admission": ADMITTED, "error": {"Error": error, "Cause": text}, **reached})


@pytest.mark.parametrize("decision", ["waiting", "duplicate", "superseded", "ignored"])
def test_what_follows_from_an_upload_alone_is_recorded_but_nobody_is_told(decision: str) -> None:
    ended = outcome({"admission": {**ADMITTED, "decision": decision, "reason": "because"}})

    assert ended == Outcome(
        status=decision, subject=f"pets-search: {decision}", message="because", notify=False
    )


def test_a_closed_model_is_told_with_the_reason() -> None:
    ended = outcome({"admission": {**ADMITTED, "decision": "closed", "reason": "it is LEGACY"}})

    assert (ended.status, ended.message) == ("closed", "it is LEGACY")
    assert ended.notify
    assert not ended.failed


def test_an_upload_of_no_known_manifest_ends_without_a_name() -> None:
    ended = outcome({"admission": {"decision": "ignored", "reason": "no known manifest"}})

    assert ended.subject == "a run: ignored"
    assert not ended.notify


REJECTED = {
    **VALID,
    "valid": False,
    "errors": 7,
    "to_fix": {"caption-too-long": 3, "image-missing": 4},
    "worth_a_look": {},
    "html": "s3://output/report.html",
    "rejected": "s3://output/rejected.jsonl",
}


def test_a_rejected_dataset_is_told_with_its_counts_and_its_report_and_is_no_failure() -> None:
    ended = outcome({"admission": ADMITTED, "report": REJECTED})

    assert ended.status == "rejected"
    assert ended.subject == "pets-search: dataset rejected, 7 errors"
    assert "again: image-missing ×4, caption-too-long ×3." in ended.message
    assert "s3://output/report.html" in ended.message
    assert ended.message.endswith("tuning report r -e prod")
    assert "Warnings" not in ended.message
    assert "nothing is billed" in ended.message
    assert ended.notify
    assert not ended.failed


def test_warnings_are_told_apart_from_what_has_to_be_fixed() -> None:
    report = {**REJECTED, "errors": 1, "to_fix": {"a": 1}, "worth_a_look": {"b": 2}}

    ended = outcome({"admission": ADMITTED, "report": report})

    assert ended.subject.endswith("1 error")
    fix, look = ended.message.splitlines()[1:3]
    assert fix == "Fix these, then upload the manifest again: a ×1."
    assert look == "Warnings, which do not reject the dataset: b ×2."


def test_equally_frequent_faults_are_told_by_name() -> None:
    report = {**REJECTED, "to_fix": {"b": 1, "c": 2, "a": 1}}

    assert "again: c ×2, a ×1, b ×1." in outcome({"admission": ADMITTED, "report": report}).message


@pytest.mark.parametrize(
    ("decision", "notify"),
    [("already-trained", True), ("in-progress", True), ("outdated", True), ("superseded", False)],
)
def test_a_valid_dataset_without_a_job_says_why(decision: str, notify: bool) -> None:
    start = {"decision": decision, "reason": f"its model is {MODEL}", "holder": "20261120-x"}

    ended = outcome({"admission": ADMITTED, "report": VALID, "start": start})

    assert ended.status == decision
    assert MODEL in ended.message
    assert (ended.notify, ended.failed) == (notify, False)


def test_who_uploads_again_what_was_trained_learns_how_it_is_served_again() -> None:
    start = {"decision": "already-trained", "reason": "its model is there", "holder": "20261120-x"}

    ended = outcome({"admission": ADMITTED, "report": VALID, "start": start})

    assert ended.message.endswith("tuning serve pets-search --run 20261120-x -e prod")


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        ('{"errorMessage": "no route", "errorType": "SourceError"}', "no route"),
        ('{"FailureMessage": "wrong data"}', "wrong data"),
        ({"errorMessage": "no route"}, "no route"),
        ("no JSON at all", "no JSON at all"),
        ("[1]", "[1]"),
        ("{}", "{}"),
        ("", ""),
        (None, "None"),
    ],
)
def test_a_cause_is_read_in_whatever_form_it_comes(cause: object, words: str) -> None:
    assert cause_words(cause) == words


def test_a_served_model_is_told_with_where_to_invoke_it_and_when_its_lease_ends() -> None:
    serving = {
        **SERVING,
        "step": "served",
        "reason": "the endpoint serves the model",
        "endpoint_arn": ENDPOINT,
        "smoke": "an embedding of 1024 numbers",
        "lease": "The lease ends 2026-11-21T18:00:00Z",
    }

    ended = outcome(
        {"admission": ADMITTED, "report": VALID, "start": START, "job": JOB, "serving": serving}
    )

    assert ended.status == "served"
    for told in (ENDPOINT, "an embedding of 1024 numbers", "2026-11-21T18:00:00Z"):
        assert told in ended.message
    assert ended.notify
    assert not ended.failed


@pytest.mark.parametrize(
    ("step", "status", "failed", "notify"),
    [
        ("unserved", "trained", False, True),
        ("removed", "removed", False, True),
        ("pending", "pending", False, False),
        ("failed", "serving-failed", True, True),
    ],
)
def test_each_other_end_of_serving_has_its_own_status(
    step: str, status: str, failed: bool, notify: bool
) -> None:
    ended = outcome({"serving": {**SERVING, "step": step, "reason": "because"}})

    assert (ended.status, ended.failed, ended.notify) == (status, failed, notify)
    assert ended.subject.startswith("pets-search: ")
    assert "because" in ended.message


@pytest.mark.parametrize(
    ("reached", "command"),
    [
        ({"admission": ADMITTED, "job": JOB}, "tuning serve pets-search --run r -e prod"),
        # A deployment serves what is published.
        ({}, "tuning serve pets-search -e prod"),
    ],
)
def test_a_model_that_could_not_be_served_is_told_with_the_command_that_serves_it(
    reached: dict[str, Any], command: str
) -> None:
    ended = outcome({**reached, "serving": {**SERVING, "step": "failed", "reason": "because"}})

    assert ended.message.endswith(f"After you fix the cause, serve it: {command}")


def test_a_price_that_was_approved_does_not_end_the_run() -> None:
    serving = {**SERVING, "step": "unserved", "reason": "nothing is to be served"}

    ended = outcome({"admission": ADMITTED, "start": APPROVE, "job": JOB, "serving": serving})

    assert ended.status == "trained"


def test_a_declined_price_is_no_failure_and_says_who_declined() -> None:
    ended = _failed("Declined", "declined by Ron", report=VALID, start=APPROVE)

    assert (ended.status, ended.message, ended.failed) == ("declined", "declined by Ron", False)


def test_a_price_that_was_declined_by_tuning_says_why_and_by_whom() -> None:
    cause = {"declined_by": "arn:aws:iam::000000000000:user/ann", "reason": "too dear"}

    ended = _failed("Declined", cause, report=VALID, start=APPROVE)

    assert ended.message == "too dear (declined by arn:aws:iam::000000000000:user/ann)"


@pytest.mark.parametrize(
    ("error", "said", "kept"),
    [
        ("Declined", {"declined_by": "ann", "reason": "no"}, {"declined_by", "reason"}),
        ("Declined", {"declined_by": "ann", "reason": ""}, {"declined_by"}),
        ("Declined", {}, set()),
        ("Failed", {"declined_by": "ann", "reason": "no"}, set()),
    ],
)
def test_who_declined_and_why_is_kept_as_far_as_it_was_said(
    error: str, said: dict[str, str], kept: set[str]
) -> None:
    found = declined_by({"error": {"Error": error, "Cause": json.dumps(said)}})
    assert found == {name: said[name] for name in kept}
    assert declined_by({}) == {}


@pytest.mark.parametrize(
    ("decision", "status", "failed"),
    [
        ("superseded", "superseded", False),
        ("in-progress", "in-progress", False),
        ("no-slot", "failed", True),
    ],
)
def test_who_waited_for_a_slot_and_got_none_is_told(
    decision: str, status: str, failed: bool
) -> None:
    turn = {"decision": decision, "reason": "run X is newer", "seconds": 0, "asked": 3}

    ended = outcome({"admission": ADMITTED, "report": VALID, "start": START, "turn": turn})

    assert (ended.status, ended.failed, ended.notify) == (status, failed, True)
    assert "run X is newer" in ended.message


@pytest.mark.parametrize("error", ["States.Timeout", "States.HeartbeatTimeout"])
def test_a_price_that_nobody_approves_in_time_expires_and_can_be_asked_again(error: str) -> None:
    ended = _failed(error, "", report=VALID, start=APPROVE)

    assert (ended.status, ended.failed) == ("expired", False)
    assert "no price is known for training" in ended.message
    assert "upload the manifest again" in ended.message


def test_a_price_of_serving_that_nobody_approves_can_be_asked_again_by_a_deployment() -> None:
    serving = {**SERVING, "step": "approve", "reason": "two units are dearer"}

    expired = _failed("States.Timeout", "", serving=serving)
    declined = _failed("Declined", "declined by Ron", start=START, job=JOB, serving=serving)

    assert (expired.status, expired.failed) == ("expired", False)
    assert expired.message == "two units are dearer\nTo ask again, deploy again."
    assert (declined.status, declined.message) == ("declined", "declined by Ron")


def test_a_time_out_after_the_approval_is_a_failure() -> None:
    assert _failed("States.Timeout", "", start=APPROVE, job=JOB).status == "failed"
    assert _failed("States.Timeout", "", start=START).status == "failed"


@pytest.mark.parametrize("names", [str, lambda name: name[0].lower() + name[1:]])
def test_a_failed_job_is_told_in_bedrocks_words_with_cause_and_fix(names: Any) -> None:
    cause = {
        names("Status"): "Failed",
        names("FailureMessage"): "perms missing (GetObject) for bucket a-training",
    }

    ended = _failed("States.TaskFailed", cause, start=START)

    assert (ended.status, ended.failed) == ("failed", True)
    assert "perms missing (GetObject) for bucket a-training" in ended.message
    assert "the service role may not read the dataset" in ended.message
    assert "What to do: allow s3:GetObject" in ended.message


@pytest.mark.parametrize("name", ["Status", "status"])
def test_a_job_that_somebody_stopped_is_no_failure(name: str) -> None:
    ended = _failed("States.TaskFailed", {name: "Stopped", "JobArn": "arn:job"}, start=START)

    assert (ended.status, ended.failed) == ("stopped", False)
    assert ended.subject == "pets-search: stopped"


def test_a_refused_call_is_explained_by_its_error_class_when_its_words_say_nothing() -> None:
    ended = _failed("Bedrock.ServiceQuotaExceededException", "Too bad", start=START)

    assert "model units have a default quota of 0" in ended.message


def test_an_error_of_a_function_is_told_in_its_own_words() -> None:
    cause = {"errorMessage": "cannot read pets/a.png: refused", "errorType": "SourceError"}

    ended = _failed("SourceError", cause)

    assert "SourceError: cannot read pets/a.png: refused" in ended.message
    assert ended.failed


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        ("KeyError", {"errorMessage": "'customization'", "errorType": "KeyError"}),
        ("UncheckedError", {"errorMessage": "0 of 3 shards with 0 of 9 images were checked"}),
        ("Runtime.ImportModuleError", "Unable to import module"),
        ("States.Runtime", "The JSONPath '$.x' could not be found in the input"),
        ("States.ParameterPathFailure", "The JSONPath '$.x' could not be found in the input"),
        ("States.IntrinsicFailure", "its template has no {}"),
        ("States.ResultPathMatchFailure", "Unable to apply ResultPath to the input"),
    ],
)
def test_our_own_fault_is_not_blamed_on_bedrock(error: str, cause: object) -> None:
    ended = _failed(error, cause)

    assert "bedrock-tuning itself failed, not your dataset and not Bedrock" in ended.message
    assert "AWS Support" not in ended.message


def test_an_error_before_anything_was_admitted_names_the_upload() -> None:
    event = {"detail": {"object": {"key": "pets-style/manifest.jsonl"}}}

    ended = outcome({**event, "error": {"Error": "States.Runtime", "Cause": "no such path"}})

    assert ended.subject == "pets-style: failed"


def test_a_run_that_breaks_off_after_training_says_what_it_leaves_behind() -> None:
    """A person must know what is paid for, whatever else is wrong."""
    ended = _failed(
        "AccessDeniedException",
        "no",
        start=START,
        job=JOB,
        serving={**SERVING, "step": "roll-back", "created_arn": ENDPOINT},
    )

    assert f"The custom model is kept: {MODEL}" in ended.message
    assert "Serve it: tuning serve pets-search --run r -e prod" in ended.message
    assert f"until it is deleted or its lease ends: {ENDPOINT}" in ended.message


def _denied(action: str, resource: str = "*") -> str:
    return (
        "User: arn:aws:sts::000000000000:assumed-role/a-role/a-function is not authorized to "
        f"perform: {action} on resource: {resource} because no identity-based policy allows the "
        f"{action} action"
    )


REQUEST = {"RoleArn": "arn:aws:iam::000000000000:role/for-bedrock", "BaseModelIdentifier": "a.b"}


def test_a_function_that_may_not_do_its_work_is_told_with_role_action_and_resource() -> None:
    words = _denied("dynamodb:PutItem", "arn:aws:dynamodb:::table/runs")

    ended = _failed("ClientError", {"errorMessage": words, "errorType": "ClientError"})

    assert "the role a-role may not do dynamodb:PutItem on arn:aws:dynamodb" in ended.message
    assert "What to do: compare the role with docs/permissions.md" in ended.message


def test_a_job_that_may_not_read_names_its_service_role() -> None:
    """Bedrock itself does not say which one it was."""
    cause = {"FailureMessage": "perms missing (GetObject)", "Status": "Failed"}

    ended = _failed("States.TaskFailed", cause, start={**START, "request": REQUEST})

    assert "The service role: arn:aws:iam::000000000000:role/for-bedrock" in ended.message


@pytest.mark.parametrize("call", ["Get", "Stop"])
def test_a_job_that_nobody_may_watch_goes_on_and_is_said_to(call: str) -> None:
    cause = _denied(f"bedrock:{call}ModelCustomizationJob", "arn:job")

    ended = _failed("Bedrock.AccessDeniedException", cause, start={**START, "request": REQUEST})

    assert "continues and is billed" in ended.message
    assert "tuning stop r -e prod" in ended.message


def test_the_command_for_a_job_of_a_run_without_a_name_says_what_to_fill_in() -> None:
    cause = _denied("bedrock:GetModelCustomizationJob", "arn:job")
    start = {**START, "request": REQUEST}
    ended = _failed("AccessDeniedException", cause, start=start, admission=None)
    assert "tuning stop RUN -e prod" in ended.message


@pytest.mark.parametrize(
    ("action", "reached"),
    [
        ("iam:PassRole", {"start": START}),
        ("bedrock:StartModelCustomizationJob", {"start": START}),
        ("bedrock:GetModelCustomizationJob", {}),
        ("bedrock:GetModelCustomizationJob", {"start": START, "job": JOB}),
    ],
)
def test_a_job_that_was_never_started_or_is_over_is_not_said_to_go_on(
    action: str, reached: dict[str, Any]
) -> None:
    assert "continues" not in _failed("AccessDeniedException", _denied(action), **reached).message


def test_a_base_model_past_its_end_of_life_is_named_with_the_date() -> None:
    cause = (
        "This model version has reached the end of its life. Please refer to the AWS documentation "
        "for more details. (Service: Bedrock, Status Code: 404)"
    )
    request = {**REQUEST, "BaseModelIdentifier": "amazon.titan-image-generator-v2:0"}

    ended = _failed("Bedrock.ResourceNotFoundException", cause, start={**START, "request": request})

    assert "Titan Image Generator G1 v2 is past its end-of-life date, 2026-06-30" in ended.message
    assert "choose an open model" in ended.message


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (_denied("bedrock:InvokeModel"), "the role a-role may not do bedrock:InvokeModel"),
        (
            "This model version has reached the end of its life.",
            "past its end-of-life date, 2025-08-15",
        ),
    ],
)
def test_serving_that_fails_is_explained_as_well(reason: str, told: str) -> None:
    base = "arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-image-generator-v1:0"
    serving = {**SERVING, "base_arn": base, "step": "failed", "reason": reason}

    ended = outcome({"serving": serving})

    assert ended.status == "serving-failed"
    assert told in ended.message
    assert "What to do: " in ended.message


CAUSES = st.one_of(
    st.text(max_size=50),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
        max_leaves=8,
    ).map(json.dumps),
)


@given(
    error=st.fixed_dictionaries({}, optional={"Error": st.text(max_size=20), "Cause": CAUSES}),
    reached=st.sampled_from(
        [
            {},
            {"admission": ADMITTED},
            {"admission": ADMITTED, "start": APPROVE},
            {"admission": ADMITTED, "start": START, "job": JOB},
            {"serving": SERVING},
        ]
    ),
)
def test_whatever_went_wrong_becomes_an_outcome(
    error: Mapping[str, str], reached: Mapping[str, Any]
) -> None:
    ended = outcome({**reached, "error": error})

    assert ended.status in ("failed", "stopped", "expired", "declined")
    assert ended.notify
    assert "\n" not in ended.subject
    assert len(ended.subject) <= 100


def _said(status: str, subject: str, message: str, **more: bool) -> Outcome:
    return Outcome(status=status, subject=f"pets-search: {subject}", message=message, **more)


CHANGED = {"decision": "outdated", "reason": "two images changed"}
BOTH = {"decision": "trained-on", "reason": "one is in both"}
NO_SLOT = {"decision": "no-slot", "reason": "It waited for 7 days"}
TRAINED = {"decision": "already-trained", "reason": "it is there", "holder": "h"}
ENDED = {"admission": ADMITTED, "report": VALID, "start": START, "job": JOB}
AGAIN = "tuning serve pets-search --run r -e prod"


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (
            {"images": CHANGED},
            _said("outdated", "images changed after their check", "two images changed"),
        ),
        (
            {"images": BOTH},
            _said("trained-on", "validation pictures are in the training set", "one is in both"),
        ),
        (
            {"turn": NO_SLOT},
            _said(
                "failed",
                "no free slot for its job",
                "It waited for 7 days.\nWhat to do: request a higher quota of customization jobs "
                "in Service Quotas, or delete custom models; then upload the manifest again.",
                failed=True,
            ),
        ),
        (
            {"turn": {"decision": "in-progress", "reason": "it is the same work"}},
            _said("in-progress", "no job started (in-progress)", "it is the same work"),
        ),
        # What was passed says nothing any more.
        (
            {
                "images": {"decision": "same"},
                "turn": {"decision": "train"},
                "start": {"decision": "start"},
                "report": VALID,
                "admission": {**ADMITTED, "decision": "waiting", "reason": "for the other"},
            },
            _said("waiting", "waiting", "for the other", notify=False),
        ),
        (
            {"start": TRAINED},
            _said(
                "already-trained",
                "no job started (already-trained)",
                "it is there\nTo serve and publish it: tuning serve pets-search --run h -e prod",
            ),
        ),
        (
            {"start": {"decision": "superseded", "reason": "newer"}},
            _said("superseded", "no job started (superseded)", "newer", notify=False),
        ),
        (
            {"report": {**REJECTED, "worth_a_look": {"b": 2}}},
            _said(
                "rejected",
                "dataset rejected, 7 errors",
                "No training job was started and nothing is billed.\n"
                "Fix these, then upload the manifest again: image-missing ×4, caption-too-long "
                "×3.\n"
                "Warnings, which do not reject the dataset: b ×2.\n"
                "The report: s3://output/report.html\n"
                "Every finding with its line: s3://output/rejected.jsonl\n"
                "Download both: tuning report r -e prod",
            ),
        ),
        (
            {**ENDED, "serving": {"step": "served", "endpoint_arn": ENDPOINT, "smoke": "a text"}},
            _said("served", "served", f"The smoke test passed: a text.\nInvoke {ENDPOINT}"),
        ),
        (
            {
                **ENDED,
                "serving": {
                    **{"step": "served", "endpoint_arn": ENDPOINT, "swapped": True},
                    "lease": "The lease ends soon.",
                },
            },
            _said(
                "served",
                "served",
                "The smoke test passed: .\nIt replaced another model there: callers reached it "
                f"while it was tested.\nInvoke {ENDPOINT}\nThe lease ends soon.",
            ),
        ),
        (
            {**ENDED, "serving": {"step": "unserved", "reason": "it is off"}},
            _said("trained", "trained, not served", "it is off"),
        ),
        (
            {"serving": {**SERVING, "step": "removed", "reason": "it is off"}},
            _said("removed", "no longer served", "it is off"),
        ),
        (
            {"serving": {**SERVING, "step": "pending", "reason": "no model"}},
            _said("pending", "nothing to serve", "no model", notify=False),
        ),
        (
            {**ENDED, "serving": {"step": "failed", "reason": "too bad", "evaluated": False}},
            _said(
                "not-better",
                "not published, its evaluation failed",
                "too bad\nThe custom model is kept, and what was served before stays. To serve the "
                f"new one anyway: {AGAIN}",
            ),
        ),
        (
            {**ENDED, "serving": {"step": "failed", "reason": "xyz", "evaluated": True}},
            _said(
                "serving-failed",
                "serving failed",
                "xyz\nThe custom model is kept. After you fix the cause, serve it: " + AGAIN,
                failed=True,
            ),
        ),
        (
            {"start": APPROVE, "error": {"Error": "States.Timeout"}},
            _said(
                "expired",
                "nobody approved the price in time",
                "no price is known for training\nTo ask again, upload the manifest again.",
            ),
        ),
    ],
)
def test_each_end_is_said_to_the_letter(state: dict[str, Any], said: Outcome) -> None:
    assert outcome({"admission": ADMITTED, **state}) == said
