#!/bin/sh
# Install the Debian packages that the named lists hold and that are missing, or say exactly what to type.
set -eu
cd "$(dirname "$0")/.."
packages=$(sed 's/#.*//' "$@")

if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "This is no Debian system. Install these programs your system's way, then see: revista doctor" >&2
    echo "$packages" | xargs >&2
    exit 0
fi

missing=""
for package in $packages; do
    # newer releases call some libraries NAMEt64
    dpkg-query -W -f '${Status}\n' "$package" "${package}t64" 2>/dev/null | grep -q "ok installed" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=""
elif sudo -n true 2>/dev/null; then
    as_root="sudo"
else
    echo "These Debian packages are missing. Type this, then run make again:" >&2
    echo "  sudo apt-get update && sudo apt-get install -y --no-install-recommends$missing" >&2
    exit 1
fi
echo "installing Debian packages:$missing"
$as_root apt-get update -qq
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
