"""The shapes of resources are AWS's own."""

from bedrock_tuning.review.assembly import schema as shape
from tests.review.assembly import make_schemas


def test_the_committed_schemas_are_those_of_the_installed_cfn_lint() -> None:
    assert make_schemas.TARGET.read_text("utf-8") == make_schemas.text(), (
        "write them anew with: python -m tests.review.assembly.make_schemas"
    )


def test_every_schema_knows_names_and_refuses_others() -> None:
    for kind, schema in shape.schemas().items():
        assert schema["properties"], kind
        assert schema["additionalProperties"] is False, kind
