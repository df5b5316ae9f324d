"""Every rule is found wherever its bad example is: no fast path hides a finding."""

import json
import random
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bedrock_tuning.checking.conclude import conclude
from bedrock_tuning.checking.fast_path_images import image_fast_path
from bedrock_tuning.checking.fast_path_records import fast_path_for
from bedrock_tuning.checking.images import check_images
from bedrock_tuning.checking.manifest import ManifestCheck
from bedrock_tuning.checking.result import merge
from bedrock_tuning.dataset.dataset import ModelRequirements
from bedrock_tuning.dataset.images.image import Image
from bedrock_tuning.dataset.json_lines import Line
from bedrock_tuning.dataset.record import Record
from bedrock_tuning.dataset.scope import DatasetScope, ImageRef
from bedrock_tuning.rules import BY_ID, BY_NAME, RULES, Fault, Rule
from bedrock_tuning.rules.finding import Heard
from bedrock_tuning.rules.rule import rule
from tests.support.examples import check, item_of, scope_of
from tests.support.pictures import Folder, jpeg, png

pytestmark = pytest.mark.slow

TEXT_RULES = [each for each in RULES if each.item in (Line, Record)]
GOOD = {
    "image-caption": {"image-ref": "s3://bucket/folder/1.png", "caption": "a dog"},
    "prompt-completion": {"prompt": "what is AWS", "completion": "Amazon Web Services"},
    "input-only": {"input": "some text"},
}


def clean_line(scope: DatasetScope, rule: Rule) -> bytes:
    """A line of the scope's format that no rule reports."""
    record = GOOD.get(scope.contract.format)
    good = rule.good.encode() if isinstance(rule.good, str) else rule.good
    return json.dumps(record).encode() if record is not None else good


def bytes_of(example: str | bytes) -> bytes:
    return example.encode() if isinstance(example, str) else example


@pytest.mark.parametrize("rule", TEXT_RULES, ids=lambda rule: rule.name)
@settings(max_examples=3)
@given(place=st.integers(0, 999), others=st.sampled_from([b"", b"{}", b"[1]", b"{"]))
def test_a_bad_record_is_found_among_a_thousand_clean_ones(
    rule: Rule, place: int, others: bytes
) -> None:
    scope = scope_of(rule.model)
    # Without a fast path, rules see one line after the other: fewer are enough.
    count = 1_000 if fast_path_for(scope) is not None else 10
    place %= count
    lines = [clean_line(scope, rule)] * count
    if others:
        lines[(place + 7) % count] = others
    without = check(b"\n".join(lines), scope=scope)[1].counts.get(rule.id, 0)
    # A byte order mark is one only at the beginning.
    place = 0 if rule.name == "byte-order-mark" else place
    lines[place] = bytes_of(rule.bad)
    _, result = check(b"\n".join([*lines, b""]), scope=scope)
    assert result.counts.get(rule.id, 0) > without
    assert place + 1 in [finding.line for finding in result.findings[rule.id]]


@pytest.fixture
def caption_only_digits() -> Iterator[Rule]:
    """A rule that no fast path knows."""

    @rule("R299", bad="", good="", formats=("image-caption",), fix="Describe the image.")
    def caption_only_digits(record: Record, _: DatasetScope) -> Iterator[Fault]:
        """A caption has digits only."""
        if (record.text("caption") or "").isdigit():
            yield Fault("the caption has digits only", "caption")

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(BY_ID, "R299", caption_only_digits)
        patch.setitem(BY_NAME, "caption-only-digits", caption_only_digits)  # type: ignore[arg-type]
        yield caption_only_digits


@pytest.mark.parametrize("line", [b"", b"{}"])
def test_a_rule_that_the_fast_path_does_not_know_is_found_in_every_row(
    caption_only_digits: Rule, line: bytes
) -> None:
    rows = [{"image-ref": "s3://bucket/folder/1.png", "caption": str(n)} for n in range(1_200)]
    lines = [json.dumps(row).encode() for row in rows]
    _, result = check(b"\n".join([*lines, line, b""]))
    assert result.counts["R299"] == 1_200
    assert fast_path_for(scope_of()) is None
    scope = scope_of()
    requirements = ModelRequirements(base_model=scope.model, dataset=scope.contract)
    assert conclude(merge([result]), requirements).counts["caption-only-digits"] == 1_200


def test_a_rule_for_images_that_the_fast_path_does_not_know_is_found_in_every_image() -> None:
    @rule("I999", bad="", good="", fix="Use a picture.")
    def square_image(image: Image, scope: DatasetScope) -> Iterator[Fault]:
        """An image is a square."""
        if image.sized is not None and image.sized.width == image.sized.height:
            yield Fault("the image is a square", scope.image_field)

    refs = [ImageRef(line, "folder/1.png") for line in range(1, 51)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(BY_ID, "I999", square_image)
        assert image_fast_path(scope_of()) is None
        result = check_images(refs, Folder({"folder/1.png": png()}), scope_of())
    assert result.counts == {"I999": 50}
    assert image_fast_path(scope_of()) is not None


IMAGES: dict[str, Callable[[], bytes]] = {
    "truncated-image": lambda: png()[:40],
    "empty-image": bytes,
    "image-format-not-supported": lambda: b"<!DOCTYPE html>",
    "corrupt-image": lambda: b"\xff\xd8\xff\xda" + bytes(100),
    "image-side-too-small": lambda: png(255, 300),
    "image-side-too-large": lambda: png(4097, 2000),
    "too-many-pixels": lambda: png(4096, 3073),
    "pixels-disputed": lambda: png(4096, 3072),
    "aspect-ratio-out-of-range": lambda: png(256, 1025),
    "deep-colour-image": lambda: png(mode="I;16"),
    "wrong-image-extension": jpeg,
}


@pytest.fixture(scope="module")
def images() -> dict[str, bytes]:
    return {"folder/good.png": png(), **{f"folder/{n}.png": draw() for n, draw in IMAGES.items()}}


@pytest.mark.parametrize("name", IMAGES)
@settings(max_examples=3)
@given(place=st.integers(0, 999), other=st.sampled_from(["", "absent", *IMAGES]))
def test_a_bad_image_is_found_among_a_thousand_clean_ones(
    images: dict[str, bytes], name: str, place: int, other: str
) -> None:
    keys = ["folder/good.png"] * 1_000
    if other:
        keys[(place + 3) % 1_000] = f"folder/{other}.png"
    keys[place] = f"folder/{name}.png"
    refs = [ImageRef(line, key) for line, key in enumerate(keys, 1)]
    result = check_images(refs, Folder(images), scope_of())
    assert place + 1 in [finding.line for finding in result.findings[BY_NAME[name].id]]


@pytest.mark.parametrize("rule", [r for r in RULES if r.item is Image], ids=lambda rule: rule.name)
def test_no_bad_image_is_clean(rule: Rule) -> None:
    fast = image_fast_path(scope_of(rule.model))
    assert fast is not None
    assert not fast.is_clean(item_of(rule, rule.bad))


PAIR = '{"image-ref": "s3://bucket/folder/1.png", "caption": %s}'
FAULTY = [
    *("", "{}", '{"caption": "a"}', '{"image-ref": "s3://bucket/folder/1.png"}', '{"a": "b"}'),
    *('{"image-ref": "s3://b/1", "caption": "a"}', '{"image-ref": 1, "caption": null}', "{"),
    *(PAIR % value for value in ('" "', '"\\u0001"', f'"{"x" * 700}"', f'"{"x" * 2_600}"')),
    '{"image-ref": "s3://bucket/else/1.png", "caption": "\\"q\\""}',
    '{"image-ref": "s3://bucket/folder/2.png", "caption": "a dog"}',
    '{"prompt": "x", "completion": "y", "other": 1.5}',
    # Lines that are not JSON, that are JSON but no object, and that decoders disagree about.
    *(
        "a dog",
        PAIR % "NaN",
        PAIR % '"a"' + ",",
        PAIR % "'a'",
        PAIR % '"a\tb"',
        PAIR % '"größer',
        "nul",
    ),
    *(
        PAIR % '"\\ud83d"',
        PAIR % "1e999",
        PAIR % '"a\0b"',
        PAIR % '"\udce4"',
        "1" * 5_000,
        "\ufeff{}",
    ),
    *("[1]", '"a"', "12", '[{"a": 1}]', '[{"a": 1, "a": 2}]', "[" * 70 + "]" * 70),
    # Names that are given twice, in one object or in several, spelled alike or not.
    *(
        PAIR % f'"a", {name}: {value}'
        for name in ('"caption"', '"capt\\u0069on"')
        for value in '1"'
    ),
    *(PAIR % f'"a", "caption": {value}' for value in ('"b"', '["b"]', '"\\"\\\\"', '"\\u0022"')),
    *(PAIR % f'{{"a": 1, "{name}": 2}}' for name in "ab"),
    *(PAIR % f'{{"a": 1}}, "{name}": {{"a": 2}}' for name in ("b", "caption")),
    '{"p": {"q": 1, "q": 2}, "q": {}, "p": 3}',
    '{"p": 0, "q": {"q": {"q": 1}}, "p": 3}',
    *(
        f'{{"{names[0]}": 1, "{names[1]}": 2, "{names[2]}": 3, "{names[3]}": 4}}'
        for names in (("\\\\", "\\\\", '\\"', '\\"'), ("\\\\", '\\"', '\\"', '\\"'))
    ),
    *(PAIR % f"{'[' * 70}{']' * 70}{end}" for end in ("", ', "caption": "a"')),
    *(PAIR % value for value in ("[]", f'"{"犬" * 129}"')),
    # Values that tell a format of another tool, beside others that do not.
    *(f'{{"caption": "a", "url": "{url}"}}' for url in ("https://example.com/1.png", "a")),
    *(f'{{"text": "{text}", "prompt": ["a"]}}' for text in ("<|im_start|>user\\na<|im_end|>", "a")),
    *(f'{{"prompt": "a", "dialogue": {value}}}' for value in ('["a"]', '{"a": "b"}')),
]


@pytest.mark.parametrize("model", ["titan-multimodal-embeddings-g1", "titan-text-lite"])
@settings(max_examples=4)
@given(seed=st.integers(0, 1 << 20), most=st.sampled_from([1, 50, 10_000]), ending=st.booleans())
def test_counting_many_faulty_rows_finds_what_the_rules_find(
    model: str, seed: int, most: int, ending: bool
) -> None:
    rng = random.Random(seed)  # noqa: S311
    kinds = rng.sample(FAULTY, rng.randint(1, 3))
    data = "".join(rng.choice(kinds) + "\r\n"[not ending :] for _ in range(900))
    demand_same_findings(data.encode(errors="surrogateescape"), scope_of(model), most=most)


@pytest.mark.parametrize(
    "model",
    [
        *("titan-multimodal-embeddings-g1", "titan-text-lite", "llama-3-1-8b"),
        *("nova-lite", "nova-lite/DISTILLATION", "nova-2-lite/REINFORCEMENT_FINE_TUNING"),
    ],
)
def test_each_kind_of_faulty_rows_is_counted_as_the_rules_count_it(model: str) -> None:
    # The 200th finding of a rule settles it; the last rows of all kinds are counted.
    rows = [row for row in FAULTY for _ in range(220)] + FAULTY * 9
    data = "\n".join(["\ufeff{", *rows, ""]).encode(errors="surrogateescape")
    demand_same_findings(data, scope_of(model), most=1)


@pytest.mark.parametrize("rule", TEXT_RULES, ids=lambda rule: rule.name)
def test_good_rows_are_not_counted_with_the_faulty_ones_that_look_like_them(rule: Rule) -> None:
    """A fast path that was taught a rule must tell its rows apart when it counts, too."""
    scope = scope_of(rule.model)
    rows = [bytes_of(each) for each in (rule.bad, rule.good)] + [clean_line(scope, rule)]
    demand_same_findings(b"\n".join(rows * 40 + [b""]), scope, most=1)


def demand_same_findings(data: bytes, scope: DatasetScope, *, most: int) -> None:
    """With and without fast paths, however many findings of a rule are listed."""
    marked: list[list[int]] = [[], []]
    results = []
    for by_rules_only, lines in zip((False, True), marked, strict=True):
        heard = Heard(error_line=lambda _, line, lines=lines: lines.append(line), per_rule=most)
        running = ManifestCheck(scope, heard, block_bytes=4_000)
        if by_rules_only:
            running._fast = running._classes = None
        refs = [*running.feed(data)]
        last, result = running.finish()
        results.append(([*refs, *last], result))
    assert results[0] == results[1]
    assert set(marked[0]) == set(marked[1])
