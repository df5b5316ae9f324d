"""How errors are shown: what went wrong, where, and what to do about it."""

import os
import sys
from typing import IO, Any, Final

import click

from bedrock_tuning.errors import ProblemsError, SourceError, TuningError, UserError

EXIT_NO: Final = 1
EXIT_CANNOT: Final = 2
EXIT_INTERRUPTED: Final = 130
_TRACEBACK: Final = "TUNING_TRACEBACK"

_DENIED: Final = "your AWS identity lacks this permission: request it, or use another profile"
_EXPIRED: Final = "your AWS credentials have expired: log in again"
_INVALID: Final = "your AWS credentials are not valid: log in again"
# What to do, by the error code of an AWS service.
_AWS_FIXES: Final = {
    "AccessDenied": _DENIED,
    "AccessDeniedException": _DENIED,
    "ExpiredToken": _EXPIRED,
    "ExpiredTokenException": _EXPIRED,
    "InvalidClientTokenId": _INVALID,
    "UnrecognizedClientException": _INVALID,
    "NoSuchBucket": "check the bucket's name and the Region",
    "ThrottlingException": "wait a minute, then try again",
}


class Failure(click.ClickException):
    """An error as a person reads it on standard error."""

    exit_code = EXIT_CANNOT

    def __init__(self, error: UserError) -> None:
        super().__init__(error.what)
        self.error = error

    def show(self, file: IO[Any] | None = None) -> None:
        """Writes it to standard error."""
        click.echo(f"error: {self.error.what}", file=file, err=True)
        if self.error.where:
            click.echo(f"  where: {self.error.where}", file=file, err=True)
        if self.error.fix:
            click.echo(f"  fix:   {self.error.fix}", file=file, err=True)


class Declined(click.ClickException):
    """A person was asked and answered no: not an error, but not what the command was called for."""

    exit_code = EXIT_NO

    def show(self, file: IO[Any] | None = None) -> None:
        """Writes it to standard error."""
        click.echo(self.message, file=file, err=True)


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
        click.echo(f"\nstopped by Ctrl-C: {self.message}", file=file, err=True)
        if self.fix:
            click.echo(f"  {self.fix}", file=file, err=True)


def as_failure(error: Exception) -> Failure:
    """Any exception as a message for a person.

    With TUNING_TRACEBACK=1 the exception itself is raised instead, to debug this tool.
    """
    if os.environ.get(_TRACEBACK):
        raise error
    return Failure(_as_user_error(error))


def _as_user_error(error: Exception) -> UserError:
    if isinstance(error, UserError):
        return error
    if isinstance(error, ProblemsError):
        return UserError("; also:\n  ".join(error.problems))
    if isinstance(error, SourceError):
        return UserError(str(error), fix="check the path and your permission to read it")
    if isinstance(error, TuningError):
        return UserError(str(error))
    if "botocore" in sys.modules and (shown := _aws(error)) is not None:
        return shown
    if isinstance(error, OSError):
        return UserError(error.strerror or str(error), where=str(error.filename or ""))
    return UserError(
        f"a bug in this tool: {type(error).__name__}: {error}",
        fix=f"please report it with the output of the same command under {_TRACEBACK}=1",
    )


def _aws(error: Exception) -> UserError | None:
    """What boto3 raised; None for anything else."""
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        EndpointConnectionError,
        NoCredentialsError,
        NoRegionError,
        ProfileNotFound,
    )

    if isinstance(error, ClientError):
        answer = error.response.get("Error", {})
        code = answer.get("Code", "")
        return UserError(
            f"AWS answered {code or 'with an error'}: {answer.get('Message', '')}",
            where=error.operation_name,
            fix=_AWS_FIXES.get(code, ""),
        )
    if isinstance(error, NoCredentialsError):
        return UserError(
            "no AWS credentials found",
            fix="log in (aws sso login, aws configure) or set AWS_PROFILE; for the local AWS: "
            'eval "$(python -m local env)"',
        )
    if isinstance(error, NoRegionError):
        return UserError("no AWS Region is set", fix="pass --region, or set AWS_REGION")
    if isinstance(error, ProfileNotFound):
        return UserError(str(error), fix="correct AWS_PROFILE; `aws configure list-profiles`")
    if isinstance(error, EndpointConnectionError):
        return UserError(str(error), fix="check the network, the Region and AWS_ENDPOINT_URL")
    return UserError(str(error)) if isinstance(error, BotoCoreError) else None
