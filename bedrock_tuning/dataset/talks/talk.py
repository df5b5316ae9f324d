"""One record of text, whatever it was written as: turns of a conversation, or a document."""

from dataclasses import dataclass
from typing import Final, Literal

Speaker = Literal["user", "assistant"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one side says. images: as they are written: paths, addresses, data URLs."""

    role: Speaker
    text: str
    images: tuple[str, ...] = ()
    reasoning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """Turns that begin with the user's and alternate, or a document without turns.

    lost: what the record has beside that, in words; it is told and not carried over.
    """

    turns: tuple[Turn, ...] = ()
    system: str = ""
    document: str = ""
    lost: tuple[str, ...] = ()


# What a record needs that has a question only.
ANSWER: Final = "give each record an answer; in a chat, as the assistant's last turn"


class UnfitError(Exception):
    """A record has no place in a format; the text says why. fix: what gives it one.

    of_all: no record of its kind has one.
    """

    def __init__(self, why: str, *, fix: str = "correct the record", of_all: bool = False) -> None:
        super().__init__(why)
        self.fix = fix
        self.of_all = of_all
