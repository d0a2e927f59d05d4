import numpy as np

from etude.data import create_dataset, open_dataset
from etude.data.check import check
from etude.data.draft import drafts
from etude.data.formats.lerobot_v3.config import Config
from etude.data.formats.lerobot_v3.drafting import drafting

FRONT = "observation.images.front"


def test_episodes_recorded_beside_the_dataset_are_saved_by_its_writer_in_any_order(tmp_path, specs, make_frame):
    root = tmp_path / "new"
    writer = create_dataset(root, specs, fps=10, config=Config.tiny())
    elsewhere, finished = [drafting(Config.tiny(), root) for _ in range(2)], []
    for tick in range(3):
        for number, one in enumerate(elsewhere):
            one.add_frame(make_frame(number, tick))
    for one in reversed(elsewhere):
        one.save_episode("Do it")
        finished.append(one.collect())
        assert one.collect() is None
    assert len(drafts(root)) == 2
    writer.save_finished(finished[0], "Do it")
    assert [draft.folder for draft in drafts(root)] == [finished[1].folder]
    writer.close()
    dataset = open_dataset(root)
    assert dataset.column("observation.state").tolist() == [[1, 0], [1, 1], [1, 2]]
    assert dataset.images(FRONT, np.arange(3)).shape == (3, 48, 64, 3)
    assert check(root) == []
