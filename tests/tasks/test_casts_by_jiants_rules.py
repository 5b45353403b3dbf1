"""The casts against a second writing of jiant's rules: token by token, in loops, as its code says them."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.encode import encode
from tasksearch.tasks.examples import ChoiceExample, SpanExample, TagExample, TextExample

letters = st.text("abcdefg", max_size=40)
quick = settings(deadline=None, max_examples=150)


class Letters:
    """One piece per letter."""

    bos_token_id, eos_token_id, pad_token_id = 0, 2, 1

    def __call__(self, texts, **options):
        ids = [[ord(letter) for letter in text] for text in texts]
        return {"input_ids": ids, "offset_mapping": [[(i, i + 1) for i in range(len(text))] for text in texts]}


def card(kind):
    return TaskCard(name="t", kind=kind, role="target", languages=("en",), labels=("x", "y"))


def joined(a, b):
    return [0, *map(ord, a), 2, 2, *map(ord, b), 2]


@quick
@given(letters, letters, st.integers(4, 30).map(lambda n: 2 * n))
def test_pairs_lose_one_token_of_the_longer_side_at_a_time(a, b, length):
    """At even lengths; at odd ones the last token goes to the first side in jiant, to the longer in the fast tokenizer."""
    encoded = encode([TextExample("1", a, b, 0)], card("pair"), Letters(), length)
    while len(a) + len(b) > length - 4:
        a, b = (a[:-1], b) if len(a) > len(b) else (a, b[:-1])
    assert encoded.tokens[0].tolist() == joined(a, b)


@quick
@given(letters, st.lists(st.text("xyz", min_size=1, max_size=12), min_size=2, max_size=5), st.integers(18, 60))
def test_each_choice_stands_alone_with_the_prompts_end(prompt, choices, length):
    encoded = encode([ChoiceExample("1", prompt, tuple(choices), 0)], card("choice"), Letters(), length)
    for row, choice in enumerate(choices):
        kept = prompt
        while len(kept) + len(choice) + 4 > length:
            kept = kept[1:]
        assert encoded.tokens[row].tolist() == joined(kept, choice)


@quick
@given(st.text("abcdefg", max_size=90), st.integers(1, 700), st.integers(260, 384), st.data())
def test_windows_of_a_context_start_128_apart_and_hold_64_tokens_of_the_question(question, size, length, data):
    context = "".join(data.draw(st.permutations("abcdefgh")))[:8] * (size // 8 + 1)
    start = data.draw(st.integers(0, len(context) - 1))
    answer = context[start : start + data.draw(st.integers(1, 12))]
    encoded = encode([SpanExample("1", question, context, ((start, answer),))], card("span"), Letters(), length)
    query = question[:64]
    room = length - len(query) - 4
    windows, at = [], 0
    while True:
        windows.append((at, context[at : at + room]))
        if at + room >= len(context):
            break
        at += 128
    assert len(encoded) == len(windows)
    for item, (begin, text) in enumerate(windows):
        assert encoded.tokens[item].tolist() == joined(query, text)
        inside = begin <= start and start + len(answer) <= begin + len(text)
        wanted = [start - begin, start + len(answer) - 1 - begin] if inside else [-1, -1]
        assert encoded.spans[item].tolist() == wanted


@quick
@given(
    st.lists(st.tuples(st.text("abc", min_size=1, max_size=9), st.integers(0, 1)), min_size=1, max_size=30), st.integers(12, 40)
)
def test_a_sentence_is_split_before_the_word_that_does_not_fit(tagged, length):
    example = TagExample("1", tuple(word for word, _ in tagged), tuple(tag for _, tag in tagged))
    encoded = encode([example], card("tagging"), Letters(), length)
    lines, used = [[]], 0  # XTREME's utils_preprocess.py: a new line where the next word's pieces would pass the room
    for word, tag in tagged:
        if used + len(word) > length - 2:
            lines, used = [*lines, []], 0
        lines[-1].append((word, tag))
        used += len(word)
    assert len(encoded) == len(lines)
    for item, line in enumerate(lines):
        assert encoded.tokens[item].tolist() == [0, *(ord(c) for word, _ in line for c in word), 2]
        assert encoded.tags[item].tolist() == [tag for _, tag in line]
        firsts = [chr(encoded.tokens[item][column]) for column in encoded.positions[item]]
        assert firsts == [word[0] for word, _ in line]
