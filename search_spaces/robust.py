"""Robust training beside the mix: every mix is trained plainly, at perturbed embeddings, or at noisy ones, in both phases."""

import dataclasses

from search_spaces import joint_vs_seq

SPACE = dataclasses.replace(
    joint_vs_seq.SPACE,
    name="robust",
    summary="joint_vs_seq, each mix with no method, adversarial training or smoothing",
    methods=("none", "adversarial:phase=both", "smoothing:phase=both"),
)
