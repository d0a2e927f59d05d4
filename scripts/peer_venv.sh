#!/bin/sh
# Makes a virtual environment outside this repository in which LeRobot can be imported, for benchmarks against it.
# Usage: sh scripts/peer_venv.sh FOLDER        (or: ETUDE_PEER=FOLDER sh scripts/peer_venv.sh)
# Then:  export ETUDE_PEER=FOLDER
#
# LeRobot 0.4.4 is installed without what its robots need. Departures from its own pins, none of which changes what is
# measured: torch and torchcodec are newer, so that there are builds for the CPU that fit one another; torchvision is the
# build of the package index, whose compiled part does not load beside torch for the CPU, so the two operators that it
# would declare are declared in Python. Nothing here may ever bring in another torch: it would be gigabytes of CUDA.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
folder=${1:-${ETUDE_PEER:-}}
[ -n "$folder" ] || { echo "Give the folder to make it in, outside $here." >&2; exit 2; }
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
case "$folder/" in
"$here"/*) echo "$folder is inside the repository; choose a folder outside of it." >&2; exit 2 ;;
esac

torch=${TORCH:-torch==2.13.0}
[ -x "$folder/bin/python" ] || "${PYTHON:-python3}" -m venv "$folder"
install() { "$folder/bin/pip" install --quiet --disable-pip-version-check "$@"; }
# shellcheck disable=SC2086
install ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} "$torch"
install --no-deps lerobot==0.4.4 torchvision==0.28.0 torchcodec==0.13.0
install "$torch" numpy==2.2.6 datasets==4.8.5 pyarrow==26.0.1 av==15.1.0 "huggingface-hub<0.36" draccus==0.10.0 \
    "einops<0.9" "opencv-python-headless<4.13" jsonlines "packaging<26" pyserial "gymnasium<2" "deepdiff<9" \
    "termcolor<4" imageio "accelerate<2" "setuptools<81" feetech-servo-sdk dynamixel-sdk 2>&1 | grep -v -e "^lerobot 0.4.4 requires" -e "dependency resolver" >&2 || true

vision=$("$folder/bin/python" -c "import importlib.util; print(importlib.util.find_spec('torchvision').origin)")
grep -q etude_operators "$vision" || sed -i.orig '1i\
import torch as _torch\
\
etude_operators = _torch.library.Library("torchvision", "DEF")\
for _name in ("nms", "qnms"):\
    etude_operators.define(_name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")\
' "$vision"

# torchcodec brings no FFmpeg of its own.
if ! "$folder/bin/python" -c "import torchcodec.decoders" 2>/dev/null; then
    if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
        apt-get update -qq && apt-get install -y -qq --no-install-recommends ffmpeg >/dev/null
    else
        echo "torchcodec finds no FFmpeg: install FFmpeg 4 to 8 of your system, as with: apt install ffmpeg" >&2
    fi
fi
"$folder/bin/python" -c "
import lerobot, torch, torchcodec.decoders
from lerobot.datasets.lerobot_dataset import LeRobotDataset
print(f'LeRobot {lerobot.__version__} with torch {torch.__version__}; now: export ETUDE_PEER=$folder')"
