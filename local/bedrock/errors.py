"""The service's errors: one exception, with the classes and statuses of the real API."""

from typing import Final

STATUS: Final = {
    "AccessDeniedException": 403,
    "ConflictException": 400,
    "InternalServerException": 500,
    "ModelErrorException": 424,
    "ModelNotReadyException": 429,
    "ModelTimeoutException": 408,
    "ResourceNotFoundException": 404,
    "ServiceQuotaExceededException": 400,
    "ServiceUnavailableException": 503,
    "ThrottlingException": 429,
    "TooManyTagsException": 400,
    "ValidationException": 400,
}


class BedrockError(Exception):
    """An answer that is an error: `code` is its class, one of STATUS."""

    def __init__(self, code: str, message: str, **members: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.members = members

    @property
    def status(self) -> int:
        return STATUS[self.code]

    @property
    def body(self) -> dict[str, str]:
        return {"message": self.message, **self.members}


def invalid(message: str) -> BedrockError:
    return BedrockError("ValidationException", message)


def conflict(message: str) -> BedrockError:
    return BedrockError("ConflictException", message)


def not_found(what: str, identifier: str) -> BedrockError:
    return BedrockError(
        "ResourceNotFoundException", f"The provided {what} identifier was not found: {identifier}"
    )


def quota(message: str) -> BedrockError:
    return BedrockError("ServiceQuotaExceededException", message)
