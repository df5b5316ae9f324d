"""Many calls at once, such as those of a model, which are paid for: no answer is lost."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

Key = TypeVar("Key")
Answer = TypeVar("Answer")


def ask_all(
    calls: Mapping[Key, Callable[[], Answer]],
    *,
    at_once: int,
    keep: Callable[[Key, Answer], None],
) -> None:
    """Makes all calls and hands every answer to `keep`, which may get one twice.

    After an error or Ctrl-C nothing more is asked; what has begun by then is waited for and kept.
    """
    unkept: dict[Key, Answer] = {}

    def make(key: Key, call: Callable[[], Answer]) -> Key:
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
