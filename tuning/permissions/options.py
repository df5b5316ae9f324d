"""What optional settings add to the contracts: a network, a key for models, closed buckets."""

from collections.abc import Mapping

from tuning.customization import Customization


def serves_nova(customizations: Mapping[str, Customization]) -> bool:
    """Whether any base model is one of Amazon's Nova models, whose keys need more rights."""
    return any(each.base_model.key.startswith("nova-") for each in customizations.values())
