"""The page that a person reads before running a checkpoint."""

from __future__ import annotations

from torch import nn

from etude.policies.loaded import LoadedPolicy


def card(loaded: LoadedPolicy, kind: str) -> str:
    """Write a checkpoint's README: what it sees, what it does, where it learned, how to run it."""
    assert isinstance(loaded.policy, nn.Module)
    origin = loaded.origin
    size = sum(parameter.numel() for parameter in loaded.policy.parameters())
    seen = "\n".join(f"| `{key}` | {spec} | {', '.join(spec.names)} |" for key, spec in loaded.observation.items())
    learned = {
        "task": "; ".join(origin.tasks),
        "robot": origin.robot_type,
        "dataset": origin.dataset,
        "control rate": f"{origin.fps:g} Hz" if origin.fps else None,
        "training steps": origin.step,
    }
    facts = "\n".join(f"- {name}: {value}" for name, value in learned.items() if value)
    return f"""# {kind} policy

{size / 1e6:.1f} M parameters. It plays {loaded.n_action_steps} actions of each chunk before it looks again.

{facts}

| entry | shape | names |
|---|---|---|
{seen}
| `action` | {loaded.action} | {", ".join(loaded.action.names)} |

Run it with `etude run --policy.path=THIS_FOLDER`; check it with `etude doctor THIS_FOLDER`.
"""
