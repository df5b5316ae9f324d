"""A document of the AWS Price List API, in the form of its reference and of public answers."""

import json
from typing import Any

TRAINING, STORAGE = "USE1-NovaMicro-Customization-Training", "USE1-NovaMicro-Customization-Storage"


def product(
    usage: str, usd: str, *, unit: str = "1K tokens", day: str = "2026-11-20", **changes: Any
) -> str:
    """One product of Amazon Bedrock with its on-demand price."""
    sku, term, rate = "2KTD3VJN5CWGZ4YQ", "JRTCKXETXF", "6YS6EN2CT7"
    dimension = {
        "unit": unit,
        "endRange": "Inf",
        "description": f"${usd} per {unit}",
        "appliesTo": [],
        "rateCode": f"{sku}.{term}.{rate}",
        "beginRange": "0",
        "pricePerUnit": {"USD": usd},
    }
    document = {
        "product": {
            "productFamily": "Amazon Bedrock",
            "attributes": {
                "regionCode": "us-east-1",
                "servicecode": "AmazonBedrock",
                "usagetype": usage,
                "locationType": "AWS Region",
                "location": "US East (N. Virginia)",
                "servicename": "Amazon Bedrock",
                "operation": "",
            },
            "sku": sku,
        },
        "serviceCode": "AmazonBedrock",
        "terms": {
            "OnDemand": {
                f"{sku}.{term}": {
                    "priceDimensions": {f"{sku}.{term}.{rate}": dimension},
                    "sku": sku,
                    "effectiveDate": "2026-11-01T00:00:00Z",
                    "offerTermCode": term,
                    "termAttributes": {},
                }
            }
        },
        "version": "20261120000000",
        "publicationDate": f"{day}T10:00:00Z",
        **changes,
    }
    return json.dumps(document)
