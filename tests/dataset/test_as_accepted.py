"""What is read of headers, records and layouts is what was read once, looked at and accepted.

After a change write the file anew by the command that its module names, and read the difference.
"""

import pytest

from tests.dataset import headers
from tests.dataset.layouts import read
from tests.dataset.talks import records
from tests.support.accepted import lines_of, on_one_python

pytestmark = on_one_python


def test_headers_whole_cut_and_damaged_are_read_as_accepted() -> None:
    assert headers.written().splitlines() == lines_of(headers.HEADERS)


def test_records_of_other_tools_say_and_become_what_was_accepted() -> None:
    assert records.written().splitlines() == lines_of(records.RECORDS_TXT)


@pytest.mark.slow
def test_layouts_are_understood_with_the_words_that_were_accepted() -> None:
    assert read.written().splitlines() == lines_of(read.READ)
