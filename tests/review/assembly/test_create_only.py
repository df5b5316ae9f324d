"""What makes CloudFormation replace a resource is said by AWS's own schemas."""

from tests.review.assembly import make_create_only


def test_the_committed_list_is_that_of_the_installed_cfn_lint() -> None:
    assert make_create_only.TARGET.read_text("utf-8") == make_create_only.text(), (
        "write it anew with: python -m tests.review.assembly.make_create_only"
    )
