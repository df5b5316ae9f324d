"""The SSM parameters of a customization: which model and endpoint applications use, and for us the
run that made the model, and whether its serving stack is deployed.

A module of its own: six others read or write pointers.
"""

from collections.abc import Iterator

from bedrock_tuning.sources.listing import listed
from lambdas import _aws


def read(prefix: str, customization: str, name: str) -> str | None:
    """The value of <prefix>/<customization>/<name>; None if nothing was published yet."""
    return _aws.parameter(f"{prefix}/{customization}/{name}")


def every(prefix: str) -> Iterator[tuple[str, str, str]]:
    """All pointers: customization, name, value."""
    request = {"Path": prefix, "Recursive": True}
    for parameter in listed(_aws.ssm(), "get_parameters_by_path", "Parameters", **request):
        customization, _, name = parameter["Name"].removeprefix(f"{prefix}/").partition("/")
        yield customization, name, parameter["Value"]


def publish(prefix: str, customization: str, name: str, value: str) -> None:
    """Points to a new value."""
    _aws.ssm().put_parameter(
        Name=f"{prefix}/{customization}/{name}", Value=value, Type="String", Overwrite=True
    )


def withdraw(prefix: str, customization: str, name: str) -> None:
    """Points to nothing; nothing happens if it already did."""
    path = f"{prefix}/{customization}/{name}"
    _aws.none_if("ParameterNotFound", lambda: _aws.ssm().delete_parameter(Name=path))


def withdraw_from(prefix: str, customization: str, name: str, value: str) -> None:
    """Points to nothing, if it pointed to this value."""
    if read(prefix, customization, name) == value:
        withdraw(prefix, customization, name)
