"""What happens while a simulated job is in progress: access checks, phases, metrics, the model."""

import contextvars
import hashlib
import math
import threading
import time
from typing import Final

from local.bedrock import configuration, events, network
from local.bedrock.caller import SERVICE
from local.bedrock.data import embeddings
from local.bedrock.data.dataset import ACCESS_FILE, JobError, check_dataset, sample_pictures, write
from local.bedrock.data.learning import PAIRS_MAX
from local.bedrock.data.objects import RoleObjects
from local.bedrock.data.records import LEARNED, BedrockResource, changed, created, iso
from local.bedrock.simulator import JOB, JOB_TIME, JOB_TIME_PER_RECORD, Simulator, log, now
from local.emulator import roles

FINAL: Final = ("Completed", "Failed", "Stopped")
PHASES: Final = ("validationDetails", "dataProcessingDetails", "trainingDetails")
STEPS: Final = 20
"""Rows of the metrics files."""
_TICK: Final = 0.05
_METRICS: Final = {
    "training": "training_artifacts/step_wise_training_metrics.csv",
    "validation": "validation_artifacts/post_fine_tuning_validation/validation_metrics.csv",
}
"""Files by dataset (docs/facts/jobs.md#metrics)."""
_UNEXPECTED: Final = "Encountered an unexpected error when processing the request, please try again"


class _StoppedError(Exception):
    """Somebody stopped the job."""


def start(simulator: Simulator, job: BedrockResource) -> None:
    """Run the job in the background, in the caller's account and region."""
    context = contextvars.copy_context()
    threading.Thread(
        target=context.run, args=(_run, simulator, job), daemon=True, name=f"job-{job.name}"
    ).start()


def resume(simulator: Simulator) -> None:
    """Train those jobs again that were under way when the server stopped."""
    from ministack.core.responses import set_request_account_id, set_request_region

    for job in simulator.all(JOB):
        if job.status in FINAL:
            continue
        _, _, _, region, account, _ = job.arn.split(":", 5)
        context = contextvars.copy_context()
        context.run(set_request_account_id, account)
        context.run(set_request_region, region)
        context.run(start, simulator, job)


def set_status(
    simulator: Simulator, job: BedrockResource, status: str, *, failure: str | None = None
) -> bool:
    """Move a job on and tell EventBridge; False when it had already ended."""
    with simulator.lock:
        if job.status in FINAL:
            return False
        moment = now()
        job.members |= {"status": status, **changed(moment)}
        if failure is not None:
            job.members["failureMessage"] = failure
        if status in FINAL:
            job.members["endTime"] = iso(moment)
            _end_phases(job, status)
    events.emit(job)
    return True


def _end_phases(job: BedrockResource, status: str) -> None:
    for phase in job.members["statusDetails"].values():
        if phase["status"] == "InProgress":
            phase.update(status=status, **changed(now()))


def _enter(job: BedrockResource, phase: str) -> None:
    """Begin a phase; the one before it is over."""
    _end_phases(job, "Completed")
    job.members["statusDetails"][phase].update(status="InProgress", **changed(now()))


def _run(simulator: Simulator, job: BedrockResource) -> None:
    events.emit(job)
    try:
        _train_when_served(simulator, job)
    except _StoppedError:
        set_status(simulator, job, "Stopped")
    except JobError as error:
        _fail(simulator, job, f"{error.sentence} ({error.detail})")
    except roles.RoleError as error:
        _fail(simulator, job, f"Could not assume provided IAM role. ({error})")
    except Exception as error:
        log.exception("simulated job %s broke", job.name)
        _fail(simulator, job, f"{_UNEXPECTED} ({error})")


def _train_when_served(simulator: Simulator, job: BedrockResource) -> None:
    """Trains once this server listens, which it does not yet when it resumes a job."""
    from botocore.exceptions import ConnectionError as NoConnectionError
    from botocore.exceptions import HTTPClientError

    while True:
        try:
            _train(simulator, job)
        except (NoConnectionError, HTTPClientError):
            time.sleep(_TICK)
        else:
            return


def _fail(simulator: Simulator, job: BedrockResource, message: str) -> None:
    set_status(simulator, job, "Failed", failure=f"[Bedrock simulator] {message}"[:2048])


def _train(simulator: Simulator, job: BedrockResource) -> None:
    ordered_failure = simulator.faults.take("fail-job")
    ordered_stop = simulator.faults.take("stop-job")
    validation, processing, training = PHASES
    _enter(job, validation)
    _, _, _, region, _, name = job.arn.split(":", 5)
    session = roles.assume(
        role_arn=job.members["roleArn"],
        service=SERVICE,
        source_arn=job.arn,
        session_name=f"bedrock-{name.rpartition('/')[2]}",
        region=region,
    )
    _check_network(session, job)
    _check_configuration(session, job)
    objects = RoleObjects(session, region)
    records = _check_data(objects, job)
    _enter(job, processing)
    seconds = simulator.clock.real(JOB_TIME + JOB_TIME_PER_RECORD * records)
    _pass_time(simulator, job, seconds / 2)
    _enter(job, training)
    if ordered_failure is not None:
        _fail(simulator, job, ordered_failure.message or _UNEXPECTED)
        return
    if ordered_stop is not None:
        set_status(simulator, job, "Stopping")
    _pass_time(simulator, job, seconds / 2)
    _complete(simulator, job, objects, learned=_learn(objects, job))


def _learn(objects: RoleObjects, job: BedrockResource) -> str | None:
    """What a model of embeddings learns; the simulation of other models learns nothing."""
    if job.base.task != "image-to-embedding":
        return None
    uri = job.members["trainingDataConfig"]["s3Uri"]
    return embeddings.learn(sample_pictures(objects, uri, most=PAIRS_MAX))


def _check_network(session: roles.Session, job: BedrockResource) -> None:
    try:
        network.check_rights(session, job)
    except roles.RoleError as error:
        raise JobError(
            "The provided role does not have permissions to use the provided VPC", str(error)
        ) from error


def _check_configuration(session: roles.Session, job: BedrockResource) -> None:
    try:
        configuration.check_rights(session, job)
    except roles.RoleError as error:
        raise JobError(
            "The provided role does not have permissions to invoke the grader or the teacher",
            str(error),
        ) from error


def _check_data(objects: RoleObjects, job: BedrockResource) -> int:
    """Read everything as the role; how many training records there are."""
    members = job.members
    write(objects, members["outputDataConfig"]["s3Uri"], ACCESS_FILE, b"")
    sets = [
        ("validation", validator["s3Uri"])
        for validator in members["validationDataConfig"]["validators"]
    ]
    for kind, uri in [*sets, ("training", members["trainingDataConfig"]["s3Uri"])]:
        records = check_dataset(
            objects,
            uri,
            model=job.base,
            contract=job.base.datasets[members["customizationType"]],
            kind=kind,
        )
    return records


def _pass_time(simulator: Simulator, job: BedrockResource, seconds: float) -> None:
    end = time.monotonic() + seconds
    while True:
        if job.status in ("Stopping", "Stopped"):
            raise _StoppedError
        remaining = end - time.monotonic()
        if remaining <= 0 and not simulator.options.hold:
            return
        time.sleep(min(remaining, _TICK) if remaining > 0 else _TICK)


def _complete(
    simulator: Simulator, job: BedrockResource, objects: RoleObjects, *, learned: str | None
) -> None:
    losses = _losses(job)
    _write_metrics(objects, job, losses)
    model = job.makes
    with simulator.lock:
        if job.status != "InProgress" or model is None:
            raise _StoppedError
        metrics = {
            "trainingMetrics": {"trainingLoss": losses["training"][-1]},
            "validationMetrics": [
                {"validationLoss": loss} for loss in losses.get("validation", ())[-1:]
            ],
        }
        memory = {} if learned is None else {LEARNED: learned}
        model.members |= {**created(now()), **metrics, **memory}
        simulator.resources[model.arn] = model
        job.members |= {"outputModelArn": model.arn, "customModelArn": model.arn, **metrics}
    set_status(simulator, job, "Completed")


def _losses(job: BedrockResource) -> dict[str, list[float]]:
    """Falling curves, by dataset, that depend on the job alone; no training produced them."""
    seed = hashlib.sha256(job.arn.encode()).digest()
    floor = 0.1 + seed[0] / 1000
    training = [
        round(floor + math.exp(-4 * step / STEPS) + seed[step % 32] / 10_000, 6)
        for step in range(STEPS)
    ]
    if not job.members["validationDataConfig"]["validators"]:
        return {"training": training}
    return {"training": training, "validation": [round(loss * 1.1, 6) for loss in training]}


def _write_metrics(
    objects: RoleObjects, job: BedrockResource, losses: dict[str, list[float]]
) -> None:
    folder = f"model-customization-job-{job.arn.rpartition('/')[2]}"
    for kind, values in losses.items():
        uri = job.members["outputDataConfig"]["s3Uri"]
        write(objects, uri, f"{folder}/{_METRICS[kind]}", _csv(kind, values))


def _csv(kind: str, values: list[float]) -> bytes:
    rows = [f"step_number,epoch_number,{kind}_loss,perplexity"]
    rows += [f"{step},0,{loss},{math.exp(loss):.6f}" for step, loss in enumerate(values)]
    return ("\n".join(rows) + "\n").encode()
