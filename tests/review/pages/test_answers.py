"""What a reviewer asks first is answered from the templates: other templates, another answer."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bedrock_tuning import review
from bedrock_tuning.review import CHECKS
from bedrock_tuning.review.about import Origin
from bedrock_tuning.review.pages.facts import Facts
from bedrock_tuning.review.pages.html import html_page
from bedrock_tuning.review.pages.markdown import markdown
from tests.review.broken import Copy, Raw, Synthesized

Build = Callable[[str], Synthesized]
Change = Callable[[Copy], object]


def _facts(source: Synthesized, change: Change) -> Facts:
    copy = source.copy()
    change(copy)
    found = source.evidence(copy.templates)
    found.assembly.protected |= copy.protected
    return review.described(found.permissions, source.contracts)


def _answer(facts: Facts, question: str) -> str:
    (found,) = [each for each in facts.answers if each.question == question]
    return " ".join(each.text for each in found.sentences)


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("Who can approve a price?", "Whoever has Approver, with a signed request"),
        (
            "Who can approve a price?",
            "Of the roles here, only Functions/Approve can resume a run that waits.",
        ),
        (
            "Who can approve a price?",
            "The token that resumes it, with what is asked, is written to the item `approval#RUN` "
            "of the runs table, and nowhere else.",
        ),
        (
            "How long does an approval wait, and what ends the wait?",
            "“Await approval” waits at most 7 days. An approval ends the wait; a refusal or the "
            "end of that time leads to “Close run”",
        ),
        (
            "How long does an approval wait, and what ends the wait?",
            "No policy for people allows stopping an execution, which would end the wait, too; "
            "WorkflowRole can.",
        ),
        ("When does serving need an approval?", "if the account lacks the quota"),
        ("When does serving need an approval?", "whoever has Operator accepts the price"),
        (
            "Who can write what Amazon Bedrock reads?",
            "bucket Training /pets-style/*, bucket Validation /pets-style/*: pets-style/Uploader.",
        ),
        (
            "Who can write what Amazon Bedrock reads?",
            "manifests that jobs read: Functions/StartJob. The buckets' policies deny it to all "
            "but roles below `role/tuning/dev/check/*`.",
        ),
        (
            "What is still billed when nothing runs?",
            "Until its lease ends (4 hours unless extended): Provisioned Throughput of pets-style.",
        ),
        (
            "What does deletion remove, and what remains?",
            "Delete the stacks in this order: pets-search, pets-style, people, serving, pipeline, "
            "data. Termination protection is on for none of them.",
        ),
        (
            "What can it cost at most?",
            "15,120.00 USD in 30 days, plus an unknown amount for pets-se",
        ),
    ],
)
def test_the_page_answers_what_reviewers_ask_first(
    dev: Synthesized, question: str, said: str
) -> None:
    assert said in _answer(dev.facts, question)


def _allow(where: str, *actions: str) -> Change:
    statement: Raw = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return lambda copy: copy.policy(where).append(statement)


def _tell_the_token(copy: Copy) -> None:
    def told(definition: Raw) -> None:
        message = definition["States"]["Ask for approval"]["Parameters"]["Message"]
        message["reason.$"] = "$$.Task.Token"

    copy.definition(told)


@pytest.mark.parametrize(
    ("change", "question", "said"),
    [
        (
            _tell_the_token,
            "Who can approve a price?",
            "is written to the item `approval#RUN` of the runs table and what “Ask for approval” "
            "calls, and",
        ),
        (
            _allow("pipeline/Functions/Serve/Role", "lambda:InvokeFunctionUrl"),
            "Who can approve a price?",
            "Functions/Serve, Approver",
        ),
        (
            _allow("pipeline/Functions/Serve/Role", "states:SendTaskSuccess"),
            "Who can approve a price?",
            "only Functions/Approve, Functions/Serve can resume",
        ),
        (
            _allow("pipeline/Functions/Serve/Role", "states:StopExecution"),
            "How long does an approval wait, and what ends the wait?",
            "Functions/Serve, WorkflowRole can.",
        ),
        (
            _allow("pipeline/Functions/Merge/Role", "s3:PutObject"),
            "Who can write what Amazon Bedrock reads?",
            "Functions/Merge",
        ),
    ],
)
def test_another_template_another_answer(
    change: Change, question: str, said: str, dev: Synthesized
) -> None:
    assert said not in _answer(dev.facts, question)
    assert said in _answer(_facts(dev, change), question)


def test_whether_others_are_denied_the_data_follows_from_the_settings(
    dev: Synthesized, synthesized: Build
) -> None:
    question = "Who can write what Amazon Bedrock reads?"
    assert "Nothing prevents other users" in _answer(dev.facts, question)
    assert "except DataScientist-* and" in _answer(synthesized("options").facts, question)


def test_what_an_answer_says_is_proved_by_checks_that_exist(dev: Synthesized) -> None:
    known = {check.id for check in CHECKS}
    cited = {i for a in dev.facts.answers for s in a.sentences for i in s.checks}
    assert cited
    assert cited <= known


def test_the_page_says_who_can_change_what_limits_spending_and_up_to_what(
    dev: Synthesized,
) -> None:
    found = {each.what.partition(" ")[0]: each for each in dev.facts.changeable}
    assert "of the roles here, nobody" in found["limit"].who
    end = next(each for each in dev.facts.changeable if each.what.startswith("the end of"))
    assert end.who == "Functions/Serve, Operator"
    assert end.most.startswith("any date")
    price = next(each for each in dev.facts.changeable if each.what.startswith("a price"))
    assert price.who.startswith("no person: Functions/Admit, ")
    assert price.who.endswith("and only Functions/Approve the copy, once")
    served = next(each for each in dev.facts.changeable if each.what.startswith("whether"))
    assert "Operator, by an execution; " in served.who
    assert "Functions/Serve" in served.who
    assert "Functions/Approve" not in served.who
    settings = _facts(dev, _allow("pipeline/Functions/Merge/Role", "ssm:PutParameter")).changeable
    assert any("of the roles here, Functions/Merge" in each.who for each in settings)


def test_stacks_are_deleted_after_those_that_import_from_them(dev: Synthesized) -> None:
    found = dev.facts.deletions
    names = [each.stack for each in found]
    assert sorted(names) == ["data", "people", "pets-search", "pets-style", "pipeline", "serving"]
    assert names[:2] == ["pets-search", "pets-style"]
    for number, each in enumerate(found):
        assert set(each.first) <= set(names[:number])
    assert names[-2:] == ["pipeline", "data"]
    assert "table Runs" in found[-2].keeps
    assert "bucket Training" in found[-1].keeps
    assert "the lease keeper" in found[-2].ends


def test_what_protects_a_stack_from_deletion_is_said(dev: Synthesized, synthesized: Build) -> None:
    assert "Termination protection is on for none of them" in html_page(dev.facts)
    protected = html_page(synthesized("bounded").facts)
    assert "Termination protection is on for pipeline, data." in protected
    assert "its termination protection switched off; deletion of" in protected.replace("<wbr>", "")
    assert "table Runs (deletion protection)" in protected.replace("<wbr>", "")


def test_an_endpoint_that_is_kept_is_said_to_be_billed(dev: Synthesized) -> None:
    def retain(copy: Copy) -> None:
        copy.properties("pets-style/Throughput")["OnDelete"] = "retain"

    ends = {each.stack: each.ends for each in _facts(dev, retain).deletions}
    assert "its endpoint stays, and is billed" in ends["pets-style"]
    assert ends["pets-search"].startswith("its endpoint, before the roles go")


def test_the_storage_of_each_model_has_its_price_with_its_source(dev: Synthesized) -> None:
    found = {each.what: each for each in dev.facts.costs}
    style = found["each custom model of pets-style"]
    assert style.unit.startswith("1.95 USD by the month (sources PRICE-KO, SMP-TIG, seen ")
    assert style.until == "somebody deletes it, since no stack holds it"


def test_a_tree_that_differs_from_its_commit_is_said_to(dev: Synthesized) -> None:
    facts = dev.facts
    about = Origin(date="2026-11-26T19:00Z", commit="9a2b-dirty")
    for text in (html_page(facts, about=about), markdown(facts, about=about)):
        plain = text.replace("<wbr>", "")
        assert "9a2b, with changes that are in no commit: they are what was reviewed" in plain
        assert "in no commit" not in html_page(facts, about=replace(about, commit="9a2b"))
