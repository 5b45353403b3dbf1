"""Compare the results of two studies, times aside."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from tasksearch.core.signature import signature_of
from tasksearch.engine.optuna_storage import trials_in_optuna
from tasksearch.records.ledger import Ledger
from tasksearch.study.locations import study_id
from tasksearch.tracking.address import default_uri
from tasksearch.tracking.lookup import contents, statuses


def substance(folder: Path, *, tracked: bool = True) -> dict[str, Any]:
    """Return what two equal studies agree on.

    This is trials with parameters, plans, scores and objectives; outcomes by hash; Optuna's and MLflow's copies.

    Args:
        tracked: whether the study writes the MLflow database in its folder.
    """
    ledger = Ledger(folder)
    name = ledger.config().name
    records = ledger.records()
    keys = ("number", "role", "status", "plan", "params", "scores", "objective", "cause")
    found = {
        "trials": {str(r.number): signature_of({key: r.to_json()[key] for key in keys}) for r in records},
        "outcomes": {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(ledger.trials_path.glob("*.safetensors"))
        },
        "optuna": trials_in_optuna(ledger.optuna_path, name),
    }
    if tracked:
        where = (default_uri(folder), name, study_id(folder, name))
        found |= {"mlflow": statuses(*where), "mlflow runs": contents(*where)}
    return found


def difference(was: dict[str, Any], now: dict[str, Any]) -> str | None:
    """Return the first difference between two substances; None if they are equal."""
    for part, before in was.items():
        after = now[part]
        if before != after:
            keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
            return f"{part} differs in {', '.join(keys[:5])}: {before.get(keys[0])!r} became {after.get(keys[0])!r}"
    return None
