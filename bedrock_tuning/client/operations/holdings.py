"""What an account holds for an environment now, and what each part costs.

What may not be asked, or has no known price, is unknown: it is never zero.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Final

from bedrock_tuning import s3_layout
from bedrock_tuning.catalogue import account_facts
from bedrock_tuning.client import inventory
from bedrock_tuning.client.aws import Aws
from bedrock_tuning.client.deployment import customizations
from bedrock_tuning.client.endpoints import endpoints, tags_of
from bedrock_tuning.client.environments import REQUIRED_OUTPUTS, outputs_of, stack_of
from bedrock_tuning.client.inventory import Remains
from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.config.names import stack_name
from bedrock_tuning.config.tags import CUSTOMIZATION_TAG, ENVIRONMENT_TAG
from bedrock_tuning.run.cost import HOURS_PER_MONTH
from bedrock_tuning.run.exposure import Total, total
from bedrock_tuning.sources.listing import deployments, listed

# Where S3 Standard has the price of the catalogue.
_PRICED_REGIONS: Final = ("us-east-1", "us-west-2")
# Folders that are divided by customization.
_BY_CUSTOMIZATION: Final = (
    s3_layout.APPROVALS,
    s3_layout.CHECKED,
    s3_layout.COMPARISONS,
    s3_layout.REPORTS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A stored custom model. use: "published", "served" or "none"."""

    name: str
    arn: str
    customization: str
    created: str
    use: str
    usd_per_month: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldEndpoint:
    """What a model answers through. usd_per_hour: 0 where each request is billed."""

    name: str
    arn: str
    model: str
    customization: str
    status: str
    billed: str
    ends: str
    usd_per_hour: float | None

    @property
    def usd_per_month(self) -> float | None:
        """If it stays for a month of 30 days."""
        return None if self.usd_per_hour is None else round(self.usd_per_hour * HOURS_PER_MONTH, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What one customization has in a bucket, older versions included.

    customization: "" for what is nobody's. files, size, usd_per_month: None if unknown.
    """

    bucket: str
    customization: str
    files: int | None
    size: int | None
    usd_per_month: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """Models and endpoints of customizations that have a stack.

    kept: keys and tables of the stacks, which outlive them as the buckets do. remaining: what is
    nobody's.
    """

    models: list[Model]
    endpoints: list[HeldEndpoint]
    stored: list[Stored]
    kept: list[Remains]
    remaining: list[Remains]

    @property
    def hourly(self) -> Total:
        """What endpoints cost while they are there."""
        return total((endpoint.name, endpoint.usd_per_hour) for endpoint in self.endpoints)

    @property
    def monthly(self) -> Total:
        """What is stored, and what remains, without endpoints."""
        return total(
            [
                *((model.name, model.usd_per_month) for model in self.models),
                *(
                    (remains.name, remains.usd_per_month)
                    for remains in (*self.kept, *self.remaining)
                ),
                *(
                    (f"{store.bucket}/{store.customization}".rstrip("/"), store.usd_per_month)
                    for store in self.stored
                ),
            ]
        )


def holdings(aws: Aws, environment: str, *, known: Collection[str]) -> Holdings:
    """Everything that an environment has in an account and Region, by name.

    known: customizations that have a stack.
    """
    pointers = inventory.pointers(aws, environment)
    tuned = list(inventory.tuned_models(aws, environment))
    held_endpoints = sorted(
        [*_provisioned_endpoints(aws, environment), *_on_demand_endpoints(aws, environment)],
        key=lambda endpoint: (endpoint.customization, endpoint.name),
    )
    arns = {model["modelArn"] for _, model in tuned} | {model.arn for model in held_endpoints}
    retained = list(inventory.retained(aws, environment))
    remaining = [
        *_leftovers(aws, [item for is_used, item in retained if not is_used]),
        *(inventory.model_left(model) for owner, model in tuned if owner not in known),
        *_pointers(environment, pointers, known=known, arns=arns),
    ]
    published_arns = {value for (_, name), value in pointers.items() if name == "model"}
    return Holdings(
        models=[
            _model(
                owner,
                model,
                published=published_arns,
                served={endpoint.model for endpoint in held_endpoints},
            )
            for owner, model in sorted(tuned, key=lambda entry: (entry[0], entry[1]["modelName"]))
            if owner in known
        ],
        endpoints=held_endpoints,
        stored=_stores(aws, environment),
        kept=[item for is_used, item in retained if is_used and item.kind != "bucket"],
        remaining=remaining,
    )


def _leftovers(aws: Aws, retained: Iterable[Remains]) -> Iterator[Remains]:
    """What deleted stacks retained; a bucket with the price of all that it holds."""
    for item in retained:
        if item.kind == "bucket":
            parts = [part.usd_per_month for part in _in_bucket(aws, item.name, {})]
            known_prices = [price for price in parts if price is not None]
            price = sum(known_prices) if len(known_prices) == len(parts) else None
            yield replace(item, usd_per_month=price)
        else:
            yield item


def _model(owner: str, model: Any, *, published: set[str], served: set[str]) -> Model:
    arn = model["modelArn"]
    return Model(
        name=model["modelName"],
        arn=arn,
        customization=owner,
        created=f"{model['creationTime']:%Y-%m-%d}",
        use="published" if arn in published else "served" if arn in served else "none",
        usd_per_month=inventory.model_left(model).usd_per_month,
    )


def _pointers(
    environment: str,
    pointers: Mapping[tuple[str, str], str],
    *,
    known: Collection[str],
    arns: set[str],
) -> Iterator[Remains]:
    """Those of customizations without a stack, and those to what was deleted."""
    for (owner, name), value in sorted(pointers.items()):
        if owner not in known:
            yield inventory.pointer_left(environment, owner, name, kind="pointer")
        # Another one names roles.
        elif ":bedrock:" in value and value not in arns:
            yield inventory.pointer_left(environment, owner, name, kind="dangling pointer")


def _provisioned_endpoints(aws: Aws, environment: str) -> Iterator[HeldEndpoint]:
    for endpoint in endpoints(aws, environment=environment):
        yield HeldEndpoint(
            name=endpoint.name,
            arn=endpoint.arn,
            model=endpoint.model,
            customization=endpoint.customization,
            status="lease ended" if endpoint.is_ending else endpoint.status,
            billed="by the hour",
            ends=endpoint.ends or "never",
            usd_per_hour=endpoint.usd_per_hour,
        )


def _on_demand_endpoints(aws: Aws, environment: str) -> Iterator[HeldEndpoint]:
    for deployment in deployments(aws.bedrock):
        tags = tags_of(aws, deployment["customModelDeploymentArn"]) or {}
        if tags.get(ENVIRONMENT_TAG) == environment:
            yield HeldEndpoint(
                name=deployment["customModelDeploymentName"],
                arn=deployment["customModelDeploymentArn"],
                model=deployment["modelArn"],
                customization=tags.get(CUSTOMIZATION_TAG, ""),
                status=deployment["status"],
                billed="by the request",
                ends="never",
                usd_per_hour=0.0,
            )


def _stores(aws: Aws, environment: str) -> list[Stored]:
    """By bucket and customization; nothing where the stack of the buckets is gone."""
    buckets = _buckets(aws, environment)
    if not buckets:
        return []
    deployed = customizations(aws, environment)
    with ThreadPoolExecutor(len(buckets)) as pool:
        by_bucket = pool.map(lambda bucket: _in_bucket(aws, bucket, deployed), buckets)
        return [store for stores in by_bucket for store in stores]


def _buckets(aws: Aws, environment: str) -> list[str]:
    outputs = outputs_of(stack_of(aws, stack_name(environment, "data")) or {})
    return list(
        dict.fromkeys(outputs[name] for name in REQUIRED_OUTPUTS["data"] if name in outputs)
    )


def _in_bucket(
    aws: Aws, bucket: str, deployed: Mapping[str, CustomizationSettings]
) -> list[Stored]:
    from botocore.exceptions import ClientError

    sizes: defaultdict[str, int] = defaultdict(int)
    files: Counter[str] = Counter()
    try:
        for version in listed(aws.s3, "list_object_versions", "Versions", Bucket=bucket):
            owner = _owner(version["Key"], deployed)
            sizes[owner] += version["Size"]
            files[owner] += 1
    except ClientError as error:
        if not error.response["Error"]["Code"].startswith("AccessDenied"):
            raise
        return [Stored(bucket=bucket, customization="", files=None, size=None, usd_per_month=None)]
    price = _gigabyte_month(aws.region)
    return [
        Stored(
            bucket=bucket,
            customization=owner,
            files=files[owner],
            size=sizes[owner],
            usd_per_month=None if price is None else round(sizes[owner] / 1e9 * price, 2),
        )
        for owner in sorted(sizes)
    ]


def _owner(key: str, deployed: Mapping[str, CustomizationSettings]) -> str:
    """Whose a key is, by its folder; "" for what is of no customization, or of several."""
    folder, _, path = key.partition("/")
    if folder == s3_layout.JOBS:
        return _single(
            name for name, customization in deployed.items()
            if path.startswith(f"{customization.output_folder}/")
        )  # fmt: skip
    if folder in _BY_CUSTOMIZATION:
        folder = path.partition("/")[0]
    if folder in deployed:
        return folder
    return _single(
        name
        for name, customization in deployed.items()
        if key.startswith(customization.media_folders)
    )


def _single(names: Iterator[str]) -> str:
    candidates = list(names)
    return candidates[0] if len(candidates) == 1 else ""


def _gigabyte_month(region: str) -> float | None:
    price = account_facts()["prices.s3_standard_gb_month"].value
    return float(price) if region in _PRICED_REGIONS else None
