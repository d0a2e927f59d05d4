"""Make `diffusion_transformer.npz`: what Diffusion Policy's own transformer tells for made-up weights.

Run it with the folder of a checkout of `real-stanford/diffusion_policy`:
`python tests/golden/make_diffusion_transformer.py FOLDER`. Weights and inputs are drawn from a generator whose stream
is frozen for ever, so only the answers and the names are stored.
"""

from __future__ import annotations

import sys
import zlib
from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).with_name("diffusion_transformer.npz")
CHANNELS, CONDITION, HORIZON, NUM_OBS, BATCH = 7, 5, 6, 3, 4
SIZES = {"n_emb": 16, "n_layer": 2, "n_head": 2, "p_drop_emb": 0.0, "p_drop_attn": 0.3}
VARIANTS = {"causal": True, "open": False}
"""By name, whether an action reads only what is up to its own time."""
STEPS = (0, 3, 57, 99)


def drawn(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Draw an array that its name and shape decide, float32; a normalisation's weights lie about 1."""
    random = np.random.RandomState(zlib.crc32(name.encode()))
    value = random.standard_normal(shape).astype(np.float32)
    if len(shape) == 1:
        return np.float32(name.endswith("weight")) + np.float32(0.1) * value
    return value / np.float32(np.sqrt(shape[-1])) if len(shape) == 2 else value


def inputs() -> dict[str, np.ndarray]:
    """Draw noisy actions, steps, and what was seen."""
    sample, cond = drawn("sample", (BATCH, HORIZON, CHANNELS)), drawn("cond", (BATCH, NUM_OBS, CONDITION))
    return {"sample": sample, "timestep": np.array(STEPS), "cond": cond}


def main(checkout: str) -> None:
    """Ask the reference."""
    import torch

    sys.path.insert(0, checkout)
    from diffusion_policy.model.diffusion.transformer_for_diffusion import TransformerForDiffusion

    answers: dict[str, np.ndarray] = {}
    for name, is_causal in VARIANTS.items():
        model = TransformerForDiffusion(
            CHANNELS, CHANNELS, HORIZON, NUM_OBS, CONDITION, **SIZES, causal_attn=is_causal, obs_as_cond=True
        ).eval()
        with torch.no_grad():
            for key, value in model.named_parameters():
                value.copy_(torch.from_numpy(drawn(key, tuple(value.shape))))
            told = model(**{key: torch.from_numpy(value) for key, value in inputs().items()})
        answers[f"{name}.names"] = np.array(list(model.state_dict()))
        answers[f"{name}.told"] = told.numpy()
        decayed = {id(value) for value in model.get_optim_groups()[0]["params"]}
        answers[f"{name}.decayed"] = np.array([key for key, value in model.named_parameters() if id(value) in decayed])
    np.savez_compressed(GOLDEN, **answers)


if __name__ == "__main__":
    main(sys.argv[1])
