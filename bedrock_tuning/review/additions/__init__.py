"""What an app adds to the stacks of its own accord, and what of it review.toml permits.

An addition is found by generic rules, which no file can switch off: an alarm of one's own, a second
subscriber, an extra Deny, another stack. One that review.toml permits is taken out of the templates
before they are proved, so the checks need not know it; all others stay and are refused.
"""

from collections.abc import Iterator

from bedrock_tuning.contracts import Contracts
from bedrock_tuning.review.additions.addition import Addition
from bedrock_tuning.review.additions.resources import added_resources
from bedrock_tuning.review.additions.settings import added_settings
from bedrock_tuning.review.additions.stacks import added_stacks
from bedrock_tuning.review.additions.statements import statements
from bedrock_tuning.review.assembly.template import Assembly
from bedrock_tuning.review.bound_contracts import bind
from bedrock_tuning.review.iam import access


def additions(assembly: Assembly, contracts: Contracts) -> Iterator[Addition]:
    """Everything in an assembly that review.toml could permit, or that breaks a generic rule."""
    bound = bind(contracts, assembly)
    permissions = access.build(assembly, bound.existing())
    yield from added_resources(assembly, bound)
    yield from added_settings(assembly, bound)
    yield from statements(assembly, bound)
    yield from added_stacks(permissions, bound)
