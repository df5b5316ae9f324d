"""Prices of today, asked of the AWS Price List API.

A module of its own: bedrock_tuning/run/price_list.py reads the answers, and calls nothing.
"""

from typing import Any

from bedrock_tuning.catalogue import BaseModel
from bedrock_tuning.run.price_list import SERVICE_CODE, ListedPrices, price, usage_types


def listed_prices(pricing: Any, model: BaseModel, region: str) -> ListedPrices:
    """The prices of a model in a Region that the API knows; why not, for the others.

    pricing: a client of the API. One that may not be asked, or cannot, is a problem among others:
    then the dated prices of the catalogue are what is known.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    prices, problems = {}, []
    for path, usage in usage_types(model, region).items():
        usage_filter = {"Type": "TERM_MATCH", "Field": "usagetype", "Value": usage}
        try:
            answer = pricing.get_products(ServiceCode=SERVICE_CODE, Filters=[usage_filter])
            prices[path] = price(path, answer["PriceList"])
        except (BotoCoreError, ClientError, ValueError) as error:
            problems.append(f"the AWS Price List API has no usable price of {usage}: {error}")
    return ListedPrices(prices=prices, problems=tuple(problems))
