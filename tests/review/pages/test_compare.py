"""What changed between two assemblies: permissions first, loosened on top, lost data marked."""

import json
from collections.abc import Callable

import pytest

from bedrock_tuning import review
from bedrock_tuning.review.assembly import template
from bedrock_tuning.review.iam import access
from bedrock_tuning.review.pages.change import Change
from bedrock_tuning.review.pages.compare import changes_between
from tests.review.broken import Copy, Synthesized
from tests.review.mutants import (
    added,
    answers,
    data,
    delivery,
    flow,
    network,
    people,
    promises,
    resources,
    roles,
    settings,
    tags,
    trust,
)
from tests.review.mutants._mutant import Mutant

BEDROCK = "pets-search/BedrockRole"


def _changes(source: Synthesized, copy: Copy) -> list[Change]:
    return changes_between(source.permissions, copy.permissions())


def test_nothing_changed_where_nothing_was_changed(dev: Synthesized) -> None:
    assert _changes(dev, dev.copy()) == []


LOOSER: tuple[Mutant, ...] = (
    roles.look_alike_prefix,
    roles.deletes_output,
    roles.lists_everything,
    roles.other_accounts,
    roles.key_directly,
    roles.administrator,
    roles.managed_policy,
    roles.passes_to_any,
    roles.buys_untagged,
    roles.not_action,
    trust.no_source_account,
    trust.everybody,
    trust.second_service,
    resources.public_bucket,
    resources.plain_http,
    resources.old_tls,
    resources.any_rule,
    resources.key_for_everybody,
    data.bucket_deleted,
    data.no_versions,
    data.no_rotation,
    data.logs_one_day,
    data.no_access_block,
    data.topic_plain,
    data.old_versions_go,
    data.datasets_expire,
    data.dead_letters_go,
    data.key_off,
    data.short_window,
    data.object_writers,
    data.other_key,
    delivery.alarm_tells_nobody,
    delivery.late_alarm,
    delivery.no_dead_letters,
    flow.logs_data,
    people.unsigned,
    delivery.rule_off,
    delivery.schedule_off,
    delivery.alarm_off,
)


@pytest.mark.parametrize("mutant", LOOSER, ids=str)
def test_what_was_loosened_is_on_top(mutant: Mutant, dev: Synthesized) -> None:
    copy = dev.copy()
    mutant.change(copy)
    found = _changes(dev, copy)
    assert found[0].kind == "loosened"
    assert found[0].grave


@pytest.mark.parametrize(
    ("mutant", "kind", "what"),
    [
        (tags.admin, "changed", "Tags.admin: nothing → true"),
        (tags.of_the_manifest, "changed", "Tags.admin: nothing → true"),
        (added.another_region, "changed", "Region: us-east-1 → eu-west-1"),
        (
            added.output_missing,
            "changed",
            'Outputs.RunsTable.Value: {"Ref": "RunsE45A2291"} → nothing',
        ),
        (
            added.include_in_template,
            "changed",
            "Metadata.Fn::Transform.Name: nothing → AWS::Include",
        ),
        (
            delivery.foreign_dashboard,
            "replaced",
            "a change of DashboardName: tuning-dev → tuning-prod makes a new one",
        ),
        (delivery.before_its_settings, "changed", "DependsOn: pets-style/Settings → nothing"),
        (settings.data_unprotected, "loosened", "termination protection: True → False"),
        (settings.another_name, "replaced", "a change of RoleName: org-"),
        (
            promises.foreign_service_role,
            "changed",
            "Value.service_role: pets-search/BedrockRole → pets-style/BedrockRole",
        ),
        (
            next(m for m in added.MUTANTS if "Policies: they are" in m.name),
            "changed",
            "Policies: nothing → ",
        ),
    ],
    ids=str,
)
def test_no_change_is_left_out(
    mutant: Mutant, kind: str, what: str, synthesized: Callable[[str], Synthesized]
) -> None:
    source = synthesized(mutant.environment)
    copy = source.copy()
    mutant.change(copy)
    found = _changes(source, copy)
    assert any(each.kind == kind and each.what.startswith(what) for each in found), found


def test_another_account_is_told(dev: Synthesized) -> None:
    after = dev.copy().permissions()
    after.assembly.accounts = frozenset({"444455556666"})
    (change,) = changes_between(dev.permissions, after)
    assert (change.kind, change.what) == ("changed", "Account: any → 444455556666")


def test_an_endpoint_without_a_policy_lets_everything_through(
    synthesized: Callable[[str], Synthesized],
) -> None:
    source = synthesized("options")
    copy = source.copy()
    network.no_policy.change(copy)
    (first, *_) = _changes(source, copy)
    assert (first.kind, first.where) == ("loosened", "endpoint Endpoint-s3")
    assert first.what == "may now * for * without conditions"
    facts = review.described(copy.evidence().permissions, source.contracts)
    (guard,) = [each for each in facts.guards if each.resource == "endpoint Endpoint-s3"]
    assert (guard.who, guard.warning) == ("everybody", "open to everybody")


def test_a_role_of_the_same_name_in_another_account_is_not_called_ours(
    synthesized: Callable[[str], Synthesized],
) -> None:
    source = synthesized("options")
    copy = source.copy()
    ours = copy.properties("pipeline/Functions/Serve/Role")
    theirs = f"arn:aws:iam::444455556666:role{ours['Path']}{ours['RoleName']}"
    copy.trust("pipeline/Functions/Approve/Role")["Principal"] = {"AWS": theirs}
    who = "role tuning/options/check/Functions/Serve of account 444455556666"
    loosened = [each.what for each in _changes(source, copy) if each.kind == "loosened"]
    assert loosened == [f"may now sts:AssumeRole for {who} if aws:SourceAccount = this account"]
    facts = review.described(copy.evidence().permissions, source.contracts)
    (trust,) = [each for each in facts.trusts if each.role == "Functions/Approve"]
    assert trust.who.endswith(" of account 444455556666")


def test_a_table_that_loses_its_protection_is_loosened(
    synthesized: Callable[[str], Synthesized],
) -> None:
    source = synthesized("bounded")
    copy = source.copy()
    data.table_unprotected.change(copy)
    assert [change.kind for change in _changes(source, copy)] == ["loosened"]


def test_another_way_to_retain_is_not_looser(dev: Synthesized) -> None:
    copy = dev.copy()
    data.left_behind.change(copy)
    assert [change.kind for change in _changes(copy.source, copy)] == ["changed"]


@pytest.mark.parametrize("name", ["InventoryConfigurations", "SourceKMSKeyArn"])
def test_a_new_property_that_no_check_reads_is_loosened(name: str, dev: Synthesized) -> None:
    copy = dev.copy()
    next(m for m in added.MUTANTS if name in m.name).change(copy)
    after = dev.evidence(copy.templates)
    review.violations(after)
    first = changes_between(dev.permissions, after.permissions)[0]
    assert (first.kind, first.grave) == ("loosened", True)
    assert "which no check reads" in first.what


@pytest.mark.parametrize(
    "mutant",
    [roles.cannot_write, roles.cannot_stop, roles.self_denied, resources.alarm_without_topic],
    ids=str,
)
def test_what_was_tightened_is_not_grave(mutant: Mutant, dev: Synthesized) -> None:
    copy = dev.copy()
    mutant.change(copy)
    (change,) = _changes(dev, copy)
    assert change.kind == "tightened"
    assert not change.grave


def test_a_change_says_who_may_now_do_what_to_what_in_words(dev: Synthesized) -> None:
    copy = dev.copy()
    roles.deletes_output.change(copy)
    (change,) = _changes(dev, copy)
    assert change.where == "role pets-search/BedrockRole"
    assert change.what == (
        "may now s3:DeleteObject on Output/jobs/pets-search/* if aws:ResourceAccount = this account"
    )


def test_a_new_logical_id_of_a_bucket_is_a_replacement_in_red(dev: Synthesized) -> None:
    copy = dev.copy()
    found = copy.stack("data")["Resources"]
    old = copy.logical_id("data/AccessLogs")
    found["AccessLogsNew"] = found.pop(old)
    changes = [c for c in _changes(dev, copy) if c.kind == "replaced"]
    # The bucket's policy has a bucket of another name now: a new policy, but no data.
    assert [(c.where, c.grave) for c in changes] == [
        ("data/AccessLogs", True),
        ("data/AccessLogs/Policy", False),
    ]


def test_another_key_of_the_table_makes_a_new_table(dev: Synthesized) -> None:
    copy = dev.copy()
    data.other_table_key.change(copy)
    (change,) = _changes(dev, copy)
    assert change.kind == "replaced"
    assert change.grave
    assert "makes a new one" in change.what


def test_a_bucket_that_is_gone_is_grave_only_if_it_does_not_stay(dev: Synthesized) -> None:
    source = dev.copy()
    for stays, policy in ((True, "Retain"), (False, "Delete")):
        source.resource("data/Validation")["DeletionPolicy"] = policy
        before = access.build(template.resolve(source.templates, regions=dev.regions))
        copy = dev.copy()
        del copy.stack("data")["Resources"][copy.logical_id("data/Validation")]
        after = access.build(template.resolve(copy.templates, regions=dev.regions))
        (gone,) = [c for c in changes_between(before, after) if c.where == "data/Validation"]
        assert gone.kind == "removed"
        assert gone.grave is not stays


def test_a_new_resource_is_added(dev: Synthesized) -> None:
    copy = dev.copy()
    copy.add("data", "Extra", "AWS::S3::Bucket")
    (change,) = _changes(dev, copy)
    assert (change.kind, change.where, change.what) == ("added", "data/Extra", "a new bucket")


def test_the_workflow_is_compared_by_state(dev: Synthesized) -> None:
    copy = dev.copy()
    flow.no_retry.change(copy)
    (change,) = _changes(dev, copy)
    assert change.kind == "workflow"
    assert change.what.startswith("Check manifest: Retry [{'ErrorEquals': ['Lambda.ServiceExc")
    assert change.what.endswith("… → nothing")


def test_what_comes_next_is_compared_in_words(dev: Synthesized) -> None:
    copy = dev.copy()
    answers.forgotten.change(copy)
    found = [change.what for change in _changes(dev, copy)]
    assert found == [
        "after Next step?, $.serving.step = wait: Wait for endpoint → Close run",
    ]


def test_a_workflow_that_an_older_version_wrote_as_text_is_compared_by_state(
    dev: Synthesized,
) -> None:
    older, copy = dev.copy(), dev.copy()
    flow.no_retry.change(older)
    properties = older.properties("pipeline/Workflow")
    lines = json.dumps(properties.pop("Definition"), indent=1).splitlines()
    properties["DefinitionString"] = {"Fn::Join": ["\n", lines]}
    before = Synthesized.of(dev, older.templates)
    (change,) = _changes(before, copy)
    assert change.what.startswith("Check manifest: Retry nothing → [{'ErrorEquals': [")


def test_a_short_name_is_not_seen_in_other_words(dev: Synthesized) -> None:
    copy = dev.copy()
    copy.properties("data/Training")["BucketName"] = "e"
    (found,) = _changes(dev, copy)
    assert "BucketName" in found.what


def test_the_same_change_of_many_resources_is_one_line(dev: Synthesized) -> None:
    copy = dev.copy()
    for _, _, resource in copy.all():
        if resource["Type"] == "AWS::Logs::LogGroup":
            resource["Properties"]["RetentionInDays"] = 365
    (change,) = _changes(dev, copy)
    assert change.kind == "changed"
    assert change.where.count(",") > 8


def test_other_code_is_one_line_that_names_the_functions(dev: Synthesized) -> None:
    copy = dev.copy()
    (mapping,) = copy.stack("pipeline")["Mappings"].values()
    mapping["AllFunctions"]["S3Key"] = f"{'0' * 64}.zip"
    (change,) = _changes(dev, copy)
    functions = [r for _, _, r in copy.all() if r["Type"] == "AWS::Lambda::Function"]
    # But for the one of the serving stack, whose code is named there.
    assert (change.kind, len(change.where.split(", "))) == ("changed", len(functions) - 1)
    assert change.what.startswith("Code.S3Key: ")


def test_two_environments_are_compared_without_their_names(synthesized: object) -> None:
    before, after = (
        access.build(template.read(synthesized(name).folder))  # type: ignore[operator]
        for name in ("strict", "dev")
    )
    found = changes_between(before, after)
    loosened = [c for c in found if c.where.startswith("role ")]
    assert {c.where for c in loosened} == {
        "role pets-search/BedrockRole",
        "role pets-style/BedrockRole",
    }
    assert all(c.kind == "loosened" for c in loosened)
    assert not any("strict" in c.what for c in found)
    # What waits for the guard of open runs waits for it in both, whatever its logical id is.
    assert not any("DependsOn" in c.what for c in found)


def test_neither_the_name_of_an_environment_nor_what_is_unknown_is_taken_for_a_resource(
    synthesized: Callable[[str], Synthesized], dev: Synthesized
) -> None:
    before, after = (
        access.build(template.read(synthesized(name).folder)) for name in ("options", "dev")
    )
    found = [change.what for change in changes_between(before, after)]
    assert any("environment/check/*" in what for what in found)
    assert not any("tuning-dev-environment" in what for what in found)
    copy = dev.copy()
    copy.properties("pipeline/Messages/Topic")["KmsMasterKeyId"] = {"Ref": "Nothing"}
    (change,) = _changes(dev, copy)
    assert change.what == "KmsMasterKeyId: OperationsKey → unresolved"
