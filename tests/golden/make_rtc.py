"""Make `rtc.npz`: how LeRobot blends chunks, guides a flow along an old chunk, and weighs that chunk.

Run it where LeRobot is installed: `python tests/golden/make_rtc.py`. Inputs are drawn from a generator whose stream is
frozen for ever, so only the answers are stored.
"""

from __future__ import annotations

import zlib
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import numpy as np

GOLDEN = Path(__file__).with_name("rtc.npz")
SCHEDULES, DELAYS, ENDS, TOTAL = ("LINEAR", "EXP", "ONES", "ZEROS"), (0, 1, 3, 12), (0, 2, 6, 10), 10
CHUNK, NUM_STEPS = (2, 10, 3), 8
GUIDED = (("LINEAR", 2, 7, 10.0), ("EXP", 3, 10, 5.0), ("ONES", 0, 4, 10.0), ("ZEROS", 4, 4, 1.0))
LEFT = 7
COEFFICIENTS, TICKS = (0.01, -0.2, 0.0), 12


def drawn(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Draw an array that its name and shape decide, float32."""
    random = np.random.RandomState(zlib.crc32(name.encode()))
    return random.standard_normal(shape).astype(np.float32)


def speed(values, time):
    """Stand in for a network: velocities of `values` (batch, time, channel) at `time` (batch,)."""
    return (1.1 * values + 0.3 * values.flip(1) - time.reshape(-1, 1, 1)).tanh() - 0.2


def cases() -> list[tuple[str, int, int]]:
    """List what weights are asked for."""
    return list(product(SCHEDULES, DELAYS, ENDS))


def _processor(schedule: str, end: int, most: float):
    from lerobot.configs.types import RTCAttentionSchedule
    from lerobot.policies.rtc.configuration_rtc import RTCConfig
    from lerobot.policies.rtc.modeling_rtc import RTCProcessor

    kind = RTCAttentionSchedule[schedule]
    config = RTCConfig(True, prefix_attention_schedule=kind, execution_horizon=end, max_guidance_weight=most)
    return RTCProcessor(config)


def _sampled(guided: tuple[str, int, int, float] | None) -> np.ndarray:
    """Run pi0's own loop with a stand-in for its network, guided or not."""
    import torch
    from lerobot.policies.pi0.modeling_pi0 import PI0Pytorch

    nothing = torch.ones(CHUNK[0], 1, dtype=torch.bool)
    attention = SimpleNamespace(language_model=SimpleNamespace(config=SimpleNamespace()))
    model = SimpleNamespace(
        embed_prefix=lambda *_: (nothing, nothing, nothing),
        _prepare_attention_masks_4d=lambda mask: mask,
        paligemma_with_expert=SimpleNamespace(paligemma=attention, forward=lambda **_: (None, None)),
        denoise_step=lambda x_t, timestep, **_: speed(x_t, timestep),
        rtc_processor=None if guided is None else _processor(guided[0], *guided[2:]),
        _rtc_enabled=lambda: guided is not None,
    )
    options = {}
    if guided:
        old = torch.from_numpy(drawn("old", CHUNK))[:, :LEFT]
        options = {"inference_delay": guided[1], "prev_chunk_left_over": old, "execution_horizon": guided[2]}
    noise, ask = torch.from_numpy(drawn("noise", CHUNK)), PI0Pytorch.sample_actions
    with torch.no_grad():
        return ask(model, None, None, None, None, nothing, noise=noise, num_steps=NUM_STEPS, **options).numpy()


def _ensembled(coefficient: float) -> np.ndarray:
    import torch
    from lerobot.policies.act.modeling_act import ACTTemporalEnsembler

    ensembler = ACTTemporalEnsembler(coefficient, CHUNK[1])
    chunks = torch.from_numpy(drawn("chunks", (TICKS, *CHUNK[1:])))
    return torch.cat([ensembler.update(chunk[None]) for chunk in chunks]).numpy()


def main() -> None:
    """Ask LeRobot."""
    answers = {
        f"weights.{schedule}.{delay}.{end}": _processor(schedule, 10, 1).get_prefix_weights(delay, end, TOTAL).numpy()
        for schedule, delay, end in cases()
    }
    answers |= {f"sampled.{place}": _sampled(case) for place, case in enumerate((*GUIDED, None))}
    answers |= {f"ensembled.{coefficient}": _ensembled(coefficient) for coefficient in COEFFICIENTS}
    np.savez_compressed(GOLDEN, **answers)


if __name__ == "__main__":
    main()
