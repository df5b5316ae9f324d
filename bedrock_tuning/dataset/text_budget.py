"""How many characters a record may have: limits in tokens, estimated by a published ratio."""

from dataclasses import dataclass

from bedrock_tuning.catalogue import DatasetContract


def characters_in(tokens: int, chars_per_token: float) -> int:
    """How many characters surely fit into so many tokens, by a published average ratio."""
    return int(tokens * chars_per_token)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextBudget:
    """Characters that texts of one record may have, estimated from limits in tokens.

    None where nothing is published. record: all texts together. line_bytes: of the manifest's line.
    """

    prompt: int | None = None
    completion: int | None = None
    record: int | None = None
    line_bytes: int | None = None
    chars_per_token: float | None = None
    reserved_words: tuple[str, ...] = ()

    @classmethod
    def of(cls, contract: DatasetContract) -> "TextBudget":
        """The budget that a contract grants, with the smallest batch size where that matters."""
        limits = contract.text
        if limits is None:
            return cls()
        ratio = limits.chars_per_token

        def characters(tokens: int | None) -> int | None:
            return characters_in(tokens, ratio) if tokens and ratio else None

        return cls(
            prompt=characters(limits.prompt_tokens_max),
            completion=characters(limits.completion_tokens_max),
            record=characters(limits.record_tokens_max_for(batch_size=None)),
            line_bytes=limits.line_bytes_max,
            chars_per_token=ratio,
            reserved_words=limits.reserved_words,
        )

    def characters(self, field: str) -> int | None:
        """The budget of one field."""
        return {"prompt": self.prompt, "completion": self.completion}.get(field)
