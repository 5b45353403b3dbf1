"""Number of examples in XTREME's splits, where a source states it.

The numbers of PAN-X, PAWS-X, UDPOS and MLQA are those that `datasets` recorded for its XTREME copy (`dataset_infos.json`,
huggingface/datasets before 3.0). Those of UDPOS are included only for languages where they equal the sum of the known sizes of
UD 2.5's treebanks, compared by hand and not with the files; for German, Greek, French, Japanese, Russian and Chinese they do
not, so those remain unknown.
"""

from __future__ import annotations

Count = tuple[str, str, int]
"""(language, split, number of examples)."""

_PANX_SMALL = {
    100: ("jv", "my", "yo"),
    1_000: ("af", "bn", "hi", "kk", "ml", "mr", "ms", "sw", "ta", "te", "tl", "ur"),
}
_UDPOS = {
    "af": (194, 425), "ar": (909, 1_680), "bg": (1_115, 1_116), "en": (3_974, 5_440), "es": (3_054, 3_147),
    "et": (3_125, 3_760), "eu": (1_798, 1_799), "fa": (599, 600), "fi": (3_239, 4_422), "he": (484, 491), "hi": (1_659, 2_684),
    "hu": (441, 449), "id": (559, 1_557), "it": (2_278, 3_518), "ko": (3_016, 4_276), "mr": (46, 47), "nl": (1_394, 1_471),
    "pt": (1_770, 2_681), "ta": (80, 120), "te": (131, 146), "tr": (988, 4_785), "ur": (552, 535), "vi": (800, 800),
}  # fmt: skip
_UDPOS_TEST_ALONE = {"kk": 1_047, "th": 1_000, "tl": 55, "yo": 100}
_MLQA = {
    "ar": (517, 5_335), "de": (512, 4_517), "en": (1_148, 11_590), "es": (500, 5_253), "hi": (507, 4_918), "vi": (511, 5_495),
    "zh": (504, 5_137),
}  # fmt: skip
_PAWSX_READ_AS_CSV = (("en", "train", 49_175), ("es", "dev", 1_961), ("fr", "dev", 1_988), ("ko", "test", 1_999))
"""Counts of the hub's copy, which was read with quotation marks as CSV quotes and therefore joins some lines."""


def _both(sizes: dict[str, tuple[int, int]]) -> tuple[Count, ...]:
    return tuple((code, split, n) for code, both in sizes.items() for split, n in zip(("dev", "test"), both, strict=True))


def panx(languages: tuple[str, ...]) -> tuple[Count, ...]:
    """Return the counts of Rahimi et al.'s splits: dev and test have the same size, 100, 1,000 or 10,000."""
    small = {code: size for size, codes in _PANX_SMALL.items() for code in codes}
    return (("en", "train", 20_000), *_both({code: (small.get(code, 10_000),) * 2 for code in languages}))


def pawsx(languages: tuple[str, ...]) -> tuple[Count, ...]:
    """Return the counts of the authors' files, then those of the hub's copy where they differ."""
    return (("en", "train", 49_401), *_both(dict.fromkeys(languages, (2_000, 2_000))), *_PAWSX_READ_AS_CSV)


UDPOS = (("en", "train", 21_253), *_both(_UDPOS), *((code, "test", n) for code, n in _UDPOS_TEST_ALONE.items()))
MLQA = _both(_MLQA)
"""Number of questions with question and context in the same language (Lewis et al. 2020)."""
