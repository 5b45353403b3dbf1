"""User-defined suites: a `.toml` file of task cards or a `.py` file with a `SUITE`, which may extend a built-in suite.

A TOML card takes a few lines: kind, labels, files per language and split (or a hub id), columns, licence, metric.
`docs/extending.md` shows a complete example.
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tasksearch.core.errors import BadInput, UnknownName
from tasksearch.core.own_files import (
    UserFile,
    is_reference,
    module_of,
    named_in,
    read_user_file,
    reference_of,
    register,
)
from tasksearch.core.plan import PhaseSettings, TrainSettings
from tasksearch.core.score import ENGLISH
from tasksearch.tasks.card import GROUP_OF_KIND, TaskCard
from tasksearch.tasks.formats import BY_SUFFIX, FORMATS
from tasksearch.tasks.formats.columns import FIELDS, OPTIONAL
from tasksearch.tasks.formats.text_lines import TEXT
from tasksearch.tasks.hub import check_id
from tasksearch.tasks.languages import Language, canonical, known_languages, language_groups
from tasksearch.tasks.source_spec import ByPart, Files, FirstOf, Hub, Pairs, Source
from tasksearch.tasks.suite import Suite

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")
_METRIC = re.compile(r"""["']([\w./-]+\.py):([A-Za-z_]\w*)["']""")
_LABELLED = ("pair", "sentence", "multilabel", "tagging")

_TEXT, _TEXTS, _FLAG, _NUMBER, _COUNT, _TABLE, _COUNTS = (
    "text", "a list of texts", "true or false", "a number", "a whole number", "a table", "a list of whole numbers",
)  # fmt: skip
_SUITE_KEYS = {
    "name": _TEXT, "extends": _TEXT, "only": _TEXTS, "summary": _TEXT, "warning": _TEXT, "steps": _COUNTS, "settings": _TABLE,
    "languages": _TABLE, "first_tasks": _TEXTS, "first_targets": _TEXTS, "first_languages": _TEXTS, "task": "tables [[task]]",
}  # fmt: skip
_CARD_KEYS = {
    "name": _TEXT, "kind": _TEXT, "role": _TEXT, "languages": _TEXTS, "labels": _TEXTS, "head": _TEXT, "metric": _TEXT,
    "chance": _NUMBER, "trains_on": _TEXTS, "licence": _TEXT, "reference": _TEXT, "non_commercial": _FLAG,
    "train_split": _TEXT, "select_split": _TEXT, "report_split": _TEXT, "one_split": _TEXTS, "fewest": _COUNT,
    "keep_repeats": _FLAG, "parallel": _FLAG, "second_language": _TEXT, "most": _COUNT, "how_to_get": _TEXT, "needs": _TEXT,
    "note": _TEXT, "summary": _TEXT,
}  # fmt: skip
"""Keys of a card that are fields of `TaskCard`."""
_SOURCE_KEYS = {
    "files": "a path, or a table of paths by language and split", "format": _TEXT, "columns": _TABLE, "rename": _TABLE,
    "separator": _TEXT, "document": _TEXT, "language_column": _TEXT, "codes": _TABLE, "splits": _TABLE,
    "train": "a path or a list of paths", "train_as": _TEXT, "hub": _TEXT, "config": _TEXT, "hub_split": _TEXT,
    "revision": _TEXT, "settings": _TABLE, "adds_to": _TEXT, "translations": _TABLE,
}  # fmt: skip
_TRANSLATION_KEYS = {"files": _TEXT, "languages": _TEXTS, "format": _TEXT, "columns": _TABLE, "rename": _TABLE, "codes": _TABLE}
_LANGUAGE_KEYS = {"name": _TEXT, "family": _TEXT, "script": _TEXT, "gib": _NUMBER, "seen": _FLAG, "other_codes": _TEXTS}


def read_suite_file(path: Path) -> str:
    """Read and check a suite file; return the reference that `load_suite` accepts.

    Raises:
        BadInput, UnknownName: one line that names the file, the card and what was expected.
    """
    if path.suffix not in (".py", ".toml"):
        raise BadInput(f"suite file {str(path)!r}; expected a .toml file of cards, or a .py file with a SUITE")
    file = read_user_file(path, "cards, or with a SUITE", beside=lambda text: _files_named(text, path.name))
    return reference_of(suite_of(file).name, file)


def _files_named(text: str, own: str) -> list[str]:
    """Return the Python files, other than the suite's own, in which the suite's metrics are defined."""
    return sorted({name for name, _ in _METRIC.findall(text)} - {own})


def suite_of(file: UserFile) -> Suite:
    """Return the suite defined by a file; raises as `read_suite_file` does."""
    try:
        return _at_home(_from_toml(file) if file.name.endswith(".toml") else _from_python(file), file)
    except UnknownName as fault:
        raise BadInput(f"{file.path}: {fault}") from None
    except BadInput as fault:
        raise fault if file.home in str(fault) else BadInput(f"{file.path}: {fault}") from None


def extended(
    base: str,
    *,
    name: str,
    cards: Sequence[TaskCard] = (),
    languages: Sequence[Language] = (),
    only: Sequence[str] = (),
    settings: PhaseSettings | None = None,
    **fields: Any,
) -> Suite:
    """Extend a built-in suite by cards and languages; for `SUITE` in a user's Python file.

    Args:
        base: name of the built-in suite.
        name: name of the new suite.
        cards: cards to add; one with the name of a card of the base replaces it.
        languages: languages missing from the built-in table, or described better here.
        only: tasks of the base to keep; empty: all.
        settings: new settings; None: those of the base.
        fields: further fields of `Suite`.

    Raises:
        UnknownName: there is no such suite, or no such task in `only`.
    """
    from tasksearch.tasks.catalogue import SUITES

    if base not in SUITES:
        raise UnknownName("suite to extend", base, SUITES)
    old = SUITES[base]()
    for task in only:
        old.card(task)
    new = {card.name: card for card in cards}
    kept = [new.pop(card.name, card) for card in old.cards if not only or card.name in only]
    both = (*kept, *new.values())
    groups = _groups(old, both, languages)
    own = {card.name for card in (*cards, *fields.get("texts", ()))}
    fields["texts"] = (*(card for card in old.texts if card.name not in own), *fields.get("texts", ()))
    return dataclasses.replace(
        old,
        name=name,
        base=base,
        cards=both,
        settings=settings or old.settings,
        own_languages=tuple(languages),
        **{**groups, **_first(old, cards, languages, {card.name for card in both}), **fields},
    )


def _first(old: Suite, cards: Sequence[TaskCard], languages: Sequence[Language], there: set[str]) -> dict[str, tuple[str, ...]]:
    """Return the defaults of a run that names no tasks, targets or languages: the base's, plus what was added."""
    spoken = {code for card in cards for code in card.languages} | {one.code for one in languages}
    joined = {
        "first_tasks": [card.name for card in cards if card.role == "intermediate"],
        "first_targets": [card.name for card in cards if card.role == "target" and not card.needs],
        "first_languages": sorted(spoken - {*old.first_languages}),
    }
    found = {}
    for field, names in joined.items():
        before = [name for name in getattr(old, field) if field == "first_languages" or name in there]
        found[field] = tuple(dict.fromkeys((*before, *names))) if before else ()
    return found


def _groups(old: Suite | None, cards: Iterable[TaskCard], languages: Sequence[Language]) -> dict[str, Any]:
    """Return groups of languages by size, including the user's own.

    A base with its own low-resource list keeps and extends it.
    """
    own = {one.code: one for one in languages}
    if old is not None and not old.groups_of_languages:
        small = language_groups(own, own).get("low", ()) if own else ()
        return {"low_resource": tuple(dict.fromkeys((*old.low_resource, *small)))}
    spoken = {
        code
        for card in cards
        for code in card.languages
        if code in own or canonical(code).partition("_")[0] in known_languages()
    }
    return {"groups_of_languages": tuple(language_groups(spoken, own).items())}


# ---- a Python file


def _from_python(file: UserFile) -> Suite:
    suite = getattr(module_of(file), "SUITE", None)
    if not isinstance(suite, Suite):
        raise BadInput("no SUITE that is a tasksearch.tasks.suite.Suite")
    return suite


# ---- a TOML file


def _from_toml(file: UserFile) -> Suite:
    try:
        told = tomllib.loads(file.text)
    except tomllib.TOMLDecodeError as fault:
        raise BadInput(f"not TOML: {fault}") from None
    _check_keys(told, _SUITE_KEYS, "the file")
    base = _base(told)
    languages = [_language(code, facts) for code, facts in told.get("languages", {}).items()]
    name = told.get("name", Path(file.name).stem)
    cards, overrides = [], []
    for number, entry in enumerate(told.get("task", []), start=1):
        where = f"[[task]] {entry.get('name') or entry.get('adds_to') or number}"
        try:
            card = _card(entry, where, name, base)
        except UnknownName as fault:
            raise BadInput(f"{where}: {fault}") from None
        cards.append(card)
        if changes := entry.get("settings"):
            overrides.append((card.name, _train_settings(changes, where)))
    if not cards and base is None:
        raise BadInput("no card; expected at least one [[task]]")
    fields: dict[str, Any] = {
        key: tuple(told[key]) for key in ("steps", "first_tasks", "first_targets", "first_languages") if key in told
    }
    fields |= {key: told[key] for key in ("summary", "warning") if key in told}
    texts = [card for card in cards if card.kind == "mlm" and card.by_language]
    fields["texts"] = tuple(texts)
    cards = [card for card in cards if card not in texts]
    settings = _settings(told.get("settings", {}), overrides, base)
    if base is not None:
        return extended(base.name, name=name, cards=cards, languages=languages, only=told.get("only", ()), settings=settings,
                        **fields)  # fmt: skip
    return Suite(
        **{"name": name, "cards": tuple(cards), "settings": settings, "steps": (256, 512), "own_languages": tuple(languages)}
        | _groups(None, cards, languages) | fields
    )  # fmt: skip


def _base(told: Mapping[str, Any]) -> Suite | None:
    from tasksearch.tasks.catalogue import SUITES

    if "extends" not in told:
        if "only" in told:
            raise BadInput("'only' without 'extends'; expected the suite that these are tasks of")
        return None
    if told["extends"] not in SUITES:
        raise UnknownName("suite to extend", told["extends"], SUITES)
    return SUITES[told["extends"]]()


def _language(code: str, facts: Any) -> Language:
    where = f"[languages.{code}]"
    if not isinstance(facts, dict) or not _NAME.fullmatch(code):
        raise BadInput(f"{where}: expected a code of letters with a table of facts (name, family, script, gib, seen)")
    _check_keys(facts, _LANGUAGE_KEYS, where)
    if "name" not in facts:
        raise BadInput(f"{where}: 'name' is missing")
    seen, gib = facts.get("seen"), facts.get("gib")
    return Language(
        code=code,
        others=tuple(facts.get("other_codes", ())),
        name=facts["name"],
        script=facts.get("script", "Latn"),
        family=facts.get("family", "unknown"),
        seen=seen,
        gib=0.0 if gib is None and seen is False else None if gib is None else float(gib),
    )


def _settings(told: Mapping[str, Any], overrides: Sequence[tuple[str, Any]], base: Suite | None) -> PhaseSettings:
    from tasksearch.tasks.lowres import xlmr_settings

    old = base.settings if base is not None else dataclasses.replace(xlmr_settings(), target_overrides=())
    _check_keys(told, {"intermediate": _TABLE, "target": _TABLE, "features": _TEXT, "head": _TEXT}, "[settings]")
    phases = {
        phase: dataclasses.replace(getattr(old, phase), **dict(_train_settings(told[phase], f"[settings.{phase}]")))
        for phase in ("intermediate", "target")
        if phase in told
    }
    words = {word: told[word] for word in ("features", "head") if word in told}
    again = {name for name, _ in overrides}
    kept = tuple(pair for pair in old.target_overrides if pair[0] not in again)
    return dataclasses.replace(old, target_overrides=(*kept, *overrides), **phases, **words)


def _train_settings(changes: Any, where: str) -> tuple[tuple[str, Any], ...]:
    known = {field.name for field in dataclasses.fields(TrainSettings)}
    for key, value in changes.items():
        if key not in known:
            raise BadInput(f"{where}: {UnknownName('setting', key, known)}")
        try:
            TrainSettings(**{key: value})
        except (BadInput, TypeError) as fault:
            raise BadInput(f"{where}: {fault}") from None
    return tuple(sorted(changes.items()))


def _card(entry: Mapping[str, Any], where: str, suite: str, base: Suite | None) -> TaskCard:
    _check_keys(entry, _CARD_KEYS | _SOURCE_KEYS, where)
    if "adds_to" in entry:
        return _with_languages(entry, where, base)
    for key in ("name", "kind"):
        if key not in entry:
            raise BadInput(f"{where}: {key!r} is missing")
    if not _NAME.fullmatch(entry["name"]):
        raise BadInput(f"{where}: name {entry['name']!r}; expected letters, digits, '_', '-' and '.'")
    if entry["kind"] not in GROUP_OF_KIND:
        raise UnknownName("kind of task", entry["kind"], GROUP_OF_KIND)
    role = entry.get("role", "intermediate" if entry["kind"] == "mlm" else "target")
    if role not in ("target", "intermediate"):
        raise BadInput(f"{where}: role {role!r}; expected 'target' or 'intermediate'")
    fields: dict[str, Any] = {key: _frozen(entry[key]) for key in _CARD_KEYS if key in entry}
    if role == "intermediate":
        fields = {"languages": (ENGLISH,), "report_split": "dev"} | fields
    if "languages" not in fields:
        raise BadInput(f"{where}: 'languages' is missing; expected the codes that the task is scored in")
    source, train = _sources(entry, where, fields["languages"])
    fields |= {"role": role, "source": source, "train": train, "by_language": _by_language(entry, where, source)}
    fields.setdefault("trains_on", (entry.get("hub") or f"{suite}/{entry['name']}",))
    if "train_as" in entry:
        fields |= _training_of(entry["train_as"], base)
    fields |= _labels(entry, fields, where)
    fields.setdefault(
        "metric", "em_f1" if entry["kind"] == "span" else "micro_f1" if entry["kind"] == "multilabel" else "accuracy"
    )
    if fields["metric"] == "accuracy" and entry["kind"] in ("pair", "sentence") and fields.get("labels"):
        fields.setdefault("chance", 100 / len(fields["labels"]))
    return TaskCard(**fields)


def _by_language(entry: Mapping[str, Any], where: str, source: Source) -> tuple[tuple[str, Source], ...]:
    """Return (language, source) of the text of an MLM card, or of the translations of a labelled card's training data."""
    if entry["kind"] == "mlm":
        languages = entry.get("languages", [ENGLISH])
        return () if languages == [ENGLISH] else tuple((language, source) for language in languages)
    if (told := entry.get("translations")) is None:
        return ()
    _check_keys(told, _TRANSLATION_KEYS, f"{where}: translations")
    if entry["kind"] in ("tagging", "span"):  # an example may give several items there, by its length in each language
        raise BadInput(
            f"{where}: translations of a task of kind {entry['kind']!r}; expected pair, sentence, multilabel or choice"
        )
    for key in ("files", "languages"):
        if key not in told:
            raise BadInput(f"{where}: translations without {key!r}; expected {{ files = 'PATH', languages = ['de', 'sw'] }}")
    files = _files({**entry, **told}, told["files"], where)
    return tuple((language, files) for language in told["languages"] if language != ENGLISH)


def _labels(entry: Mapping[str, Any], fields: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Read the labels from the training files if the card does not name them."""
    if fields.get("labels") or entry["kind"] not in _LABELLED:
        return {}
    if "hub" in entry:
        raise BadInput(f"{where}: 'labels' is missing; expected the names of the hub table's labels")
    return {"labels_from": fields.get("train_split", "train")}


def _training_of(task: str, base: Suite | None) -> dict[str, Any]:
    """Return the fields of another task's English training examples."""
    if base is None:
        raise BadInput(f"'train_as = {task!r}' in a suite that extends none")
    card = base.card(task)
    return {
        "train": card.train_sources,
        "train_split": card.train_split,
        "trains_on": card.trains_on,
        "folder": card.folder,
    } | ({"labels": card.labels} if card.labels else {})


def _with_languages(entry: Mapping[str, Any], where: str, base: Suite | None) -> TaskCard:
    """Return a card of the base with additional languages, each with files of its own; the rest is unchanged."""
    if base is None:
        raise BadInput(f"{where}: 'adds_to' in a suite that extends none")
    strange = sorted(entry.keys() & _CARD_KEYS.keys() - {"languages", "one_split", "note"})
    if strange:
        raise BadInput(f"{where}: {strange[0]!r} beside 'adds_to'; expected languages and their files alone")
    card, new = base.card(entry["adds_to"]), tuple(entry.get("languages", ()))
    known = [code for code in new if code in card.languages]
    if not new or known:
        raise BadInput(f"{where}: languages {', '.join(known) or 'are missing'}; expected ones that the task does not have yet")
    source, _ = _sources(entry, where, new)
    own = source.parts if isinstance(source, ByPart) else tuple((code, "", source) for code in new)
    return dataclasses.replace(
        card,
        languages=(*card.languages, *new),
        source=ByPart(parts=own, rest=card.source),
        train=card.train_sources,
        one_split=(*card.one_split, *entry.get("one_split", ())),
        note=entry.get("note", card.note),
    )


def _sources(entry: Mapping[str, Any], where: str, languages: Sequence[str]) -> tuple[Source, tuple[Source, ...]]:
    """Return (evaluation source, training sources); the latter are empty if they are the same."""
    if "hub" in entry:
        if "files" in entry:
            raise BadInput(f"{where}: 'hub' beside 'files'; expected one of them")
        return _hub(entry), ()
    if "files" not in entry:
        raise BadInput(f"{where}: 'files' is missing; expected a path such as 'mine/{{language}}.{{split}}.tsv', or 'hub'")
    train = entry.get("train", [])
    paths = [train] if isinstance(train, str) else train
    trains = tuple(_files(entry, path, where) for path in paths)
    files = entry["files"]
    if isinstance(files, str):
        return _files(entry, files, where), trains
    parts: list[tuple[str, str, Source]] = []
    for language, named in files.items():
        if language not in (*languages, ENGLISH):
            raise BadInput(f"{where}: files of {language!r}, which is not among its languages")
        by_split = {"": named} if isinstance(named, str) else named
        parts += [(language, split, _files(entry, path, where)) for split, path in by_split.items()]
    return ByPart(parts=tuple(parts)), trains


def _files(entry: Mapping[str, Any], path: Any, where: str) -> Files:
    if not isinstance(path, str):
        raise BadInput(f"{where}: path {path!r}; expected text")
    if Path(path).is_absolute() or ".." in Path(path).parts:
        raise BadInput(f"{where}: path {path!r} leaves its folder; expected one below the suite file's folder or --data")
    try:
        path.format(folder="", language="", code="", split="")
    except (KeyError, IndexError, ValueError):
        raise BadInput(
            f"{where}: path {path!r}; expected no braces but {{language}}, {{code}}, {{split}} and {{folder}}"
        ) from None
    suffix = Path(path.removesuffix(".gz")).suffix
    form = entry.get("format") or ("text" if suffix == ".txt" and entry.get("kind") == "mlm" else BY_SUFFIX.get(suffix))
    form = BY_SUFFIX.get(f".{form}", form)
    if form is None:
        raise BadInput(
            f"{where}: path {path!r} ends in {suffix or 'nothing'!r}; expected {', '.join(BY_SUFFIX)}, or a 'format'"
        )
    if form not in FORMATS:
        raise UnknownName("file format", form, [*(one.removeprefix(".") for one in BY_SUFFIX), *FORMATS])
    if form in TEXT and entry.get("kind") != "mlm":
        raise BadInput(f"{where}: format {form!r} with kind {entry.get('kind')!r}; expected kind 'mlm', lines hold no label")
    return Files(
        format=form,
        path=path,
        codes=_pairs(entry, "codes"),
        splits=_pairs(entry, "splits"),
        columns=_columns(entry, where),
        labels=_pairs(entry, "rename"),
        language_column=entry.get("language_column", ""),
        documents=(("*", _pattern(entry["document"], where)),) if "document" in entry else (),
    )


def _columns(entry: Mapping[str, Any], where: str) -> Pairs:
    """Return the columns as pairs; a list of columns for `choices` becomes `choices.0`, `choices.1` …"""
    given = dict(entry.get("columns", {}))
    kind = entry.get("kind", "")
    own = (*FIELDS.get(kind, ()), *OPTIONAL.get(kind, ()))
    known = {*own, "id", "document", "answer", "start"} if kind else set()
    for field in given:
        if known and field not in known:
            raise BadInput(f"{where}: {UnknownName('field in columns', field, known)}")
    if isinstance(several := given.get("choices"), list):
        del given["choices"]
        given |= {f"choices.{number}": column for number, column in enumerate(several)}
    if "separator" in entry:
        given["separator"] = entry["separator"]
    return tuple((str(field), str(column)) for field, column in given.items())


def _hub(entry: Mapping[str, Any]) -> Hub:
    check_id(entry["hub"])
    columns = dict(entry.get("columns", {}))
    choices: tuple[str, ...] = ()
    if isinstance(columns.get("choices"), list):
        choices = tuple(f"{{{column}}}" for column in columns.pop("choices"))
    return Hub(
        id=entry["hub"],
        config=entry.get("config", "default"),
        split=entry.get("hub_split", "{split}"),
        revision=entry.get("revision", "main"),
        codes=_pairs(entry, "codes"),
        splits=_pairs(entry, "splits"),
        columns=tuple(columns.items()),
        labels=_pairs(entry, "rename"),
        choices=choices,
    )


def _pairs(entry: Mapping[str, Any], key: str) -> Pairs:
    return tuple((str(one), str(other)) for one, other in entry.get(key, {}).items())


def _pattern(text: str, where: str) -> str:
    try:
        groups = re.compile(text).groups
    except re.error as fault:
        raise BadInput(f"{where}: document {text!r} is not a regular expression ({fault})") from None
    if groups < 1:
        raise BadInput(f"{where}: document {text!r}; expected a regular expression whose first group is the document")
    return text


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _check_keys(told: Mapping[str, Any], known: Mapping[str, str], where: str) -> None:
    for key, value in told.items():
        if key not in known:
            raise BadInput(f"{where}: {UnknownName('key', key, known)}")
        if not _is(value, known[key]):
            raise BadInput(f"{where}: {key} is {value!r}; expected {known[key]}")


def _is(value: Any, wanted: str) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    tests = {
        _TEXT: isinstance(value, str),
        _TEXTS: isinstance(value, list) and all(isinstance(one, str) for one in value),
        _FLAG: isinstance(value, bool),
        _NUMBER: number,
        _COUNT: number and isinstance(value, int) and value >= 0,
        _COUNTS: isinstance(value, list) and all(isinstance(one, int) and one > 0 for one in value),
        _TABLE: isinstance(value, dict),
        _SUITE_KEYS["task"]: isinstance(value, list) and all(isinstance(one, dict) for one in value),
        _SOURCE_KEYS["files"]: isinstance(value, str) or (isinstance(value, dict) and bool(value)),
        _SOURCE_KEYS["train"]: isinstance(value, str) or (isinstance(value, list) and bool(value)),
    }
    return tests[wanted]


# ---- shared by both kinds of file


def _at_home(suite: Suite, file: UserFile) -> Suite:
    """Return the suite bound to its file: data files are searched beside it, and metrics refer to Python files beside it."""
    from tasksearch.tasks.catalogue import SUITES

    if suite.name in SUITES or not _NAME.fullmatch(suite.name):
        raise BadInput(f"name {suite.name!r}; expected letters, digits, '_', '-' and '.', and no name of a suite that there is")
    before = {card.name: card for card in SUITES[suite.base]().cards} if suite.base else {}
    packaged = {source for card in before.values() for source in (card.source, *card.train_sources)}
    own = {one.code for one in suite.own_languages}
    spoken = {code for card in before.values() for code in card.languages} | own
    texts = {*(SUITES[suite.base]().texts if suite.base else ())}
    cards = []
    for card in (*suite.cards, *suite.texts):
        if card == before.get(card.name) or card in texts:
            cards.append(card)
            continue
        cards.append(
            dataclasses.replace(
                card,
                languages=tuple(_code(code, spoken, card) for code in card.languages),
                one_split=tuple(_code(code, spoken, card) for code in card.one_split),
                source=_homed(card.source, file.home),
                train=tuple(source if source in packaged else _homed(source, file.home) for source in card.train),
                by_language=tuple((_code(code, spoken, card), _homed(one, file.home)) for code, one in card.by_language),
                trains_in=(),
                metric=_metric(card, file),
            )
        )
    count = len(suite.cards)
    return dataclasses.replace(suite, cards=tuple(cards[:count]), texts=tuple(cards[count:]), home=file.home)


def _code(code: str, spoken: set[str], card: TaskCard) -> str:
    """Return the canonical code of a language; an unknown one is refused, since nothing could be reported about it."""
    if code in spoken:
        return code
    known = canonical(code)
    if known.partition("_")[0] not in known_languages():
        raise BadInput(f"card {card.name!r}: no table knows the language {code!r}; describe it in [languages.{code}]")
    return known


def _homed(source: Source, home: str) -> Source:
    match source:
        case Files():
            return dataclasses.replace(source, home=home)
        case FirstOf(sources=sources):
            return FirstOf(sources=tuple(_homed(one, home) for one in sources))
        case ByPart(parts=parts, rest=rest):
            return ByPart(parts=tuple((lang, split, _homed(one, home)) for lang, split, one in parts), rest=rest)
        case Hub():
            return source


def _metric(card: TaskCard, file: UserFile) -> str:
    """Return a card's metric; one in a Python file becomes a reference to that file alone.

    Other changes of the suite then leave segment signatures unchanged.
    """
    path, colon, name = card.metric.rpartition(":")
    if not colon or is_reference(card.metric):
        return card.metric
    texts = dict(file.files)
    if path not in texts:
        raise BadInput(f"card {card.name!r}: metric {card.metric!r}; expected FILE.py:NAME, a file beside the suite's")
    named_in(file, name, "a metric: (predicted, gold) -> outcomes", where=path)
    return reference_of(f"{path}:{name}", register(UserFile(files=((path, texts[path]),), home=file.home)))
