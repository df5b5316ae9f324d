"""How a run ended, from the workflow's state: a status and a message for people."""

import builtins
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bedrock_tuning.access_denied import denial
from bedrock_tuning.run.failure_advice import explain, with_advice
from bedrock_tuning.s3_layout import customization_of
from bedrock_tuning.wording import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The end of a run.

    status: one of run/messages.py, or one of which nobody is told: what an upload alone ends in
        (run/decisions.py), or pending.
    failed: the execution ends as failed, so its alarm fires.
    notify: worth a message; duplicates and incomplete uploads are only recorded.
    """

    status: str
    subject: str
    message: str
    failed: bool = False
    notify: bool = True


# What Step Functions and our functions fail with when the workflow itself is wrong.
_INTERNAL: Final = (
    "UncheckedError",
    "States.Runtime",
    "States.ParameterPathFailure",
    "States.IntrinsicFailure",
    "States.ResultPathMatchFailure",
)
_OURS: Final = (
    "Likely cause: bedrock-tuning itself failed, not your dataset and not Bedrock",
    "What to do: upload the manifest again; if it fails again, report this message with the "
    "execution's name",
)
# Calls that are made only about a job that was started.
_WATCHING: Final = ("bedrock:GetModelCustomizationJob", "bedrock:StopModelCustomizationJob")


def outcome(state: Mapping[str, Any], *, environment: str) -> Outcome:
    """The end that a state means. A later step knows more, so the last one decides.

    state: the workflow's state; keys admission, report, start, turn, images, job, serving, error
    if reached.
    environment: its name, for the commands in the message.
    """
    name = _name(state)
    error = state.get("error")
    if error is not None:
        return _failed_outcome(name, state, error, environment)
    serving = state.get("serving")
    if serving is not None:
        return _served_outcome(name, state, environment)
    images = state.get("images")
    if images is not None and images["decision"] != "same":
        return Outcome(
            status=str(images["decision"]),
            subject=f"{name}: images changed after their check"
            if images["decision"] == "outdated"
            else f"{name}: validation pictures are in the training set",
            message=str(images["reason"]),
        )
    turn = state.get("turn")
    if turn is not None and turn["decision"] != "train":
        return _turnless_outcome(name, turn)
    start = state.get("start")
    if start is not None and start["decision"] != "start":
        return _unstarted_outcome(name, start, environment)
    report = state.get("report")
    if report is not None and not report["valid"]:
        return _rejected_outcome(
            name, report, fetch=f"tuning report {state['admission']['run']} -e {environment}"
        )
    admission = state["admission"]
    return Outcome(
        status=admission["decision"],
        subject=f"{name}: {admission['decision']}",
        message=str(admission["reason"]),
        # The other ends follow from an upload alone; nobody needs a message about them.
        notify=admission["decision"] == "closed",
    )


def customization_in(state: Mapping[str, Any]) -> str | None:
    """Whose run a state is of; None for a file of nobody's."""
    for key in ("admission", "serving"):
        part = state.get(key)
        if isinstance(part, Mapping) and part.get("customization"):
            return str(part["customization"])
    # Nothing was admitted: all that is known is the upload's event.
    return customization_of(str(state.get("detail", {}).get("object", {}).get("key", "")))


def _name(state: Mapping[str, Any]) -> str:
    return customization_in(state) or "a run"


def _rejected_outcome(name: str, report: Mapping[str, Any], *, fetch: str) -> Outcome:
    """Errors first: only they must be fixed. fetch: the command that downloads the report."""
    lines = [
        "No training job was started and nothing is billed.",
        f"Fix these, then upload the manifest again: {_list_counts(report['to_fix'])}.",
    ]
    if report["worth_a_look"]:
        lines.append(
            f"Warnings, which do not reject the dataset: {_list_counts(report['worth_a_look'])}."
        )
    lines += [
        f"The report: {report['html']}",
        f"Every finding with its line: {report['rejected']}",
        f"Download both: {fetch}",
    ]
    return Outcome(
        status="rejected",
        subject=f"{name}: dataset rejected, {counted(report['errors'], 'error')}",
        message="\n".join(lines),
    )


def _list_counts(counts: Mapping[str, int]) -> str:
    """The most frequent first."""
    ordered = sorted((-count, rule) for rule, count in counts.items())
    return ", ".join(f"{rule} ×{-count}" for count, rule in ordered)


def _unstarted_outcome(name: str, start: Mapping[str, Any], environment: str) -> Outcome:
    decision, reason = str(start["decision"]), str(start["reason"])
    if decision == "already-trained":
        command = f"tuning serve {name} --run {start['holder']} -e {environment}"
        reason += f"\nTo serve and publish it: {command}"
    return Outcome(
        status=decision,
        subject=f"{name}: no job started ({decision})",
        message=reason,
        notify=decision != "superseded",
    )


def _turnless_outcome(name: str, turn: Mapping[str, Any]) -> Outcome:
    """The end of a run whose job Bedrock never took."""
    decision, reason = str(turn["decision"]), str(turn["reason"])
    if decision == "no-slot":
        return Outcome(
            status="failed",
            subject=f"{name}: no free slot for its job",
            message=f"{reason}.\nWhat to do: request a higher quota of customization jobs in "
            "Service Quotas, or delete custom models; then upload the manifest again.",
            failed=True,
        )
    return Outcome(status=decision, subject=f"{name}: no job started ({decision})", message=reason)


def _served_outcome(name: str, state: Mapping[str, Any], environment: str) -> Outcome:
    serving = state["serving"]
    step, reason = str(serving["step"]), str(serving.get("reason", ""))
    if step == "served":
        return Outcome(
            status="served",
            subject=f"{name}: served",
            message=f"The smoke test passed: {serving.get('smoke', '')}.{_swap_note(serving)}\n"
            f"Invoke {serving['endpoint_arn']}\n{serving.get('lease', '')}".rstrip(),
        )
    if step == "unserved":
        return Outcome(status="trained", subject=f"{name}: trained, not served", message=reason)
    if step == "removed":
        return Outcome(status="removed", subject=f"{name}: no longer served", message=reason)
    if step == "pending":
        return Outcome(
            status="pending", subject=f"{name}: nothing to serve", message=reason, notify=False
        )
    if serving.get("evaluated") is False:
        return Outcome(
            status="not-better",
            subject=f"{name}: not published, its evaluation failed",
            message=f"{reason}\nThe custom model is kept, and what was served before stays. To "
            f"serve the new one anyway: {_serve_again(name, state, environment)}",
        )
    words = with_advice(reason, model=str(serving.get("base_arn") or ""))
    return Outcome(
        status="serving-failed",
        subject=f"{name}: serving failed",
        message=f"{words}\nThe custom model is kept. After you fix the cause, serve it: "
        f"{_serve_again(name, state, environment)}",
        failed=True,
    )


def _swap_note(serving: Mapping[str, Any]) -> str:
    """What a swap in place means for callers."""
    words = "\nIt replaced another model there: callers reached it while it was tested."
    return words if serving.get("swapped") else ""


def _serve_again(name: str, state: Mapping[str, Any], environment: str) -> str:
    """The command that serves the model of this run; of a deployment, the published one."""
    of_run = f" --run {state['admission']['run']}" if "job" in state else ""
    return f"tuning serve {name}{of_run} -e {environment}"


def _failed_outcome(
    name: str, state: Mapping[str, Any], error: Mapping[str, Any], environment: str
) -> Outcome:
    kind, cause = str(error.get("Error", "unknown")), str(error.get("Cause", ""))
    question = _open_question(state)
    if question is not None:
        if kind == "Declined":
            reply = _parse_cause(cause)
            by, explanation = reply.get("Declined_by"), reply.get("Reason")
            message = f"{explanation} (declined by {by})" if by else cause
            return Outcome(status="declined", subject=f"{name}: declined", message=message)
        if kind in ("States.Timeout", "States.HeartbeatTimeout"):
            return Outcome(
                status="expired",
                subject=f"{name}: nobody approved the price in time",
                message=f"{question['reason']}\nTo ask again, "
                + ("deploy" if question is state.get("serving") else "upload the manifest")
                + " again.",
            )
    start = state.get("start") or {}
    request = start.get("request") or {}
    model = str(request.get("BaseModelIdentifier", ""))
    advice = explain(cause_words(cause), code=kind, model=model)
    explanation = f"Likely cause: {advice.cause}", f"What to do: {advice.fix}"
    if not advice.known and _is_internal(kind):
        explanation = _OURS
    stopped = _parse_cause(cause).get("Status") == "Stopped"
    lines = [error_words(error), *explanation]
    if "service role" in advice.cause and "RoleArn" in request:
        lines.append(f"The service role: {request['RoleArn']}")
    return Outcome(
        status="stopped" if stopped else "failed",
        subject=f"{name}: {'stopped' if stopped else 'failed'}",
        message="\n".join([*lines, *_leftovers(state, cause, environment)]),
        failed=not stopped,
    )


def _is_internal(kind: str) -> bool:
    """Whether an error's class says that this project's own code failed, and nobody else's."""
    error_class = getattr(builtins, kind, None)
    is_builtin = isinstance(error_class, type) and issubclass(error_class, Exception)
    return is_builtin or kind in _INTERNAL or kind.startswith("Runtime.")


def declined_by(state: Mapping[str, Any]) -> dict[str, str]:
    """Who declined a price ("declined_by") and why ("reason"); empty unless `tuning` was used."""
    error = state.get("error") or {}
    reply = _parse_cause(error.get("Cause")) if error.get("Error") == "Declined" else {}
    fields = {"declined_by": reply.get("Declined_by"), "reason": reply.get("Reason")}
    return {name: str(value) for name, value in fields.items() if value}


def _open_question(state: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What a person was asked to approve, if that is where the run is."""
    start, serving = state.get("start") or {}, state.get("serving") or {}
    if serving.get("step") == "approve":
        return serving
    return start if start.get("decision") == "approve" and "job" not in state else None


def error_words(error: Mapping[str, Any]) -> str:
    """What a Catch received, in one line: the error's class and its own words."""
    return f"{error.get('Error', 'unknown')}: {cause_words(error.get('Cause', ''))}"


def cause_words(cause: object) -> str:
    """A cause in its own words: of a failed job, of a function's error, or the text itself."""
    details = _parse_cause(cause)
    return str(details.get("FailureMessage") or details.get("ErrorMessage") or cause)


def capitalized(members: Mapping[str, Any]) -> dict[str, Any]:
    """An object whose member names begin with a capital letter.

    Step Functions writes JobArn; Bedrock itself and Lambda write jobArn.
    """
    return {key[:1].upper() + key[1:]: value for key, value in members.items()}


def _leftovers(state: Mapping[str, Any], cause: str, environment: str) -> list[str]:
    """What a run that failed has created and may be billed for."""
    model = capitalized(state.get("job") or {}).get("OutputModelArn")
    endpoint = (state.get("serving") or {}).get("created_arn")
    lines = []
    if model:
        command = _serve_again(_name(state), state, environment)
        lines.append(f"The custom model is kept: {model}\nServe it: {command}")
    if endpoint:
        lines.append(f"Billed by the hour until it is deleted or its lease ends: {endpoint}")
    refusal = denial(cause_words(cause))
    if refusal is not None and refusal.action in _WATCHING and _training(state):
        run = (state.get("admission") or {}).get("run", "RUN")
        lines.append(
            "Its job was started, continues and is billed, but is no longer watched. Stop it: "
            f"tuning stop {run} -e {environment}. Or let it end and upload the manifest again: "
            "the trained model is then found, and not paid for twice"
        )
    return lines


def _training(state: Mapping[str, Any]) -> bool:
    return "start" in state and "job" not in state


def _parse_cause(cause: object) -> Mapping[str, Any]:
    """A cause as an object: the job (.sync fails with it) or a function's error; else empty."""
    if isinstance(cause, str):
        try:
            cause = json.loads(cause)
        except ValueError:
            return {}
    return capitalized(cause) if isinstance(cause, Mapping) else {}
