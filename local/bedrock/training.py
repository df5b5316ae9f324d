"""What happens while a simulated job is in progress: access checks, phases, metrics, the model."""

import contextvars
import hashlib
import math
import threading
import time
from dataclasses import dataclass
from typing import Final

from bedrock_tuning.catalogue import catalogue
from bedrock_tuning.s3_layout import split_uri
from local.bedrock import bases, events, network
from local.bedrock.caller import SERVICE
from local.bedrock.data.dataset import JobError, check_dataset, check_output
from local.bedrock.data.objects import AccessError, RoleObjects
from local.bedrock.data.records import Job, Model
from local.bedrock.simulator import JOB, JOB_PER_RECORD, Simulator, log, now
from local.emulator import roles

FINAL: Final = ("Completed", "Failed", "Stopped")
STEPS: Final = 20
"""Rows of the metrics files."""
_TICK: Final = 0.05
_UNEXPECTED: Final = "Encountered an unexpected error when processing the request, please try again"


class _StoppedError(Exception):
    """Somebody stopped the job."""


@dataclass(frozen=True, slots=True)
class Losses:
    """What training left, per step."""

    training: tuple[float, ...]
    validation: tuple[float, ...]


def start(simulator: Simulator, job: Job) -> None:
    """Run the job in the background, in the caller's account and region."""
    context = contextvars.copy_context()
    threading.Thread(
        target=context.run, args=(_run, simulator, job), daemon=True, name=f"job-{job.job_name}"
    ).start()


def resume(simulator: Simulator) -> None:
    """Train those jobs again that were under way when the server stopped."""
    from ministack.core.responses import set_request_account_id, set_request_region

    for job in list(simulator.state.jobs.values()):
        if job.status in FINAL:
            continue
        context = contextvars.copy_context()
        context.run(set_request_account_id, job.account)
        context.run(set_request_region, job.region)
        context.run(start, simulator, job)


def set_status(simulator: Simulator, job: Job, status: str, *, failure: str | None = None) -> bool:
    """Move a job on and tell EventBridge; False when it had already ended."""
    with simulator.lock:
        if job.status in FINAL:
            return False
        job.status, job.last_modified_time = status, now()
        job.failure_message = failure
        if status in FINAL:
            job.end_time = job.last_modified_time
            _end_phases(job, status)
    events.emit(job)
    return True


def _end_phases(job: Job, status: str) -> None:
    details = job.status_details
    for phase in (
        details.validation_details,
        details.data_processing_details,
        details.training_details,
    ):
        if phase.status == "InProgress":
            phase.status, phase.last_modified_time = status, now()


def _run(simulator: Simulator, job: Job) -> None:
    events.emit(job)
    try:
        _train(simulator, job)
    except _StoppedError:
        set_status(simulator, job, "Stopped")
    except JobError as error:
        _fail(simulator, job, f"{error.sentence} ({error.detail})")
    except roles.RoleError as error:
        _fail(simulator, job, f"Could not assume provided IAM role. ({error})")
    except Exception as error:
        log.exception("simulated job %s broke", job.job_name)
        _fail(simulator, job, f"{_UNEXPECTED} ({error})")


def _fail(simulator: Simulator, job: Job, message: str) -> None:
    set_status(simulator, job, "Failed", failure=f"[Bedrock simulator] {message}"[:2048])


def _train(simulator: Simulator, job: Job) -> None:
    ordered_failure = simulator.faults.take("fail-job")
    ordered_stop = simulator.faults.take("stop-job")
    _enter(job, "validation_details")
    session = _assume(job)
    _check_network(session, job)
    objects = RoleObjects(session, job.region)
    records = _check_data(objects, job)
    _enter(job, "data_processing_details")
    seconds = simulator.clock.real(JOB + JOB_PER_RECORD * records)
    _pass_time(simulator, job, seconds / 2)
    _enter(job, "training_details")
    if ordered_failure is not None:
        _fail(simulator, job, ordered_failure.message or _UNEXPECTED)
        return
    if ordered_stop is not None:
        set_status(simulator, job, "Stopping")
    _pass_time(simulator, job, seconds / 2)
    _complete(simulator, job, objects)


def _assume(job: Job) -> roles.Session:
    return roles.assume(
        role_arn=job.role_arn,
        service=SERVICE,
        source_arn=job.job_arn,
        session_name=f"bedrock-{job.job_arn.rpartition('/')[2]}",
        region=job.region,
    )


def _check_network(session: roles.Session, job: Job) -> None:
    try:
        network.check_rights(session, job)
    except roles.RoleError as error:
        raise JobError(
            "The provided role does not have permissions to use the provided VPC", str(error)
        ) from error


def _check_data(objects: RoleObjects, job: Job) -> int:
    """Read everything as the role; how many training records there are."""
    model = catalogue()[job.catalogue_key]
    contract = model.datasets[job.customization_type]
    check_output(objects, job.output_data_config["s3Uri"])
    training = check_dataset(
        objects,
        job.training_data_config["s3Uri"],
        model=model,
        contract=contract,
        kind="training",
    )
    for validator in job.validation_data_config.get("validators") or ():
        check_dataset(
            objects, validator["s3Uri"], model=model, contract=contract, kind="validation"
        )
    return training.records


def _enter(job: Job, phase: str) -> None:
    """Begin a phase; the one before it is over."""
    names = ("validation_details", "data_processing_details", "training_details")
    for name in names[: names.index(phase)]:
        earlier = getattr(job.status_details, name)
        if earlier.status == "InProgress":
            earlier.status, earlier.last_modified_time = "Completed", now()
    current = getattr(job.status_details, phase)
    current.status, current.last_modified_time = "InProgress", now()


def _pass_time(simulator: Simulator, job: Job, seconds: float) -> None:
    end = time.monotonic() + seconds
    while True:
        if job.status in ("Stopping", "Stopped"):
            raise _StoppedError
        left = end - time.monotonic()
        if left <= 0 and not simulator.options.hold:
            return
        time.sleep(min(left, _TICK) if left > 0 else _TICK)


def _complete(simulator: Simulator, job: Job, objects: RoleObjects) -> None:
    losses = _losses(job)
    _write_metrics(objects, job, losses)
    job.training_metrics = {"trainingLoss": losses.training[-1]}
    job.validation_metrics = [{"validationLoss": loss} for loss in losses.validation[-1:]]
    with simulator.lock:
        if job.status != "InProgress":
            raise _StoppedError
        simulator.state.models[job.output_model_arn] = _model(job)
    set_status(simulator, job, "Completed")


def _model(job: Job) -> Model:
    return Model(
        model_arn=job.output_model_arn,
        model_name=job.output_model_name,
        job_name=job.job_name,
        job_arn=job.job_arn,
        base_model_arn=job.parent_model_arn,
        customization_type=job.customization_type,
        model_kms_key_arn=job.output_model_kms_key_arn,
        hyper_parameters=job.hyper_parameters,
        training_data_config=job.training_data_config,
        validation_data_config=job.validation_data_config,
        output_data_config=job.output_data_config,
        training_metrics=job.training_metrics or {},
        validation_metrics=job.validation_metrics or [],
        creation_time=now(),
        model_status="Active",
        foundation_arn=bases.foundation_arn(
            catalogue()[job.catalogue_key].customization_id, job.region
        ),
        catalogue_key=job.catalogue_key,
        tags=dict(job.model_tags),
    )


def _losses(job: Job) -> Losses:
    """Falling curves that depend on the job alone; no training produced them."""
    seed = hashlib.sha256(job.job_arn.encode()).digest()
    floor = 0.1 + seed[0] / 1000
    training = tuple(
        round(floor + math.exp(-4 * step / STEPS) + seed[step % 32] / 10_000, 6)
        for step in range(STEPS)
    )
    validated = bool(job.validation_data_config.get("validators"))
    return Losses(training, tuple(round(loss * 1.1, 6) for loss in training) if validated else ())


def _write_metrics(objects: RoleObjects, job: Job, losses: Losses) -> None:
    bucket, prefix = split_uri(job.output_data_config["s3Uri"])
    folder = f"{prefix.rstrip('/')}/" if prefix else ""
    folder += f"model-customization-job-{job.job_arn.rpartition('/')[2]}"
    files = {"training_artifacts/step_wise_training_metrics.csv": ("training", losses.training)}
    if losses.validation:
        name = "validation_artifacts/post_fine_tuning_validation/validation_metrics.csv"
        files[name] = ("validation", losses.validation)
    for name, (kind, values) in files.items():
        try:
            objects.write(bucket, f"{folder}/{name}", _csv(kind, values))
        except AccessError as error:
            raise JobError(
                "Amazon S3 perms missing (PutObject): Could not validate PutObject permissions "
                f"to access S3 bucket: {bucket} at key {folder}/{name}",
                str(error),
            ) from error


def _csv(kind: str, values: tuple[float, ...]) -> bytes:
    rows = [f"step_number,epoch_number,{kind}_loss,perplexity"]
    rows += [f"{step},0,{loss},{math.exp(loss):.6f}" for step, loss in enumerate(values)]
    return ("\n".join(rows) + "\n").encode()
