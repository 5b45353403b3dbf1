"""Where a task's data is, as a frozen literal on its card. A source is a value; `TaskSource` opens it.

A source of another sort is another dataclass in `Source`, and one more branch in `tasksearch.tasks.resolve`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tasksearch.core.signature import plain_without

Pairs = tuple[tuple[str, str], ...]
"""A mapping that hashes: (key, value) pairs."""


@dataclass(frozen=True, kw_only=True)
class Files:
    """Files under the suite's data folder.

    Attributes:
        format: name of a format in `tasksearch.tasks.formats`: how a file falls into records and a record into fields.
        path: template of a file's path; knows {folder}, {language}, {code} and {split}. With `*`, `?` or `[…]` in it: all files
            that match, in the order of their names.
        codes: language → what the files call it ({code}); a language that is not named is called as it is.
        splits: split → what the files call it ({split}).
        columns: field of the kind (`a`, `b`, `label`, `words` …, `id`, `document`) → column, which may hold {language}; fields
            not named keep their names.
        labels: label or tag as written in the files → the card's.
        language_column: column with {code}, in a file that holds several languages.
        documents: language (or `*`) → regular expression whose first group is the document within the `document` field; an
            example whose field does not match is a document of its own.
        languages: that the files hold; empty: all of the card's.
        home: folder of the user's suite file that names these files: they are looked for there first, then under the data
            folder. It is no part of what names the data.
    """

    format: str = "packed"
    path: str = "{folder}/{language}.{split}.jsonl.gz"
    codes: Pairs = ()
    splits: Pairs = ()
    columns: Pairs = ()
    labels: Pairs = ()
    language_column: str = ""
    documents: Pairs = ()
    languages: tuple[str, ...] = ()
    home: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain form without `home`; where `languages` is not used it is that of versions without it, so that names of data
        stay.
        """
        return {name: value for name, value in plain_without(self, ("languages",)).items() if name != "home"}

    def holds(self, language: str) -> bool:
        """Whether the files are of that language at all."""
        return not self.languages or language in self.languages

    def code(self, language: str) -> str:
        """What the files call a language."""
        return dict(self.codes).get(language, language)

    def relative(self, folder: str, language: str, split: str) -> str:
        """Path below the data folder of one language and split."""
        named = dict(self.splits).get(split, split)
        return self.path.format(folder=folder, language=language, code=self.code(language), split=named)


PACKED = Files()
"""The packed layout, as the lab writes it."""


@dataclass(frozen=True, kw_only=True)
class Hub:
    """A table on the Hugging Face hub, read as parquet.

    Attributes:
        id: `namespace/name`.
        config, split: templates; know {code} and {split}.
        revision: branch, tag or commit; what it meant is looked up once and kept.
        codes, splits: language and split → what the table calls them.
        columns: field → column (`choices.text` for a part of one), or a text with columns in braces: `{context} {question}`.
        labels: label or tag as the table has it, a number as its digits → the card's. A number's name is checked against the
            table's own, where it has names.
        left_out: labels of rows that the authors leave out, as text: counted.
        choices: one template per choice; or a single one, with {each} for an element of the column `each`.
        label_among: column that lists the choices' names, in which the label is looked for; empty: the label is an index.
        equal, begins: (column, template): rows whose column is, or begins with, that text; others belong to other languages.
    """

    id: str
    config: str = "default"
    split: str = "{split}"
    revision: str = "main"
    codes: Pairs = ()
    splits: Pairs = ()
    columns: Pairs = ()
    labels: Pairs = ()
    left_out: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    each: str = ""
    label_among: str = ""
    equal: Pairs = ()
    begins: Pairs = ()

    def code(self, language: str) -> str:
        """What the table calls a language."""
        return dict(self.codes).get(language, language)

    def named(self, language: str, split: str) -> tuple[str, str]:
        """(configuration, split) of a language and split."""
        called = dict(self.splits).get(split, split)
        code = self.code(language)
        return self.config.format(code=code, split=called), self.split.format(code=code, split=called)


@dataclass(frozen=True, kw_only=True)
class FirstOf:
    """Copies of the same data, the preferred one first: the first that is there is read, and the others stand in its stead."""

    sources: tuple[Source, ...]


@dataclass(frozen=True, kw_only=True)
class ByPart:
    """Another source for some languages and splits.

    Attributes:
        parts: (language, split, source); an empty split stands for every split.
        rest: of all others; None: there are none.
    """

    parts: tuple[tuple[str, str, Source], ...]
    rest: Source | None = None

    def of(self, language: str, split: str) -> Source | None:
        """The source of one language and split; None where the card names none."""
        named = {(one, part): source for one, part, source in self.parts}
        return named.get((language, split)) or named.get((language, "")) or self.rest


Source = Files | Hub | FirstOf | ByPart
"""Every sort of source."""
