"""What is known of AWS's zones and of the networks that Bedrock's jobs can run in."""

from collections.abc import Mapping
from typing import Final

# Ids, not names: us-east-1a is another place in each account, use1-az1 is the same everywhere, so
# a template without an account can name it (EC2 user guide, "Availability Zone IDs"). The Regions
# are those where the catalogue's models can be customized. use1-az3 comes last because several
# services do not offer their newer parts there; functions and endpoints stand in the first ones.
ZONES: Final[Mapping[str, tuple[str, ...]]] = {
    "us-east-1": ("use1-az1", "use1-az2", "use1-az4", "use1-az5", "use1-az6", "use1-az3"),
    "us-west-2": ("usw2-az1", "usw2-az2", "usw2-az3", "usw2-az4"),
}
# VpcConfig of CreateModelCustomizationJob takes no more (botocore's bedrock model).
SUBNETS_MAX: Final = 16
SECURITY_GROUPS_MAX: Final = 5
HTTPS: Final = 443
