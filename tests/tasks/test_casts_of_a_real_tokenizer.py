"""The casts against the lab's own tokenizer: truncation is Hugging Face's, windows lose nothing, tags stand on first pieces."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.encode import encode, select
from tasksearch.tasks.examples import ChoiceExample, SpanExample, TagExample, TextExample

CARDS = {
    kind: TaskCard(name="t", kind=kind, role="target", folder="t", languages=("en",), labels=tuple("abcdefgh"))
    for kind in ("pair", "sentence", "choice", "span", "tagging")
}
words = st.text("abcdeiklmnorstuw", min_size=1, max_size=9)
texts = st.lists(words, max_size=40).map(" ".join)
quick = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def tokenizer(tiny_lab):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(str(tiny_lab.model))


@quick
@given(texts, texts.filter(bool), st.integers(8, 60))  # transformers takes an empty second text for none
def test_pairs_and_sentences_are_what_truncation_true_gives(tokenizer, a, b, length):
    pair = encode([TextExample("1", a, b, 0)], CARDS["pair"], tokenizer, length)
    assert pair.tokens[0].tolist() == tokenizer(a, b, truncation=True, max_length=length)["input_ids"]
    single = encode([TextExample("1", a, None, 0)], CARDS["sentence"], tokenizer, length)
    assert single.tokens[0].tolist() == tokenizer(a, truncation=True, max_length=length)["input_ids"]


@quick
@given(texts, st.lists(words, min_size=2, max_size=4), st.integers(16, 60))
def test_choices_keep_their_ending_and_the_prompts_end(tokenizer, prompt, choices, length):
    encoded = encode([ChoiceExample("1", prompt, tuple(choices), 1)], CARDS["choice"], tokenizer, length)
    whole = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    for row, choice in enumerate(choices):
        ids, ending = encoded.tokens[row].tolist(), tokenizer(choice, add_special_tokens=False)["input_ids"]
        assert len(ids) <= length
        kept = len(ids) - 4 - len(ending)
        assert ids[1 : 1 + kept] == whole[len(whole) - kept :]
        assert ids[-len(ending) - 1 : -1] == ending
        assert kept == len(whole) or len(ids) == length


@quick
@given(st.lists(st.tuples(words, st.integers(0, 7)), min_size=1, max_size=40), st.integers(12, 40))
def test_every_tag_is_kept_once_in_order_on_its_words_first_piece(tokenizer, tagged, length):
    example = TagExample("1", tuple(w for w, _ in tagged), tuple(t for _, t in tagged))
    encoded = encode([example], CARDS["tagging"], tokenizer, length)
    assert encoded.lengths.max() <= length
    assert [int(t) for i in range(len(encoded)) for t in encoded.tags[i]] == [t for _, t in tagged]
    firsts = [int(encoded.tokens[i][c]) for i in range(len(encoded)) for c in encoded.positions[i]]
    assert firsts == [tokenizer(w, add_special_tokens=False)["input_ids"][0] for w, _ in tagged]


@quick
@given(st.lists(words, min_size=1, max_size=60), st.lists(words, max_size=90).map(" ".join), st.integers(24, 160), st.data())
def test_windows_fit_cover_the_context_and_give_the_answer_back(tokenizer, said, question, length, data):
    begin = data.draw(st.integers(0, len(said) - 1))
    end = data.draw(st.integers(begin + 1, min(len(said), begin + 3)))
    context, answer = " ".join(said), " ".join(said[begin:end])
    at = len(" ".join(said[:begin])) + (begin > 0)
    encoded = encode([SpanExample("1", question, context, ((at, answer),))], CARDS["span"], tokenizer, length)
    assert encoded.lengths.max() <= length
    whole = tokenizer(context, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    seen = {(int(lo), int(hi)) for i in range(len(encoded)) for lo, hi in encoded.offsets[i].reshape(-1, 2)}
    assert seen == set(map(tuple, whole))
    for i in np.flatnonzero(encoded.spans[:, 0] >= 0):
        first, last = encoded.spans[i]
        edges = encoded.offsets[int(i)].reshape(-1, 2)
        assert context[edges[first][0] : edges[last][1]].strip() == answer


def test_a_selection_is_the_items_asked_for_in_that_order(tokenizer):
    examples = [ChoiceExample(str(n), "kita " * n, ("ba", "do"), n % 2) for n in range(5)]
    whole = encode(examples, CARDS["choice"], tokenizer, 32)
    part = select(whole, np.array([3, 0]))
    assert part.labels.tolist() == [1, 0]
    assert [part.tokens[i].tolist() for i in range(4)] == [whole.tokens[i].tolist() for i in (6, 7, 0, 1)]
    assert part.owner.tolist() == [3, 0]


class NothingLeft:
    """The tokenizer, but of U+200D no piece is left, as where a tokenizer's rules drop it."""

    def __init__(self, tokenizer):
        self.bos_token_id, self.eos_token_id = tokenizer.bos_token_id, tokenizer.eos_token_id
        self.unk_token_id, self._tokenizer = tokenizer.unk_token_id, tokenizer

    def __call__(self, texts, **options):
        made = dict(self._tokenizer(texts, **options))
        made["input_ids"] = [[] if text == "\u200d" else ids for text, ids in zip(texts, made["input_ids"], strict=True)]
        return made


def test_a_word_of_which_no_piece_is_left_is_unk(tokenizer):
    example = TagExample("1", ("sat", "\u200d", "on"), (0, 1, 2))
    encoded = encode([example], CARDS["tagging"], NothingLeft(tokenizer), 40)
    row, places = encoded.tokens[0].tolist(), encoded.positions[0].tolist()
    assert row[places[1]] == tokenizer.unk_token_id
    assert row.count(tokenizer.bos_token_id) == 1
    assert encoded.tags[0].tolist() == [0, 1, 2]


SPELLED = ("sat </s> on", "<pad>", "on <s><s> it", "a<mask>", "</s></s>", "<unk> <pad")


def check_spelled(tokenizer):
    specials = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
    examples = [SpanExample(str(n), "sat?", f"{text} on", ((0, text[:2]),)) for n, text in enumerate(SPELLED)]
    encoded = encode(examples, CARDS["span"], tokenizer, 60)
    for n, example in enumerate(examples):
        kept = encoded.positions[n].tolist()
        assert not specials & set(encoded.tokens[n].tolist()[kept[0] : kept[-1] + 1])
        edges = encoded.offsets[n].tolist()
        covered = {at for begin, end in zip(edges[::2], edges[1::2], strict=True) for at in range(begin, end)}
        assert {at for at, character in enumerate(example.context) if character != " "} <= covered
    pairs = encode([TextExample("1", text, text, 0) for text in SPELLED], CARDS["pair"], tokenizer, 60)
    for n in range(len(SPELLED)):
        row = pairs.tokens[n].tolist()
        assert [i for i in row if i in specials] == [tokenizer.bos_token_id, *[tokenizer.eos_token_id] * 3]


def test_what_spells_a_special_piece_is_text(tokenizer):
    check_spelled(tokenizer)


def test_what_spells_a_special_piece_is_text_in_xlm_rs_vocabulary(shared_data):
    from transformers import AutoTokenizer

    model = shared_data.parent / "models" / "e5-small-9-l6-q4"
    if not model.is_dir():
        pytest.skip(f"no tokenizer at {model}")
    tokenizer = AutoTokenizer.from_pretrained(str(model))
    check_spelled(tokenizer)
    plain = ["a < s > b", "the cat sat", "x<y"]
    encoded = encode([TextExample("1", text, None, 0) for text in plain], CARDS["sentence"], tokenizer, 60)
    assert [encoded.tokens[n].tolist() for n in range(3)] == tokenizer(plain)["input_ids"]
