"""The real trial: pretrained encoder → English intermediate phase → English target phase → zero-shot scores per language."""

from __future__ import annotations

import os
from pathlib import Path

from tasksearch.core.errors import TrainingFailed
from tasksearch.core.gpu_sharing import ask_for, mps_runs
from tasksearch.core.learning_curve import LearningCurve
from tasksearch.core.own_files import unpack
from tasksearch.core.required_segments import RequiredSegment
from tasksearch.forward.memory import settle
from tasksearch.phases.checkpoints import CheckpointPolicy
from tasksearch.phases.context import RunContext, open_context
from tasksearch.phases.preemption import PREEMPTION
from tasksearch.phases.required_work import required_segments
from tasksearch.phases.results import PartOutcome
from tasksearch.phases.run import PlanRun
from tasksearch.records.ledger import Ledger
from tasksearch.tasks.catalogue import load_suite
from trainables.base import PartResult, PlanTrainable


class ThreePhase(PlanTrainable):
    """Runs a `phases.run.PlanRun`, one segment per step. A reused process keeps model and data loaded.

    Its own entries in `context`: `suite` and `suite_options`, `user_files` (as `core.own_files.pack` gives them), `data`,
    `model`, `encoder` (reference of a family in `user_files`), `store`, `store_budget` (bytes), `keep_targets`,
    `deterministic`, `accept_versions`, `device`, `gpu_share` (of one GPU, less than 1), `memory` (bytes, on a CPU), and
    `snapshots` (`[every steps, every seconds]`, each may be None).
    """

    def prepare(self) -> None:
        """Unfold the plan; the first trial of a process loads model and data. From now on SIGTERM ends the process cleanly."""
        PREEMPTION.listen()
        self._keep_to_share()
        context = self._open()
        settle()
        self._run = PlanRun(self.plan, context)

    def parts(self) -> tuple[str, ...]:
        """Return `intermediate/0` …, then `target/<name>` …."""
        return self._run.parts

    def missing(self, position: int) -> tuple[RequiredSegment, ...]:
        """Return the segments whose manifests the store lacks; a damaged segment is found only when it is read."""
        return required_segments(self._run, position)

    def run_part(self, name: str) -> PartResult:
        """Train one segment, or load it from the store."""
        PREEMPTION.obey()
        done = self._run_within_share(name)
        kind, _, target = name.partition("/")
        lacking = kind == "target" and Ledger(Path(self.context["study_folder"])).lacks_documents(done.outcomes)
        return PartResult(
            scores=done.scores,
            seconds=done.seconds,
            facts=self._run.context.facts(self.plan) | self._run.notes,
            outcomes=done.outcomes,
            documents=self._run.documents(target) if lacking else {},
        )

    def _run_within_share(self, name: str) -> PartOutcome:
        """Run a part; a trial that runs out of memory on a share of a GPU says how large the share is."""
        try:
            return self._run.run(name)
        except TrainingFailed as fault:
            share = self.context.get("gpu_share")
            if share is None or "out of memory" not in str(fault):
                raise
            raise TrainingFailed(f"{fault} (this trial has {share:g} of a GPU's memory: --gpus-per-trial)") from fault

    def _keep_to_share(self) -> None:
        """Limit this process to its share of the GPU's memory, so that it cannot take that of the trials beside it.

        Under MPS to twice its share of the multiprocessors too, but where bits must not depend on their number.
        """
        share = self.context.get("gpu_share")
        if share is None or self.context.get("device") == "cpu":
            return
        if mps_runs() and not self.context.get("deterministic"):
            ask_for(float(share), os.environ)
        import torch

        if torch.cuda.is_available():
            torch.cuda.set_per_process_memory_fraction(float(share))

    def curves(self) -> dict[str, LearningCurve]:
        """Return the curves that the store keeps with the segments, also of those that another trial trained."""
        return {part: curve for part in self._run.parts if (curve := self._run.curve(part)) is not None}

    def _open(self) -> RunContext:
        context = self.context
        unpack(context.get("user_files") or ())
        steps, seconds = context.get("snapshots") or (None, CheckpointPolicy().every_seconds)
        return open_context(
            load_suite(str(context["suite"])),
            str(context["data"]),
            str(context["model"]),
            str(context["store"]) if context.get("store") else None,
            context.get("device"),
            keep_targets=bool(context.get("keep_targets")),
            store_budget=context.get("store_budget"),
            snapshots=CheckpointPolicy(every_steps=steps, every_seconds=seconds),
            skip_bad=int(context.get("skip_bad") or 0),
            deterministic=bool(context.get("deterministic")),
            encoder=str(context.get("encoder") or ""),
            accept_versions=bool(context.get("accept_versions")),
            memory=context.get("memory"),
        )
