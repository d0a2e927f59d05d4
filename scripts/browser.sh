#!/bin/sh
# Installs Chromium, in which the tests look at pages; says so where it may not, and those tests are skipped then.
set -eu

for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null && exit 0
done

missing="The tests of pages need Chromium, and are skipped without it: please install it with your package tool."
if [ "$(id -u)" = 0 ]; then
    run=""
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    run="sudo"
else
    run="none"
fi
if [ "$run" = none ] || ! command -v apt-get >/dev/null; then
    echo "$missing" >&2
    exit 0
fi
$run apt-get update -qq || true
$run env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null ||
    echo "$missing" >&2
