"""Convert rows of a hub table to the fields of a kind.

The card describes column names, label order and how prompts are composed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tasksearch.core.errors import BadInput
from tasksearch.core.squad_shape import answer_objects
from tasksearch.core.text_files import shown
from tasksearch.tasks.fields import FAULTS, choice_of, why
from tasksearch.tasks.formats.columns import FIELDS, OPTIONAL
from tasksearch.tasks.formats.contract import Broken, LeftOut, Record
from tasksearch.tasks.source_spec import Hub

Row = Mapping[str, Any]
_HOLE = re.compile(r"\{([^{}]+)\}")
BATCH = 1_000
_LABEL = {"tagging": "tags", "multilabel": "labels"}
"""Kind → name of its field with several labels; other kinds have a single `label`."""


def hub_records(table: Any, source: Hub, kind: str, language: str) -> Iterator[Record]:
    """Yield (row number from 1, fields) for the rows of the language; the table stays memory-mapped.

    Raises:
        BadInput: the table lacks a column that the card names, or numbers its labels differently.
    """
    _check_columns(table, source, kind)
    names = _class_names(table, source, kind)
    seen = 0
    for batch in table.with_format("arrow").iter(batch_size=BATCH):
        places = _asked_for(batch, source, language)
        for place, row in zip(places, _rows(batch.take(places)), strict=True):
            try:
                fields = row if isinstance(row, Broken) else _fields(row, source, kind, names)
            except FAULTS as fault:
                fields = Broken(why(fault))
            yield seen + int(place) + 1, fields
        seen += batch.num_rows


def _rows(batch: Any) -> list[Row | Broken]:
    """Return the batch's rows. Arrow does not validate text, so rows with invalid UTF-8 are isolated one by one."""
    try:
        found: list[Row | Broken] = batch.to_pylist()
        return found
    except UnicodeDecodeError:
        return [_row(batch.slice(place, 1)) for place in range(batch.num_rows)]


def _row(alone: Any) -> Row | Broken:
    try:
        row: Row = alone.to_pylist()[0]
        return row
    except UnicodeDecodeError as fault:
        return Broken(f"not UTF-8 at byte {fault.start} of a text")


def _asked_for(batch: Any, source: Hub, language: str) -> npt.NDArray[np.int64]:
    """Return the indices of the batch's rows in that language; other rows are never converted to Python objects."""
    import pyarrow as pa
    import pyarrow.compute as pc

    code, kept = source.code(language), np.ones(batch.num_rows, dtype=bool)
    for tests, test in ((source.equal, pc.equal), (source.begins, pc.starts_with)):
        for column, text in tests:
            mask = test(batch[column].cast(pa.string()), text.format(code=code))
            kept &= mask.fill_null(False).to_numpy(zero_copy_only=False)
    return np.flatnonzero(kept)


def _fields(row: Row, source: Hub, kind: str, names: Sequence[str]) -> Row | LeftOut:
    columns = dict(source.columns)
    label = _LABEL.get(kind, "label")
    raw: Any = _at(row, columns.get(label, label)) if label in FIELDS[kind] else None
    if label == "label" and str(raw) in source.left_out:
        return LeftOut(f"label {raw!r}: the annotators did not agree")
    made: dict[str, Any] = {
        field: _filled(columns.get(field, field), row)
        for field in (*FIELDS[kind], *OPTIONAL.get(kind, ()), "id", "document")
        if field not in ("choices", "answers", label) and (field in FIELDS[kind] or field in columns)
    }
    if kind == "choice":
        made |= {"choices": _choices(row, source), "label": _choice_of(row, raw, source)}
    elif kind == "span":
        made["answers"] = [
            {"start": answer.get("answer_start"), "text": answer.get("text")}
            for answer in answer_objects(_at(row, columns.get("answers", "answers")))
        ]
    elif label in FIELDS[kind]:
        made[label] = [_name(mark, names, source) for mark in raw] if kind in _LABEL else _name(raw, names, source)
    return made


def _at(row: Row, path: str) -> Any:
    """Return the value at a path: `choices.text` is the field `text` of the column `choices`."""
    value: Any = row
    for part in path.split("."):
        value = value[part]
    return value


def _filled(template: str, row: Row) -> Any:
    """Return a column's value, or a template with column values filled in: `{context} {question}`."""
    if "{" not in template:
        return _at(row, template)
    return _HOLE.sub(lambda hole: _text(_at(row, hole[1]), hole[1]), template)


def _text(value: Any, column: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"column {column!r} is {shown(value)}; expected text")
    return value


def _choices(row: Row, source: Hub) -> list[Any]:
    if not source.each:
        return [_filled(template, row) for template in source.choices]
    (template,) = source.choices
    return [_filled(template, {**row, "each": one}) for one in _at(row, source.each)]


def _choice_of(row: Row, raw: Any, source: Hub) -> int:
    if source.label_among:
        among = list(_at(row, source.label_among))
        if raw not in among:
            raise ValueError(f"label {shown(raw)} is none of {', '.join(map(str, among))}")
        return among.index(raw)
    return choice_of({"label": raw}, "label")


def _name(mark: Any, names: Sequence[str], source: Hub) -> str:
    if names and isinstance(mark, int):
        if not 0 <= mark < len(names):
            raise ValueError(f"label {mark} of {len(names)}")
        mark = names[mark]
    return dict(source.labels).get(str(mark), str(mark))


def _check_columns(table: Any, source: Hub, kind: str) -> None:
    columns = dict(source.columns)
    asked = [columns.get(field, field) for field in FIELDS[kind] if field != "choices"]
    asked += [columns[field] for field in (*OPTIONAL.get(kind, ()), "id", "document") if field in columns]
    asked += [*source.choices, source.each, source.label_among, *(column for column, _ in (*source.equal, *source.begins))]
    plain = {part for text in asked if text for part in (_HOLE.findall(text) if "{" in text else [text])} - {"each"}
    missing = sorted({name.split(".")[0] for name in plain} - set(table.column_names))
    if missing:
        raise BadInput(f"no column {missing[0]!r}; the table has {', '.join(table.column_names)}")


def _class_names(table: Any, source: Hub, kind: str) -> tuple[str, ...]:
    """Return the names of the table's numeric labels, checked against the order on the card."""
    column = dict(source.columns).get(_LABEL.get(kind, "label"), _LABEL.get(kind, "label"))
    feature = table.features.get(column)
    feature = getattr(feature, "feature", feature)  # a list's
    names = tuple(getattr(feature, "names", None) or ())
    for number, name in source.labels:
        if names and number.isdecimal() and int(number) < len(names):
            given = dict(source.labels).get(names[int(number)], names[int(number)])
            if given != name:
                raise BadInput(
                    f"label {number} is {names[int(number)]!r} in the table and {name!r} on the card: the copy has changed"
                )
    return names
