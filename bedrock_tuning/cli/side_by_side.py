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

_PROMPTS = 8


def show(
    deployment: DeploymentClient, models: Mapping[ModelSide, AskedModel], request: Wanted
) -> None:
    """Asks what is not known yet after showing its price, and shows answers beside each other."""
    require_free(request.html, overwrite=request.overwrite)
    run = pointer(deployment, request.customization, "run")
    if run is None:
        raise UserError(f"it is not known which run made the model of {request.customization}")
    prompts = [Prompt(text=text) for text in request.prompts] or client.prompts_of(
        deployment, request.customization, run, limit=request.limit or _PROMPTS
    )
    folder = comparisons(deployment, request.customization, run)
    work: dict[ModelSide, tuple[AskedModel, Sequence[Question]]] = {
        side: (model, client.asked(model, prompts))
        for side, model in models.items()
        if side == "tuned" or request.against is None
    }
    other_answers = _other_answers(deployment, request, prompts, models["tuned"])
    kept_answers = client.known(folder)
    calls: dict[str, tuple[AskedModel, int, int]] = {
        side: (model, len(client.missing(getattr(kept_answers, side), questions)), len(questions))
        for side, (model, questions) in work.items()
    }
    count = agree_to_calls(calls, _price, yes=request.yes)
    with ProgressBar("asking", "answers") as bar, kept_at_ctrl_c():
        answers = client.ask(
            folder, work, done=lambda: bar.update(share=1 / max(1, count), count=1)
        )
    columns = (
        "Base model" if request.against is None else f"Model of run {request.against}",
        f"tuned model of run {run}",
    )
    rows = _rows(models["tuned"], prompts, other_answers or answers.base, answers.tuned)
    names = [run] if request.against is None else [request.against, run]
    losses = {}
    if models["tuned"].base.task != "text-to-image":
        all_losses = {name: losses_of(deployment, runs.row(deployment, name)) for name in names}
        losses = {name: curves for name, curves in all_losses.items() if curves}
    about = {
        "Customization": request.customization,
        "Base model": models["base"].base.name,
        "Tuned model": str(models["tuned"].tuned),
        "Deployment": deployment.place,
    }
    page = side_by_side_page(
        rows, columns=columns, about=about, losses=losses, place=deployment.place
    )
    folder.write(client.ANSWERS_PAGE, page.encode(), "text/html; charset=utf-8")
    if request.html is not None:
        write_page(request.html, page)
    kept_at = folder.uri(client.ANSWERS_PAGE)
    if request.as_json:
        final = {
            name: {curve.name: curve.points[-1].value for curve in curves}
            for name, curves in losses.items()
        }
        document = {"about": about, "columns": columns, "page": kept_at, "last_loss": final}
        emit_json({**document, "answers": rows})
        return
    _print(rows, columns, losses)
    emit(f"page: {kept_at}")


def _other_answers(
    deployment: DeploymentClient, request: Wanted, prompts: Sequence[Prompt], model: AskedModel
) -> dict[str, ModelAnswer]:
    """What the other run's model answered when it was served; {} where none is compared.

    Raises UserError if it was not asked all of this.
    """
    if request.against is None:
        return {}
    folder = comparisons(deployment, request.customization, request.against)
    answers = client.known(folder).tuned
    unanswered = client.missing(answers, client.asked(model, prompts))
    if unanswered:
        command = f"serve {request.customization} --run {request.against}"
        raise UserError(
            f"the model of run {request.against} did not answer {len(unanswered)} of "
            f"{len(prompts)} prompts",
            fix=f"serve it (`{deployment.command(command)}`), compare it with its base model with "
            "the same prompts, then serve and compare the newer one",
        )
    return answers


def _price(model: AskedModel, calls: int) -> str:
    price = model.base.prices.on_demand_per_image
    if model.tuned is not None or model.base.task != "text-to-image" or price is None:
        return "billed by the call; no price is known"
    return f"{math.ceil(100 * calls * float(price)) / 100:,.2f} USD (price of the catalogue)"


def _rows(
    model: AskedModel,
    prompts: Sequence[Prompt],
    base: Mapping[str, ModelAnswer],
    tuned: Mapping[str, ModelAnswer],
) -> list[Compared]:
    draws = model.base.task == "text-to-image"
    return [
        Compared(
            prompt=prompt,
            answers=(base[identity(question)], tuned[identity(question)]),
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
                (name, curve.name, f"{curve.points[0].value:.4g}", f"{curve.points[-1].value:.4g}")
                for name, curves in losses.items()
                for curve in curves
            ],
        )
        emit()
    for number, row in enumerate(rows, 1):
        emit(f"{number}. {row.prompt.text}")
        if row.prompt.expected:
            emit(f"   the dataset: {row.prompt.expected}")
        for name, answer in zip(columns, row.answers, strict=True):
            picture = f"a picture, seed {row.seed}" if answer.picture else ""
            emit(f"   {name}: {answer.text or picture or f'no answer: {answer.problem}'}")
        emit()
