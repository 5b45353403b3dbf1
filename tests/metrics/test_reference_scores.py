"""Our scores against numbers of the reference scripts, recorded by `benchmarks/metric_parity.py`; and mutants of our code.

The second half changes the code of our metrics in small ways, one at a time, and asks that some recorded number tells. A change
that no number could tell is listed with the reason.
"""

import ast
import importlib.util
import inspect
import re
import string
import sys
import textwrap
from collections import Counter
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest

from tasksearch.metrics import chunks, files, mining, mlqa, outcomes, registry, scoring, squad, squad_v2, xtreme

HERE = Path(__file__).parent
_spec = importlib.util.spec_from_file_location("metric_cases", HERE.parents[1] / "benchmarks/metric_cases.py")
cases = importlib.util.module_from_spec(_spec)
sys.modules["metric_cases"] = cases
_spec.loader.exec_module(cases)

RECORDED = cases.read_record(HERE / "reference_scores.jsonl.gz")
GROUPS = list(dict.fromkeys(group for group, _, _ in RECORDED))
EXACT, ROUNDED = 1e-9, 1e-4
"""Points that a sum in another order may differ by; that outcomes in single precision may."""


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """(group, case, the folder of its files, the reference's numbers)"""
    root = tmp_path_factory.mktemp("cases")
    found = []
    for number, (group, case, theirs) in enumerate(RECORDED):
        case.write(root / str(number))
        found.append((group, case, root / str(number), theirs))
    return found


def difference(case, folder, theirs):
    """The first key whose number differs from the reference's; None where all are equal."""
    ours = cases.our_scores(case, folder)
    for key, value in theirs.items():
        mine = ours[key]
        if mine is None or not abs(mine - value) <= (ROUNDED if key == "card" else EXACT):
            return f"{key}: {mine}, the reference has {value}"
    return None


def test_the_record_holds_every_metric():
    assert {case.metric for _, case, _ in RECORDED} == {*scoring.FILE_METRICS, "mining", "xtreme"}
    assert {case.language for _, case, _ in RECORDED if case.metric == "mlqa"} == set(mlqa.LANGUAGES)
    assert min(Counter(case.metric for _, case, _ in RECORDED if case.metric != "xtreme").values()) >= 30
    assert sum("card" in theirs for _, _, theirs in RECORDED) > 200


@pytest.mark.parametrize("group", GROUPS)
def test_every_number_is_the_reference_s(group, written):
    for name, case, folder, theirs in written:
        if name == group:
            assert difference(case, folder, theirs) is None, (case, folder)


# ---- mutants

TOLD_BY = {
    chunks: "seqeval", files: "accuracy seqeval bucc squad squad_v2", mining: "mining", mlqa: "mlqa",
    outcomes: "accuracy qqp seqeval squad", registry: "squad mlqa", scoring: " ".join(scoring.FILE_METRICS), squad: "squad",
    squad_v2: "squad_v2", xtreme: "xtreme", "_accuracy": "accuracy", "_qqp": "qqp", "_seqeval": "seqeval", "_bucc": "bucc",
    "_squad": "squad", "_mlqa": "mlqa", "_exact_and_f1": "squad", "_squad_v2": "squad_v2", "_best_on_this_file": "squad_v2",
    "_cut": "squad_v2",
}  # fmt: skip
"""Module, or function of one → metrics whose recorded cases are scored by it."""
CODE = {
    chunks: "chunks _ends _starts chunk_counts chunk_outcomes",
    files: "_lines read_pairs read_sentences",
    mining: "best_cut mining_scores",
    mlqa: "normalise _is_punctuation _characters_apart exact_match f1 em_f1_of",
    outcomes: "value_of accuracy_outcomes qqp_outcomes ratio_outcomes",
    registry: "answer_outcomes",
    scoring: "_accuracy _qqp _seqeval _bucc _squad _mlqa _exact_and_f1 _squad_v2 _cut _best_on_this_file _precision_recall_f1",
    squad: "normalise f1 exact_match best_over em_f1",
    squad_v2: "em_f1_of _f1 best_threshold",
    xtreme: "Benchmark.to_json Benchmark._task_json Benchmark._mean _mean_of",
}
SWAPPED = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.In: ast.NotIn,
    ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div,
    ast.Div: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
RENAMED = {"max": "min", "any": "all", "all": "any", "lower": "upper", "argmax": "argmin", "sum": "len", "rsplit": "split"}
UNTOUCHED = (ast.Raise, ast.JoinedStr, ast.arguments)


def walk(node):
    """What computes scores: not refusals, messages, signatures, nor the numbers of lines in messages."""
    for child in ast.iter_child_nodes(node):
        refusal = isinstance(child, ast.If) and all(isinstance(step, ast.Raise) for step in child.body)
        counting = isinstance(child, ast.keyword) and child.arg == "start"
        annotated = child is getattr(node, "returns", None) or child is getattr(node, "annotation", None)
        if not (isinstance(child, UNTOUCHED) or refusal or counting or annotated):
            yield child
            yield from walk(child)


def sites(tree):
    """(node, what is done to it) of every place where the code can be changed a little."""
    for node in walk(tree):
        if isinstance(node, ast.Compare):
            if any(type(op) in SWAPPED for op in node.ops):
                yield node, "ops"
        elif isinstance(node, ast.BinOp | ast.BoolOp) and type(node.op) in SWAPPED:
            yield node, "op"
        elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
            yield node, "value"
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub | ast.Invert):
            yield node, "dropped"
        elif isinstance(node, ast.Name) and node.id in RENAMED:
            yield node, "id"
        elif isinstance(node, ast.Attribute) and node.attr in RENAMED:
            yield node, "attr"
        elif isinstance(node, ast.IfExp):
            yield node, "branch"


def changed(node, kind):
    """The node after the change, as a new one."""
    new = deepcopy(node)
    if kind == "ops":
        new.ops = [SWAPPED[type(op)]() if type(op) in SWAPPED else op for op in new.ops]
    elif kind == "op":
        new.op = SWAPPED[type(new.op)]()
    elif kind == "value":
        new.value = new.value + 1
    elif kind == "dropped":
        new = new.operand
    elif kind == "branch":
        new = new.body
    else:
        setattr(new, kind, RENAMED[getattr(new, kind)])
    return ast.copy_location(new, node)


_SAME = "the same in value"
_TIES = "equal scores: the scripts cut inside ties, ours never (test_a_tie_is_never_cut)"
_LAST = "the best cut is after the last candidate: the script fails there"
_WHOLE = "the script scores whole submissions alone, and has no mean without English (test_scoring)"
_MISSING = "a question without a prediction: the script leaves it out, ours scores 0 (test_scoring)"
_NEAR = "two margins with no number between them: none was drawn (test_mining)"
UNTOLD = {
    "chunks: 0 -> 1": "the first chunk's begin is set where it begins",
    "chunks: 1 -> 2": "the last part, in whatever number of cuts",
    "chunks: at - 1 -> at + 1": "chunks end alike on both sides",
    "chunks: 1 -> 2 #3": "chunks end alike on both sides",
    "chunk_outcomes: 1 -> 2": "any negative number is `as many as there are` to numpy",
    "best_cut: not len(ranked) or not hits[-1] -> not len(ranked) and (not hits[-1])": "nothing right: F1 is 0 at any cut",
    "best_cut: 2 -> 3": "a factor of every F1",
    "best_cut: -1 -> 1 #2": _TIES,
    "best_cut: -1.0 -> 1.0": _TIES,
    "best_cut: 1.0 -> 2.0": _TIES,
    "best_cut: at + 1 -> at - 1": _LAST,
    "best_cut: halfway if lower < halfway <= higher else higher -> halfway": _NEAR,
    "best_cut: lower < halfway <= higher -> lower <= halfway < higher": _NEAR,
    "mining_scores: scores >= cut -> scores > cut": _LAST,
    "mining_scores: scores >= cut -> scores > cut #2": _LAST,
    "mining_scores: correct / gold if gold else 0.0 -> correct / gold": "there is always a pair to be found",
    "mining_scores: 0.0 -> 1.0 #2": "there is always a pair to be found",
    "qqp_outcomes: 0.0 -> 1.0 #2": "influences sum to 0; their spread: test_answers",
    "qqp_outcomes: correct + f1 + influence -> correct + f1 - influence": "influences sum to 0; their spread: test_answers",
    "answer_outcomes: not prediction -> prediction": "SQuAD 1.1 has no question without an answer (test_answers)",
    "_squad_v2: 0.0 -> 1.0": _MISSING,
    "_squad_v2: 0.0 -> 1.0 #2": _MISSING,
    "_f1: not predicted or not wanted -> not predicted and (not wanted)": "one side without a word has none in common",
    "best_threshold: np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True)) if len(ranked) else np.empty(0, dtype=np.int64)"
    " -> np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))": "no file is without a question",
    "best_threshold: -1 -> 1": _TIES,
    "best_threshold: -np.inf -> np.inf": "no probability is infinite",
    "best_threshold: 0 -> 1": "no file is without a question",
    "best_threshold: base + gains[at] > best + 1e-09 -> base + gains[at] >= best + 1e-09": _SAME,
    "Benchmark.to_json: lang != ENGLISH -> lang == ENGLISH": _WHOLE,
    "Benchmark.to_json: not self.missing -> self.missing": _WHOLE,
    "Benchmark._task_json: _mean_of(table[key].values()) if full else None -> _mean_of(table[key].values())": _WHOLE,
    "Benchmark._mean: any -> all": _WHOLE,
    "_mean_of: sum(known) / len(known) if known and len(known) == len(found) else None -> sum(known) / len(known)": _WHOLE,
    "_mean_of: known and len(known) == len(found) -> known or len(known) == len(found)": _WHOLE,
}
"""Change → why no number of a reference could tell it."""


class Exchange(ast.NodeTransformer):
    def __init__(self, old, new):
        self.old, self.new = old, new

    def visit(self, node):
        return self.new if node is self.old else self.generic_visit(node)


def at(module, path):
    found = module
    for part in path.split("."):
        found = getattr(found, part)
    return found


def code_mutants(module):
    """(module, path of the function, `before -> after`, the function's changed source)"""
    for name in CODE[module].split():
        source = textwrap.dedent(inspect.getsource(inspect.unwrap(at(module, name))))
        seen = Counter()
        for number in range(len(list(sites(ast.parse(source))))):
            tree = ast.parse(source)
            node, kind = list(sites(tree))[number]
            new = changed(node, kind)
            told = f"{ast.unparse(node)} -> {ast.unparse(new)}"
            seen[told] += 1
            told += f" #{seen[told]}" if seen[told] > 1 else ""
            yield module, name, told, ast.unparse(Exchange(node, new).visit(tree))


def data_mutants():
    """(module, name, what is changed, the new value)"""
    without = string.punctuation.replace("'", "")
    yield squad, "_PUNCTUATION", "without the apostrophe", str.maketrans("", "", without)
    for article in ("a", "an", "the"):
        kept = "|".join({"a", "an", "the"} - {article})
        yield squad, "_ARTICLES", f"without {article}", re.compile(rf"\b({kept})\b")
    for language, pattern in mlqa._ARTICLES.items():
        if pattern is None:
            yield mlqa, "_ARTICLES", f"{language} with an article", mlqa._ARTICLES | {language: re.compile("[aएक一]")}
            continue
        for article in re.findall(r"\w+", pattern.pattern.replace(r"\b", " ")):
            fewer = pattern.pattern.replace(article, "\0", 1)
            yield mlqa, "_ARTICLES", f"{language} without {article}", mlqa._ARTICLES | {language: re.compile(fewer)}
    for number, task in enumerate(xtreme.XTREME_TASKS):
        other = {
            "seqeval": "accuracy",
            "accuracy": "seqeval",
            "tatoeba": "bucc",
            "bucc": "tatoeba",
            "squad": "mlqa",
            "mlqa": "squad",
        }
        group = "qa" if task.group != "qa" else "tagging"
        for said, new in (
            ("without a language", replace(task, languages=task.languages[1:])),
            ("another metric", replace(task, metric=other[task.metric])),
            ("another group", replace(task, group=group)),
        ):
            tasks = (*xtreme.XTREME_TASKS[:number], new, *xtreme.XTREME_TASKS[number + 1 :])
            yield xtreme, "XTREME_TASKS", f"{task.name}: {said}", tasks


MODULES = tuple(CODE)
TABLES = (scoring.FILE_METRICS, registry.LABEL_METRICS, registry.TAG_METRICS)


def put(patch, module, path, new):
    """The new object wherever the old one is known by name."""
    old = at(module, path)
    owner = at(module, path.rpartition(".")[0]) if "." in path else None
    if owner is not None:
        patch.setattr(owner, path.rpartition(".")[2], new)
        return
    for place in MODULES:
        for name, value in list(vars(place).items()):
            if value is old:
                patch.setattr(place, name, new)
    for table in TABLES:
        for name, value in list(table.items()):
            if value is old:
                patch.setitem(table, name, new)


def told_by(written, metrics):
    """The first recorded case whose numbers are no longer the reference's; None where no case tells."""
    for group, case, folder, theirs in written:
        if case.metric not in metrics.split():
            continue
        try:
            if said := difference(case, folder, theirs):
                return f"{group}: {said}"
        except Exception as fault:
            return f"{group}: {type(fault).__name__}"
    return None


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_a_slip_in_our_code_is_told_by_some_recorded_number(module, written):
    made = []
    for _, path, said, source in code_mutants(module):
        found = {}
        exec(compile(source, f"<{path}>", "exec"), vars(module), found)
        made.append((path, said, found.popitem()[1]))
    made += [(path, said, new) for owner, path, said, new in data_mutants() if owner is module]
    assert len(made) >= 7
    silent = []
    for path, said, new in made:
        with pytest.MonkeyPatch.context() as patch:
            put(patch, module, path, new)
            if told_by(written, TOLD_BY.get(path, TOLD_BY[module])) is None:
                silent.append(f"{path}: {said}")
    assert [one for one in silent if one not in UNTOLD] == [], "draw a case that tells it, or say why none could"
    paths = {path for path, _, _ in made}
    told = [one for one in UNTOLD if one.partition(":")[0] in paths and one not in silent]
    assert told == [], "these are told by a recorded number: they need no reason"
