// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

#include "base/limits.h"
#include "base/time.h"

namespace muster::agent {

/// What this program calls itself on the wire, in X-Agent-Version and heartbeats.
inline constexpr std::string_view agent_version = "1.2.0";

}  // namespace muster::agent

/// The agent's own limits, with their reasons; those shared with the server: base/limits.h.
namespace muster::agent::bounds {

using muster::limits::KiB;
using muster::limits::MiB;

/// The largest answer is one task (a 10 KiB command); more is not our server.
inline constexpr std::size_t answer_bytes = 1 * MiB;
/// Bodies from here on are worth compressing; below, the gzip head eats the gain.
inline constexpr std::size_t gzip_from_bytes = 1 * KiB;
/// A real status file of 4,000 packages is 6 MB.
inline constexpr std::size_t dpkg_status_bytes = 64 * MiB;
inline constexpr std::size_t dpkg_stanza_bytes = 1 * MiB;
inline constexpr std::size_t proc_file_bytes = 1 * MiB;
/// Two streams of output, each byte escaped to six.
inline constexpr std::size_t state_file_bytes = 16 * MiB;

/// Delivered outcomes kept with their output; older ones keep id and exit code, for ever.
inline constexpr std::size_t journal_outputs = 64;
/// Outcomes folded into one archive segment.
inline constexpr std::size_t journal_segment = 32;

/// Failed calls wait 1, 2, 4 … seconds up to these.
inline constexpr Duration retry_first = std::chrono::seconds(1);
inline constexpr Duration retry_max = std::chrono::minutes(5);
inline constexpr Duration report_retry_max = std::chrono::hours(1);
/// A disabled agent or refused key asks again this seldom: somebody has to act first.
inline constexpr Duration refused_retry = std::chrono::minutes(5);
/// A server may ask for patience, not for silence.
inline constexpr Duration retry_after_max = std::chrono::hours(1);
/// Attempts of one call before `run --once` gives up.
inline constexpr int once_attempts = 4;
/// Attempts to announce a task before it is left to the server's lease (at least 5 min).
inline constexpr int announce_attempts = 6;

/// What output shrinks to when the server finds a result too large (413).
inline constexpr std::size_t shrunk_output_bytes = 64 * KiB;

}  // namespace muster::agent::bounds
