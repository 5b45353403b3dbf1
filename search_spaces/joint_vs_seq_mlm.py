"""The default space with MLM and TLM beside the English tasks, in the study's languages or in those of --mlm-language."""

from dataclasses import replace

from search_spaces import joint_vs_seq

SPACE = replace(
    joint_vs_seq.SPACE,
    name="joint_vs_seq_mlm",
    summary="as joint_vs_seq, and the suite's multilingual texts as tasks: MLM, TLM",
    text=True,
)
