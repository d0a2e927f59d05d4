"""Where a hand is for given joints, and which joints bring it somewhere."""

from etude.hardware.kinematics.arm import Kinematics, Solution
from etude.hardware.kinematics.pose import FullPose, HandPose, Pose
from etude.hardware.kinematics.units import DriverUnits

__all__ = ["DriverUnits", "FullPose", "HandPose", "Kinematics", "Pose", "Solution"]
