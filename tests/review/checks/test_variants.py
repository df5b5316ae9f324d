"""What other settings promise, besides the flaws of tests/review/mutants."""

from collections.abc import Callable

from bedrock_tuning import review
from tests.review.broken import Synthesized

Build = Callable[[str], Synthesized]


def test_the_local_aws_keeps_its_contracts(synthesized: Build) -> None:
    assert [str(violation) for violation in synthesized("local").copy().violations()] == []


def test_the_strict_service_role_has_five_actions_and_never_reads_its_output(
    synthesized: Build,
) -> None:
    strict, documented = (
        synthesized(name).copy().policy("pets-search/BedrockRole") for name in ("strict", "dev")
    )

    def actions(statements: list[dict[str, object]]) -> set[str]:
        listed = [s["Action"] for s in statements]
        return {
            str(action)
            for each in listed
            for action in (each if isinstance(each, list) else [each])
        }

    five = {"s3:GetObject", "s3:ListBucket", "s3:PutObject", "kms:Decrypt", "kms:GenerateDataKey"}
    assert actions(strict) == actions(documented) == five
    assert len(documented) - len(strict) == 2


def test_a_value_of_another_type_is_told_apart_from_what_it_should_be(dev: Synthesized) -> None:
    copy = dev.copy()
    copy.properties("pets-search/Throughput")["ServiceTimeout"] = 900
    copy.properties("data/DataKey")["EnableKeyRotation"] = "true"
    timeout, rotation = sorted(copy.violations(), key=lambda violation: violation.check)
    assert (timeout.what, timeout.limit) == ("ServiceTimeout is 900", "it is '900'")
    assert "customizations/" in timeout.fix
    assert (rotation.what, rotation.limit) == ("EnableKeyRotation is 'true'", "it is True")


def test_traces_of_a_function_are_a_setting_as_its_violation_says(dev: Synthesized) -> None:
    copy = dev.copy()
    copy.properties("pipeline/Functions/Admit/Function")["TracingConfig"] = {"Mode": "Active"}
    (violation,) = copy.violations()
    assert (violation.check, "tracing or vpc in cdk.json" in violation.fix) == ("W505", True)


def test_everything_is_proved_in_less_than_two_seconds(dev: Synthesized) -> None:
    import time

    started = time.process_time()
    review.violations(dev.evidence())
    assert time.process_time() - started < 2


def test_every_check_has_an_id_of_its_own_and_a_sentence() -> None:
    ids = [check.id for check in review.CHECKS]
    assert len(set(ids)) == len(ids)
    assert all(check.sentence.endswith(".") for check in review.CHECKS)
