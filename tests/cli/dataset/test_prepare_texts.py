"""`tuning prepare` on texts: files of other tools become datasets of the model."""

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from bedrock_tuning.cli.preparing import TEXT_FORMATS
from bedrock_tuning.dataset.talks import write
from tests.cli.conftest import Run
from tests.cli.datasets import ending
from tests.dataset.layouts.shelf import xlsx
from tests.support.pictures import png


def records(out: Path, kind: str = "training") -> list[dict[str, Any]]:
    lines = (out / kind / "manifest.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def converted(run: Run, source: Path, *options: object) -> dict[str, Any]:
    out = source.parent / "out"
    result = run("prepare", source, "-o", out, *options, "--json")
    assert result.exit_code in {0, 1}, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    assert result.exit_code == ending(found)
    return found


def alpaca(folder: Path, count: int = 10) -> Path:
    path = folder / "alpaca.json"
    rows = [{"instruction": f"Name {n}", "input": "", "output": f"It is {n}"} for n in range(count)]
    path.write_text(json.dumps(rows, indent=1))
    return path


def test_the_formats_of_the_option_are_those_that_are_written() -> None:
    assert set(TEXT_FORMATS) == set(write.FORMATS)


def test_alpaca_becomes_a_dataset_of_nova_that_is_valid(run: Run, tmp_path: Path) -> None:
    found = converted(run, alpaca(tmp_path), "--to-format", "converse", "-m", "nova-lite")
    assert found["records"] == {"training": 10}
    assert (
        found["understood"] == "10 records (Alpaca (instruction, input, output): 10), made converse"
    )
    assert found["verdict"]["valid"] is True
    assert records(tmp_path / "out")[0]["messages"][1] == {
        "role": "assistant",
        "content": [{"text": "It is 0"}],
    }


def test_objects_on_several_lines_each_are_read_one_after_another(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "pretty.jsonl"
    rows = [{"prompt": f"Name {n}", "completion": "{\n}"} for n in range(9)]
    path.write_text("\n".join(json.dumps(row, indent=2) for row in rows))
    assert converted(run, path, "-m", "nova-lite")["records"] == {"training": 9}
    path.write_text(path.read_text() + "\n[1]")
    refused = run("prepare", path, "-m", "nova-lite", "--dry-run")
    assert (refused.exit_code, "line 37 is not a JSON object" in refused.stderr) == (2, True)


def test_prompts_without_answers_become_a_dataset_for_distillation(
    run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_text("\n".join(json.dumps({"prompt": f"Name {n}"}) for n in range(100)))
    told = run("validate", path, "-m", "nova-lite", "--type", "distillation")
    command = "tuning prepare FILE --to-format converse -m nova-lite --type DISTILLATION -o OUT"
    assert command in told.stdout
    found = converted(run, path, *command.split()[3:-2])
    assert found["records"] == {"training": 100}
    assert found["verdict"]["valid"] is True
    assert len(records(tmp_path / "out")[0]["messages"]) == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--type", "DISTILLATION"), "--type is a type of a model"),
        (("-m", "nova-lite", "--type", "DISTIL"), "--type FINE_TUNING or DISTILLATION"),
        (("-m", "nova-lite", "--type", "sft"), 'did you mean "FINE_TUNING"?'),
        (("-m", "nova-micro", "--type", "REINFORCEMENT_FINE_TUNING"), ", nova-2-lite"),
    ],
)
def test_a_type_is_one_of_a_model(
    run: Run, tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    refused = run("prepare", alpaca(tmp_path), "--to-format", "converse", "--dry-run", *options)
    assert (refused.exit_code, words in refused.stderr) == (2, True)


def test_the_format_is_the_models_if_none_is_named(run: Run, tmp_path: Path) -> None:
    converted(run, alpaca(tmp_path), "-m", "titan-text-express")
    assert records(tmp_path / "out")[3] == {"prompt": "Name 3", "completion": "It is 3"}


def test_without_a_model_there_is_a_dataset_and_no_verdict(run: Run, tmp_path: Path) -> None:
    found = converted(run, alpaca(tmp_path), "--to-format", "openai")
    assert found["verdict"] is None
    assert records(tmp_path / "out")[0]["messages"][0] == {"role": "user", "content": "Name 0"}


def test_what_is_not_carried_over_is_counted(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "dolly.jsonl"
    row = {"instruction": "When?", "context": "In 1990.", "response": "1990", "category": "qa"}
    path.write_text(json.dumps(row) + "\n")
    found = converted(run, path, "-m", "nova-micro")
    assert found["changes"] == {"not carried over: category": 1}
    text = run("prepare", path, "-m", "nova-micro", "--dry-run").stdout
    assert "not carried over: category" in text
    assert "In 1990." in text


def test_a_table_of_prompts_and_completions_is_read(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "faq.xlsx"
    path.write_bytes(xlsx(["Question", "Answer"], ["Why?", "So."], ["How many?", 3]))
    converted(run, path, "--to-format", "prompt-completion")
    assert records(tmp_path / "out") == [
        {"prompt": "Why?", "completion": "So."},
        {"prompt": "How many?", "completion": "3"},
    ]


def test_plain_text_is_cut_into_pieces_that_the_model_reads(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "book.txt"
    path.write_text("\n\n".join(f"{n}. " + f"{n} is 1 of {n * n}. " * 300 for n in range(40)))
    found = converted(run, path, "-m", "titan-text-lite", "--to-format", "input-only")
    assert found["records"]["training"] > 10
    assert set(found["verdict"]["counts"]) <= {"too-few-records"}
    assert set(records(tmp_path / "out")[0]) == {"input"}


def test_pictures_in_a_chat_lie_beside_the_manifest(run: Run, tmp_path: Path) -> None:
    inline = base64.b64encode(png(noise=1)).decode()
    (tmp_path / "2.png").write_bytes(png(noise=2))
    urls = (f"data:image/png;base64,{inline}", "2.png")
    path = tmp_path / "chat.jsonl"
    path.write_text(
        "".join(
            json.dumps(
                {
                    "messages": [
                        {"role": "user", "content": [
                            {"type": "image_url", "image_url": {"url": url}},
                            {"type": "text", "text": "What is it?"}]},
                        {"role": "assistant", "content": f"Picture {n}."},
                    ]
                }
            ) + "\n"
            for n, url in enumerate(urls)
        )
    )  # fmt: skip
    refused = run("prepare", path, "-m", "nova-lite", "-o", tmp_path / "out")
    assert refused.exit_code == 2
    assert "row 1 has images: where will they be stored?" in refused.stderr
    found = converted(run, path, "-m", "nova-lite", "--to", "s3://b/pets")
    uris = [
        record["messages"][0]["content"][0]["image"]["source"]["s3Location"]["uri"]
        for record in records(tmp_path / "out")
    ]
    for uri, data in zip(uris, (png(noise=1), png(noise=2)), strict=True):
        name = uri.removeprefix("s3://b/pets/")
        assert (tmp_path / "out/training" / name).read_bytes() == data
    assert found["upload"][0].startswith("aws s3 sync")
    assert set(found["verdict"]["counts"]) == {"too-few-records-in-total"}


def test_splits_of_the_files_are_kept_and_equal_records_stay_together(
    run: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name, numbers in (("train", range(6)), ("val", range(5, 8)), ("test", range(8, 9))):
        rows = ({"prompt": f"q{n}", "completion": f"a{n}"} for n in numbers)
        (folder / f"{name}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    found = converted(run, folder, "--to-format", "prompt-completion")
    prompts = {
        kind: {record["prompt"] for record in records(tmp_path / "out", kind)}
        for kind in ("training", "validation")
    }
    assert prompts == {
        "training": {"q0", "q1", "q2", "q3", "q4"},
        "validation": {"q5", "q6", "q7"},
    }
    assert "test: 1 record left out, for tests only" in found["said"]


def test_a_split_that_is_none_is_left_out_and_told(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "all.jsonl"
    splits = ["train"] * 3 + ["test", "extra", ""]
    rows = ({"prompt": f"q{n}", "completion": "a", "split": word} for n, word in enumerate(splits))
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    found = converted(run, path, "--to-format", "prompt-completion")
    prompts = [record["prompt"] for record in records(tmp_path / "out")]
    assert prompts == ["q0", "q1", "q2", "q5"]
    assert found["left_out_by"] == {"split not known": 1}


def test_a_column_that_names_no_split_is_refused_as_one(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "all.jsonl"
    path.write_text('{"prompt": "q", "completion": "a", "fold": 1}\n')
    told = ("--to-format", "prompt-completion", "--split-column", "fold")
    result = run("prepare", path, "-o", tmp_path / "out", *told)
    assert result.exit_code == 2
    assert 'no cell of "fold" names a split; it has: 1' in result.stderr


def test_batch_inference_is_read_with_its_answers(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "batch.jsonl"
    turns = [{"role": "user", "content": [{"text": "hi"}]}]
    told = {"output": {"message": {"role": "assistant", "content": [{"text": "ho"}]}}}
    row = {"recordId": "1", "modelInput": {"messages": turns}, "modelOutput": told}
    path.write_text(f"{json.dumps(row)}\n")
    converted(run, path, "--to-format", "prompt-completion")
    assert records(tmp_path / "out") == [{"prompt": "hi", "completion": "ho"}]


def test_an_image_outside_of_the_folder_is_not_taken(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.png").write_bytes(png())
    folder = tmp_path / "in"
    folder.mkdir()
    row = {"prompt": "q", "completion": "a"}
    talk = {"messages": _turns("../mine.png")}
    (folder / "a.jsonl").write_text(f"{json.dumps(row)}\n{json.dumps(talk)}\n")
    where = ("--to-format", "converse", "-m", "nova-lite", "--to", "s3://b/pets")
    found = converted(run, folder, *where)
    assert found["left_out_by"] == {"an image is not below in": 1}


def _turns(image: str) -> list[dict[str, Any]]:
    asked = [{"type": "image_url", "image_url": {"url": image}}, {"type": "text", "text": "?"}]
    return [{"role": "user", "content": asked}, {"role": "assistant", "content": "a"}]


def test_a_share_for_validation_is_dealt_by_seed(run: Run, tmp_path: Path) -> None:
    found = converted(run, alpaca(tmp_path, 20), "--to-format", "converse", "--split", "0.8")
    assert found["records"] == {"training": 16, "validation": 4}


def test_records_without_a_place_are_counted_by_reason(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "chat.json"
    long = [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}] * 2
    path.write_text(json.dumps([{"conversations": long}, {"prompt": "q", "completion": "a"}]))
    found = converted(run, path, "--to-format", "prompt-completion")
    reason = "it has 4 turns, and the format has one question and answer"
    assert found["left_out_by"] == {reason: 1}


@pytest.mark.parametrize("options", [("-m", "nova-2-lite"), ("-m", "nova-lite", "--split", "1")])
def test_a_validation_set_that_is_not_wanted_is_left_out(
    run: Run, tmp_path: Path, options: tuple[str, ...]
) -> None:
    path = tmp_path / "a.jsonl"
    rows = (
        {"prompt": f"q{n}", "completion": "a", "split": ("train", "validation")[n % 2]}
        for n in range(400)
    )
    path.write_text("\n".join(map(json.dumps, rows)))
    found = converted(run, path, *options)
    assert found["records"] == {"training": 200}
    assert "validation: 200 records left out: there is to be no validation set" in found["said"]
    assert found["verdict"]["valid"] is True


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ('{"a": 1}\n', ("--to-format", "converse"), "it is in no known format; it has: a"),
        ("", ("--to-format", "converse"), "there is no record to convert"),
        ('{"a": 1}\n{"b": 1}\n', ("--to-format", "converse"), "row 1, and 1 more record"),
        ('{"a": 1}\n', ("--to-format", "converse"), 'call the fields "prompt" and "completion"'),
        ("a,b\n1,2\n", ("--to-format", "converse"), "in a table: in its first line"),
        ('{"text": "a"}\n', ("--to-format", "converse"), "--to-format input-only"),
        (
            '{"messages": [{"role": "user", "content": "a"}]}\n',
            ("-m", "nova-micro"),
            "give each record an answer",
        ),
        (
            '{"prompt": "a", "completion": "b", "image": "1.png"}\n',
            ("-m", "nova-lite"),
            "put the images where the file names them",
        ),
        ("- prompt: a\n  completion: b\n", ("-m", "nova-micro"), "the file is YAML"),
        ("<html></html>\n", ("-m", "nova-micro"), "HTML"),
        ("version https://git-lfs.github.com/spec/v1\n", ("-m", "nova-micro"), "git lfs pull"),
        ('{"image": "1.png", "caption": "a"}\n', ("-m", "nova-lite"), "add a field prompt"),
        (
            '{"prompt": "q", "completion": "a", "split": "test"}\n',
            ("-m", "nova-lite"),
            "every record belongs to the test split",
        ),
        ('{"a": 1}\n[]\n', ("--to-format", "converse"), "line 2 is not a JSON object"),
        ('{"a": 1}\n', ("-m", "nova-lite", "--fix"), "not trained on images with captions"),
        ('{"a": 1}\n', ("--to-format", "convers"), "convers"),
    ],
)
def test_what_cannot_be_converted_says_why_and_leaves_nothing(
    run: Run, tmp_path: Path, text: str, options: tuple[str, ...], words: str
) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text(text)
    result = run("prepare", path, "-o", tmp_path / "out", *options)
    assert result.exit_code == 2
    assert words in result.stderr
    assert list(tmp_path.iterdir()) == [path]


# As they are called in the world, and what is in them; each is one record of question and answer.
AS_CALLED = {
    "a table that is called JSON Lines": "prompt,completion\nq,a\n",
    "records with commas between them": '{"prompt": "q", "completion": "a"},\n',
    "one array of turns per line": json.dumps(
        [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    ),
    "a list for each field": '{"prompt": ["q", "q"], "completion": ["a", "a"]}',
    "rows by number": '{"prompt": {"0": "q", "1": "q"}, "completion": {"0": "a", "1": "a"}}',
    "pandas": '{"columns": ["prompt", "completion"], "index": [0], "data": [["q", "a"]]}',
    "the viewer": '{"features": [], "rows": [{"row": {"prompt": "q", "completion": "a"}}]}',
}


@pytest.mark.parametrize("suffix", ["jsonl", "json"])
@pytest.mark.parametrize("name", AS_CALLED)
def test_a_file_is_read_by_what_it_holds_whatever_it_is_called(
    run: Run, tmp_path: Path, name: str, suffix: str
) -> None:
    path = tmp_path / f"in.{suffix}"
    path.write_text(AS_CALLED[name])
    converted(run, path, "--to-format", "prompt-completion", "--split", "1")
    assert records(tmp_path / "out")[0] == {"prompt": "q", "completion": "a"}


@pytest.mark.parametrize(
    ("name", "text", "called"),
    [
        ("in.csv", "Frage;Antwort\nq;a\n", "frage and antwort"),
        ("in.jsonl", '{"query": "q", "endings": ["a"], "correct": 0}\n', "questions with choices"),
    ],
)
def test_texts_are_called_by_their_fields_or_by_what_they_are(
    run: Run, tmp_path: Path, name: str, text: str, called: str
) -> None:
    path = tmp_path / name
    path.write_text(text)
    result = run("prepare", path, "--to-format", "openai", "--split", "1", "-o", tmp_path / "out")
    assert f"1 record ({called}: 1)" in result.stdout


def _answered(question: str, *answers: str) -> dict[str, Any]:
    return {"question": question, "answers": [{"text": each} for each in answers], "id": question}


def test_the_questions_of_nested_documents_are_records_with_their_context(
    run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "train-v2.0.json"
    asked = [_answered("Who?", "Ann", "she"), _answered("Why?")]
    paragraphs = [{"context": f"Text {n}.", "qas": asked} for n in range(2)]
    path.write_text(json.dumps({"version": "v2.0", "data": [{"paragraphs": paragraphs}] * 5}))
    found = converted(run, path, "--to-format", "prompt-completion")
    assert records(tmp_path / "out")[:2] == [
        {"prompt": f"Text {n}.\n\nWho?", "completion": "Ann"} for n in range(2)
    ]
    left = found["left_out"]
    assert len(left) == 10
    assert left[0]["file"] == "train-v2.0.json row 1 question 2"
    assert left[0]["reason"] == "its question has no answer"


def test_a_story_with_questions_is_one_conversation(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "coqa.json"
    asked, told = ([{"input_text": text} for text in texts] for texts in (("A?", "B?"), "ab"))
    story = {"story": "Once.", "questions": asked, "answers": told}
    path.write_text(json.dumps({"version": "1.0", "data": [story] * 10}))
    converted(run, path, "--to-format", "openai")
    turns = [turn["content"] for turn in records(tmp_path / "out")[0]["messages"]]
    assert turns == ["Once.\n\nA?", "a", "B?", "b"]


def test_a_document_with_a_list_for_each_split_keeps_the_splits(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    rows = [{"input": f"a {n}", "output": "b"} for n in range(9)]
    path.write_text(json.dumps({"train": rows[:6], "validation": rows[6:8], "test": rows[8:]}))
    found = converted(run, path, "--to-format", "prompt-completion")
    assert found["records"] == {"training": 6, "validation": 2}


def test_a_compressed_file_is_told_as_what_it_is(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(gzip.compress(b'{"prompt": "a", "completion": "b"}'))
    refused = run("prepare", path, "--to-format", "converse", "--dry-run")
    assert refused.exit_code == 2
    assert "the file is compressed (gzip)" in refused.stderr
    assert "gunzip" in refused.stderr
