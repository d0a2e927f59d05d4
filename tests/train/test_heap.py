from __future__ import annotations

import platform
import subprocess
import sys

import pytest

CODE = """
import resource
import torch
from etude.train.heap import keep_freed_memory
torch.set_num_threads(1)
assert keep_freed_memory()
for _ in range(10):
    torch.ones(4 << 20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    torch.ones(4 << 20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no such limits")
def test_memory_that_was_freed_is_there_for_the_next_update():
    """Twenty tensors of 16 MiB, 4096 pages each, in a process of its own, as this holds to its end."""
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 4096
