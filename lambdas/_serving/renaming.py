"""A customization gets another name: what it has goes along; nothing is bought or deleted.

Both names have a stack for a while. Runs and people act on the item of the new name; the item of
the old one says where everything is, until its stack is deleted, or until the new one is and
everything goes back.
"""

from dataclasses import replace
from typing import Final

from bedrock_tuning.config.lambda_environment import ThroughputEnvironment
from bedrock_tuning.config.tags import CUSTOMIZATION_TAG
from bedrock_tuning.run.row import is_open
from bedrock_tuning.serving.intent import Begun, Intent
from lambdas._records import _intent, _pointers, _runs
from lambdas._serving import _endpoints

_POINTERS: Final = ("model", "run", "endpoint")


def move(env: ThroughputEnvironment, *, old: str, new: str) -> None:
    """Gives all that one customization has to another; does nothing where that was done before.

    Raises RuntimeError while a run of the old one has not ended, or if the new one serves something
    of its own.
    """
    runs = list(_runs.runs_of(env.runs_table, old))
    working = sorted(str(item["run"]) for item in runs if is_open(item))
    if working:
        raise RuntimeError(
            f"{old} cannot be renamed to {new} while a run of it has not ended: "
            f"{', '.join(working)}; wait, stop it or decline it, then deploy again"
        )
    _move_intent(env, old, new)
    endpoints = [*_endpoints.provisioned(env.environment), *_endpoints.deployments(env.environment)]
    endpoint_arns = [
        endpoint.arn for endpoint, tags in endpoints if tags.get(CUSTOMIZATION_TAG) == old
    ]
    models = {str(item["model_arn"]) for item in runs if "model_arn" in item}
    for arn in (*endpoint_arns, *sorted(models)):
        _endpoints.rename(arn, new)
    for name in _POINTERS:
        value = _pointers.read(env.parameter_prefix, old, name)
        if value is not None:
            _pointers.publish(env.parameter_prefix, new, name, value)
    # Last: as long as there is one left, a repeated request finds what has not gone along.
    for item in runs:
        _runs.rename_run(env.runs_table, str(item["run"]), new)


def forget(env: ThroughputEnvironment, name: str) -> None:
    """Begins anew where a customization with this name was renamed and another one takes it."""
    intent = _intent.read(env, name)
    if intent.renamed_to:
        _intent.write(
            env.runs_table,
            Intent(customization=name, generation=intent.generation + 1, version=intent.version),
        )


def _move_intent(env: ThroughputEnvironment, old: str, new: str) -> None:
    for _ in range(_intent.ATTEMPTS):
        now, source, target = _runs.now(), _intent.read(env, old), _intent.read(env, new)
        if source.renamed_to == new:
            return
        if source.working(now) or source.begun != Begun():
            raise RuntimeError(
                f"{old} cannot be renamed to {new} while its endpoint is being changed: wait until "
                f"`tuning endpoints` shows it ready, or `tuning lease {old} --end`, then deploy "
                "again"
            )
        heir, remainder = source.renamed(new, now=now)
        if target.on and replace(target, version=0, generation=heir.generation) != heir:
            raise RuntimeError(
                f"{old} cannot be renamed to {new}, which serves {target.published.endpoint_arn}: "
                f"remove renamed_from, or `tuning lease {new} --end` first"
            )
        # First what takes over, then what is left: between the two, only the old name acts.
        heir = replace(heir, version=target.version)
        if (
            _intent.write(env.runs_table, heir) is not None
            and _intent.write(env.runs_table, remainder) is not None
        ):
            return
    raise RuntimeError(f"the intents of {old} and {new} keep changing: deploy again")
