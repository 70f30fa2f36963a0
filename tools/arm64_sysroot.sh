#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fills FOLDER with the arm64 libraries that muster-agent and its tests are linked with and run with, out
# of Debian's packages for arm64. They are not installed: libsimdjson-dev of two architectures cannot be
# at once, and nothing of this system is to change. No root is needed.
#
# usage: tools/arm64_sysroot.sh FOLDER
set -euo pipefail
folder=$1
# shellcheck source=tools/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"

# Done already, with these packages.
mark=$folder/.packages
wanted=$(printf '%s\n' $packages_arm64_libraries)
[ -f "$mark" ] && [ "$(cat "$mark")" = "$wanted" ] && exit 0

rm -rf "$folder"
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
apt=$folder/.apt
mkdir -p "$apt/lists/partial" "$apt/archives/partial"
: >"$apt/status"
options=(-o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State::status="$apt/status"
  -o Dir::State::lists="$apt/lists" -o Dir::Cache="$apt" -o Dir::Cache::archives="$apt/archives"
  -o APT::Install-Recommends=false -o Debug::NoLocking=1 -o APT::Sandbox::User="$(id -un)")
apt-get "${options[@]}" -qq update
# With what they depend on, for none of it counts as installed.
# shellcheck disable=SC2086
apt-get "${options[@]}" -qq install --download-only -y $packages_arm64_libraries >/dev/null
for package in "$apt"/archives/*.deb; do
  # The C library's headers are the cross compiler's own.
  case $(basename "$package") in
    libc6-dev_* | linux-libc-dev_* | libstdc++-*-dev_* | libgcc-*-dev_*) ;;
    *) dpkg-deb --extract "$package" "$folder" ;;
  esac
done
# Absolute links lead out of the folder, and /lib is a link in a system that runs.
find "$folder" -xtype l -lname '/*' -print0 | while IFS= read -r -d '' link; do
  ln -sfn "$folder$(readlink "$link")" "$link"
done
rm -rf "$apt"
printf '%s\n' "$wanted" >"$mark"
