"""Many calls at once, such as those of a model, which are paid for: no answer is lost."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

_Key = TypeVar("_Key")
_Answer = TypeVar("_Answer")


def ask_all(
    calls: Mapping[_Key, Callable[[], _Answer]],
    *,
    at_once: int,
    keep: Callable[[_Key, _Answer], None],
) -> None:
    """Makes all calls and hands every answer to `keep`, which may get one twice.

    After an error or Ctrl-C nothing more is asked; what has begun by then is waited for and kept.
    """
    unkept: dict[_Key, _Answer] = {}

    def make(key: _Key, call: Callable[[], _Answer]) -> _Key:
        unkept[key] = call()
        return key

    with ThreadPoolExecutor(at_once) as pool:
        try:
            for done in as_completed([pool.submit(make, *each) for each in calls.items()]):
                key = done.result()
                keep(key, unkept[key])
                del unkept[key]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            for key, answer in unkept.items():
                keep(key, answer)
            raise
