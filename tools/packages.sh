# SPDX-License-Identifier: Apache-2.0
# Sourced by ./start and ./check: the Debian 12 packages that they need, and their installation.

packages_build="g++ cmake ninja-build ccache pkg-config python3 python3-yaml
  libboost1.81-dev libssl-dev libsodium-dev libsqlite3-dev libpq-dev libsimdjson-dev libfmt-dev
  libtomlplusplus-dev libcli11-dev libcurl4-openssl-dev zlib1g-dev libzstd-dev libzip-dev
  libyaml-dev libseccomp-dev
  libgtest-dev libbenchmark-dev"
packages_console="nodejs npm"
packages_browser="chromium"
packages_check="clang-format-14 python3-jsonschema git openssl postgresql-15 zstd haproxy"
packages_fuzz="clang-14 libclang-rt-14-dev"
packages_tidy="clang-14 clang-tidy-14"
packages_coverage="gcovr"
# The agent for arm64: the cross compiler, what runs its programs, and the libraries for arm64, which
# tools/arm64_sysroot.sh fetches without installing them.
packages_arm64="g++-aarch64-linux-gnu qemu-user-static"
packages_arm64_libraries="libboost1.81-dev libssl-dev libsodium-dev libsqlite3-dev libsimdjson-dev
  libfmt-dev libtomlplusplus-dev libcli11-dev zlib1g-dev libzstd-dev libseccomp-dev libgtest-dev
  libstdc++6"
# Systems of other releases and package tools, to look at.
packages_roots="debootstrap rpm db5.3-util"
packages_bench="nginx-light wrk nghttp2-client valgrind"

# The console is built by any node from 18 on, whoever packaged it.
need_console_packages() {
  command -v node >/dev/null && command -v npm >/dev/null && return 0
  # shellcheck disable=SC2086
  need_packages $packages_console
}

# need_packages PACKAGE…: returns at once when all are there; else installs them as root, and
# without root prints the one line that does and exits 2.
need_packages() {
  local missing
  missing=$(for name in "$@"; do
    dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed || echo "$name"
  done)
  [ -z "$missing" ] && return 0
  # shellcheck disable=SC2086
  set -- $missing
  if [ "$(id -u)" -ne 0 ]; then
    echo "These packages are missing. Install them, then run this again:" >&2
    echo "  sudo apt-get install -y --no-remove $*" >&2
    exit 2
  fi
  echo "Installing: $*"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-remove "$@" >/dev/null
}
