"""Receivers of a study's progress: callbacks, or a display such as `tasksearch.progress`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Protocol, Self

from tasksearch.core.study import StudyConfig
from tasksearch.study.setup import OnPretrain

OnEvent = Callable[[Any], None]
"""Called with an event of `engine.events`, in the thread that called `run_study`."""


class Display(Protocol):
    """Context manager that displays a study's progress."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None: ...

    def on_event(self, event: Any) -> None:
        """Called with an event of `engine.events`."""

    def on_pretrain(self, step: int, steps: int, loss: float) -> None:
        """Called while the lab's own model is pretrained."""


Progress = Callable[[StudyConfig], Display]
"""Makes the display of a study, such as `tasksearch.progress`."""


@contextmanager
def shown(
    progress: Progress | None, config: StudyConfig, on_event: OnEvent | None, on_pretrain: OnPretrain | None
) -> Iterator[tuple[OnEvent | None, OnPretrain | None]]:
    """Yield the callbacks of a study: the caller's, combined with the display's if one is wanted."""
    if progress is None:
        yield on_event, on_pretrain
        return
    with progress(config) as display:
        yield _both(display.on_event, on_event), _both(display.on_pretrain, on_pretrain)


def _both(first: Callable[..., None], second: Callable[..., None] | None) -> Callable[..., None]:
    if second is None:
        return first

    def call(*args: Any) -> None:
        first(*args)
        second(*args)

    return call
