"""Where a hand is for given joints, and which joints bring it somewhere."""

from etude.hardware.kinematics.arm import NUM_JOINTS, PITCH_JOINTS, HandPose, Kinematics, Solution

__all__ = ["NUM_JOINTS", "PITCH_JOINTS", "HandPose", "Kinematics", "Solution"]
