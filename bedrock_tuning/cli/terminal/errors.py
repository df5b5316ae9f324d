"""How errors are shown: what went wrong, where, and what to do about it."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any, Final

import click

from bedrock_tuning.errors import DeniedError, ProblemsError, SourceError, TuningError, UserError
from bedrock_tuning.wording import for_terminal

EXIT_NO: Final = 1
EXIT_CANNOT: Final = 2
EXIT_WAITS: Final = 3
EXIT_INTERRUPTED: Final = 130
EXIT_UNREAD: Final = 141
_TRACEBACK: Final = "TUNING_TRACEBACK"

_DENIED: Final = "your AWS identity lacks this permission: request it, or use another profile"
_EXPIRED: Final = "your AWS credentials have expired: log in again"
_INVALID: Final = "your AWS credentials are not valid: log in again"
# What to do, by the error code of an AWS service.
_AWS_FIXES: Final = {
    "403": _DENIED,
    "AccessDenied": _DENIED,
    "AccessDeniedException": _DENIED,
    "UnauthorizedOperation": _DENIED,
    "ExpiredToken": _EXPIRED,
    "ExpiredTokenException": _EXPIRED,
    "AuthorizationError": _DENIED,
    "RequestExpired": _EXPIRED,
    "InvalidClientTokenId": _INVALID,
    "UnrecognizedClientException": _INVALID,
    "InvalidAccessKeyId": _INVALID,
    "AuthFailure": _INVALID,
    "SignatureDoesNotMatch": f"{_INVALID}; is the clock of this machine right?",
    "InvalidSignatureException": f"{_INVALID}; is the clock of this machine right?",
    "NoSuchBucket": "check the bucket's name and the Region",
    "ThrottlingException": "wait a minute, then try again",
}

_CREDENTIALS: Final = "no-credentials"
_LOG_IN: Final = f"{_EXPIRED}: aws sso login"
_CORRECT: Final = "log in again, or correct the profile in ~/.aws/config"
_NETWORK: Final = "check the network, the Region and AWS_ENDPOINT_URL"
# What botocore raises, by name, with the code of the error and what to do; the first that fits.
_BOTO_ERRORS: Final = (
    (
        "NoCredentialsError",
        _CREDENTIALS,
        "log in (aws sso login, aws configure) or set AWS_PROFILE; for the local AWS: "
        'eval "$(python -m local env)"',
    ),
    ("SSOError", _CREDENTIALS, _LOG_IN),
    ("LoginError", _CREDENTIALS, _LOG_IN),
    ("TokenRetrievalError", _CREDENTIALS, _LOG_IN),
    ("CredentialRetrievalError", _CREDENTIALS, _CORRECT),
    ("PartialCredentialsError", _CREDENTIALS, _CORRECT),
    ("NoRegionError", "no-region", "pass --region, or set AWS_REGION"),
    ("InvalidRegionError", "no-region", "write a Region, for example us-east-1"),
    (
        "ProfileNotFound",
        _CREDENTIALS,
        "correct --profile, TUNING_PROFILE, AWS_PROFILE or config.toml; "
        "`aws configure list-profiles` lists them",
    ),
    ("ConfigParseError", "wrong-input", "correct that file"),
    ("SSLError", "network", "behind a proxy of your own, set AWS_CA_BUNDLE to its certificate"),
    # Of all that has no answer from AWS: no network, no such host, a timeout, a closed connection.
    ("HTTPClientError", "network", _NETWORK),
    ("ConnectionError", "network", _NETWORK),
    ("BotoCoreError", "aws.unknown", ""),
)
# Where botocore's own words are for programmers.
_BOTO_WORDS: Final = {
    "NoCredentialsError": "no AWS credentials found",
    "NoRegionError": "no AWS Region is set",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorDetails:
    """Why a command did not do what it was called for.

    code: stable, for programs: usage, declined, interrupted, aws.CODE, no-credentials, no-region,
    network, denied, unreadable, wrong-input, refused or bug. where: file, option or resource.
    """

    code: str
    message: str
    where: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorDocument:
    """What is on standard output instead of a result, with --json."""

    error: ErrorDetails


def error_document(error: click.ClickException) -> ErrorDocument:
    """An error that was shown, for programs."""
    if isinstance(error, Failure):
        details = error.error
        return ErrorDocument(
            error=ErrorDetails(
                code=error.code, message=details.what, where=details.where, fix=details.fix
            )
        )
    if isinstance(error, Interrupted):
        return ErrorDocument(
            error=ErrorDetails(code="interrupted", message=error.message, fix=error.fix)
        )
    code = "declined" if isinstance(error, Declined) else "usage"
    return ErrorDocument(error=ErrorDetails(code=code, message=error.format_message()))


class Failure(click.ClickException):
    """An error as a person reads it on standard error. code: as in ErrorDetails."""

    exit_code = EXIT_CANNOT

    def __init__(self, error: UserError, *, code: str) -> None:
        super().__init__(error.what)
        self.error = error
        self.code = code

    def show(self, file: IO[Any] | None = None) -> None:
        """Writes it to standard error."""
        click.echo(for_terminal(f"error: {self.error.what}"), file=file, err=True)
        if self.error.where:
            click.echo(for_terminal(f"  where: {self.error.where}"), file=file, err=True)
        if self.error.fix:
            click.echo(for_terminal(f"  fix:   {self.error.fix}"), file=file, err=True)


class Declined(click.ClickException):
    """A person was asked and answered no: not an error, but not what the command was called for."""

    exit_code = EXIT_NO

    def show(self, file: IO[Any] | None = None) -> None:
        """Writes it to standard error."""
        click.echo(for_terminal(self.message), file=file, err=True)


class Interrupted(click.ClickException):
    """A person pressed Ctrl-C; the exit code is the shell's for that.

    what: what continues regardless, or that nothing does. fix: how to resume.
    """

    exit_code = EXIT_INTERRUPTED

    def __init__(self, what: str, *, fix: str = "") -> None:
        super().__init__(what)
        self.fix = fix

    def show(self, file: IO[Any] | None = None) -> None:
        """Writes it to standard error, on a line of its own: the terminal has echoed ^C."""
        click.echo(for_terminal(f"\nstopped by Ctrl-C: {self.message}"), file=file, err=True)
        if self.fix:
            click.echo(for_terminal(f"  {self.fix}"), file=file, err=True)


def as_failure(error: Exception, *, needs: Sequence[str] = ()) -> Failure:
    """Any exception as a message for a person. needs: of the command; who has it is told.

    With TUNING_TRACEBACK=1 the exception itself is raised instead, to debug this tool.
    """
    if os.environ.get(_TRACEBACK):
        raise error
    code, wording = _describe(error)
    if needs and (code == "denied" or wording.fix == _DENIED):
        wording = UserError(wording.what, where=wording.where, fix=_who_may(needs))
    return Failure(wording, code=code)


def _who_may(needs: Sequence[str]) -> str:
    from bedrock_tuning.contracts.people import able

    people = " or ".join(profile.title for profile in able(needs))
    if not people:
        return (
            "your AWS identity lacks this permission; only an administrator of the account may do "
            "this, since no policy for people allows it (docs/permissions.md, People)"
        )
    return (
        f"your AWS identity lacks this permission; {people} may do this: ask for that policy "
        "(docs/permissions.md, People), or use another profile"
    )


def _describe(error: Exception) -> tuple[str, UserError]:
    """The code of an error, and the error in words."""
    if isinstance(error, UserError):
        return "refused", error
    if isinstance(error, ProblemsError):
        return "wrong-input", UserError("; also:\n  ".join(error.problems))
    if isinstance(error, SourceError):
        code = "denied" if isinstance(error, DeniedError) else "unreadable"
        return code, UserError(str(error), fix="check the path and your permission to read it")
    if isinstance(error, TuningError):
        return "refused", UserError(str(error))
    if "botocore" in sys.modules and (description := _aws(error)) is not None:
        return description
    if isinstance(error, OSError):
        file = str(error.filename or "")
        return "unreadable", UserError(error.strerror or str(error), where=file)
    return "bug", UserError(
        f"a bug in this tool: {type(error).__name__}: {error}",
        fix=f"please report it with the output of the same command under {_TRACEBACK}=1",
    )


def _aws(error: Exception) -> tuple[str, UserError] | None:
    """What boto3 raised; None for anything else."""
    from boto3.exceptions import Boto3Error
    from botocore import exceptions
    from botocore.parsers import ResponseParserError

    if isinstance(error, Boto3Error) and isinstance(error.__context__, Exception):
        # A transfer words the refusal of AWS that it met.
        error = error.__context__
    if isinstance(error, exceptions.ClientError):
        answer = error.response.get("Error", {})
        code = answer.get("Code", "")
        return f"aws.{code or 'unknown'}", UserError(
            f"AWS answered {code or 'with an error'}: {answer.get('Message', '')}",
            where=error.operation_name,
            fix=_AWS_FIXES.get(code, ""),
        )
    if isinstance(error, ResponseParserError):
        return "network", UserError(
            "what answered is not AWS, but for example a proxy or a login page", fix=_NETWORK
        )
    for name, code, fix in _BOTO_ERRORS:
        if isinstance(error, getattr(exceptions, name)):
            return code, UserError(_BOTO_WORDS.get(name, str(error)), fix=fix)
    return None
