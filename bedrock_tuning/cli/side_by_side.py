"""`tuning compare` for models of pictures and texts: their answers to the same prompts."""

import math
from collections.abc import Mapping, Sequence

from bedrock_tuning.cli.embedding import Wanted, agree_to_calls, kept_at_ctrl_c
from bedrock_tuning.cli.terminal.output import emit, emit_json, emit_table, require_free, write_page
from bedrock_tuning.cli.terminal.progress import ProgressBar
from bedrock_tuning.client import runs
from bedrock_tuning.client.comparing import side_by_side as client
from bedrock_tuning.client.deployment import DeploymentClient
from bedrock_tuning.client.inference import AskedModel, pointer
from bedrock_tuning.client.reports import comparisons, losses_of
from bedrock_tuning.errors import UserError
from bedrock_tuning.report.side_by_side import Compared, side_by_side_page
from bedrock_tuning.run.curves import Curve
from bedrock_tuning.serving.questions import Question
from bedrock_tuning.serving.side_by_side import ModelAnswer, ModelSide, Prompt, identity, seed

PROMPTS = 8


def show(
    deployment: DeploymentClient, models: Mapping[ModelSide, AskedModel], wanted: Wanted
) -> None:
    """Asks what is not known yet after showing its price, and shows answers beside each other."""
    require_free(wanted.html, overwrite=wanted.overwrite)
    run = pointer(deployment, wanted.customization, "run")
    if run is None:
        raise UserError(f"it is not known which run made the model of {wanted.customization}")
    prompts = [Prompt(text=each) for each in wanted.prompts] or client.prompts_of(
        deployment, wanted.customization, run, limit=wanted.limit or PROMPTS
    )
    folder = comparisons(deployment, wanted.customization, run)
    work: dict[ModelSide, tuple[AskedModel, Sequence[Question]]] = {
        side: (model, client.asked(model, prompts))
        for side, model in models.items()
        if side == "tuned" or wanted.against is None
    }
    others = _others(deployment, wanted, prompts, models["tuned"])
    known = client.known(folder)
    calls: dict[str, tuple[AskedModel, int, int]] = {
        side: (model, len(client.missing(getattr(known, side), questions)), len(questions))
        for side, (model, questions) in work.items()
    }
    count = agree_to_calls(calls, _price, yes=wanted.yes)
    with ProgressBar("asking", "answers") as bar, kept_at_ctrl_c():
        kept = client.ask(folder, work, done=lambda: bar.update(share=1 / max(1, count), count=1))
    columns = (
        "Base model" if wanted.against is None else f"Model of run {wanted.against}",
        f"tuned model of run {run}",
    )
    rows = _rows(models["tuned"], prompts, others or kept.base, kept.tuned)
    names = [run] if wanted.against is None else [wanted.against, run]
    losses = {}
    if models["tuned"].base.task != "text-to-image":
        every = {name: losses_of(deployment, runs.row(deployment, name)) for name in names}
        losses = {name: found for name, found in every.items() if found}
    about = {
        "Customization": wanted.customization,
        "Base model": models["base"].base.name,
        "Tuned model": str(models["tuned"].tuned),
        "Deployment": deployment.place,
    }
    page = side_by_side_page(
        rows, columns=columns, about=about, losses=losses, place=deployment.place
    )
    folder.write(client.PAGE, page.encode(), "text/html; charset=utf-8")
    if wanted.html is not None:
        write_page(wanted.html, page)
    kept_at = folder.uri(client.PAGE)
    if wanted.as_json:
        last = {
            name: {curve.name: curve.points[-1].value for curve in curves}
            for name, curves in losses.items()
        }
        said = {"about": about, "columns": columns, "page": kept_at, "last_loss": last}
        emit_json({**said, "answers": rows})
        return
    _print(rows, columns, losses)
    emit(f"page: {kept_at}")


def _others(
    deployment: DeploymentClient, wanted: Wanted, prompts: Sequence[Prompt], model: AskedModel
) -> dict[str, ModelAnswer]:
    """What the other run's model answered when it was served; {} where none is compared.

    Raises UserError if it was not asked all of this.
    """
    if wanted.against is None:
        return {}
    other = comparisons(deployment, wanted.customization, wanted.against)
    known = client.known(other).tuned
    unknown = client.missing(known, client.asked(model, prompts))
    if unknown:
        again = f"serve {wanted.customization} --run {wanted.against}"
        raise UserError(
            f"the model of run {wanted.against} did not answer {len(unknown)} of "
            f"{len(prompts)} prompts",
            fix=f"serve it (`{deployment.command(again)}`), compare it with its base model with "
            "the same prompts, then serve and compare the newer one",
        )
    return known


def _price(model: AskedModel, calls: int) -> str:
    price = model.base.prices.on_demand_per_image
    if model.tuned is not None or model.base.task != "text-to-image" or price is None:
        return "billed by the call; no price is known"
    return f"{math.ceil(100 * calls * float(price)) / 100:,.2f} USD (price of the catalogue)"


def _rows(
    model: AskedModel,
    prompts: Sequence[Prompt],
    left: Mapping[str, ModelAnswer],
    right: Mapping[str, ModelAnswer],
) -> list[Compared]:
    draws = model.base.task == "text-to-image"
    return [
        Compared(
            prompt=prompt,
            answers=(left[identity(question)], right[identity(question)]),
            seed=seed(place) if draws else None,
        )
        for place, (prompt, question) in enumerate(
            zip(prompts, client.asked(model, prompts), strict=True)
        )
    ]


def _print(
    rows: Sequence[Compared], columns: tuple[str, str], losses: Mapping[str, Sequence[Curve]]
) -> None:
    if losses:
        emit_table(
            ("RUN", "LOSS", "FIRST", "LAST"),
            [
                (name, each.name, f"{each.points[0].value:.4g}", f"{each.points[-1].value:.4g}")
                for name, curves in losses.items()
                for each in curves
            ],
        )
        emit()
    for number, row in enumerate(rows, 1):
        emit(f"{number}. {row.prompt.text}")
        if row.prompt.expected:
            emit(f"   the dataset: {row.prompt.expected}")
        for name, answer in zip(columns, row.answers, strict=True):
            drawn = f"a picture, seed {row.seed}" if answer.picture else ""
            emit(f"   {name}: {answer.text or drawn or f'no answer: {answer.problem}'}")
        emit()
