"""What we install is exactly what was locked, from wherever it comes; nothing here is secret."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LOCKS = sorted(p for folder in (ROOT, ROOT / "lambdas") for p in folder.glob("requirements*.txt"))
# name==version, then perhaps "; marker"
PIN = re.compile(r"(?P<name>[a-z0-9][a-z0-9._-]*)(\[[a-z0-9,._-]+\])?==[^\s;]+( ; [^\\]+)?", re.I)


def entries(lock: Path) -> list[str]:
    """The lock's requirements, each with its continuation lines in one text."""
    text = lock.read_text("utf-8").replace("\\\n", " ")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def test_all_lock_files_are_here() -> None:
    names = {str(lock.relative_to(ROOT)) for lock in LOCKS}
    assert names == {
        "requirements.txt",
        "requirements-audit.txt",
        "requirements-dev.txt",
        "requirements-scan.txt",
        "requirements-uv.txt",
        "lambdas/requirements.txt",
    }


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_requirement_is_pinned_and_has_hashes(lock: Path) -> None:
    found = entries(lock)
    assert found
    for entry in found:
        pin, *options = entry.split(" --hash=")
        assert PIN.fullmatch(pin.strip()), entry[:80]
        assert options, f"{pin} has no hash"
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}\s*", each) for each in options), pin


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_no_lock_file_says_where_to_download_from(lock: Path) -> None:
    text = lock.read_text("utf-8")
    for trace in ("://", "--index-url", "--extra-index-url", "--find-links", "-f ", " @ "):
        assert trace not in text, trace


def test_node_packages_have_integrity_and_no_address() -> None:
    text = (ROOT / "package-lock.json").read_text("utf-8")
    packages = {name: each for name, each in json.loads(text)["packages"].items() if name}
    assert packages
    assert all(each["integrity"].startswith("sha512-") for each in packages.values())
    assert "resolved" not in text
    assert "://" not in text


def test_every_action_of_a_workflow_is_pinned_by_commit() -> None:
    workflows = list((ROOT / ".github" / "workflows").glob("*.yml"))
    assert workflows
    for workflow in workflows:
        used = re.findall(r"uses:\s*(\S+)(.*)", workflow.read_text("utf-8"))
        assert used, workflow.name
        for action, comment in used:
            assert re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}", action), action
            assert re.fullmatch(r"\s+# v\d+(\.\d+)*", comment), f"{action}: which version is it?"


def test_ci_runs_the_domain_on_every_python_that_the_package_is_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    said = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    makefile = (ROOT / "Makefile").read_text("utf-8")
    others = re.search(r"^PYTHONS \?= (.*)$", makefile, re.M)
    assert others is not None
    assert project["requires-python"] == f">={said[0]}"
    assert others[1].split() == said[1:]
    check = (ROOT / ".github/workflows/check.yml").read_text("utf-8")
    assert "\n".join(f"            {each}" for each in reversed(said)) in check
    assert "run: make test-pythons" in check


def _scan(*files: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("detect-secrets-hook")), "--no-verify"]
    return subprocess.run(
        [*command, "--baseline", ".secrets.baseline", *files],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_scan_for_secrets_notices_one(tmp_path: Path) -> None:
    # In two parts, or the scan would notice this file.
    seeded = tmp_path / "settings.py"
    seeded.write_text('aws_secret_access_key = "' + "wJalrXUtnFEMI/K7MDENG" + 'bPxRfiCYzzz9qk"\n')
    found = _scan(str(seeded))
    assert found.returncode != 0
    assert "settings.py" in found.stdout


def test_the_emulators_credentials_are_no_secret() -> None:
    assert _scan("local/emulator/layout.py").returncode == 0


def test_the_bill_of_materials_lists_what_the_functions_ship(tmp_path: Path) -> None:
    lock = ROOT / "lambdas" / "requirements.txt"
    written = tmp_path / "functions.cdx.json"
    command = [str(Path(sys.executable).with_name("cyclonedx-py")), "requirements", str(lock)]
    subprocess.run([*command, "-o", str(written)], cwd=ROOT, capture_output=True, check=True)
    bill = json.loads(written.read_text("utf-8"))
    assert bill["bomFormat"] == "CycloneDX"
    listed = {f"{each['name']}=={each['version']}" for each in bill["components"]}
    assert listed == {entry.split()[0] for entry in entries(lock)}
