"""Make `vqbet.npz`: what LeRobot's VQ-BeT gives for made-up weights, frames and noise, in both phases of training.

Run it where LeRobot is installed: `python tests/golden/make_vqbet.py`. To act, codes are taken at known quantiles
instead of drawn.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import policy_facts
from policy_facts import described, drawn

GOLDEN = Path(__file__).with_name("vqbet.npz")

SHARED = {"crop_shape": (56, 72), "spatial_softmax_num_keypoints": 6, "vqvae_embedding_dim": 12, "gpt_input_dim": 24,
          "vqvae_enc_hidden_dim": 20, "gpt_block_size": 40, "gpt_output_dim": 28, "gpt_n_layer": 2, "gpt_n_head": 4,
          "gpt_hidden_dim": 32, "dropout": 0.0}  # fmt: skip
VARIANTS = {
    "published": SHARED,
    "in_turn": SHARED | {"sequentially_select": True, "use_group_norm": False, "n_action_pred_token": 1,
                         "n_obs_steps": 2, "action_chunk_size": 3, "bet_softmax_temperature": 0.7},
}  # fmt: skip
CAMERA, STATE, ACTION, SIZE, BATCH, LAYERS = "observation.images.front", 5, 4, (64, 80), 3, 2
UPDATES = 3
"""Batches from which the codebooks learn."""


def weight(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Draw a weight of about the size that training gives."""
    if name.endswith("cluster_size"):
        return 1 + np.abs(drawn(name, shape))
    return 0.3 * drawn(name, shape) if "_codebook" in name else policy_facts.weight(name, shape)


def num_actions(values: dict[str, int]) -> int:
    """Count the actions of a training sample."""
    return values.get("n_obs_steps", 5) + values.get("n_action_pred_token", 3) + values.get("action_chunk_size", 5) - 2


def batch(values: dict[str, int]) -> dict[str, np.ndarray]:
    """Draw the inputs, in a robot's units: states, pictures (batch, time, height, width, channel), and actions."""
    num_obs = values.get("n_obs_steps", 5)
    pictures = np.random.RandomState(3).randint(0, 256, (BATCH, num_obs, *SIZE, 3)).astype(np.uint8)
    state, action = drawn("state", (BATCH, num_obs, STATE)), drawn("action", (BATCH, num_actions(values), ACTION))
    return {CAMERA: pictures, "observation.state": 40 * state + 10, "action": 30 * action - 5}


def bounds() -> dict[str, dict[str, np.ndarray]]:
    """Give the least and the most of states and actions."""
    return {
        "observation.state": {"min": np.linspace(-90, -50, STATE), "max": np.linspace(60, 100, STATE)},
        "action": {"min": np.linspace(-80, -60, ACTION), "max": np.linspace(50, 70, ACTION)},
    }


def noise() -> np.ndarray:
    """Draw what decides on codes when acting."""
    return drawn("noise", (BATCH, LAYERS, ACTION))


def _at_quantiles(values: dict[str, int]):
    """Stand in for `torch.multinomial`: each sample's quantiles hold for all its queries."""
    import torch

    num_queries = values.get("n_obs_steps", 5) + values.get("n_action_pred_token", 3) - 1
    quantiles = torch.special.ndtr(torch.from_numpy(noise()[:, :, 0]))
    each = quantiles[:, None].expand(-1, num_queries, -1).flatten(0, 1)
    calls = iter(each.unbind(-1) if values.get("sequentially_select") else [each.flatten()])

    def multinomial(probabilities, num_samples):
        assert num_samples == 1
        return (probabilities.cumsum(-1) <= next(calls)[:, None]).sum(-1, keepdim=True)

    return multinomial


def _policy(values: dict[str, int]):
    import torch
    from lerobot.policies.vqbet.configuration_vqbet import VQBeTConfig
    from lerobot.policies.vqbet.modeling_vqbet import VQBeTPolicy
    from lerobot.policies.vqbet.processor_vqbet import make_vqbet_pre_post_processors

    config = VQBeTConfig(**values, **described([CAMERA], SIZE, STATE, ACTION))
    policy = VQBeTPolicy(config)
    with torch.no_grad():
        for key, value in policy.state_dict().items():
            is_fixed = key.endswith(("pos_grid", "attn.bias", "initted"))
            if value.is_floating_point() and not is_fixed:
                value.copy_(torch.from_numpy(weight(key, tuple(value.shape))))
    return policy, *make_vqbet_pre_post_processors(config, bounds())


def _learn_codes(policy, encoded, answers, name):
    """Let the codes learn; this comes last, as it changes them."""
    answers[f"{name}.codes_loss"] = np.array([policy.train()(encoded)[0].item() for _ in range(UPDATES)])
    answers[f"{name}.codebooks"] = policy.vqbet.action_head.vqvae_model.vq_layer.codebooks.numpy()


def main() -> None:
    """Ask LeRobot."""
    import torch

    answers: dict[str, np.ndarray] = {}
    for name, values in VARIANTS.items():
        policy, before, after = _policy(values)
        raw = batch(values)
        inputs = {key: torch.from_numpy(value) for key, value in raw.items() if key != CAMERA}
        inputs[CAMERA] = torch.from_numpy(raw[CAMERA]).permute(0, 1, 4, 2, 3).float() / 255
        encoded = before(inputs)
        answers[f"{name}.names"] = np.array(sorted(policy.state_dict()))
        codes = policy.vqbet.action_head.vqvae_model
        for flag in (codes.discretized, codes.vq_layer.freeze_codebook):
            flag.fill_(True)
        seen = encoded | {"observation.images": encoded[CAMERA][:, :, None]}
        kept, torch.multinomial = torch.multinomial, _at_quantiles(values)
        with torch.no_grad():
            chunk = policy.eval().vqbet(seen, rollout=True)[:, : policy.config.action_chunk_size]
        torch.multinomial = kept
        answers[f"{name}.act"] = after(chunk).numpy()
        torch.manual_seed(0)
        answers[f"{name}.loss"] = policy.train()(encoded)[0].detach().numpy()
        for flag in (codes.discretized, codes.vq_layer.freeze_codebook):
            flag.fill_(False)
        _learn_codes(policy, encoded, answers, name)
    np.savez_compressed(GOLDEN, **answers)


if __name__ == "__main__":
    main()
