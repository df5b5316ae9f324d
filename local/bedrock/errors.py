"""The service's errors: one exception with the classes of the real API.

A module of its own: every operation of the simulator raises them.
"""


class BedrockError(Exception):
    """An answer that is an error; the API model has the HTTP status of its class, `code`.

    members: what the class has beside a message.
    """

    def __init__(self, code: str, message: str, **members: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.members = members


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
