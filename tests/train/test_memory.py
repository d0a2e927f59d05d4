"""Real memory that runs out: a process that may have a little more than it has when training begins."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from etude.core.errors import UserError
from etude.train.memory import sparing
from etude.train.stored import stored_form

GOLDEN = Path(__file__).parents[1] / "golden" / "lerobot_v3"
SCRIPT = r"""
import json, re, resource, sys
from pathlib import Path
import torch
from etude.core.errors import UserError
from etude.train.loop import train
from etude.train.stored import read_config
from etude.train.watchers import Watcher

class Tightens(Watcher):
    def begin(self, run):
        now = 1024 * int(re.search(r"VmSize:\s+(\d+)", Path("/proc/self/status").read_text())[1])
        resource.setrlimit(resource.RLIMIT_AS, (now + 400_000_000, resource.RLIM_INFINITY))

torch.set_num_threads(1)
try:
    train(read_config(json.loads(sys.argv[1]), "argv"), watchers=[Tightens()])
except UserError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited as Linux does it")
def test_memory_that_runs_out_is_answered_with_a_smaller_batch(config):
    demanding = replace(config, datasets=(GOLDEN,), batch_size=3000, grad_accum_steps=2, steps=2, cache_gb=0)
    words = [sys.executable, "-c", SCRIPT, json.dumps(stored_form(demanding))]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "Memory ran out with batches of 3000. The same is learned with less: --batch_size=1500 --grad_accum_steps=4\n"
    )


@pytest.mark.parametrize(
    ("batch_size", "parts", "advice"),
    [
        (16, 1, "--batch_size=8 --grad_accum_steps=2"),
        (7, 1, "=1 --grad_accum_steps=7"),
        (1, 4, "Make pictures smaller"),
    ],
)
def test_the_product_of_what_is_advised_is_that_of_what_was_tried(config, batch_size, parts, advice):
    tried = replace(config, batch_size=batch_size, grad_accum_steps=parts)
    with pytest.raises(UserError, match=advice), sparing(tried):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def test_other_errors_are_left_alone(config):
    with pytest.raises(RuntimeError, match="shapes"), sparing(config):
        raise RuntimeError("shapes cannot be multiplied")
