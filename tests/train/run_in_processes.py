"""Trains what a JSON file says, in as many processes as asked for, which talk over the loopback.

Of a run that is as long as a clock says, that of the first process counts seconds, and another's goes a thousand times
as fast.

usage: python run_in_processes.py CONFIG NUM_PROCESSES PORT [resume]
"""

import itertools
import json
import os
import sys
import time
from pathlib import Path

import torch

from etude.train.loop import train
from etude.train.stored import read_config

torch.set_num_threads(1)
torch.optim.SGD([torch.zeros(1)])  # which imports half of torch, here once for all processes
config = read_config(json.loads(Path(sys.argv[1]).read_text()), sys.argv[1])
num_processes = int(sys.argv[2])
if num_processes > 1:
    os.environ |= {"WORLD_SIZE": sys.argv[2], "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": sys.argv[3]}
    os.environ |= {"LOCAL_WORLD_SIZE": sys.argv[2], "OMP_NUM_THREADS": "1", "TORCH_CPP_LOG_LEVEL": "ERROR"}
resume = "resume" in sys.argv
clock = itertools.count().__next__ if config.minutes else time.perf_counter
children = []
for rank in range(1, num_processes):
    child = os.fork()
    if not child:
        os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank)}
        train(config, resume=resume, clock=lambda: 1000 * time.perf_counter())
        os._exit(0)
    children.append(child)
if num_processes > 1:
    os.environ |= {"RANK": "0", "LOCAL_RANK": "0"}
train(config, resume=resume, clock=clock)
sys.exit(max((os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children), default=0))
