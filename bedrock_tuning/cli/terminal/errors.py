"""The one place where errors become words: what went wrong, where, and what to do about it."""

import os
import sys
from typing import IO, Any, Final

import click

from bedrock_tuning.errors import ProblemsError, SourceError, TuningError

EXIT_NO: Final = 1
EXIT_CANNOT: Final = 2
EXIT_INTERRUPTED: Final = 130
_TRACEBACK: Final = "TUNING_TRACEBACK"

# What to do, by the error class that an AWS service answers.
_AWS_FIXES: Final = {
    "AccessDenied": "your AWS identity may not do this: ask for the right, or use another profile",
    "AccessDeniedException": "your AWS identity may not do this: ask for the right, or use another "
    "profile",
    "ExpiredToken": "your AWS credentials have expired: log in again",
    "ExpiredTokenException": "your AWS credentials have expired: log in again",
    "InvalidClientTokenId": "your AWS credentials are not valid: log in again",
    "UnrecognizedClientException": "your AWS credentials are not valid: log in again",
    "NoSuchBucket": "check the bucket's name and the Region",
    "ThrottlingException": "wait a minute, then try again",
}


class CannotRun(click.ClickException):
    """A command could not do what it was asked for.

    what: the fault, in words. where: file, option or resource. fix: what to do.
    """

    exit_code = EXIT_CANNOT

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.where = where
        self.fix = fix

    def show(self, file: IO[Any] | None = None) -> None:
        """Writes the message to standard error."""
        click.echo(f"error: {self.message}", file=file, err=True)
        if self.where:
            click.echo(f"  where: {self.where}", file=file, err=True)
        if self.fix:
            click.echo(f"  fix:   {self.fix}", file=file, err=True)


class Refused(CannotRun):
    """A person was asked and answered no: no error, but not what the command was called for."""

    exit_code = EXIT_NO

    def show(self, file: IO[Any] | None = None) -> None:
        """Writes it to standard error."""
        click.echo(self.message, file=file, err=True)


class Interrupted(CannotRun):
    """A person pressed Ctrl-C; the exit code is the shell's for that.

    what: what goes on regardless, or that nothing does. fix: how to take it up again.
    """

    exit_code = EXIT_INTERRUPTED

    def show(self, file: IO[Any] | None = None) -> None:
        """Writes it to standard error, on a line of its own: the terminal has echoed ^C."""
        click.echo(f"\nstopped by Ctrl-C: {self.message}", file=file, err=True)
        if self.fix:
            click.echo(f"  {self.fix}", file=file, err=True)


def as_cannot_run(error: Exception) -> CannotRun:
    """Any exception as a message for a person.

    With TUNING_TRACEBACK=1 the exception itself is raised instead, for whoever works on this tool.
    """
    if os.environ.get(_TRACEBACK):
        raise error
    if isinstance(error, ProblemsError):
        return CannotRun("; also:\n  ".join(error.problems))
    if isinstance(error, SourceError):
        return CannotRun(str(error), fix="check the path, and that you may read it")
    if isinstance(error, TuningError):
        return CannotRun(str(error))
    if "botocore" in sys.modules:
        found = _aws(error)
        if found is not None:
            return found
    if isinstance(error, OSError):
        return CannotRun(error.strerror or str(error), where=str(error.filename or ""))
    return CannotRun(
        f"a defect of this tool: {type(error).__name__}: {error}",
        fix=f"please report it with the output of the same command under {_TRACEBACK}=1",
    )


def _aws(error: Exception) -> CannotRun | None:
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
        return CannotRun(
            f"AWS answers {code or 'an error'}: {answer.get('Message', '')}",
            where=error.operation_name,
            fix=_AWS_FIXES.get(code, ""),
        )
    if isinstance(error, NoCredentialsError):
        return CannotRun(
            "there are no AWS credentials",
            fix="log in (aws sso login, aws configure) or set AWS_PROFILE; for the local AWS: "
            'eval "$(python -m local env)"',
        )
    if isinstance(error, NoRegionError):
        return CannotRun("no AWS Region is known", fix="give --region, or set AWS_REGION")
    if isinstance(error, ProfileNotFound):
        return CannotRun(str(error), fix="correct AWS_PROFILE; `aws configure list-profiles`")
    if isinstance(error, EndpointConnectionError):
        return CannotRun(str(error), fix="check the network, the Region and AWS_ENDPOINT_URL")
    return CannotRun(str(error)) if isinstance(error, BotoCoreError) else None
