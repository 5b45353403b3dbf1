"""The line of an unknown name."""

from tasksearch.core.errors import UnknownName


def test_a_name_without_a_neighbour_lists_what_is_known():
    assert str(UnknownName("rule", "foo", ["b", "a"])) == "no rule 'foo' (known: a, b)"
    assert str(UnknownName("rule", "foo", [])) == "no rule 'foo' (known: none)"


def test_the_neighbour_stands_before_a_long_list_which_is_cut():
    said = str(UnknownName("language", "l199x", [f"l{n:03d}" for n in range(200)]))
    assert said.startswith("no language 'l199x'; did you mean 'l199'? (known: l000, ") and said.endswith("l059 and 140 more)")
