"""Make `act.npz`: what LeRobot's ACT gives for made-up weights and inputs.

Run it where LeRobot is installed: `python tests/golden/make_act.py`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import policy_facts
from policy_facts import described, drawn

GOLDEN = Path(__file__).with_name("act.npz")

SHARED = {"chunk_size": 6, "n_action_steps": 6, "dim_model": 32, "n_heads": 4, "dim_feedforward": 48, "dropout": 0.0}
VARIANTS = {
    "published": SHARED | {"latent_dim": 8, "n_encoder_layers": 2, "n_vae_encoder_layers": 2},
    "pre_norm": SHARED | {"latent_dim": 8, "n_encoder_layers": 2, "n_decoder_layers": 2, "n_vae_encoder_layers": 1,
                          "pre_norm": True, "feedforward_activation": "gelu"},
    "without_vae": SHARED | {"latent_dim": 8, "n_encoder_layers": 1, "use_vae": False},
}  # fmt: skip
CAMERAS = ("observation.images.front", "observation.images.wrist")
STATE, ACTION, SIZE, BATCH = 5, 7, (64, 96), 3


def weight(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Draw a weight of about the size that training gives."""
    is_normal = "norm" in name or "bn" in name or "downsample.1" in name
    return policy_facts.weight(name, shape, is_normal=is_normal)


def batch() -> dict[str, np.ndarray]:
    """Draw the inputs: a normalised state, pictures, and a chunk whose end is padding."""
    pictures = {key: drawn(key, (BATCH, 3, *SIZE)) for key in CAMERAS}
    is_pad = np.arange(SHARED["chunk_size"]) >= np.array([6, 4, 1])[:, None]
    action = drawn("action", (BATCH, SHARED["chunk_size"], ACTION))
    return pictures | {"observation.state": drawn("state", (BATCH, STATE)), "action": action, "action_is_pad": is_pad}


def main() -> None:
    """Ask LeRobot."""
    import torch
    from lerobot.policies.act.configuration_act import ACTConfig
    from lerobot.policies.act.modeling_act import ACT

    answers = {}
    inputs = {key: torch.from_numpy(value) for key, value in batch().items()}
    inputs["observation.images"] = [inputs[key] for key in CAMERAS]
    for name, values in VARIANTS.items():
        model = ACT(ACTConfig(**values, **described(CAMERAS, SIZE, STATE, ACTION), pretrained_backbone_weights=None))
        with torch.no_grad():
            for key, value in model.state_dict().items():
                if key != "vae_encoder_pos_enc":
                    value.copy_(torch.from_numpy(weight(key, tuple(value.shape))))
            answers[f"{name}.names"] = np.array(sorted(model.state_dict()))
            answers[f"{name}.act"] = model.eval()(inputs)[0].numpy()
            torch.manual_seed(0)
            chunk, (mean, log_variance) = model.train()(inputs)
        answers[f"{name}.trained_chunk"] = chunk.numpy()
        if mean is not None:
            answers[f"{name}.mean"], answers[f"{name}.log_variance"] = mean.numpy(), log_variance.numpy()
    np.savez_compressed(GOLDEN, **answers)


if __name__ == "__main__":
    main()
