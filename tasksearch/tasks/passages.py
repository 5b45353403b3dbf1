"""Passages for MLM: long texts of a language cut into pieces of about a sequence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tasksearch.tasks.examples import Example, RawText

PASSAGE_CHARACTERS = 1_000
"""Maximum characters of a passage: a sequence of about 256 tokens in most scripts."""


def passages(texts: Iterable[Example], most: int = PASSAGE_CHARACTERS) -> Iterator[Example]:
    """Cut texts of more than `most` characters, at white space where there is any; pairs (TLM) and blank texts are not cut.

    An article of an encyclopaedia would otherwise train its first sequence alone.
    """
    for text in texts:
        if isinstance(text, RawText) and text.text_b is None and len(text.text_a) > most:
            for number, part in enumerate(_parts(text.text_a, most)):
                yield RawText(f"{text.id}/{number}", part, None, text.document)
        else:
            yield text


def _parts(text: str, most: int) -> Iterator[str]:
    begin = 0
    while begin < len(text):
        end = begin + most
        if end < len(text):
            gap = max(text.rfind(mark, begin, end) for mark in (" ", "\n"))
            end = gap if gap > begin else end
        if part := text[begin:end].strip():
            yield part
        begin = end
