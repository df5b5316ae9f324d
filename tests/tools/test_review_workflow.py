"""The workflow for pull requests: who runs whose code, and a comment that is never silent."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from app import ROOT
from bedrock_tuning.review.pages import markdown

WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "review.yml").read_text("utf-8"))
JOBS = WORKFLOW["jobs"]
# Answers like GitHub: the list of comments first, and what is then done is written down.
GH = """#!/bin/sh
case "$*" in
  *--paginate*) printf '%s' "$OLD" ;;
  *) echo "$*" >> calls; cat review.md > body ;;
esac
"""


def runs(job: str) -> list[str]:
    return [step["run"] for step in JOBS[job]["steps"] if "run" in step]


def test_code_of_a_pull_request_runs_where_nothing_can_be_written() -> None:
    assert WORKFLOW["permissions"] == {}
    assert JOBS["review"]["permissions"] == {"contents": "read"}
    assert runs("review") == ["make review-against"]
    assert not any("secrets." in str(job) for job in JOBS.values())


def test_who_may_write_a_comment_runs_nothing_of_the_pull_request() -> None:
    assert JOBS["comment"]["permissions"] == {"pull-requests": "write"}
    used = [str(step.get("uses")) for step in JOBS["comment"]["steps"]]
    assert not any("checkout" in each for each in used)
    assert not any("make" in each or "python" in each for each in runs("comment"))


def _comment(folder: Path, *, old: str = "", result: str = "success") -> Any:
    (script,) = runs("comment")
    gh = folder / "bin" / "gh"
    gh.parent.mkdir()
    gh.write_text(GH, "utf-8")
    gh.chmod(0o755)
    path = f"{gh.parent}{os.pathsep}{os.environ['PATH']}"
    names = {"COMMENTS": "repos/o/r/issues/7/comments", "ONE": "repos/o/r/issues/comments"}
    environment = {**os.environ, **names, "PATH": path, "OLD": old, "RESULT": result}
    return subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, check=False
    )


@pytest.mark.parametrize(
    ("old", "call"),
    [
        ("", "--method POST repos/o/r/issues/7/comments"),
        ("42\n", "--method PATCH repos/o/r/issues/comments/42"),
    ],
)
def test_the_comment_is_written_once_and_then_anew(old: str, call: str, tmp_path: Path) -> None:
    (tmp_path / "review.md").write_text("<!-- bedrock-tuning review -->\nproved", "utf-8")
    assert _comment(tmp_path, old=old).returncode == 0
    assert call in (tmp_path / "calls").read_text("utf-8")
    assert (tmp_path / "body").read_text("utf-8").endswith("proved")


@pytest.mark.parametrize("result", ["failure", "cancelled", "skipped"])
def test_a_review_that_did_not_end_is_said_and_fails(result: str, tmp_path: Path) -> None:
    assert _comment(tmp_path, result=result).returncode != 0
    said = (tmp_path / "body").read_text("utf-8")
    assert "it did not end" in said
    assert "proved" not in said.replace("Nothing was proved", "")


def test_a_review_that_found_something_fails_after_its_comment(tmp_path: Path) -> None:
    (tmp_path / "review.md").write_text("<!-- bedrock-tuning review -->\n❌", "utf-8")
    assert _comment(tmp_path, result="failure").returncode != 0
    assert (tmp_path / "body").read_text("utf-8").endswith("❌")


def test_the_mark_is_the_first_line_of_what_the_review_writes() -> None:
    template = ROOT / "bedrock_tuning" / "review" / "pages" / "templates" / "review.md.j2"
    mark = "<!-- bedrock-tuning review -->"
    assert f"{mark}\n" in template.read_text("utf-8")
    assert f"mark='{mark}'" in runs("comment")[0]


def test_a_long_comment_is_cut_where_a_part_ends_and_says_so() -> None:
    parts = [
        f"<details><summary>{name}</summary>{name * size}</details>\n"
        for name, size in (("a", 25_000), ("b", 40_000), ("c", 25_000))
    ]
    text = markdown._shorten(f"top\n{''.join(parts)}")
    assert len(text) < 65_536
    assert text.count("<details>") == text.count("</details>") == 2
    assert text.index("aaa") < text.index("ccc")
    assert text.endswith("\nIn the page that `tuning review --html` writes: b.\n")
