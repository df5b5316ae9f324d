"""The benchmark runs and writes well-formed results; how fast anything is, no test asserts."""

import json
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bedrock_tuning.dataset.images.header import header
from tools.bench.__main__ import main
from tools.bench.page import results_page
from tools.bench.pictures import write_pictures
from tools.bench.result import BenchSection, Results
from tools.bench.row_peers import json_reader, parser, pydantic_reader
from tools.bench.texts import FAULTS, image_records, wrong_records

ROOT = Path(__file__).resolve().parents[3]
HAS_TOOLS = all(shutil.which(name, path="/usr/bin:/usr/sbin") for name in ("nginx", "wrk"))


def bench(folder: Path, *sections: str) -> tuple[int, str, dict[str, Any]]:
    """Exit code, Markdown and JSON of a quick run."""
    chosen = [argument for name in sections for argument in ("--only", name)]
    command = [sys.executable, "-m", "tools.bench", "--quick", "--folder", str(folder / "drawn")]
    done = subprocess.run(
        [*command, "--write", str(folder), *chosen],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (folder / "results.json").exists(), done.stderr
    assert (folder / "RESULTS.md").read_text("utf-8").strip() == done.stdout.strip()
    return done.returncode, done.stdout, json.loads((folder / "results.json").read_text("utf-8"))


@pytest.mark.long
def test_a_quick_run_of_rows_measures_every_reader(tmp_path: Path) -> None:
    sections = ["image-rows", "faulty-rows", "long-rows"]
    code, page, results = bench(tmp_path, *sections)
    assert code == 0
    assert [section["name"] for section in results["sections"]] == sections
    for section in results["sections"]:
        assert not section["missing"]
        assert len(section["rows"]) >= 4
        for row in section["rows"]:
            assert all(value > 0 for values in row["figures"].values() for value in values)
            assert f"| {row['what']} |" in page
        assert section["goals"]
    assert results["quick"]
    assert results["machine"]["cores"]


@pytest.mark.long
@pytest.mark.skipif(not HAS_TOOLS, reason="nginx and wrk are not installed")
def test_a_quick_run_looks_at_images_behind_a_server(tmp_path: Path) -> None:
    code, page, results = bench(tmp_path, "images", "end-to-end")
    images, whole = results["sections"]
    assert code == 0, (images["missing"], whole["missing"])
    assert any("GETs per camera JPEG" in goal["what"] for goal in images["goals"])
    assert whole["rows"][0]["figures"]["wall_s"]
    assert "nginx" in page


@pytest.mark.long
@pytest.mark.skipif(
    shutil.which("vipsthumbnail") is None and find_spec("pyvips") is None,
    reason="libvips is not installed",
)
def test_a_quick_run_prepares_beside_libvips(tmp_path: Path) -> None:
    code, _, results = bench(tmp_path, "prepare")
    (section,) = results["sections"]
    assert code == 0, section["missing"]
    *ours, peer = [row["what"] for row in section["rows"]]
    assert ours == ["tuning prepare --link", "tuning prepare --fix"]
    assert "vipsthumbnail" in peer


@pytest.mark.long
def test_a_missing_server_is_said_and_the_rest_still_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.bench.server.shutil.which", lambda *_, **__: None)
    options = ["--quick", "--folder", str(tmp_path), "--only", "images", "--only", "image-rows"]
    done = CliRunner().invoke(main, [*options, "--write", str(tmp_path)])
    assert done.exit_code == 1
    rows, images = json.loads((tmp_path / "results.json").read_text("utf-8"))["sections"]
    assert rows["rows"]
    assert images["missing"] == "nginx is not installed (Debian: apt-get install nginx)"
    assert "Not measured: nginx is not installed" in done.stdout


def test_our_check_and_its_peers_find_the_same_faults(tmp_path: Path) -> None:
    from tools.bench.child import rows

    right = image_records(tmp_path / "right.jsonl", count=2_000)
    wrong = wrong_records(tmp_path / "wrong.jsonl", count=2_000)
    for how in ("ours", "references", "json", "pydantic", "parse"):
        got = rows(path=str(right), what="images", how=how)
        assert (got["records"], got["faults"]) == (2_000, 0), how
    faults = {
        how: rows(path=str(wrong), what="images", how=how)["faults"] for how in ("ours", "json")
    }
    assert faults["ours"] >= faults["json"] > 10


@pytest.mark.parametrize("what", FAULTS)
def test_of_each_kind_of_fault_every_line_is_wrong(what: str) -> None:
    from tools.bench.child import faulty_rows

    for kind in FAULTS[what]:
        got = faulty_rows(what=what, kind=kind, count=200)
        assert got["faults"] >= 200, kind


@pytest.mark.parametrize("reader", [json_reader, pydantic_reader])
def test_peers_refuse_what_we_refuse(reader: Any, tmp_path: Path) -> None:
    file = tmp_path / "texts.jsonl"
    file.write_text('{"input": "a"}\n{"input": " "}\n{"input": "a"}\n{"output": "b"}\n{"input": 1}')
    records, faults = reader(is_text=True, longest=100)(file)
    assert records == 5
    assert faults >= 4
    assert parser(is_text=False)(image_records(tmp_path / "i.jsonl", count=10)) == (10, 0)


@pytest.mark.long
def test_drawn_pictures_have_headers_as_deep_as_cameras_write_them(tmp_path: Path) -> None:
    drawn = write_pictures(tmp_path, count=120)
    depths = []
    for path in drawn:
        found = header((tmp_path / path).read_bytes())
        assert not found.problem, path
        if path.startswith("camera/"):
            depths.append(found.end)
    assert len(depths) == 60
    assert max(depths) <= 64 << 10
    assert sum(depth > 4 << 10 for depth in depths) > 20
    assert write_pictures(tmp_path, count=120) == drawn


def test_goals_tell_what_was_wanted_and_whether_it_was_met() -> None:
    section = BenchSection(name="x", title="X")
    section.at_least("rows/s", 5.0, 10, "{:g}")
    section.at_most("MiB", 5.0, 10, "{:g}")
    assert [(goal.wanted, goal.got, goal.met) for goal in section.goals] == [
        ("≥ 10", "5", False),
        ("≤ 10", "5", True),
    ]


def test_some_sections_measured_again_leave_the_others_as_they_were() -> None:
    def results(date: str, *names: str) -> Results:
        machine = {"processor": "A processor", "cores": 2}
        sections = [BenchSection(name=name, title=date) for name in names]
        return Results(
            date=date, quick=False, rounds=1, machine=machine, load=[1, 2], sections=sections
        )

    new = results("old", "a", "b").renewed(results("new", "b", "c"))
    assert [(each.name, each.title) for each in new.sections] == [
        ("a", "old"),
        ("b", "new"),
        ("c", "new"),
    ]
    assert new.date == "old"
    assert "Measured by itself: new, A processor" in new.sections[1].notes[0]


def test_columns_are_headed_by_words() -> None:
    section = BenchSection(name="x", title="X", columns={"wall_s": "{:.1f}", "stacks": "{:.0f}"})
    section.row("all").add({"wall_s": 1.5, "stacks": 304.0})
    machine = {
        **dict.fromkeys(("commit", "processor", "cores", "memory_gib", "kernel"), "x"),
        "python": "3.11",
        "versions": {},
    }
    found = Results(
        date="today", quick=False, rounds=1, machine=machine, load=[1, 2], sections=[section]
    )
    assert "| | wall, s | stacks | ± |" in results_page(found)
    assert "| all | 1.5 | 304 | 0% |" in results_page(found)
