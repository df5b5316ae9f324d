"""The page and its Markdown say what a security engineer asks, in names that people know."""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from html import unescape
from pathlib import Path

import pytest

from bedrock_tuning import review
from bedrock_tuning.review.about import Origin
from bedrock_tuning.review.iam.wording import LEVELS
from bedrock_tuning.review.pages.compare import changes_between
from bedrock_tuning.review.pages.facts import DENIED, Facts
from bedrock_tuning.review.pages.html import LETTERS, html_page, matrix
from bedrock_tuning.review.pages.markdown import markdown
from bedrock_tuning.review.pages.sarif import violations_to_sarif
from bedrock_tuning.review.permitted import Entry
from tests.review.broken import Synthesized
from tests.review.mutants import roles
from tests.support import browser
from tests.support.browser import View

SENTENCES = [(check.id, check.sentence) for check in review.CHECKS]
Build = Callable[[str], Synthesized]


STACKS = ", ".join(
    f"tuning-dev-{part}"
    for part in ("data", "people", "pets-search", "pets-style", "pipeline", "serving")
)


@pytest.fixture(scope="module")
def facts(synthesized: Build) -> Facts:
    return synthesized("options").facts


@pytest.fixture(scope="module")
def broken(dev: Synthesized) -> str:
    """The page of a flawed app against the good one."""
    copy = dev.copy()
    roles.deletes_output.change(copy)
    evidence = dev.evidence(copy.templates)
    found = review.described(evidence.permissions, dev.contracts)
    changes = changes_between(dev.permissions, evidence.permissions)
    return html_page(_longest(found), changes=changes, sentences=SENTENCES)


def _longest(facts: Facts) -> Facts:
    """With each role's longest line: a browser takes its time for each of the hundreds."""
    accesses = [
        max(found, key=lambda each: len(str(each))) for _, found in facts.accesses_by_role()
    ]
    guards = sorted(facts.guards, key=lambda each: len(str(each)))[-12:]
    return replace(facts, accesses=accesses, guards=guards)


def test_the_page_is_one_file_that_loads_nothing_and_runs_one_script(facts: Facts) -> None:
    html = html_page(facts, sentences=SENTENCES)
    assert "default-src 'none'" in html
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in html
    assert not re.search(
        r"(?:src|href)=[\"'](?!#)|url\(|@import|//[a-z]",
        html.replace("http://www.w3.org/2000/svg", ""),
    )


def test_the_page_answers_a_reviewers_questions(facts: Facts) -> None:
    html = html_page(facts, sentences=SENTENCES)
    for question in (
        "Who can assume which role",
        "What each role can do",
        "What resource policies say",
        "Where data is stored, and what survives deletion",
        "Network access",
        "What is billed while nothing runs",
        "State machine Workflow",
    ):
        assert question in html
    assert "Bedrock customization jobs of pets-search" in html
    assert "VPC endpoints for bedrock, bedrock-runtime, dynamodb, events, kms, monitoring" in html
    assert "its lease ends (8 hours unless extended)" in html
    assert "111122223333" not in html


def test_a_fault_and_what_was_loosened_are_on_top(broken: str) -> None:
    assert "not proved" in broken
    assert (
        broken.index('id="violations"') < broken.index('id="changes"') < broken.index('id="matrix"')
    )
    assert "may now s3:DeleteObject on Output/jobs/pets-search/*" in broken
    assert '<li class="no">✗ <code>P304</code>' in broken


def test_what_is_dangerous_has_a_sign(dev: Synthesized) -> None:
    copy = dev.copy()
    roles.administrator.change(copy)
    found = _facts_of(dev, copy.templates)
    warnings = {access.warning for access in found.accesses if access.actions == ("*",)}
    assert warnings == {"an action with a wildcard"}
    passing = next(a for a in found.accesses if "iam:PassRole" in a.actions)
    assert (passing.level, passing.warning) == ("permissions", "changes who may do what")


def _facts_of(source: Synthesized, templates: dict[str, dict[str, object]]) -> Facts:
    evidence = source.evidence(templates)  # type: ignore[arg-type]
    return review.described(evidence.permissions, source.contracts)


def test_page_and_markdown_say_which_stacks_they_are_about(dev: Synthesized) -> None:
    found = dev.facts
    assert f"<b>{STACKS}</b> in us-east-1" in html_page(found)
    listed = STACKS.replace(", ", "`, `")
    assert f"\n`{listed}` in us-east-1: " in markdown(found)


def test_every_link_of_the_page_leads_somewhere(broken: str) -> None:
    targets = re.findall(r'href="#(\w+)"', broken)
    assert targets[:2] == ["violations", "changes"]
    assert [name for name in targets if f'id="{name}"' not in broken] == []


def test_a_fault_is_said_by_the_value_that_is_wrong_and_by_the_right_one(dev: Synthesized) -> None:
    copy = dev.copy()
    table = next(
        r
        for r in copy.stack("pipeline")["Resources"].values()
        if r["Type"] == "AWS::DynamoDB::Table"
    )
    table["Properties"]["KeySchema"][0]["AttributeName"] = "name"
    (violation,) = [f for f in _facts_of(dev, copy.templates).violations if f.check == "S602"]
    assert violation.what == "KeySchema.0.AttributeName is name"
    assert violation.limit == "it is id"


def test_what_review_toml_permits_is_on_top_of_page_and_markdown(facts: Facts) -> None:
    entry = Entry(
        kind="stack",
        number=1,
        fields={"name": "web", "uses": ["topic Messages/Topic"], "access": []},
        reason="The team's own <dashboard>",
        expires=date(2027, 6, 30),
    )
    html = html_page(replace(facts, permitted=[entry]), sentences=SENTENCES)
    assert html.index('id="permitted"') < html.index('id="money"') < html.index('id="matrix"')
    for text in (html, markdown(replace(facts, permitted=[entry]))):
        plain = text.replace("<wbr>", "")
        assert "uses: topic Messages/Topic; access: nothing" in plain
        assert "The team&#39;s own &lt;" in plain or "The team's own &lt;" in plain
        assert "2027-06-30" in plain


def test_one_of_something_is_no_plural(dev: Synthesized) -> None:
    text = html_page(dev.facts)
    assert not re.search(r"\b1 (permissions|model units|hours|roles)\b", text)
    assert "1 permission<" in text
    assert "1 model unit, commitment none" in text


def test_the_matrix_has_a_row_for_each_role_and_says_what_it_may_do_to_what(facts: Facts) -> None:
    found = matrix(facts.accesses)
    assert set(found.roles) == {access.role for access in facts.accesses}
    assert {"bucket Training", "table Runs", "topic Messages/Topic"} <= set(found.resources)
    cell = found.cells["pets-search/BedrockRole", "bucket Training"]
    assert cell.levels == ("read", "list")
    actions = {action for access in cell.accesses for action in access.actions}
    assert actions >= {"s3:GetObject", "s3:ListBucket"}
    assert ("pets-search/BedrockRole", "table Runs") not in found.cells


def test_who_reads_what_it_writes_reads_and_writes(facts: Facts) -> None:
    runs = [
        access
        for access in facts.accesses
        if access.role == "Functions/StartJob" and access.why == "use runs"
    ]
    assert {each.level: each.actions for each in runs} == {
        "write": ("dynamodb:PutItem", "dynamodb:UpdateItem"),
        "read": ("dynamodb:GetItem",),
    }
    cells = matrix(facts.accesses).cells
    writers = {
        role for (role, on), cell in cells.items() if on == "table Runs" and "write" in cell.levels
    }
    readers = {role for (role, on) in cells if on == "table Runs"} - writers
    assert "Functions/StartJob" in writers
    assert {"Reader", "pets-style/Uploader"} <= readers


def test_what_names_only_what_it_excludes_is_everything(dev: Synthesized) -> None:
    copy = dev.copy()
    copy.policy("pets-search/Starter").append(
        {"Effect": "Allow", "NotAction": "s3:GetObject", "Resource": "*"}
    )
    (found,) = [a for a in _facts_of(dev, copy.templates).accesses if "all but" in a.actions[0]]
    assert (found.level, found.warning) == ("all", "uses an exclusion")


def test_what_policies_of_roles_and_resources_deny_is_in_the_matrix(facts: Facts) -> None:
    cells = matrix(facts.accesses, facts.guards).cells
    assert "denied" in cells["Approver", "bucket Training"].levels
    everybody = cells["everybody (resource policy)", "bucket Training"]
    assert everybody.levels == ("denied",)
    checked = [each for each in everybody.accesses if "_checked/*" in each.condition]
    assert [each.actions for each in checked] == [
        ("s3:DeleteObject*", "s3:PutObject*", "s3:Replicate*", "s3:RestoreObject")
    ]
    assert cells["events (resource policy)", "queue Messages/DeadLetters"].levels == ("run",)
    assert not any(resource.startswith("endpoint ") for _, resource in cells)


@pytest.mark.skipif(browser.CHROMIUM is None, reason="no Chromium on this machine")
def test_every_page_of_a_printed_matrix_has_its_head(facts: Facts, tmp_path: Path) -> None:
    many = [
        replace(access, role=f"{access.role} of team-{number}")
        for access in facts.accesses
        for number in range(4)
    ]
    html = html_page(replace(facts, accesses=many))
    style, shown = html.partition("</head>")[0], html[html.index('<h2 id="matrix"') :]
    shown = shown.partition('<h2 id="permissions"')[0]
    parts = matrix(many).parts
    assert shown.count("<span>bucket Training</span>") == len(parts) > 3
    assert [role for part in parts for role in part] == list(matrix(many).roles)
    assert browser.printed(f"{style}</head><body><main>{shown}", tmp_path) == len(parts)


def test_every_level_has_a_letter() -> None:
    assert {level.partition(" ")[0] for level in (*LEVELS, DENIED)} == set(LETTERS)


def test_the_page_draws_the_workflow_or_says_how_to_get_its_picture(dev: Synthesized) -> None:
    found = dev.facts
    assert "npm install @viz-js/viz" in html_page(found)
    drawn = html_page(found, pictures={"Workflow": "<svg>drawn</svg>"})
    assert "<svg>drawn</svg>" in drawn
    assert "npm install" not in drawn


def test_the_page_says_what_each_choice_of_the_workflow_looks_at(facts: Facts) -> None:
    (found,) = facts.decisions.values()
    (way,) = [each for each in found if each.then == "Ask to serve"]
    assert (way.when, way.by) == ("serving.step = approve", ("Serve",))
    (valid,) = [each for each in found if each.then == "Prepare job"]
    assert (valid.state, valid.when, valid.by) == ("Valid?", "report.valid", ("Merge report",))
    (start,) = {each.by for each in found if each.state == "Upload or deployment?"}
    assert start == ()
    text = html_page(facts).replace("<wbr>", "")
    assert '<td data-label="when">serving.step = approve</td>' in text


def test_a_pattern_of_roles_names_the_roles_that_it_means(facts: Facts) -> None:
    (checked,) = [guard for guard in facts.guards if guard.part == "bucket Training /_checked/*"]
    meant = re.search(r"not like role tuning/options/check/\* \((.*?)\)", checked.condition)
    assert meant is not None
    assert {"Functions/StartJob", "Functions/Merge"} <= {*meant[1].split(", ")}
    assert "Functions/Admit" not in meant[1]
    (becomes, *_) = [trust for trust in facts.trusts if "Finance-" in trust.condition]
    assert becomes.condition == "if aws:PrincipalArn like role Finance-* (none of these stacks)"


def test_names_from_templates_are_escaped(facts: Facts) -> None:
    evil = replace(facts.trusts[0], role="<script>alert(1)</script>", who='"><img src=x>')
    text = html_page(replace(facts, trusts=[evil]), about=Origin(date="<b>now</b>"))
    assert text.count("<script") == 1
    assert "<img" not in text
    assert "&lt;b&gt;now" in text


def test_every_store_says_how_sensitive_it_is_and_whether_it_survives(facts: Facts) -> None:
    found = {store.name: store for store in facts.stores if store.kind != "logs"}
    assert found["Training"].sensitive == "confidential"
    assert found["Training"].survives
    assert found["Training"].key == "key DataKey"
    assert not found["Messages/DeadLetters"].survives
    assert found["Runs"].kept == "indefinitely; point-in-time recovery for 35 days"


def test_markdown_is_short_on_top_and_folded_below(dev: Synthesized) -> None:
    text = markdown(dev.facts)
    top, _, rest = text.partition("<details>")
    assert top.startswith("<!-- bedrock-tuning review -->\n## ✅ Infrastructure review: proved\n")
    assert len(top.splitlines()) < 9
    assert text.count("<details>") == text.count("</details>") == 7
    # The longest part alone is more than a comment holds.
    assert text.rstrip().endswith("writes: Who can do what to what.")
    rows = [line for line in rest.splitlines() if line.startswith("|")]
    assert rows
    assert all(line.endswith("|") for line in rows)


def test_markdown_of_a_flaw_names_the_check_and_the_change(dev: Synthesized) -> None:
    copy = dev.copy()
    roles.deletes_output.change(copy)
    found = _facts_of(dev, copy.templates)
    evidence = dev.evidence(copy.templates)
    text = markdown(found, changes=changes_between(dev.permissions, evidence.permissions))
    assert "❌" in text
    assert "| `P304` |" in text
    assert "⚠️ loosened" in text


def test_an_assembly_without_contracts_is_described_and_not_judged(dev: Synthesized) -> None:
    found = review.described(dev.evidence().permissions, None)
    assert "not checked" in html_page(found)
    assert "not checked" in markdown(found)
    assert found.accesses


@pytest.mark.skipif(browser.CHROMIUM is None, reason="no Chromium on this machine")
def test_nothing_sticks_out_in_a_browser(facts: Facts, broken: str, tmp_path: Path) -> None:
    pages = {"broken": broken, "whole": html_page(_longest(facts), sentences=SENTENCES)}
    views = [View(1400, dark=False), View(390, dark=True)]
    for (name, view), seen in browser.look(pages, tmp_path, views, may_scroll=".wide").items():
        assert seen.scroll <= seen.client <= view.width, (name, view)
        assert seen.sticking == 0, (name, view)
        assert seen.dark == view.dark, (name, view)
        assert seen.broken == [], (name, view)


@pytest.mark.skipif(browser.CHROMIUM is None, reason="no Chromium on this machine")
def test_axe_finds_nothing_wrong(facts: Facts, tmp_path: Path) -> None:
    # Every kind of element and not every line: the judge takes its time for each.
    people = [a for a in facts.accesses if a.role in facts.people]
    some = replace(facts, accesses=[*facts.accesses[:12], *people[-12:]], guards=facts.guards[:9])
    html = html_page(some, sentences=SENTENCES, about=ABOUT)
    views = [View(1400, dark=False), View(390, dark=True)]
    for shown, found in browser.accessibility({"review": html}, tmp_path, views).items():
        assert found == [], shown


ABOUT = Origin(
    date="2026-11-26T19:00Z",
    environment="prod",
    account="444455556666",
    commit="9a2b",
    versions={"bedrock-tuning": "0.1.0"},
)


def test_page_and_markdown_say_of_which_synthesis_they_are(facts: Facts) -> None:
    for text in (html_page(facts, about=ABOUT), markdown(facts, about=ABOUT)):
        plain = text.replace("<wbr>", "")
        assert all(value in plain for _, value in ABOUT.rows())
        assert plain.index("444455556666") < plain.index("What may be spent")


def test_the_iam_of_the_template_is_beside_the_words(facts: Facts, synthesized: Build) -> None:
    html = unescape(html_page(facts))
    roles = {access.role for access in facts.accesses}
    assert roles <= facts.documents.keys()
    assert {guard.resource for guard in facts.guards} <= facts.documents.keys()
    (inline,) = synthesized("options").copy().properties("pets-search/BedrockRole")["Policies"]
    assert json.dumps(inline["PolicyDocument"]["Statement"][0]["Condition"]) in re.sub(
        r"\s+", " ", facts.documents["pets-search/BedrockRole"]
    ).replace("{ ", "{").replace(" }", "}")
    assert facts.documents["pets-search/BedrockRole"] in html


def test_each_person_is_told_what_they_can_and_never_do(facts: Facts) -> None:
    whom = dict(facts.accesses_of_people())
    assert {"an approver", "a reader", "an uploader of pets-style"} <= set(whom)
    html = html_page(facts)
    assert "What can an uploader of pets-style do?" in html
    never = [a for a in whom["an uploader of pets-style"] if a.effect == "Deny"]
    assert [a.why for a in never] == ["uploaders do not approve"]
    words = re.sub(r"<[^>]*>", "", html)
    assert "uploaders do not approve: lambda:InvokeFunction lambda:InvokeFunctionUrl" in words


@pytest.mark.skipif(browser.CHROMIUM is None, reason="no Chromium on this machine")
def test_permissions_are_searched_in_words(facts: Facts, tmp_path: Path) -> None:
    typed = (
        'document.querySelector(".filter input").value = "approver Invoke";'
        'document.querySelector(".filter").dispatchEvent(new Event("input"));'
    )
    html = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html_page(facts))
    file = tmp_path / "page.html"
    file.write_text(html.replace("</body>", f"<script>{typed}</script></body>"), "utf-8")
    shown = browser.dom(file.as_uri(), tmp_path)
    rows = re.findall(r'<tr class="finding"[^>]*>.*?</tr>', shown, re.DOTALL)
    left = [row.replace("<wbr>", "") for row in rows if "hidden" not in row.partition(">")[0]]
    assert 0 < len(left) < 10
    assert all("Approver" in row and "lambda:Invoke" in row for row in left)


def test_sarif_has_every_violation_with_its_check_and_place(dev: Synthesized) -> None:
    copy = dev.copy()
    roles.deletes_output.change(copy)
    (run,) = json.loads(violations_to_sarif(_facts_of(dev, copy.templates), ABOUT))["runs"]
    ids = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    found = next(each for each in run["results"] if each["ruleId"] == "P304")
    assert "P304" in ids
    assert "s3:DeleteObject is not in the contract" in found["message"]["text"]
    (place,) = found["locations"]
    uri = place["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "cdk.out/tuning-dev-pets-search.template.json"
    (clean,) = json.loads(violations_to_sarif(dev.facts, ABOUT))["runs"]
    assert (clean["results"], clean["invocations"]) == ([], [{"executionSuccessful": True}])
    described = review.described(dev.evidence().permissions, None)
    (unjudged,) = json.loads(violations_to_sarif(described, ABOUT))["runs"]
    assert unjudged["invocations"] == [{"executionSuccessful": False}]


def test_no_name_in_a_template_commands_the_terminal_that_shows_the_page(dev: Synthesized) -> None:
    copy = dev.copy()
    attack = "\x1b]52;c;aGk=\x07\u202e"
    for _, _, resource in copy.all():
        document = resource.get("Properties", {}).get("PolicyDocument", {})
        for statement in document.get("Statement", ()):
            statement |= {"Resource": f"arn:aws:s3:::data{attack}/*", "Sid": attack}
    facts = review.described(dev.evidence(copy.templates).permissions, dev.contracts)
    for text in (html_page(facts, sentences=SENTENCES), markdown(facts)):
        assert r"data\x1b]52;c;aGk=\x07\u202e" in text.replace("<wbr>", "")
        assert not {"\x1b", "\x07", "\u202e"} & set(text)
