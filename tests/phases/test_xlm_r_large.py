"""XLM-R Large's shape with fresh weights: one step of each phase, one language, on a CPU. Prints where the memory goes."""

import dataclasses
import resource
import sys
import time

import psutil
import pytest
import torch
from transformers import AutoTokenizer, XLMRobertaConfig, XLMRobertaForMaskedLM

from tasksearch.core.mixture import Mixture
from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.phases.context import open_context
from tasksearch.phases.run import PlanRun
from tasksearch.tasks.lab_suite import lab_suite

NEEDED = 14 * 2**30
SUITE = lab_suite()


@pytest.mark.long
@pytest.mark.skipif(psutil.virtual_memory().available < NEEDED, reason="needs 14 GB of free memory")
def test_one_step_of_each_phase_at_the_shape_of_xlm_r_large(tiny_lab, tmp_path, capsys):
    begun = time.process_time()

    def tell(what):
        # on Linux in KiB, elsewhere in bytes
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1024 if sys.platform == "linux" else 1)
        held = psutil.Process().memory_info().rss
        with capsys.disabled():
            print(
                f"\n{what:28} {held / 1e9:6.2f} GB, peak {peak / 1e9:6.2f} GB, {time.process_time() - begun:5.0f} CPU s", end=""
            )
        return peak

    folder = tmp_path / "large"
    tokenizer = AutoTokenizer.from_pretrained(str(tiny_lab.model))
    torch.manual_seed(0)
    model = XLMRobertaForMaskedLM(
        XLMRobertaConfig(
            vocab_size=250_002, hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, intermediate_size=4096,
            max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5,
            pad_token_id=tokenizer.pad_token_id, bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
        )
    )  # fmt: skip
    assert sum(p.numel() for p in model.parameters()) > 559_000_000
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    del model
    tell("fresh weights written")
    own = dataclasses.replace(SUITE.settings.intermediate, batch_size=4)
    settings = dataclasses.replace(
        SUITE.settings,
        intermediate=own,
        target=dataclasses.replace(SUITE.settings.target, batch_size=4, steps=1),
        target_overrides=(),
        evaluation_examples=4,
    )
    context = open_context(SUITE, str(tiny_lab.data), str(folder), None, "cpu")
    tell("loaded")
    plan = Plan(
        suite="lab",
        schedule=Schedule.joint(Mixture.uniform("restate"), 1),
        targets=("topic", "retrieval"),
        languages=("near1",),
        settings=settings,
    )
    run = PlanRun(plan, context)
    before = context.pretrained.model.base_model.encoder.layer[0].output.dense.weight.clone()
    scores = []
    for part in run.parts:
        done = run.run(part)
        peak = tell(part)
        scores += list(done.scores)
    assert {(s.target, s.language) for s in scores} == {("topic", "near1"), ("retrieval", "near1")}
    assert torch.equal(before, context.pretrained.model.base_model.encoder.layer[0].output.dense.weight), "a copy is trained"
    assert peak < NEEDED
    open_context.cache_clear()
