"""The pages about retrieval: what they say, and that nothing sticks out in a real browser."""

import random
from pathlib import Path

import pytest

from bedrock_tuning.report.html import ShownPicture
from bedrock_tuning.report.retrieval import Hit, comparison_page, search_page
from bedrock_tuning.serving.classes import classes_of
from bedrock_tuning.serving.comparison import Comparison, compare
from tests.support import browser
from tests.support.browser import View

DOT = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
ABOUT = {"Tuned model": "arn:aws:bedrock:us-east-1:000000000000:custom-model/base:0/abc123def456"}


def compared(pictures: int = 220) -> Comparison:
    dice = random.Random(4)  # noqa: S311
    captions = [f"<b>caption</b> & number {number}" for number in range(pictures)]
    texts = [[dice.gauss(0, 1) for _ in range(8)] for _ in captions]

    def model(noise: float) -> tuple[list[list[float]], list[list[float]]]:
        return [[x + noise * dice.gauss(0, 1) for x in text] for text in texts], texts

    folders = [f"<i>kind-{n % 4 if n > 10 else 4}-{'long ' * 12}" for n in range(pictures)]
    classes = classes_of(
        [f"{folder}/{n}" for n, folder in enumerate(folders)], [[each] for each in captions]
    )
    return compare(captions=captions, classes=classes, base=model(4), tuned=model(0.5))


PLACE = "dev · 123456789012 · us-east-1"


def page(*, against: str | None = None, place: str = PLACE) -> str:
    pictures = {
        number: ShownPicture(name=f"{number}.png", caption=f"picture {number}", thumbnail=DOT)
        for number in range(220)
    }
    return comparison_page(compared(), about=ABOUT, pictures=pictures, against=against, place=place)


def found() -> str:
    hits = [
        Hit(
            picture=ShownPicture(name=f"a-very-long-name-{n}" * 4, caption="", thumbnail=DOT),
            cosine=0.5,
        )
        for n in range(10)
    ]
    return search_page("a <dog>", about=ABOUT, columns={"Base": hits, "Tuned": hits})


@pytest.mark.slow
def test_the_page_tells_the_verdict_the_scores_and_what_moved() -> None:
    comparison, html = compared(), page()
    assert "Tuning paid off" in html
    for side in comparison.sides:
        assert f"{100 * side.tuned.recall[5]:.1f} %" in html
        assert f"{side.mrr_difference.value:+.3f}" in html
    first = comparison.sides[0].moved[0]
    assert f"picture {first.base_first}" in html
    assert "&lt;b&gt;caption&lt;/b&gt; &amp; number" in html
    assert "<b>caption" not in html


@pytest.mark.slow
def test_the_page_tells_what_each_class_gained() -> None:
    comparison, html = compared(), page()
    assert html.count("<h3>By folder</h3>") == 2
    for side in comparison.sides:
        *told, few = side.classes
        assert few.too_few
        for each in told:
            assert f"{100 * each.tuned.recall[5]:.1f} %" in html
            assert f"{100 * each.recall_difference[5].low:+.1f}" in html
    assert html.count(">too few to tell<") == 4
    assert "<i>kind" not in html


def test_the_page_names_the_run_that_is_compared_with_and_says_what_is_simulated() -> None:
    other = page(against="20261120-081503-abc234")
    assert "Model of run 20261120-081503-abc234 and tuned model" in other
    assert "than the model of run 20261120-081503-abc234." in other
    assert "Tuning paid off" not in other
    assert ">Base<" not in other
    assert "SIMULATED" not in other
    assert "SIMULATED" in page(place="local · 000000000000 · us-east-1")


def test_a_search_shows_each_models_pictures_in_their_order() -> None:
    html = found()
    assert "a &lt;dog&gt;" in html
    assert html.index("<h2>Base</h2>") < html.index("<h2>Tuned</h2>")
    assert html.count("<figure>") == 20


@pytest.mark.slow
@pytest.mark.skipif(browser.CHROMIUM is None, reason="no Chromium on this machine")
def test_nothing_sticks_out_and_anybody_can_read_it(tmp_path: Path) -> None:
    pages = {"compared": page(), "found": found()}
    views = [View(1400, dark=False), View(390, dark=True)]
    for (name, view), seen in browser.look(pages, tmp_path, views, may_scroll="svg").items():
        assert seen.scroll <= seen.client <= view.width, (name, view)
        assert seen.sticking == 0, (name, view)
        assert seen.dark == view.dark, (name, view)
    for shown, wrong in browser.accessibility(pages, tmp_path, views).items():
        assert wrong == [], shown
