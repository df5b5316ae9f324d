"""Single flaws, each with the check that must notice it. Never taken back: only added to."""

from tests.review.mutants import (
    added,
    answers,
    by_workflow,
    data,
    delivery,
    evasions,
    flow,
    network,
    options,
    people,
    promises,
    resources,
    roles,
    settings,
    shape,
    tags,
    trust,
    yours,
)
from tests.review.mutants._mutant import Mutant

MUTANTS: tuple[Mutant, ...] = (
    *trust.MUTANTS,
    *roles.MUTANTS,
    *resources.MUTANTS,
    *delivery.MUTANTS,
    *data.MUTANTS,
    *flow.MUTANTS,
    *shape.MUTANTS,
    *added.MUTANTS,
    *answers.MUTANTS,
    *promises.MUTANTS,
    *people.MUTANTS,
    *settings.MUTANTS,
    *tags.MUTANTS,
    *options.MUTANTS,
    *network.MUTANTS,
    *yours.MUTANTS,
    *by_workflow.MUTANTS,
    *evasions.MUTANTS,
)
