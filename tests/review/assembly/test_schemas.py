"""What takes tags, and what makes CloudFormation replace a resource, is as in AWS's schemas."""

from tests.review.assembly import make_schemas


def test_the_committed_file_is_that_of_the_installed_cfn_lint() -> None:
    assert make_schemas.TARGET.read_text("utf-8") == make_schemas.text(), (
        "write it anew with: python -m tests.review.assembly.make_schemas"
    )
