"""Write the lab's files in the packed layout, all or nothing."""

from __future__ import annotations

import errno
import gzip
import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

from tasksearch.core.errors import BadInput, DiskFull
from tasksearch.lab.corpus import documents, parallel
from tasksearch.lab.intermediates import INTERMEDIATES
from tasksearch.lab.items import BitextItem, Item, Make, Row
from tasksearch.lab.languages import ENGLISH, LANGUAGES, OTHERS, LabLanguage
from tasksearch.lab.lexicon import Forms, build_lexicons
from tasksearch.lab.recipe import GENERATOR_VERSION, LabRecipe
from tasksearch.lab.shuffling import shuffled
from tasksearch.lab.targets import TARGETS, retrieval_cluster
from tasksearch.lab.tokenizer import write_tokenizer
from tasksearch.lab.world import Proposition, World

_CARD = "lab.json"
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def write_lab(recipe: LabRecipe, root: Path) -> None:
    """Write the recipe's world under `root`: tasks, corpus, parallel pairs, tokenizer, and `lab.json` with the recipe.

    Everything is written to a temporary folder that is renamed at the end, so `root` is complete or absent. The same recipe
    gives the same bytes. A folder that already has this recipe is left as it is; of two concurrent writers, one wins.

    Raises:
        BadInput: `root` has other content.
        DiskFull: no space left.
    """
    root = Path(root)
    if _is_written(recipe, root):
        return
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{root.name}.", dir=root.parent))
        try:
            _write_all(recipe, fresh)
            fresh.chmod(0o755)
            _rename(fresh, recipe, root)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DiskFull(f"no room left under {root.parent} for the lab's files (about 15 MB)") from None
        raise


def _is_written(recipe: LabRecipe, root: Path) -> bool:
    if not root.exists():
        return False
    try:
        found = json.loads((root / _CARD).read_text(encoding="utf-8"))["signature"]
    except (OSError, ValueError, KeyError, TypeError):
        raise BadInput(f"{root} exists and is not a lab; expected a folder that does not exist yet") from None
    if found != recipe.signature:
        raise BadInput(f"{root} is the lab {found}; expected {recipe.signature}, or a folder that does not exist yet")
    return True


def _rename(fresh: Path, recipe: LabRecipe, root: Path) -> None:
    try:
        fresh.rename(root)
    except OSError:
        if not _is_written(recipe, root):
            raise


def _write_all(recipe: LabRecipe, root: Path) -> None:
    world = World.generate(recipe.world_seed)
    lexicons = build_lexicons(world)
    for part in _task_parts(world, recipe):
        for language in part.languages:
            rows: Iterable[Row] = part.rows(language, lexicons)
            if recipe.shuffled_labels and part.task in INTERMEDIATES:
                rows = shuffled(list(rows), world.rng("shuffled labels", part.task, part.split))
            _write_rows(root / part.task / f"{language.code}.{part.split}.jsonl.gz", rows)
    for language in LANGUAGES:
        _write_corpus(root, recipe, world, lexicons, language)
    write_tokenizer(lexicons, root / "tokenizer")
    card = {"generator": GENERATOR_VERSION, "signature": recipe.signature, "recipe": recipe.to_json()}
    (root / _CARD).write_text(json.dumps(card, indent=1, sort_keys=True) + "\n", encoding="utf-8")


class _Part(NamedTuple):
    """One split of a task, before it is written in a language."""

    task: str
    split: str
    items: Sequence[Item]
    languages: tuple[LabLanguage, ...]

    def rows(self, language: LabLanguage, lexicons: dict[str, Forms]) -> Iterator[Row]:
        for number, item in enumerate(self.items):
            yield {"id": f"{self.task}-{self.split}-{number:05d}", **item.row(language, lexicons)}


def _task_parts(world: World, recipe: LabRecipe) -> Iterator[_Part]:
    for task, make in INTERMEDIATES.items():
        for split, count in (("train", recipe.intermediate_train), ("dev", recipe.intermediate_dev)):
            yield _Part(task, split, _items(world.rng("items", task, split), world, make, count), (ENGLISH,))
    for task, make in TARGETS.items():
        for split, count in (("train", recipe.target_train), ("dev", recipe.target_dev), ("test", recipe.target_test)):
            languages = (ENGLISH,) if split == "train" else LANGUAGES
            yield _Part(task, split, _items(world.rng("items", task, split), world, make, count), languages)
    for split in ("dev", "test"):
        yield _Part("retrieval", split, _pool(world.rng("items", "retrieval", split), world, recipe.pool), OTHERS)


def _items(rng: Random, world: World, make: Make, count: int) -> list[Item]:
    """Make items; item n has a random stream of its own, so a longer file starts with the shorter one."""
    return [make(world, Random(rng.getrandbits(64))) for _ in range(count)]


def _pool(rng: Random, world: World, count: int) -> list[BitextItem]:
    """Make clusters of near-duplicates; no proposition or translation is in two clusters."""
    pool: list[BitextItem] = []
    seen: set[Proposition] = set()
    while len(pool) < count:
        cluster = retrieval_cluster(world, rng)
        said = {clause.proposition for item in cluster for clause in (item.clause, item.translation)}
        if not seen & said:
            seen |= said
            pool.extend(cluster)
    return pool


def _write_corpus(root: Path, recipe: LabRecipe, world: World, lexicons: dict[str, Forms], language: LabLanguage) -> None:
    count = int(recipe.document_unit * language.documents)
    _write_rows(root / "corpus" / f"{language.code}.jsonl.gz", _segments(documents(world, lexicons, language, count)))
    if language.parallel:
        count = int(recipe.parallel_unit * language.parallel)
        _write_rows(root / "parallel" / f"{language.code}.jsonl.gz", _segments(parallel(world, lexicons, language, count)))


def _segments(pairs: Iterable[tuple[str, str]]) -> Iterator[Row]:
    return ({"a": a, "b": b} for a, b in pairs)


def _write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Write JSON lines, gzipped without time or name in the header, so that equal rows give equal bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(_JSON.encode(row) + "\n" for row in rows)
    with path.open("wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0, compresslevel=6) as packed:
        packed.write(text.encode())
