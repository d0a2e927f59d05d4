import numpy as np
import pytest

from etude.core.spec import Spec
from etude.data import create_dataset, open_dataset
from etude.data.dataset import Timing
from etude.data.formats.lerobot_v3.config import Config

FRONT, WRIST = "observation.images.front", "observation.images.wrist"
JOINTS = ("pan.pos", "lift.pos")
LENGTHS = (6, 30)
LATE = (7, 8, 20)


@pytest.fixture(scope="session")
def arm(tmp_path_factory):
    """Two cameras whose grey tells the frame, two joints, a reward; the second episode has late and repeated frames."""
    root = tmp_path_factory.mktemp("viz") / "arm"
    specs = {
        "observation.state": Spec(shape=(2,), names=JOINTS),
        "action": Spec(shape=(2,), names=JOINTS),
        "next.reward": Spec(shape=(1,)),
        FRONT: Spec(shape=(64, 96, 3), dtype="uint8"),
        WRIST: Spec(shape=(64, 96, 3), dtype="uint8"),
    }
    writer = create_dataset(root, specs, fps=10, robot_type="so101_follower", config=Config.tiny())
    for episode, length in enumerate(LENGTHS):
        for tick in range(length):
            state = np.array([tick, -tick], np.float32)
            picture = np.full((64, 96, 3), 40 + 6 * tick, np.uint8)
            frame = {
                "observation.state": state,
                "action": state + 1,
                "next.reward": np.float32([tick % 2]),
                FRONT: picture,
                WRIST: picture,
            }
            timing = Timing(time_s=tick / 10, is_late=tick in LATE, camera_time_s={WRIST: (tick // 2) / 5})
            writer.add_frame(frame, timing if episode else None)
        writer.save_episode("Pick </script> & place" if episode else "Wave")
    writer.close()
    return open_dataset(root)
