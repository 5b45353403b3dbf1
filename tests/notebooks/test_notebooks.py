"""The notebooks run from top to bottom on one small study, and are kept without what they printed."""

import ast
import json
import re
from pathlib import Path

import pytest

import tasksearch

FOLDER = Path(__file__).parents[2] / "notebooks"
NAMES = ("01_first_study.ipynb", "02_score_table.ipynb", "03_best_mix.ipynb")
SMALL = (
    "trials, baseline_seeds, leaders, leader_seeds = 7, 3, 1, 3\n"
    "languages, phase1_steps = ['near1', 'lowfar'], 30\n"
    "import functools, tasksearch\n"
    "tasksearch.configure = functools.partial(tasksearch.configure, steps=[16])"
)  # fmt: skip


def test_these_are_all_of_them():
    assert tuple(sorted(path.name for path in FOLDER.glob("*.ipynb"))) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_kept_without_outputs_and_is_small(name):
    manager = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    code = [cell for cell in manager["cells"] if cell["cell_type"] == "code"]
    assert code
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert (FOLDER / name).stat().st_size < 20_000


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_uses_the_public_door_alone(name):
    manager = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    code = "\n".join("".join(cell["source"]) for cell in manager["cells"] if cell["cell_type"] == "code")
    imported = {node for tree in ast.walk(ast.parse(code)) for node in _modules(tree)}
    assert "tasksearch" in imported
    assert not [module for module in imported if module.startswith(("tasksearch.", "trainables", "search_spaces"))]
    used = set(re.findall(r"\btasksearch\.(\w+)", code))
    assert used <= set(tasksearch.__all__)


def _modules(node):
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) else []


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("notebooks")


def run(name, place, extra=""):
    """The outputs of the notebook's code cells; `extra` is run after the cell of parameters."""
    import nbformat
    from nbclient import NotebookClient

    manager = nbformat.read(FOLDER / name, as_version=4)
    (at,) = [i for i, cell in enumerate(manager.cells) if "parameters" in cell.metadata.get("tags", [])]
    manager.cells.insert(at + 1, nbformat.v4.new_code_cell(extra))
    NotebookClient(manager, timeout=500, kernel_name="python3", resources={"metadata": {"path": str(place)}}).execute()
    return [output for cell in manager.cells if cell.cell_type == "code" for output in cell.outputs]


def text_of(outputs):
    found = [output.get("text", "") or output.get("data", {}).get("text/plain", "") for output in outputs]
    return "\n".join(found)


# Jupyter's own business: its client warns of event loops, of paths and of what it will move one day.
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::UserWarning")
def test_the_notebooks_run_on_one_study(place):
    outputs = run(NAMES[0], place, SMALL)
    first = text_of(outputs)
    assert "[  1/" in first and "ipywidgets" not in first  # progress, a line per trial
    assert any("StudyResult(" in output.get("data", {}).get("text/plain", "") for output in outputs)
    assert any("<table" in output.get("data", {}).get("text/html", "") for output in outputs)
    assert "the study is closed" in (place / "studies" / "notebook" / "driver.log").read_text()
    assert "Best mix per language" in first and "generated, code-mixed world" in first
    assert (place / "studies" / "notebook" / "report.html").exists()
    second = text_of(run(NAMES[1], place))
    assert "baseline" in second and "near1" in second and "generated, code-mixed world" in second
    third = run(NAMES[2], place)
    assert sum("image/png" in output.get("data", {}) for output in third) == 3
    assert "no difference seen" in text_of(third) or "better" in text_of(third) or "worse" in text_of(third)
