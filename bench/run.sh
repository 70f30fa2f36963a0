#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every bench against the release build and prints one table; about three minutes. Writes
# build/bench.json. MUSTER_BUILD names another build directory. Figures are for the record: nothing
# fails because one is bad.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build=${MUSTER_BUILD:-build/release}
parts=build/bench-parts
rm -rf "$parts"
mkdir -p "$parts"
trap 'rm -rf "$parts"' EXIT
cmake --build "$build" --target net_noop_server >/dev/null

# The data directories of benches lie on this disk, not in memory.
TMPDIR=$(cd build && pwd)
export TMPDIR

for bench in "$build"/bin/*_bench; do
  name=$(basename "$bench")
  echo "-- $name" >&2
  # Fleets of 100,000 hosts with 500 packages each take longer than all the rest: by hand.
  "$bench" --benchmark_filter="-match_every_host|find_hosts" --benchmark_repetitions=3 \
    --benchmark_min_time=0.3 --benchmark_out_format=json \
    --benchmark_out="$parts/$name.json" >/dev/null
done
echo "-- http_cpu.py" >&2
python3 bench/http_cpu.py --musterd "$build/bin/musterd" --noop "$build/bin/net_noop_server" \
  --json >"$parts/http.json"
echo "-- connections.py" >&2
python3 bench/connections.py --musterd "$build/bin/musterd" --json >"$parts/connections.json"
echo "-- results.py" >&2
python3 bench/results.py --musterd "$build/bin/musterd" --data-under build --json \
  >"$parts/results.json"
echo "-- device.py" >&2
python3 bench/device.py --musterd "$build/bin/musterd" --data-under build --json \
  >"$parts/device.json"
python3 bench/table.py "$parts" build/bench.json
