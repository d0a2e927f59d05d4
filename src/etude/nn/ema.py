"""An average of a network's recent weights, which acts more steadily than the newest ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


def ramp(update: int) -> float:
    """Give a decay that forgets a random start soon: (1 + n) / (10 + n) at update n, counted from 1."""
    return (1 + update) / (10 + update)


def power_law(power: float = 0.75, inv_gamma: float = 1.0) -> Callable[[int], float]:
    """Give Diffusion Policy's law: 1 - (1 + n / inv_gamma) ** -power, where n is the number of updates before this one.

    Its first two updates take the weights as they are (real-stanford/diffusion_policy, ema_model.py).
    """

    def decay(update: int) -> float:
        before = max(0, update - 2)
        return 1 - (1 + before / inv_gamma) ** -power

    return decay


class Ema:
    """Exponential moving average of a module's parameters and buffers.

    The decay at update n, counted from 1, is `rise(n)`, but at most `decay`.
    """

    def __init__(self, module: nn.Module, decay: float, rise: Callable[[int], float] = ramp) -> None:
        self.decay, self.rise, self.num_updates = decay, rise, 0
        self.average = {name: value.detach().clone() for name, value in module.state_dict().items()}
        self._homes = {name: (module.get_submodule(name.rpartition(".")[0]), name) for name in self.average}

    @torch.no_grad()
    def update(self) -> None:
        """Take the module's present weights into the average."""
        self.num_updates += 1
        # A state_dict would cost as much as all the arithmetic.
        present = {name: getattr(home, name.rpartition(".")[2]) for name, (home, name) in self._homes.items()}
        is_real = {name: value.is_floating_point() for name, value in present.items()}
        averages = [value for name, value in self.average.items() if is_real[name]]
        weights = [present[name] for name in self.average if is_real[name]]
        # One call for all tensors: a call for each costs more than the arithmetic.
        get_ema_multi_avg_fn(min(self.decay, self.rise(self.num_updates)))(averages, weights, self.num_updates)
        for name, value in self.average.items():
            if not is_real[name]:
                value.copy_(present[name])

    @contextmanager
    def applied(self, module: nn.Module) -> Iterator[None]:
        """Let the module have the average weights for a while."""
        present = {name: value.detach().clone() for name, value in module.state_dict().items()}
        module.load_state_dict(self.average)
        try:
            yield
        finally:
            module.load_state_dict(present)

    def restore(self, average: Mapping[str, Tensor], num_updates: int) -> None:
        """Go on from a stored average."""
        for name, value in self.average.items():
            value.copy_(average[name])
        self.num_updates = num_updates
