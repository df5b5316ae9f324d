"""The picture in docs/architecture.md is drawn from the imports as they are."""

from tools.import_graph import PAGE, page, reduced


def test_the_page_shows_todays_imports() -> None:
    assert PAGE.read_text("utf-8") == page(), "run `make docs`"


def test_an_arrow_that_follows_from_others_is_left_out() -> None:
    direct = {"a": {"b", "c", "d"}, "b": {"c"}, "c": set[str](), "d": set[str]()}
    assert reduced({name: frozenset(each) for name, each in direct.items()}) == {
        "a": {"b", "d"},
        "b": {"c"},
        "c": frozenset(),
        "d": frozenset(),
    }
