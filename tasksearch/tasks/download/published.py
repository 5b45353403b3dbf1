"""What the authors of the suites' data publish, and where; facts only, no code per task.

Single files are listed in `published.tsv` (its head states the origin of each fact), archives below. Unknown addresses, sizes
and checksums are left out: the card then tells how to get the data by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from importlib.resources import files

from tasksearch.tasks.download.transfer import Download

ARCHIVES_PLACE = ".downloads"
"""Folder, relative to the data folder, of archives that are not unpacked yet."""


@dataclass(frozen=True, kw_only=True)
class Archive:
    """Several files published in one archive.

    Attributes:
        file: the archive; its place is where it is kept until it is unpacked.
        folder: folder that it is unpacked to, relative to the data folder.
        members: patterns of the members to unpack, relative to that folder.
    """

    file: Download
    folder: str
    members: tuple[str, ...]

    def gives(self, place: str) -> bool:
        """Whether a place, or a pattern of places with `*`, is among the files that it provides."""
        one = place.replace("*", "x")
        return any(_same_depth_match(one, f"{self.folder}/{member}") for member in self.members)


def _same_depth_match(place: str, pattern: str) -> bool:
    parts, wanted = place.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(fnmatchcase(part, want) for part, want in zip(parts, wanted, strict=True))


def _archive(url: str, size: int | None, sha256: str, folder: str, *members: str) -> Archive:
    place = f"{ARCHIVES_PLACE}/{url.rsplit('/', 1)[1]}"
    return Archive(file=Download(url=url, place=place, size=size, sha256=sha256), folder=folder, members=members)


def _bucc(code: str, part: str, size: int, sha256: str) -> Archive:
    url = f"https://comparable.limsi.fr/bucc2018/bucc2018-{code}-en.{part}-gold.tar.bz2"
    return _archive(url, size, sha256, "bucc2018", f"{code}-en.{part}.*")


ARCHIVES = (
    _archive(
        "https://dl.fbaipublicfiles.com/XNLI/XNLI-1.0.zip", 17_865_352,
        "4ba1d5e1afdb7161f0f23c66dc787802ccfa8a25a3ddd3b165a35e50df346ab1", "xnli", "xnli.dev.tsv", "xnli.test.tsv",
    ),
    _archive(
        "https://storage.googleapis.com/paws/pawsx/x-final.tar.gz", 30_282_057,
        "4146db499101d66e68ae4c8ed3cf9dadecd625f44b7d8cf3d4a0fe93afc4fd9f", "pawsx", "[a-z][a-z]/*.tsv",
    ),
    _archive(
        "https://lindat.mff.cuni.cz/repository/xmlui/bitstream/handle/11234/1-3105/ud-treebanks-v2.5.tgz", 355_216_681,
        "5ff973e44345a5f69b94cc1427158e14e851c967d58773cc2ac5a1d3adaca409", "udpos", "ud-treebanks-v2.5/*/*.conllu",
    ),
    _archive(
        "https://dl.fbaipublicfiles.com/MLQA/MLQA_V1.zip", 75_719_050,
        "246e8089933d13007fe80684d5c5c0713d6834cf8b3b4a0ec7c66f0a0d2baac8", "mlqa", "MLQA_V1/*/*.json",
    ),
    _archive(
        "https://storage.googleapis.com/tydiqa/v1.1/tydiqa-goldp-v1.1-dev.tgz", 1_725_055,
        "5a415d019a345794c8a83191ecfe4a761eaab69dab79c3c9813d4379e1cc5519", "tydiqa", "tydiqa-goldp-v1.1-dev/*.json",
    ),
    _bucc("de", "sample", 2_529_652, "8e16ba8b02ef8d648b06adfbd6dfb188f43524e18f97b2b12a14a086caac62f3"),
    _bucc("de", "training", 28_189_548, "766e0fdebbd1438fb87c21254828eb13c8b997d8fbab002103dd060dcac50c5c"),
    _bucc("fr", "sample", 1_948_831, "df9eb3966954e163c9264076f7c9c1eb56d9d8a91855f9d3afbf2c0fdaef0a08"),
    _bucc("fr", "training", 20_757_713, "53c0d0e7dd97dc89593a2db25a26c5f0ccdc7113e8451263bb0c80e4c4c7dc30"),
    _bucc("ru", "sample", 4_269_233, "fce3cabc7ee50ddb4b18aa6fb090e2669c8383d2a29fc97eed6ae70fed9a23e5"),
    _bucc("ru", "training", 37_085_079, "1895df56e936ca3d4f5b12299ceffe0b7ff4806584c40bdaa3ae1d445f25afa5"),
    _bucc("zh", "sample", 769_869, "a3425be5c0320ee131a0927b66c3e29befb3b481ebf1b87257e660e514bc16ac"),
    _bucc("zh", "training", 6_344_925, "3facb71798277c8f44dc78c1f8ae2110f254d0e14799f3508eedd54b4236877a"),
    _archive(
        "https://cims.nyu.edu/~sbowman/multinli/multinli_1.0.zip", 226_850_426,
        "049f507b9e36b1fcb756cfd5aeb3b7a0cfcb84bf023793652987f7e7e0957822", "mnli", "multinli_1.0_*.jsonl",
    ),
    _archive(
        "https://nlp.stanford.edu/projects/snli/snli_1.0.zip", 94_550_081,
        "afb3d70a5af5d8de0d9d81e2637e0fb8c22d1235c2749d83125ca43dab0dbd3e", "snli", "snli_1.0_*.jsonl",
    ),
    _archive("https://dl.fbaipublicfiles.com/anli/anli_v1.0.zip", None, "", "anli", "R[123]/*.jsonl"),
)  # fmt: skip
"""Addresses are those of XTREME's `scripts/download_data.sh`, the checksum lists and ANLI's README; sizes and sha256 those of
the checksum lists that Hugging Face `datasets` and TensorFlow Datasets kept (2020). ANLI's v1.0 is in neither: the checksum of
the first download is recorded.
"""


@lru_cache(maxsize=1)
def published_files() -> dict[str, Download]:
    """Return place → the single file published for it."""
    return {file.place: file for file in _rows()}


def _rows() -> Iterator[Download]:
    address = folder = ""
    for line in (files("tasksearch.tasks.download") / "published.tsv").read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        cells = line.split("\t")
        if cells[0] == ">":
            _, address, folder = cells
            continue
        path, size, check = cells
        kind, _, value = check.partition(":")
        yield Download(
            url=address + path,
            place=folder + path,
            size=None if size == "-" else int(size),
            sha256=value if kind == "sha256" else "",
            git_blob=value if kind == "git" else "",
        )


@lru_cache(maxsize=4096)
def matching(place: str) -> tuple[Download, ...]:
    """Return the single files at a place, or at all places that a pattern with `*` matches."""
    known = published_files()
    if place in known:
        return (known[place],)
    if "*" not in place:
        return ()
    return tuple(file for name, file in known.items() if _same_depth_match(name, place))


def licences_beside(places: list[str]) -> tuple[Download, ...]:
    """Return the licence texts in the folders of these places."""
    folders = {place.rpartition("/")[0] for place in places}
    return tuple(
        file
        for name, file in published_files().items()
        if "licen" in name.rpartition("/")[2].lower() and name.rpartition("/")[0] in folders
    )
