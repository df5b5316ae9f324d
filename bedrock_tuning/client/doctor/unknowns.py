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
    who = account_hash(account)
    kept = [
        each
        for each in read_verified(file)
        if not (each.unknown in new and (each.account, each.region) == (who, region))
    ]
    today = datetime.datetime.now(datetime.UTC).date()
    for unknown, answer in sorted(new.items()):
        kept.append(
            VerifiedFact(unknown=unknown, answer=answer, date=today, region=region, account=who)
        )
    file.write_text(_HEAD + "".join(map(_entry, kept)), "utf-8")


def _entry(each: VerifiedFact) -> str:
    texts = {"unknown": each.unknown, "answer": each.answer}
    places = {"region": each.region, "account": each.account}
    # Strings of JSON are strings of TOML.
    lines = [f"{name} = {json.dumps(text)}" for name, text in {**texts, **places}.items()]
    return "\n".join(["", "[[answers]]", *lines, f"date = {each.date}", ""])


def latest(answers: list[VerifiedFact], unknown: str) -> str | None:
    """The last answer to an unknown; None if nobody has one."""
    found = [each.answer for each in answers if each.unknown == unknown]
    return found[-1] if found else None
