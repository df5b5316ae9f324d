"""Many calls at once, such as those of a model, which are paid for: no answer is lost.

A module of its own: uploads, embeddings and comparisons all call like this.
"""

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
    waiting: dict[_Key, _Answer] = {}

    def make(key: _Key, call: Callable[[], _Answer]) -> _Key:
        waiting[key] = call()
        return key

    with ThreadPoolExecutor(at_once) as pool:
        try:
            for future in as_completed([pool.submit(make, *item) for item in calls.items()]):
                key = future.result()
                keep(key, waiting[key])
                del waiting[key]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            for key, answer in waiting.items():
                keep(key, answer)
            raise
