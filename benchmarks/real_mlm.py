"""The paper's grid with its rows of multilingual MLM kept up: MNLI, and MNLI with an eighth of the examples from text.

The encoder needs an MLM head; `tasksearch pretrain --from` adds one:

    tasksearch pretrain --from FOLDER --data DIR --language sw … --steps 120 --batch-size 16 --precision bf16 --out FOLDER-mlm
    tasksearch run --config benchmarks/real_mlm.toml --model FOLDER-mlm --data DIR
    tasksearch report studies/real_mlm --as phang2020
"""

from search_spaces import phang2020

SPACE = phang2020.grid(text="mlm:ha+ig+sw+yo")
