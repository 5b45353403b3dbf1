"""`mine_files`: find the translations between two texts, or between their vectors."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tasksearch.core.arguments import named_arguments
from tasksearch.core.atomic import write_atomic
from tasksearch.core.errors import BadInput, UnknownName
from tasksearch.core.folders import AnyPath
from tasksearch.core.sizes import shown_size, size_of
from tasksearch.study.bitext import Sentences, check_vectors, is_vectors, read_gold, read_sentences, read_vectors
from tasksearch.study.embedding import Embedding, OnSentences, embed_sentences, load_encoder

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

MARGINS, RETRIEVALS = ("ratio", "distance", "absolute"), ("max", "intersection", "forward", "backward")
SIMILARITIES, TIES, DUPLICATES = ("cosine", "inner", "l2"), ("first", "last"), ("drop", "first", "last", "all")
ENGINES = ("tiles", "faiss")


@dataclass(frozen=True, kw_only=True)
class MiningForecast:
    """What a search will take, from the speed of a product timed here.

    Attributes:
        a, b, width: shape of the two sides.
        flops: of one pass of products, which serves both directions.
        seconds: forecast; `memory` in bytes: vectors that are held or mapped, tiles and tables.
    """

    a: int
    b: int
    width: int
    flops: float
    seconds: float
    memory: int

    @property
    def line(self) -> str:
        """One line for people."""
        time_ = f"{self.seconds:.0f} s" if self.seconds < 120 else f"{self.seconds / 60:.0f} min"
        return (
            f"{self.a:,} x {self.b:,} sentences, width {self.width}: {self.flops / 1e12:.3g} TFLOP, about {time_}, "
            f"{shown_size(self.memory)} of memory"
        )


@dataclass(frozen=True, kw_only=True)
class MinedFile:
    """Candidates that were written.

    Attributes:
        out: file of `score⇥id of A⇥id of B`, best first; None where only a forecast was asked for.
        candidates: how many were mined; `kept`: how many score at least the threshold.
        threshold: None: all are kept.
        tuned: whether the threshold was chosen on `gold`, which then flatters.
        scores: precision, recall and F1 against the gold, in percent; empty without one.
        settings: everything that the candidates depend on.
    """

    out: Path | None
    candidates: int
    kept: int
    threshold: float | None
    tuned: bool
    scores: dict[str, float]
    settings: dict[str, Any]
    forecast: MiningForecast
    seconds: float
    peak_memory: int

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return dataclasses.asdict(self) | {"out": None if self.out is None else str(self.out)}


@named_arguments
def mine_files(
    a: AnyPath,
    b: AnyPath,
    out: AnyPath | None = None,
    *,
    margin: Literal["ratio", "distance", "absolute"] = "ratio",
    retrieval: Literal["max", "intersection", "forward", "backward"] = "max",
    similarity: Literal["cosine", "inner", "l2"] = "cosine",
    k: int = 4,
    ties: Literal["first", "last"] = "first",
    duplicates: Literal["drop", "first", "last", "all"] = "drop",
    threshold: float | Literal["auto"] | None = None,
    gold: AnyPath | None = None,
    ids: bool = False,
    text_a: AnyPath | None = None,
    text_b: AnyPath | None = None,
    embedding: Embedding | None = None,
    memory: str = "1GB",
    device: str | None = None,
    engine: Literal["tiles", "faiss"] = "tiles",
    forecast_only: bool = False,
    on_sentences: OnSentences | None = None,
    on_tile: Callable[[int, int], None] | None = None,
    on_forecast: Callable[[MiningForecast], None] | None = None,
) -> MinedFile:
    """Mine two files and write the candidates, best first. A search that was cut short is continued by the same call.

    Args:
        a, b: a sentence per line, or vectors as .npy.
        out: file of candidates, `score⇥id of A⇥id of B`.
        margin, retrieval: as in `evaluation.margins`; `similarity`, `ties`: as in `evaluation.neighbours.Search`.
        k: neighbours in both directions.
        duplicates: which id a repeated sentence has, as in `evaluation.mining.Mining`.
        threshold: candidates that score at least this are kept; `auto`: the cut of the highest F1 on `gold`; None: all are.
        gold: pairs `id of A⇥id of B`.
        ids: lines of texts are `id⇥sentence`; otherwise ids are line numbers, from 1.
        text_a, text_b: texts of sides that are given as vectors: their ids, and what is a duplicate.
        embedding: how texts become vectors; needed where a side is a text.
        memory: of a tile of products, beside vectors and tables.
        device: of the products; None: a GPU where there is one.
        engine: what makes the products, as in `neighbours.Search`.
        forecast_only: stop after the forecast.
        on_sentences, on_tile, on_forecast: told of sentences embedded, tiles searched, and the forecast.

    Raises:
        BadInput, DataMissing, UnknownName, ModelUnusable: one line each.
    """
    began = time.monotonic()
    _check(margin=(margin, MARGINS), retrieval=(retrieval, RETRIEVALS), similarity=(similarity, SIMILARITIES),
           ties=(ties, TIES), duplicates=(duplicates, DUPLICATES), engine=(engine, ENGINES))  # fmt: skip
    _check_options(out, similarity, margin, k, threshold, gold, forecast_only=forecast_only)
    paths, texts = (Path(a), Path(b)), (text_a, text_b)
    named = [_named(path, text, ids=ids) for path, text in zip(paths, texts, strict=True)]
    if embedding is None and not all(map(is_vectors, paths)):
        raise BadInput(f"{next(p for p in paths if not is_vectors(p))} is a text; expected --model to embed it, or a .npy")
    if embedding is not None and all(map(is_vectors, paths)):
        raise BadInput(f"--model {embedding.model} with two files of vectors, which need none; leave it out")
    if embedding is not None and len(embedding.layers) > 1:
        raise BadInput(f"{len(embedding.layers)} layers; expected one to mine with")
    budget = size_of(memory)
    if budget < 2**20:
        raise BadInput(f"--memory {memory}; expected at least 1MB")
    for side in named:
        if side is not None and len(side.texts) == 1:
            raise BadInput(f"{side.place} has one sentence; expected at least two to choose from")
    wanted = None if gold is None else _gold(Path(gold), named, paths)
    vectors, embedding = _vectors(paths, named, embedding, Path(out) if out else None, on_sentences)
    sides = [_side(v, n, str(p)) for v, n, p in zip(vectors, named, paths, strict=True)]
    if vectors[0].shape[1] != vectors[1].shape[1]:
        raise BadInput(
            f"{paths[0]} has vectors of {vectors[0].shape[1]} numbers, {paths[1]} of {vectors[1].shape[1]}; "
            "expected those of one model"
        )
    for array, path in zip(vectors, paths, strict=True):
        check_vectors(array, str(path), scaled=similarity == "cosine")
    pools = [len(array) if side is None else len(side) for array, side in zip(vectors, sides, strict=True)]
    if k > min(pools):
        place = paths[pools.index(min(pools))]
        raise BadInput(f"--k {k}; {place} holds {min(pools)} distinct sentences: expected at most {min(pools)}")
    where = device or _device()
    told = forecast_of(pools[0], pools[1], vectors[0].shape[1], k=k, memory=budget, device=where)
    if on_forecast is not None:
        on_forecast(told)
    settings = {
        "margin": margin, "retrieval": retrieval, "similarity": similarity, "k": k, "ties": ties, "duplicates": duplicates,
        "a": str(a), "b": str(b), "device": where, "engine": engine,
        "embedding": None if embedding is None else dataclasses.asdict(embedding),
    }  # fmt: skip
    if forecast_only:
        return MinedFile(
            out=None, candidates=0, kept=0, threshold=None, tuned=False, scores={}, settings=settings, forecast=told,
            seconds=time.monotonic() - began, peak_memory=peak_memory(),
        )  # fmt: skip
    assert out is not None
    from tasksearch.evaluation.mining import Mining, mined_rows
    from tasksearch.evaluation.neighbours import Search
    from tasksearch.evaluation.tiles import Progress

    unfinished = Path(out).with_name(f"{Path(out).name}.partial.safetensors")
    progress = Progress(on_tile=on_tile, path=unfinished, signature=_signature(vectors, sides, settings, budget))
    search = Search(similarity=similarity, ties=ties, memory=budget, device=where, engine=engine, progress=progress)
    how = Mining(k=k, margin=margin, retrieval=retrieval, duplicates=duplicates, least=None)
    pairs, scores = mined_rows(vectors[0], vectors[1], sides, how, search)
    names = [_ids(side, len(array)) for side, array in zip(named, vectors, strict=True)]
    found = [(names[0][i], names[1][j]) for i, j in pairs.tolist()]
    cut, told_scores = _judged(found, scores, wanted, threshold)
    kept = len(found) if cut is None else int((scores >= cut).sum())
    rows = zip(scores[:kept].tolist(), found[:kept], strict=True)
    write_atomic(Path(out), "".join(f"{score!r}\t{one}\t{two}\n" for score, (one, two) in rows).encode())
    unfinished.unlink(missing_ok=True)
    return MinedFile(
        out=Path(out), candidates=len(found), kept=kept, threshold=cut, tuned=threshold == "auto", scores=told_scores,
        settings=settings, forecast=told, seconds=time.monotonic() - began, peak_memory=peak_memory(),
    )  # fmt: skip


def forecast_of(a: int, b: int, width: int, *, k: int, memory: int, device: str = "cpu") -> MiningForecast:
    """Forecast time and memory of a search, from a product of 1,024 x 1,024 x width that is timed now."""
    import torch

    from tasksearch.evaluation.tiles import SPARE, tile_side

    block = torch.ones((1024, width), device=device)
    best = float("inf")
    for _ in range(4):
        began = time.perf_counter()
        product = block @ block.T
        if device != "cpu":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - began)
    del product
    flops = 2.0 * a * b * width
    rate = 2.0 * 1024 * 1024 * width / best
    side = tile_side(memory, width + 2)
    tiles = 5 * min(side, a) * min(side, b) + 12 * (min(side, a) + min(side, b)) * width
    held = 4 * (a + b) * width + tiles + 12 * (a + b) * (k + SPARE)
    return MiningForecast(a=a, b=b, width=width, flops=flops, seconds=1.3 * flops / rate, memory=held)


def peak_memory() -> int:
    """Return the largest resident size of this process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _check(**given: tuple[str, Sequence[str]]) -> None:
    for name, (value, known) in given.items():
        if value not in known:
            raise UnknownName(f"value for --{name}", value, known)


def _check_options(
    out: AnyPath | None, similarity: str, margin: str, k: int, threshold: Any, gold: Any, *, forecast_only: bool
) -> None:
    if out is None and not forecast_only:
        raise BadInput("expected --out FILE for the candidates, or --forecast")
    if similarity == "l2" and margin == "ratio":
        raise BadInput("--margin ratio with --similarity l2, whose values are negative; expected --margin distance or absolute")
    if k < 1:
        raise BadInput(f"--k {k}; expected at least 1")
    if threshold == "auto" and gold is None:
        raise BadInput("--threshold auto needs --gold, the pairs that it is chosen on")
    if threshold not in (None, "auto") and not isinstance(threshold, int | float):
        raise BadInput(f"--threshold {threshold}; expected a number or auto")
    if isinstance(threshold, float) and math.isnan(threshold):
        raise BadInput("--threshold nan; expected a number or auto")


def _named(path: Path, text: AnyPath | None, *, ids: bool) -> Sentences | None:
    """The sentences of a side; None for vectors without a text."""
    if not is_vectors(path):
        if text is not None:
            raise BadInput(f"{text} beside {path}, which is a text itself; leave one of them out")
        return read_sentences(path, with_ids=ids)
    return None if text is None else read_sentences(Path(text), with_ids=ids)


def _gold(path: Path, named: Sequence[Sentences | None], paths: Sequence[Path]) -> frozenset[tuple[str, str]]:
    known = [_ids(side, None if side is not None else len(read_vectors(p))) for side, p in zip(named, paths, strict=True)]
    return read_gold(path, known[0], known[1])


def _ids(side: Sentences | None, count: int | None) -> tuple[str, ...]:
    return side.ids if side is not None else tuple(str(number + 1) for number in range(count or 0))


def _vectors(
    paths: Sequence[Path],
    named: Sequence[Sentences | None],
    embedding: Embedding | None,
    out: Path | None,
    on_sentences: OnSentences | None,
) -> tuple[list[npt.NDArray[np.float32]], Embedding | None]:
    """Open or make the vectors of both sides; those that are made stay beside the output while it is unfinished."""
    import tempfile

    import numpy as np

    loaded = None if embedding is None else load_encoder(embedding)
    found = []
    for number, (path, side) in enumerate(zip(paths, named, strict=True)):
        if is_vectors(path):
            found.append(read_vectors(path))
            continue
        assert embedding is not None and side is not None
        with tempfile.TemporaryDirectory(dir=None if out is None else out.parent, prefix=".mining-") as folder:
            made = embed_sentences(side, Path(folder) / f"{number}.npy", embedding, on_sentences, loaded=loaded)
            found.append(np.load(next(iter(made.files.values()))))
            embedding = made.embedding
    return found, embedding


def _side(array: npt.NDArray[np.float32], side: Sentences | None, place: str) -> list[list[int]] | None:
    from tasksearch.evaluation.mining import occurrences

    if side is None:
        return None
    if len(side.texts) != len(array):
        raise BadInput(f"{side.place} has {len(side.texts)} sentences, {place} has {len(array)} vectors; expected as many")
    return occurrences(side.texts)


def _device() -> str:
    from tasksearch.forward.device import pick_device

    return pick_device().type


def _signature(vectors: Sequence[npt.NDArray[np.float32]], sides: Sequence[Any], settings: dict[str, Any], memory: int) -> str:
    """Hash of the vectors, of what are duplicates, and of the settings that shape the tables of neighbours."""
    import numpy as np

    kept = {name: settings[name] for name in ("similarity", "k", "ties", "duplicates", "device")} | {"memory": memory}
    digest = hashlib.blake2b(repr((kept, [None if side is None else len(side) for side in sides])).encode())
    for side in sides:
        if side is not None:  # which rows are one sentence, not only how many there are
            digest.update(np.fromiter(map(len, side), dtype=np.int64, count=len(side)).data)
            digest.update(np.fromiter(chain.from_iterable(side), dtype=np.int64).data)
    for array in vectors:
        for begin in range(0, len(array), 16_384):
            digest.update(np.ascontiguousarray(array[begin : begin + 16_384]).data)
    return digest.hexdigest()


def _judged(
    found: Sequence[tuple[str, str]],
    scores: npt.NDArray[np.float64],
    gold: frozenset[tuple[str, str]] | None,
    threshold: float | str | None,
) -> tuple[float | None, dict[str, float]]:
    """Return the cut, and the scores at it against the gold."""
    import numpy as np

    from tasksearch.metrics.mining import best_cut, mining_scores

    if gold is None:
        return (None if threshold is None else float(threshold)), {}
    right = np.array([pair in gold for pair in found], dtype=np.bool_)
    cut = best_cut(scores, right, len(gold)) if threshold == "auto" else None if threshold is None else float(threshold)
    return cut, mining_scores(scores, right, len(gold), float("-inf") if cut is None else cut)
