"""Settings that are valid one by one and contradict each other."""

import re
from collections.abc import Collection, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from bedrock_tuning.config import settings_limits
from bedrock_tuning.config.messages import shown
from bedrock_tuning.config.settings_limits import BUCKETS, DATA_ROLES_CHARACTERS_MAX, POLLS_MAX

_FOR_OUR_NETWORK = ("vpc_cidr", "vpc_zones", "vpc_endpoint_zones")
_FOR_YOUR_NETWORK = ("vpc_subnets", "vpc_security_groups")


def contradictions(
    given: Mapping[str, Any], *, defaults: Mapping[str, Any], wrong: Collection[str]
) -> Iterator[tuple[str, str]]:
    """The key and the problem of each contradiction.

    given: what the file says, without the wrong values. wrong: keys whose value is not known;
    nothing is said that depends on them.
    """
    values = _Values(given=given, defaults=defaults, wrong=wrong)
    yield from _polls(values)
    yield from _chat(values)
    yield from _network(values)
    yield from _data(values)
    yield from _people(values)
    yield from _existing(values)


class _Values:
    """Values with their defaults, and whether they are known."""

    def __init__(
        self, *, given: Mapping[str, Any], defaults: Mapping[str, Any], wrong: Collection[str]
    ) -> None:
        self._values = {**defaults, **given}
        self._given = given
        self._wrong = wrong

    def __getitem__(self, key: str) -> Any:
        return self._values.get(key)

    def known(self, *keys: str) -> bool:
        """Whether all of them are."""
        return not any(key in self._wrong for key in keys)

    def written(self, key: str) -> bool:
        """Whether the file sets it to something. An empty list or text sets nothing."""
        return bool(self._given.get(key))


def _polls(values: _Values) -> Iterator[tuple[str, str]]:
    if not values.known("poll_seconds", "serving_timeout_seconds"):
        return
    poll, timeout = values["poll_seconds"], values["serving_timeout_seconds"]
    polls = timeout // poll
    if polls > POLLS_MAX:
        yield (
            "poll_seconds",
            f"{poll} means {polls:,} polls within serving_timeout_seconds, and the history of an "
            f"execution holds {POLLS_MAX:,}: use at least {-(-timeout // POLLS_MAX)}",
        )
    if polls < 1:
        yield (
            "poll_seconds",
            f"{poll} is more than serving_timeout_seconds ({timeout}), so the first poll would be "
            f"the last: use at most {timeout}",
        )


def _chat(values: _Values) -> Iterator[tuple[str, str]]:
    keys = ("slack_workspace", "slack_channel")
    missing = [key for key in keys if not values[key]]
    if values.known(*keys) and len(missing) == 1:
        yield missing[0], "is missing: the workspace and the channel are set together"


def _network(values: _Values) -> Iterator[tuple[str, str]]:
    if not values.known("vpc"):
        return
    if not values["vpc"]:
        for key in (*_FOR_OUR_NETWORK, *_FOR_YOUR_NETWORK):
            if values.written(key):
                yield key, 'has no effect without "vpc": true: remove it'
    elif values.known(*_FOR_YOUR_NETWORK):
        if values["vpc_subnets"] or values["vpc_security_groups"]:
            yield from _your_network(values)
        else:
            yield from _our_network(values)


def _your_network(values: _Values) -> Iterator[tuple[str, str]]:
    subnets, groups = (values[key] for key in _FOR_YOUR_NETWORK)
    if not subnets or not groups:
        missing = "vpc_security_groups" if subnets else "vpc_subnets"
        yield missing, "is missing: subnets and security groups are set together"
    for key in _FOR_OUR_NETWORK:
        if values.written(key):
            yield key, "has no effect with vpc_subnets: remove it"


def _our_network(values: _Values) -> Iterator[tuple[str, str]]:
    if not values.known("region", "vpc_zones"):
        return
    region, choice = values["region"], values["vpc_zones"]
    published = settings_limits.ZONES.get(region, ())
    zones = choice or published
    if not zones:
        yield (
            "vpc_zones",
            f"is missing: the zones of {region} are not known; "
            "`aws ec2 describe-availability-zones` lists their ids",
        )
        return
    prefixes = {zone.partition("-")[0] for zone in published}
    outliers = [zone for zone in choice if prefixes and zone.partition("-")[0] not in prefixes]
    if outliers:
        yield (
            "vpc_zones",
            f"{shown(outliers[0])} is not in {region}: use some of {', '.join(published)}",
        )
    if values.known("vpc_endpoint_zones") and values["vpc_endpoint_zones"] > len(zones):
        yield (
            "vpc_endpoint_zones",
            f"{values['vpc_endpoint_zones']} of {len(zones)} zones: use 2, so that one may fail, "
            "up to the number of vpc_zones",
        )


def _data(values: _Values) -> Iterator[tuple[str, str]]:
    if not values.known("deny_others", "data_roles"):
        return
    roles = values["data_roles"]
    if values["deny_others"] and not roles:
        yield "data_roles", "is missing: with deny_others, nobody else can upload a dataset"
    if roles and not values["deny_others"]:
        yield "data_roles", 'has no effect without "deny_others": true: remove it'
    length = sum(map(len, roles))
    if length > DATA_ROLES_CHARACTERS_MAX:
        yield (
            "data_roles",
            f"{length} characters in total, the maximum is {DATA_ROLES_CHARACTERS_MAX} (a bucket's "
            "policy holds 20 KiB): use wildcards",
        )


def _people(values: _Values) -> Iterator[tuple[str, str]]:
    """Whoever may become an uploader and an approver approves the own run."""
    if not values.known("people"):
        return
    entries = [entry.partition("=") for entry in values["people"]]
    for name, _, uploader in entries:
        for other, _, approver in entries:
            if name.startswith("uploader") and other == "approver" and _overlap(uploader, approver):
                yield (
                    "people",
                    f"{shown(uploader)} may become an uploader and {shown(approver)} an approver, "
                    "and one role fits both: name roles of different people",
                )


def _overlap(one: str, other: str) -> bool:
    """Whether a role's name can fit both patterns; in doubt, where both have wildcards, it can."""
    if fnmatchcase(one, other) or fnmatchcase(other, one):
        return True
    starts = (re.split(r"[*?]", pattern)[0] for pattern in (one, other))
    first, second = sorted(starts, key=len)
    return "*" in one and "*" in other and second.startswith(first)


def _existing(values: _Values) -> Iterator[tuple[str, str]]:
    """What you bring along needs its key, and another account owns all of the data or nothing."""
    buckets = [f"{kind}_bucket" for kind in BUCKETS]
    if not values.known(*buckets, "data_key", "data_account", "operations_key", "topic"):
        return
    keys = [key for key in buckets if values[key]]
    names = [values[key] for key in keys]
    for key in keys:
        if names.count(values[key]) > 1:
            yield key, f"{shown(values[key])} is named twice: use three different buckets"
    if keys and not values["data_key"]:
        yield "data_key", f"is missing: the key that encrypts {' and '.join(keys)}"
    if values["topic"] and not values["operations_key"]:
        yield "operations_key", "is missing: the key that encrypts topic"
    if values["data_account"] and len(keys) < len(buckets):
        missing = next(key for key in buckets if key not in keys)
        yield missing, "is missing: with data_account, all three buckets are in that account"
    elif values["data_account"]:
        owner = values["data_key"].split(":")[4:5]
        if owner != [values["data_account"]] and values["data_key"]:
            yield "data_key", "is of another account than data_account: use one of that account"
    yield from _locations(values)
    if values["data_account"] and values["deny_others"]:
        yield (
            "deny_others",
            "has no effect on buckets of another account: their owner's policy decides; remove it",
        )


def _locations(values: _Values) -> Iterator[tuple[str, str]]:
    """Keys and topics are where the environment is."""
    if not values.known("region", "account"):
        return
    for key in ("data_key", "operations_key", "topic"):
        if not values[key]:
            continue
        _, _, _, region, account, _ = values[key].split(":", 5)
        if region != values["region"]:
            yield key, f"is in {region}: use one in {values['region']}, as everything else"
        accounts = {values["account"], values["data_account"] if key == "data_key" else ""} - {""}
        if accounts and account not in accounts:
            yield key, f"is of the account {account}: use one of {' or '.join(sorted(accounts))}"
