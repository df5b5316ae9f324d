"""What the error classes of AWS (botocore) mean, for a message that says no more."""

from collections.abc import Mapping
from typing import Final

_AGAIN: Final = "try again in a few minutes"
_REFUSED: Final = (
    "the caller may not do this, or may not pass the service role",
    "`tuning review` proves what each role can do, `cdk drift` shows what was changed by hand; "
    "check your service control policies as well",
)
_BROKEN: Final = (
    "Bedrock itself failed",
    "start the run again; if it fails again, contact AWS Support with the request id",
)
_FAULTS: Final = ["InternalServerException", "InternalFailure", "ServiceUnavailableException"]
CLASSES: Final[Mapping[str, tuple[str, str]]] = {
    **dict.fromkeys(("AccessDenied", "AccessDeniedException", "UnauthorizedOperation"), _REFUSED),
    "ConflictException": (
        "a resource with this name already exists, or its state does not allow the change",
        "wait until its change has ended; an endpoint with a commitment cannot be deleted",
    ),
    **dict.fromkeys(_FAULTS, _BROKEN),
    "ResourceNotFoundException": (
        "what the call names, as a model or a job, does not exist in this Region",
        "check the id and the Region; docs/models.md lists where each model can be customized",
    ),
    "ServiceQuotaExceededException": (
        "a quota of the account is used up; model units have a default quota of 0",
        "request an increase in Service Quotas, or delete what is not needed",
    ),
    **dict.fromkeys(
        ("ThrottlingException", "TooManyRequestsException"), ("too many requests at once", _AGAIN)
    ),
    "TooManyTagsException": (
        "more tags than a resource may have",
        "remove tags from the customization",
    ),
}
# A class that says who refuses, but not why: the message itself has to be read.
VAGUE: Final = frozenset({"ValidationException", "ValidationError"})
