"""The xArm tasks of gym-xarm, which cannot run here: choosing them says why."""
