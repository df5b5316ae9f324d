"""The commit that a deployment says is one value in one template."""

import json
from pathlib import Path
from typing import Any

from app import build_app
from bedrock_tuning import commit
from tools.scan.cases import Case

COMMIT = "c0ffee" + 34 * "0"


def test_a_commit_changes_one_line_of_one_stack_and_is_proved(synth: Any, tmp_path: Path) -> None:
    plain = synth("dev")
    context = {**Case().context(), "commit": COMMIT}
    said = build_app(context, outdir=str(tmp_path)).synth()

    differing = {
        each.stack_name: each.template
        for each in said.stacks
        if each.template != plain.get_stack_by_name(each.stack_name).template
    }
    assert set(differing) == {"tuning-dev-pipeline"}
    text = json.dumps(differing["tuning-dev-pipeline"])
    assert text.count(COMMIT) == 1
    before = json.dumps(plain.get_stack_by_name("tuning-dev-pipeline").template)
    assert text.replace(COMMIT, commit.NOT_RECORDED) == before
