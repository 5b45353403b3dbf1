"""Users' plain tables and tagged lines for any kind of task: `.tsv`, `.csv`, `.jsonl`, `.parquet` and `.conll`.

Besides a field's own column a source may name `choices.0`, `choices.1` … (one column per choice), `answer` and `start` (columns
of an answer's text and of its first character) and `separator` (between labels or tags in one cell). In `.conll` files the
columns of `words` and `tags` are numbers from 0; by default the first and the last column.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tasksearch.core.errors import BadInput, DataMissing, first_line
from tasksearch.tasks.formats.columns import FIELDS, OPTIONAL
from tasksearch.tasks.formats.contract import Ask, Broken, Format, Record
from tasksearch.tasks.formats.lines import comma_lines, json_lines, lines, tab_lines

BATCH = 1_000
LISTS = ("words", "tags", "labels", "choices")
"""Fields with several values; in a text cell they are separated by spaces, labels by `|`."""


def flat_row(record: Mapping[str, Any], ask: Ask) -> dict[str, Any]:
    """Return a table's columns as the fields of the card's kind: numeric labels as text, lists from one or several cells."""
    kind = ask.card.kind
    row = {field: _field(field, record, ask) for field in FIELDS[kind]}
    row |= {field: record[ask.column(field)] for field in OPTIONAL.get(kind, ()) if field in ask.columns}
    return row | {field: str(record[ask.columns[field]]) for field in ("id", "document") if field in ask.columns}


def _field(field: str, record: Mapping[str, Any], ask: Ask) -> Any:
    columns = ask.columns
    if field == "choices" and (several := [name for name in columns if name.startswith("choices.")]):
        return [record[columns[name]] for name in sorted(several, key=lambda name: int(name.partition(".")[2]))]
    if field == "answers":
        return _answers(record, ask)
    value = record[ask.column(field)]
    if field in LISTS:
        return _list(value, columns.get("separator", "|" if field == "labels" else " "))
    if field == "label":
        return _whole(value) if ask.card.kind == "choice" else _name(value)
    return value


def _list(value: Any, separator: str) -> list[str]:
    if isinstance(value, str):
        return [part.strip() for part in value.split(separator) if part.strip()]
    return [_name(part) for part in value]


def _name(value: Any) -> Any:
    """Return a label's name; whole numbers and booleans become text, as on the card."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else value


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.strip().isdecimal() else value


def _answers(record: Mapping[str, Any], ask: Ask) -> list[dict[str, Any]]:
    """Read answers from one answer in two columns, from SQuAD's two lists, or from a list of objects."""
    if "answer" in ask.columns:
        return [{"text": record[ask.columns["answer"]], "start": _whole(record[ask.column("start")])}]
    value = record[ask.column("answers")]
    if isinstance(value, Mapping):
        starts, texts = value["answer_start"], value["text"]
        if len(starts) != len(texts):
            raise ValueError(f"{len(starts)} answer starts but {len(texts)} answer texts")
        return [{"start": start, "text": text} for start, text in zip(starts, texts, strict=True)]
    return [{"start": answer.get("start", answer.get("answer_start")), "text": answer["text"]} for answer in value]


def parquet_rows(path: Path) -> Iterator[Record]:
    """Yield (row number from 1, column → value), reading block by block.

    Raises:
        DataMissing: the file is missing.
        BadInput: the file is not parquet or is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        number = 0
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=BATCH):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except FileNotFoundError:
        raise DataMissing(f"{path} is missing") from None
    except (OSError, ValueError, pa.ArrowException) as fault:
        raise BadInput(f"{path}: cannot be read as parquet ({first_line(fault)})") from None


def word_lines(path: Path) -> Iterator[Record]:
    """Yield (first line, lists of cells) for every block between blank lines; `# …` and `-DOCSTART-` lines are ignored."""
    block: list[list[str]] = []
    begin, fault = 0, None
    for number, line in (*lines(path), (0, "")):
        if isinstance(line, Broken):
            fault = fault or (number, line)
        elif not line.strip():
            if fault or block:
                yield fault or (begin, block)
            block, fault = [], None
        elif not line.startswith(("# ", "-DOCSTART-")):
            begin = begin if block else number
            block.append(line.split("\t") if "\t" in line else line.split())


def word_row(record: Sequence[Sequence[str]], ask: Ask) -> dict[str, Any]:
    """Return the words and tags of a block."""
    word, tag = (int(ask.columns.get(field, default)) for field, default in (("words", "0"), ("tags", "-1")))
    short = next((cells for cells in record if len(cells) < 2 or len(cells) <= max(word, tag)), None)
    if short is not None:
        raise ValueError(
            f"a line of {len(short)} columns ({' '.join(short)[:40]!r}); expected at least {max(2, word + 1, tag + 1)}"
        )
    return {"words": [cells[word].strip() for cells in record], "tags": [cells[tag].strip() for cells in record]}


FLAT: dict[str, Format] = {
    "flat_tsv": Format(records=tab_lines, row=flat_row),
    "flat_csv": Format(records=comma_lines, row=flat_row),
    "flat_jsonl": Format(records=json_lines, row=flat_row),
    "parquet": Format(records=parquet_rows, row=flat_row),
    "flat_conll": Format(records=word_lines, row=word_row),
}
"""Format name in `FORMATS` → format."""

BY_SUFFIX = {".tsv": "flat_tsv", ".csv": "flat_csv", ".jsonl": "flat_jsonl", ".parquet": "parquet", ".conll": "flat_conll"}
"""File suffix, without `.gz` → format name."""
