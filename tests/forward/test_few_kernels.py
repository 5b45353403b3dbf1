"""Kernels that oneDNN compiles for every new width of a batch: few are kept, so that a long training in bf16 stays small."""

import os
import subprocess
import sys

import pytest
import torch

from tasksearch.forward.device import keep_few_kernels

TRAINING = """
import torch
from tasksearch.forward.device import one_thread

def anonymous():
    for line in open("/proc/self/status"):
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024

one_thread(torch.device("cpu"))
layer = torch.nn.Linear(384, 1536)
begin = anonymous()
for width in range(100, 300):
    with torch.autocast("cpu", torch.bfloat16):
        layer(torch.ones(width, 384)).float().sum().backward()
    layer.zero_grad()
print(anonymous() - begin)
"""


def test_the_environment_goes_first(monkeypatch):
    names = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY")
    monkeypatch.setenv(names[0], "1024")
    monkeypatch.delenv(names[1], raising=False)
    monkeypatch.setenv(names[1], "x")  # so that it is put back
    monkeypatch.delenv(names[1])
    keep_few_kernels()
    assert os.environ[names[0]] == "1024" and 32 <= int(os.environ[names[1]]) < 1024


@pytest.mark.long
@pytest.mark.skipif(not torch.cpu._is_avx512_bf16_supported(), reason="a processor without bf16 compiles nothing")
def test_two_hundred_widths_take_the_memory_of_a_few():
    free = {name: value for name, value in os.environ.items() if not name.endswith("_CACHE_CAPACITY")}
    done = subprocess.run([sys.executable, "-c", TRAINING], capture_output=True, text=True, check=True, env=free)
    assert float(done.stdout) < 150  # 390 MB with what torch keeps unless told otherwise
