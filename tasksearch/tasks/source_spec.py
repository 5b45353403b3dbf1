"""Where a task's data is, as a frozen value on its card; `TaskSource` opens it.

A new type of source needs another dataclass in `Source` and one more branch in `tasksearch.tasks.resolve`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tasksearch.core.signature import plain_without

Pairs = tuple[tuple[str, str], ...]
"""A hashable mapping: (key, value) pairs."""


@dataclass(frozen=True, kw_only=True)
class Files:
    """Files under the suite's data folder.

    Attributes:
        format: name of a format in `tasksearch.tasks.formats`, which divides a file into records and a record into fields.
        path: template of a file's path with {folder}, {language}, {code} and {split}. If it contains `*`, `?` or `[…]`: all
            files that match, sorted by name.
        codes: language → its name in the files ({code}); other languages keep their code.
        splits: split → its name in the files ({split}).
        columns: field of the kind (`a`, `b`, `label`, `words` …, `id`, `document`) → column, which may contain {language};
            other fields keep their names.
        labels: label or tag in the files → label on the card.
        language_column: column with {code}, in a file of several languages.
        documents: language (or `*`) → regular expression whose first group is the document within the `document` field; an
            example whose field does not match is a document of its own.
        languages: languages of the files; empty: all of the card's.
        home: folder of the user's suite file that names these files; they are searched there first, then under the data folder.
            Not part of the data's fingerprint.
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
        """Return the plain form without `home`, and without `languages` if unused.

        Fingerprints of earlier versions thus stay valid.
        """
        return {name: value for name, value in plain_without(self, ("languages",)).items() if name != "home"}

    def holds(self, language: str) -> bool:
        """Whether the files may contain that language."""
        return not self.languages or language in self.languages

    def alone(self, language: str, languages: Iterable[str]) -> bool:
        """Whether the language has files of its own: their path names it, and no other of these languages has the same path."""
        if "{language}" in self.path:
            return True
        others = (other for other in languages if other != language and self.holds(other))
        return "{code}" in self.path and all(self.code(other) != self.code(language) for other in others)

    def code(self, language: str) -> str:
        """Return the language's name in the files."""
        return dict(self.codes).get(language, language)

    def relative(self, folder: str, language: str, split: str) -> str:
        """Return the path of one language and split, relative to the data folder."""
        named = dict(self.splits).get(split, split)
        return self.path.format(folder=folder, language=language, code=self.code(language), split=named)


PACKED = Files()
"""The packed layout, as written by the lab."""


@dataclass(frozen=True, kw_only=True)
class Hub:
    """A table on the Hugging Face hub, read as parquet.

    Attributes:
        id: `namespace/name`.
        config, split: templates with {code} and {split}.
        revision: branch, tag or commit; the commit that it means is looked up once and recorded.
        codes, splits: language and split → their names in the table.
        columns: field → column (`choices.text` for a part of one), or a text with columns in braces: `{context} {question}`.
        labels: label or tag in the table, numbers as digits → label on the card. A number's name is checked against the table's
            own names, if it has any.
        left_out: labels of rows that the authors exclude, as text; such rows are counted.
        choices: one template per choice; or a single one, in which {each} is replaced by each element of the column `each`.
        label_among: column with the names of the choices, among which the label is looked up; empty: the label is an index.
        equal, begins: (column, template): only rows whose column equals, or begins with, that text; others belong to other
            languages.
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
        """Return the language's name in the table."""
        return dict(self.codes).get(language, language)

    def named(self, language: str, split: str) -> tuple[str, str]:
        """Return (configuration, split) of a language and split."""
        called = dict(self.splits).get(split, split)
        code = self.code(language)
        return self.config.format(code=code, split=called), self.split.format(code=code, split=called)


@dataclass(frozen=True, kw_only=True)
class FirstOf:
    """Copies of the same data, in order of preference: the first one that is available is read."""

    sources: tuple[Source, ...]


@dataclass(frozen=True, kw_only=True)
class ByPart:
    """Different sources for some languages and splits.

    Attributes:
        parts: (language, split, source); an empty split means every split.
        rest: source of all others; None: there is none.
    """

    parts: tuple[tuple[str, str, Source], ...]
    rest: Source | None = None

    def of(self, language: str, split: str) -> Source | None:
        """Return the source of one language and split; None if the card names none."""
        named = {(one, part): source for one, part, source in self.parts}
        return named.get((language, split)) or named.get((language, "")) or self.rest


Source = Files | Hub | FirstOf | ByPart
"""Any type of source."""
