"""What is assumed about AWS and only AWS can show, and what it answered somebody."""

import datetime
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

VERIFIED: Final = Path("verified.toml")
_FILE: Final = Path(__file__).with_name("unknowns.toml")
_HEAD: Final = """\
# What AWS really answered, written by `tuning doctor`: docs/unknowns.md shows it, and the local AWS
# behaves so. `account` is a part of a hash that many accounts share; send us yours.
"""


class Unknown(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One assumption. breaks: what happens if it is wrong.

    check: of `tuning doctor`, which answers it; test: what a person can do instead, with its price.
    """

    assumption: str
    why: str
    breaks: str
    check: str = ""
    test: str = ""


class VerifiedFact(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What AWS answered once. unknown: its id. account: a part of a hash of the account's id."""

    unknown: str
    answer: str
    date: datetime.date
    region: str
    account: str


class _Verified(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    answers: list[VerifiedFact] = []


@cache
def unknowns() -> Mapping[str, Unknown]:
    """Every assumption by its id."""
    return msgspec.toml.decode(_FILE.read_bytes(), type=dict[str, Unknown])


def account_hash(account: str) -> str:
    """Eight digits that some two hundred accounts share: enough to tell two reports apart."""
    return hashlib.sha256(account.encode()).hexdigest()[:8]


def read_verified(file: Path) -> list[VerifiedFact]:
    """The answers in a file, oldest first; none where there is no file.

    Raises msgspec.ValidationError or msgspec.DecodeError for a file that is none of ours.
    """
    if not file.is_file():
        return []
    return msgspec.toml.decode(file.read_bytes(), type=_Verified).answers


def write_verified(file: Path, new: Mapping[str, str], *, account: str, region: str) -> None:
    """Adds answers of today; an older one of the same account and Region is replaced."""
    account_digest = account_hash(account)
    facts = [
        fact
        for fact in read_verified(file)
        if not (fact.unknown in new and (fact.account, fact.region) == (account_digest, region))
    ]
    today = datetime.datetime.now(datetime.UTC).date()
    for unknown, answer in sorted(new.items()):
        facts.append(
            VerifiedFact(
                unknown=unknown, answer=answer, date=today, region=region, account=account_digest
            )
        )
    file.write_text(_HEAD + "".join(map(_entry, facts)), "utf-8")


def _entry(fact: VerifiedFact) -> str:
    texts = {"unknown": fact.unknown, "answer": fact.answer}
    places = {"region": fact.region, "account": fact.account}
    # Strings of JSON are strings of TOML.
    lines = [f"{name} = {json.dumps(text)}" for name, text in {**texts, **places}.items()]
    return "\n".join(["", "[[answers]]", *lines, f"date = {fact.date}", ""])


def latest(answers: list[VerifiedFact], unknown: str) -> str | None:
    """The last answer to an unknown; None if nobody has one."""
    texts = [fact.answer for fact in answers if fact.unknown == unknown]
    return texts[-1] if texts else None
