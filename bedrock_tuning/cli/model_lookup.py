"""Finding a base model by the key that a user wrote."""

from bedrock_tuning.catalogue import BaseModel, catalogue
from bedrock_tuning.cli.terminal.errors import CannotRun


def find_model(key: str) -> BaseModel:
    """The catalogue's model of a key; raises CannotRun with the closest key."""
    models = catalogue()
    if key in models:
        return models[key]
    close = models.closest(key)
    hint = f"; did you mean {close}?" if close else ""
    raise CannotRun(
        f'there is no model "{key}" in the catalogue{hint}', fix="`tuning models` lists them"
    )
