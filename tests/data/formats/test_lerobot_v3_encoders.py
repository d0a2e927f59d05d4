import json

import av
import numpy as np
import pytest

from etude.core import codec
from etude.core.errors import ConfigError
from etude.data import create_dataset, open_dataset
from etude.data.formats.lerobot_v3.config import Config
from etude.data.video import encoders

FRONT = "observation.images.front"


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (Config(), {"video.codec": "av1", "video.preset": 12, "video.crf": 30, "video.g": 2}),
        (Config(vcodec="h264"), {"video.codec": "h264", "video.preset": None}),
        (Config(vcodec="h264", preset="superfast", crf=23), {"video.codec": "h264", "video.preset": "superfast"}),
        (Config.swift(), {"video.codec": "h264", "video.preset": "ultrafast", "video.crf": 20, "video.g": 2}),
        (Config(vcodec="hevc"), {"video.codec": "hevc", "video.preset": None}),
        (Config(vcodec="auto"), {"video.codec": encoders.stream_name("auto")}),
    ],
)
def test_the_header_says_how_pictures_are_really_coded(tmp_path, specs, make_frame, config, said):
    root = tmp_path / "d"
    writer = create_dataset(root, specs, fps=10, config=config)
    for tick in range(3):
        writer.add_frame(make_frame(0, tick) | {FRONT: np.full((48, 64, 3), 60 + 40 * tick, np.uint8)})
    writer.save_episode("Reach")
    writer.close()
    info = json.loads((root / "meta/info.json").read_text())["features"][FRONT]["info"]
    assert {key: info[key] for key in said} == said
    (video,) = root.glob("videos/*/*/*.mp4")
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.codec.canonical_name == info["video.codec"]
        assert stream.codec_context.pix_fmt == info["video.pix_fmt"] == "yuv420p"
    shown = open_dataset(root).images(FRONT, np.arange(3)).mean((1, 2, 3))
    np.testing.assert_allclose(shown, [60, 100, 140], atol=5)


def test_an_encoder_that_lerobot_does_not_know_is_refused():
    with pytest.raises(ConfigError, match="should be one of 'libsvtav1', 'h264'"):
        codec.decode(Config, {"vcodec": "mpeg2"}, {})
