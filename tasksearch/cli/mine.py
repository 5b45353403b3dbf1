"""`tasksearch embed` and `tasksearch mine`: texts to vectors, and two texts to the translations between them."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any

import typer

from tasksearch.cli.completion import choice
from tasksearch.cli.options import Json, Quiet
from tasksearch.cli.printing import open_console, print_json
from tasksearch.core.errors import Interrupted
from tasksearch.core.option import option_of
from tasksearch.core.options import StudyOptions

EMBED_EXAMPLES = (
    "Examples: `tasksearch embed sw.txt --model FacebookAI/xlm-roberta-large --layer 14 --out sw.npy`; "
    "`tasksearch embed sw.txt.gz --model models/encoder --layer 7 --layer 12 --out 'sw.{layer}.npy'`"
)
MINE_EXAMPLES = (
    "Examples: `tasksearch mine sw.txt en.txt --model models/encoder --out found.tsv`; "
    "`tasksearch mine sw.npy en.npy --margin distance --retrieval intersection --out found.tsv`; "
    "`tasksearch mine dev.sw dev.en --ids --gold dev.gold --threshold auto --model m --out dev.tsv`"
)
POOLINGS = ("mean", "mean-content", "cls")
_LINE_EVERY = 15.0  # seconds between lines where there is no terminal

Layer = Annotated[
    list[int] | None,
    typer.Option(
        help="hidden state that is pooled, 0 is the embeddings, -1 the last, repeatable [default: 14 of 24]",
        show_default=False,
    ),
]
Pooling = Annotated[
    str | None,
    typer.Option(
        help="mean counts the special tokens, mean-content does not; cls is the first [default: what the model's files state, "
        "else mean]",
        show_default=False,
        **choice(*POOLINGS),
    ),
]
Prefix = Annotated[
    str | None,
    typer.Option(
        help="text before every sentence, such as 'query: ' for E5; '': none [default: what the model's files state]",
        show_default=False,
    ),
]
Centering = Annotated[bool, typer.Option("--centering", help="subtract the mean of each text's vectors")]
MaxLength = Annotated[int, typer.Option(help="tokens per sentence, at most the model's", metavar="<number>")]
Precision = Annotated[str, typer.Option(help="of the forward pass", **choice(*option_of(StudyOptions, "precision").choices))]
Ids = Annotated[bool, typer.Option("--ids", help="lines are an id, a tab and a sentence, as in BUCC")]
Encoder = Annotated[str, typer.Option(help="how the model is loaded and run, as FILE.py:NAME [default: by its type]")]


def embed(
    text: Annotated[Path, typer.Argument(help="a sentence per line, also .gz", show_default=False)],
    model: Annotated[str, typer.Option(help="encoder: hub id or folder", show_default=False)],
    out: Annotated[Path, typer.Option(help="the .npy; for several layers its name holds {layer}", show_default=False)],
    layer: Layer = None,
    pooling: Pooling = None,
    prefix: Prefix = None,
    centering: Centering = False,
    max_length: MaxLength = 512,
    precision: Precision = "fp32",
    ids: Ids = False,
    encoder: Encoder = "",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Turns sentences into vectors (.npy, fp32, in the order of the lines), all layers in one pass.

    A run that was cut short is continued.
    """
    from tasksearch.study.embedding import embed_file

    with _Lines(quiet=quiet or as_json) as lines:
        done = embed_file(
            text, out, model=model, layers=tuple(layer or ()), pooling=pooling, prefix=prefix, centering=centering,  # type: ignore[arg-type]
            max_length=max_length, precision=precision, ids=ids, encoder=encoder,  # type: ignore[arg-type]
            on_sentences=lines.teller("sentences embedded"),
        )  # fmt: skip
    if as_json:
        print_json(done.to_json())
        return
    how = done.embedding
    console = open_console()
    for number, path in done.files.items():
        console.print(f"layer {number:<3} {path}", highlight=False, soft_wrap=True)
    centred = ", centred" if how.centering else ""
    before = f", after {how.prefix!r}" if how.prefix else ""
    said = (
        f"{done.sentences:,} sentences, {done.width} numbers each, pooling {how.pooling}{before}{centred}, {done.seconds:.0f} s"
    )
    console.print(said, highlight=False)
    if done.cut:
        console.print(f"{done.cut:,} sentences reach {how.max_length} tokens and may have been cut", highlight=False)


def mine(
    a: Annotated[Path, typer.Argument(help="a sentence per line, or vectors (.npy)", show_default=False)],
    b: Annotated[Path, typer.Argument(help="the same of the other language", show_default=False)],
    out: Annotated[
        Path | None, typer.Option(help="candidates: score, id of A, id of B, with tabs, best first", show_default=False)
    ] = None,
    model: Annotated[str | None, typer.Option(help="encoder of texts: hub id or folder", show_default=False)] = None,
    layer: Annotated[
        int | None, typer.Option(help="hidden state that is pooled [default: 14 of 24]", show_default=False)
    ] = None,
    pooling: Pooling = None,
    prefix: Prefix = None,
    centering: Centering = False,
    max_length: MaxLength = 512,
    precision: Precision = "fp32",
    encoder: Encoder = "",
    margin: Annotated[
        str,
        typer.Option(
            help="similarity over, or less, the mean of both sentences' k nearest; or as it is",
            **choice("ratio", "distance", "absolute"),
        ),
    ] = "ratio",
    retrieval: Annotated[
        str,
        typer.Option(
            help="whose best are kept; max: from the best down, each sentence once",
            **choice("max", "intersection", "forward", "backward"),
        ),
    ] = "max",
    similarity: Annotated[str, typer.Option(help="of two vectors", **choice("cosine", "inner", "l2"))] = "cosine",
    k: Annotated[int, typer.Option("--k", help="nearest neighbours in both directions", metavar="<number>")] = 4,
    ties: Annotated[str, typer.Option(help="which of equals is nearer, by its line", **choice("first", "last"))] = "first",
    duplicates: Annotated[
        str,
        typer.Option(
            help="id of a sentence that is repeated; drop: it is no candidate", **choice("drop", "first", "last", "all")
        ),
    ] = "drop",
    threshold: Annotated[
        str | None, typer.Option(help="keep what scores at least this; auto: the best F1 on --gold", show_default=False)
    ] = None,
    gold: Annotated[Path | None, typer.Option(help="pairs of ids, with a tab: prints precision and recall")] = None,
    ids: Ids = False,
    text_a: Annotated[Path | None, typer.Option(help="text of A's vectors: ids, and what is a duplicate")] = None,
    text_b: Annotated[Path | None, typer.Option(help="the same of B")] = None,
    memory: Annotated[str, typer.Option(help="for tiles of products, beside vectors and tables")] = "1GB",
    device: Annotated[str | None, typer.Option(help="cpu or cuda [default: a GPU where there is one]")] = None,
    engine: Annotated[
        str,
        typer.Option(
            help="what makes the products: tiles, in bounded memory; faiss holds a pool whole", **choice("tiles", "faiss")
        ),
    ] = "tiles",
    forecast: Annotated[bool, typer.Option("--forecast", help="print time and memory of the search, then stop")] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Mines two texts for translations of each other, exactly, in bounded memory; continues what was cut short."""
    from tasksearch.core.errors import BadInput
    from tasksearch.study.embedding import Embedding
    from tasksearch.study.mining import mine_files

    embedding = None
    if model is not None:
        embedding = Embedding(
            model=model, layers=() if layer is None else (layer,), pooling=pooling, prefix=prefix,  # type: ignore[arg-type]
            centering=centering, max_length=max_length, precision=precision, encoder=encoder,  # type: ignore[arg-type]
        )  # fmt: skip
    elif layer is not None or pooling is not None or prefix is not None or centering or encoder:
        raise BadInput(
            "--layer, --pooling, --prefix, --centering and --encoder are of --model, which is not given; expected it, or none "
            "of them"
        )
    with _Lines(quiet=quiet or as_json) as lines:
        done = mine_files(
            a, b, out, margin=margin, retrieval=retrieval, similarity=similarity, k=k, ties=ties,  # type: ignore[arg-type]
            duplicates=duplicates, threshold=_threshold(threshold), gold=gold, ids=ids, text_a=text_a, text_b=text_b,  # type: ignore[arg-type]
            embedding=embedding, memory=memory, device=device, engine=engine, forecast_only=forecast,  # type: ignore[arg-type]
            on_sentences=lines.teller("sentences embedded"), on_tile=lines.teller("tiles searched"),
            on_forecast=lambda told: lines.say(told.line),
        )  # fmt: skip
    if as_json:
        print_json(done.to_json())
        return
    console = open_console()
    if done.out is None:
        console.print(done.forecast.line, highlight=False)
        return
    cut = "" if done.threshold is None else f", {done.kept:,} of them at or above {done.threshold:.6g}"
    console.print(f"{done.candidates:,} candidates{cut}: {done.out}", highlight=False, soft_wrap=True)
    if done.settings["embedding"]:
        how = done.settings["embedding"]
        before = f", after {how['prefix']!r}" if how["prefix"] else ""
        console.print(
            f"layer {how['layers'][0]}, pooling {how['pooling']}{before}, margin {margin}, {retrieval}, k {k}", highlight=False
        )
    if done.scores:
        s = done.scores
        tuned = " (the threshold was chosen on this gold: an upper bound)" if done.tuned else ""
        told = f"precision {s['precision']:.1f}, recall {s['recall']:.1f}, F1 {s['f1']:.1f}{tuned}"
        console.print(told, highlight=False, soft_wrap=True)
    console.print(f"{done.seconds:.0f} s, {done.peak_memory / 1e9:.2f} GB at most", highlight=False)


def _threshold(text: str | None) -> float | str | None:
    if text in (None, "auto"):
        return text
    try:
        return float(str(text))
    except ValueError:
        return text


class _Lines:
    """A bar on a terminal, else a line now and then, on standard error."""

    def __init__(self, *, quiet: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._console, self._quiet, self._told, self._rows = Console(stderr=True), quiet, time.monotonic(), dict[str, Any]()
        self._live = self._console.is_terminal and not quiet
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bars = Progress(*columns, console=self._console)

    def __enter__(self) -> _Lines:
        if self._live:
            self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._live:
            self._bars.stop()
        if isinstance(error, KeyboardInterrupt):
            raise Interrupted("interrupted; the same command goes on from what is finished") from None

    def say(self, line: str) -> None:
        """Print a line."""
        if not self._quiet:
            self._console.print(line, highlight=False, soft_wrap=True)

    def teller(self, what: str) -> Any:
        """Return the function that is called with (done, all)."""

        def tell(done: int, every: int) -> None:
            if self._live:
                if what not in self._rows:
                    self._rows[what] = self._bars.add_task(what, total=every)
                self._bars.update(self._rows[what], completed=done % every or every, total=every)
            elif not self._quiet and time.monotonic() - self._told > _LINE_EVERY:
                self._told = time.monotonic()
                print(f"{what}: {done:,} of {every:,}", file=sys.stderr, flush=True)

        return tell
