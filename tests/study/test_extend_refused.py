"""`extend` that other code may not go on with: the study stays what it was, so that the code that trained it still reads it."""

import dataclasses
from types import SimpleNamespace

import pytest

from tasksearch.core.errors import VersionsDiffer
from tasksearch.core.options import Growth
from tasksearch.records.ledger import Ledger
from tasksearch.study import extend, run


def test_a_study_of_other_code_is_not_changed_by_an_extension_that_is_refused(planted, tmp_path, monkeypatch):
    planted.run_in_process(planted.open_manager(tmp_path, trials=5, leaders=0), tmp_path)
    ledger = Ledger(tmp_path)
    ledger.save_config(planted.config(trials=5, leaders=0))
    first = next(record for record in ledger.records() if record.status == "done")
    ledger.write(dataclasses.replace(first, facts=(("code", "aaaa"),)))
    ready = SimpleNamespace(sizes=planted.SIZES, data="", model="", skipped={})
    monkeypatch.setattr(run, "prepare", lambda config, on_pretrain: ready)
    monkeypatch.setattr(extend, "extended", lambda config, *_: dataclasses.replace(config, trials=7))
    before = (tmp_path / "study.json").read_bytes()
    with pytest.raises(VersionsDiffer, match="trained by other code"):
        extend.extend_study(tmp_path, Growth(trials="+2"))
    assert (tmp_path / "study.json").read_bytes() == before and not ledger.history()
