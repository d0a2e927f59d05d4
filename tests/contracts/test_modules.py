"""Every module imports, says what it is for, and exports what others rely on."""

import importlib
import pkgutil

import pytest

import etude

MODULES = [module.name for module in pkgutil.walk_packages(etude.__path__, "etude.") if module.name != "etude.__main__"]

PROMISED = {
    "etude.core.errors": ["EtudeError", "UserError", "DatasetError", "CheckpointError", "DeviceError", "NotFound"],
    "etude.core.frame": ["Frame", "STATE", "ACTION", "IMAGES", "check", "example"],
    "etude.core.spec": ["Spec", "Specs"],
    "etude.core.registry": ["Registry"],
    "etude.core.codec": ["encode", "decode"],
    "etude.data": ["open_dataset", "create_dataset", "formats"],
    "etude.envs.env": ["Env", "Step"],
    "etude.hardware": ["robots", "teleoperators", "cameras", "lines"],
    "etude.hardware.device": ["Robot", "Teleoperator", "Camera", "Line", "Scene", "connected"],
    "etude.policies": ["policies"],
    "etude.policies.checkpoint": ["load", "save", "verify"],
    "etude.rollout.agents": ["Agent", "PolicyAgent", "TeleoperatorAgent", "ReplayAgent"],
    "etude.rollout.evaluate": ["evaluate", "wilson", "Score"],
    "etude.rollout.loop": ["rollout", "Outcome"],
    "etude.rollout.sinks": ["Sink", "RecordSink", "VideoSink"],
}


@pytest.mark.parametrize("name", MODULES)
def test_every_module_imports_and_says_what_it_is_for(name):
    module = importlib.import_module(name)
    assert (module.__doc__ or "").strip(), f"{name} has no docstring"


@pytest.mark.parametrize("name", PROMISED)
def test_promised_names_are_there(name):
    module = importlib.import_module(name)
    assert [missing for missing in PROMISED[name] if not hasattr(module, missing)] == []
