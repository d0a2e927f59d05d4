#!/bin/sh
# Installs the software OpenGL that the simulated cameras render with; says its name where it may not.
set -eu

packages="libegl1 libegl-mesa0 libgl1-mesa-dri libopengl0"

[ "$(uname -s)" = Linux ] || exit 0
if ! command -v dpkg-query >/dev/null; then
    ldconfig -p 2>/dev/null | grep -q libEGL.so.1 ||
        echo "The simulated cameras need Mesa's software OpenGL (libEGL): please install it with your package tool." >&2
    exit 0
fi

missing=""
for package in $packages; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q "install ok installed" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    run=""
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    run="sudo"
else
    echo "The simulated cameras need these packages: sudo apt-get install$missing" >&2
    exit 0
fi
$run apt-get update -qq
# shellcheck disable=SC2086
$run env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
