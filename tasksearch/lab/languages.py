"""The eight languages of the lab: their differences from its English, and the size of their text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Script = Literal["latin", "cyrillic", "devanagari"]


@dataclass(frozen=True, kw_only=True)
class LabLanguage:
    """One generated language.

    Attributes:
        code: in file names and tables.
        order: of subject, verb and object.
        adjective, adposition: before (`pre`) or after (`post`) the noun.
        article: whether objects carry one.
        script: letters of its words.
        anchors: share of content words that equal the English form.
        cognates: share of content words that are the English form with one letter changed.
        suffixes: whether objects and verbs carry a suffix.
        documents: corpus size, in the recipe's `document_unit`.
        parallel: sentence pairs with English, in the recipe's `parallel_unit`.
        mixed: share of its documents in which each word may be swapped for its translation (code-mixing).
        weight: how often English documents borrow from it, relative to the others.
    """

    code: str
    order: Literal["svo", "sov"] = "svo"
    adjective: Literal["pre", "post"] = "pre"
    adposition: Literal["pre", "post"] = "pre"
    article: bool = True
    script: Script = "latin"
    anchors: float = 0.0
    cognates: float = 0.0
    suffixes: bool = False
    documents: float = 1.0
    parallel: float = 0.0
    mixed: float = 0.5
    weight: float = 0.0


ENGLISH = LabLanguage(code="en")

OTHERS: tuple[LabLanguage, ...] = (
    LabLanguage(code="near1", anchors=0.30, cognates=0.30, parallel=0.5, mixed=0.75, weight=6),
    LabLanguage(code="near2", adjective="post", anchors=0.20, cognates=0.30, documents=0.8, parallel=0.5, mixed=0.75, weight=5),
    LabLanguage(code="script", article=False, script="cyrillic", documents=0.8, parallel=0.5, mixed=0.75, weight=5),
    LabLanguage(
        code="sov",
        order="sov",
        adposition="post",
        article=False,
        script="devanagari",
        documents=0.5,
        parallel=0.3,
        weight=2,
    ),
    LabLanguage(
        code="agglu",
        order="sov",
        adposition="post",
        article=False,
        anchors=0.08,
        suffixes=True,
        documents=0.5,
        parallel=0.3,
        weight=2,
    ),
    LabLanguage(code="lownear", anchors=0.20, cognates=0.20, documents=0.12, parallel=0.06, weight=1),
    LabLanguage(
        code="lowfar",
        order="sov",
        adjective="post",
        adposition="post",
        article=False,
        suffixes=True,
        documents=0.08,
        parallel=0.03,
        weight=1,
    ),
)

LANGUAGES: tuple[LabLanguage, ...] = (ENGLISH, *OTHERS)
