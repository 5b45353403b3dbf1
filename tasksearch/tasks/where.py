"""Where a task's data is, as a frozen literal on its card. A source is a value; `TaskSource` opens it.

A source of another sort (the hub) is another dataclass in `Source`, and one more branch in `TaskSource`.
"""

from __future__ import annotations

from dataclasses import dataclass

Pairs = tuple[tuple[str, str], ...]
"""A mapping that hashes: (key, value) pairs."""


@dataclass(frozen=True, kw_only=True)
class Files:
    """Files under the suite's data folder.

    Attributes:
        format: name of a format in `tasksearch.tasks.formats`: how a file falls into records and a record into fields.
        path: template of a file's path; knows {folder}, {language}, {code} and {split}.
        codes: language → what the files call it ({code}); a language that is not named is called as it is.
        splits: split → what the files call it ({split}).
        columns: field of the kind (`a`, `b`, `label`, `words` …, `id`, `document`) → column; fields not named keep their names.
        labels: label or tag as written in the files → the card's.
        language_column: column with {code}, in a file that holds several languages.
        documents: language (or `*`) → regular expression whose first group is the document within the `document` field; an
            example whose field does not match is a document of its own.
    """

    format: str = "packed"
    path: str = "{folder}/{language}.{split}.jsonl.gz"
    codes: Pairs = ()
    splits: Pairs = ()
    columns: Pairs = ()
    labels: Pairs = ()
    language_column: str = ""
    documents: Pairs = ()

    def code(self, language: str) -> str:
        """What the files call a language."""
        return dict(self.codes).get(language, language)

    def relative(self, folder: str, language: str, split: str) -> str:
        """Path below the data folder of one language and split."""
        named = dict(self.splits).get(split, split)
        return self.path.format(folder=folder, language=language, code=self.code(language), split=named)


PACKED = Files()
"""The packed layout, as the lab writes it."""

Source = Files
"""Every sort of source."""
