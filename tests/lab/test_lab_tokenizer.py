"""The lab's tokenizer, as transformers loads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tasksearch.lab.lexicon import build_lexicons
from tasksearch.lab.tokenizer import MAX_LENGTH, vocabulary, write_tokenizer
from tasksearch.lab.world import Concept, World

LEXICONS = build_lexicons(World.generate(0))


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from transformers import AutoTokenizer

    folder: Path = tmp_path_factory.mktemp("tokenizer")
    write_tokenizer(LEXICONS, folder)
    return AutoTokenizer.from_pretrained(str(folder))


def test_specials_are_where_xlm_r_has_them(tokenizer: Any) -> None:
    assert tokenizer.convert_tokens_to_ids(["<s>", "<pad>", "</s>", "<unk>"]) == [0, 1, 2, 3]
    assert tokenizer.mask_token_id == len(tokenizer) - 1 == len(vocabulary(LEXICONS)) - 1
    assert (tokenizer.bos_token_id, tokenizer.pad_token_id, tokenizer.eos_token_id) == (0, 1, 2)
    assert tokenizer.model_max_length == MAX_LENGTH


def test_pairs_are_laid_out_as_xlm_r_lays_them_out(tokenizer: Any) -> None:
    word = LEXICONS["en"][Concept("person", 0)]
    one = tokenizer(word)["input_ids"][1]
    assert tokenizer(word, word)["input_ids"] == [0, one, 2, 2, one, 2]


def test_a_stem_is_one_piece_and_a_suffix_another(tokenizer: Any) -> None:
    for forms in LEXICONS.values():
        for concept, form in forms.items():
            pieces = tokenizer(form, add_special_tokens=False)["input_ids"]
            assert concept.kind == "suffix" or len(pieces) == 1
    stem, suffix = LEXICONS["lowfar"][Concept("noun", 0, 0)], LEXICONS["lowfar"][Concept("suffix", 0)]
    assert len(tokenizer(stem + suffix, add_special_tokens=False)["input_ids"]) == 2


def test_offsets_cover_words_without_the_space_before_them(tokenizer: Any) -> None:
    text = " ".join(LEXICONS["sov"][Concept("person", n)] for n in range(3))
    offsets = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    assert [text[begin:end] for begin, end in offsets] == text.split(" ")


def test_a_word_of_no_language_falls_into_letters(tokenizer: Any) -> None:
    pieces = tokenizer("bxq", add_special_tokens=False)["input_ids"]
    assert tokenizer.unk_token_id in pieces
    assert len(tokenizer("bdb", add_special_tokens=False)["input_ids"]) == 4
