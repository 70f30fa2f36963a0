// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "base/limits.h"
#include "base/time.h"

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
/// A METADATA with a long description in it, or a package.json with many scripts.
inline constexpr std::size_t software_manifest_bytes = 4 * MiB;
/// A kernel's header has a few 100 KiB of file names.
inline constexpr std::size_t rpm_header_bytes = 64 * MiB;
/// Large Go programs have 1,000 modules of 100 bytes.
inline constexpr std::size_t go_buildinfo_bytes = 1 * MiB;
/// Of one survey: what a host with 100,000 files in node_modules needs, and no more.
inline constexpr std::size_t survey_names = 1'000'000;
inline constexpr std::size_t survey_bytes = 1024 * MiB;

/// A look that takes longer is told of: ten minutes are a scanner's, and the rest is a file system
/// that does not answer.
inline constexpr Duration look_slow = std::chrono::hours(1);

// --- What runs -------------------------------------------------------------------------------
/// Of /proc/net/tcp, where what listens stands first; a line is 150 bytes.
inline constexpr std::size_t proc_net_bytes = 4 * MiB;
/// Of all processes together: looked at for who listens.
inline constexpr std::size_t proc_descriptors = 500'000;
/// A hundred services of 100 bytes a line.
inline constexpr std::size_t systemctl_bytes = 1 * MiB;
/// It answers at once, or systemd is busy starting the host.
inline constexpr Duration systemctl_timeout = std::chrono::seconds(20);

// --- Images --------------------------------------------------------------------------------------
/// The list of an engine's images or layers: some 500 bytes each.
inline constexpr std::size_t image_store_bytes = 16 * MiB;
/// Of one host, named in every report of them.
inline constexpr std::size_t images = 500;
/// What overlayfs takes at most is 500; engines stop at half of that.
inline constexpr std::size_t image_layers = 256;
/// Reports on images in one call: more come with the next.
inline constexpr std::size_t image_reports_bytes = 8 * MiB;
/// An image never changes, so the list of what is in it is told again only for a server that lost
/// it.
inline constexpr Duration image_list_lifetime = std::chrono::hours(7 * 24);
/// What a scanner may say of one image: with all its packages, some MiB.
inline constexpr std::size_t scanner_output_bytes = 32 * MiB;
/// The scanner's own bound is five minutes; it also fetches what it knows.
inline constexpr Duration scanner_timeout = std::chrono::minutes(10);

// --- Files of the agent --------------------------------------------------------------------------
/// Two streams of output, each byte escaped to six, and what a test says of its controls.
inline constexpr std::size_t state_file_bytes = 24 * MiB;

/// Delivered outcomes kept with their output; older ones keep id and exit code, for ever.
inline constexpr std::size_t journal_outputs = 64;
/// Their output on disk. Most is a page of text; a task whose output is all escapes takes 12 MiB.
inline constexpr std::size_t journal_output_bytes = 64 * MiB;
/// Outcomes that may wait for a server which takes none; until it does, no further work is taken.
/// Each has two streams of 1 MiB and a bundle of 4 at most, so what waits is within 100 MiB (as
/// JSON 320, should all of it be escapes), and nothing of it is ever dropped.
inline constexpr std::size_t waiting_outcomes = 16;
/// Tasks that the journal remembers: a task an hour for 28 years. They are 16 MiB of memory, as
/// many again where tasks are signed, and 60 MiB of disk. Beyond, no further task is taken, since
/// one that is forgotten could run again.
inline constexpr std::size_t journal_tasks = 250'000;
/// Outcomes folded into one archive segment.
inline constexpr std::size_t journal_segment = 32;

/// The first call of an agent that starts comes so soon, at the latest: whoever restarts one sees
/// it at once, and those of a fleet that is restarted by one order are some seconds apart.
inline constexpr Duration first_call_max = std::chrono::seconds(3);
/// And when its host has started: then the power may be back on a whole site. Within an interval of
/// heartbeats there are no more calls a second than ever; nobody waits longer than this.
inline constexpr Duration first_call_after_boot_max = std::chrono::minutes(5);
/// Failed calls wait 1, 2, 4 … seconds up to these.
inline constexpr Duration retry_first = std::chrono::seconds(1);
inline constexpr Duration retry_max = std::chrono::minutes(5);
inline constexpr Duration report_retry_max = std::chrono::hours(1);
/// A disabled agent or refused key asks again this seldom: somebody has to act first.
inline constexpr Duration refused_retry = std::chrono::minutes(5);
/// A server may ask for patience, not for silence.
inline constexpr Duration retry_after_max = std::chrono::hours(1);
/// The wait before the next heartbeat that an answer may ask for; ours asks for less than 3
/// minutes.
inline constexpr Duration next_in_max = std::chrono::minutes(10);
/// Attempts of one call before `run --once` gives up.
inline constexpr int once_attempts = 4;
/// Between a task that was refused, or cancelled before it ran, and the next poll.
inline constexpr Duration refusal_pause = std::chrono::seconds(5);
/// Attempts to announce a task before it is left to the server's lease (at least 5 min).
inline constexpr int announce_attempts = 6;

/// What a server pushes: a dozen settings.
inline constexpr std::size_t config_bytes = 8 * KiB;

/// What output shrinks to when the server finds a result too large (413).
inline constexpr std::size_t shrunk_output_bytes = 64 * KiB;

// --- Tests ---------------------------------------------------------------------------------------
/// The program of a test; the agents in the field have the same bound.
inline constexpr std::size_t test_bytes = 100 * MiB;
/// What a test says of its controls: 2,000 with a page of detail each.
inline constexpr std::size_t bundle_bytes = 4 * MiB;

// --- Updates -----------------------------------------------------------------------------------
/// Seven members, the longest of them 64 bytes.
inline constexpr std::size_t manifest_bytes = 1 * KiB;
/// A build is some 5 MiB.
inline constexpr std::size_t build_bytes = 64 * MiB;
/// Asked for at a time: other calls go between two pieces, heartbeats at any time.
inline constexpr std::int64_t fetch_piece_bytes = 512 * KiB;
/// A line on which none comes within the 30 s of a call gets ever smaller ones, down to this part
/// of it: 16 KiB, 5 kbit/s.
inline constexpr std::int64_t fetch_piece_cuts = 32;
/// A host looks for updates so soon after its agent starts, at the latest.
inline constexpr Duration first_look_max = std::chrono::hours(1);
/// A download that got nothing for so long is left until the next look; what came is kept.
inline constexpr Duration fetch_stall = std::chrono::minutes(15);
/// Starts that a build has to prove itself in. A host that loses power twice meanwhile is no reason
/// to give it up.
inline constexpr int trial_starts = 3;
/// Heartbeats, beside one poll, that prove a build.
inline constexpr int trial_heartbeats = 2;
/// Trials that may end because no server answered, before that is the build's fault after all.
inline constexpr int trial_suspicions = 3;
/// A trial that the server's refusals to serve now draw out ends after this: what only this build
/// earns looks the same. The build before it settles which it was.
inline constexpr Duration trial_max = std::chrono::hours(2);
/// The kernel ends a build on trial so much after it should have ended itself: one call may take 70
/// s (30 on a kept connection, then 10 and 30 on a new one), and a name that cannot be resolved
/// more.
inline constexpr Duration watchdog_margin = std::chrono::seconds(90);
/// A process that is to end, or to become another build, has so long to end its look and its
/// command.
inline constexpr Duration ending = std::chrono::seconds(30);
/// Remembered, so that none is tried again.
inline constexpr std::size_t failed_builds = 16;

}  // namespace muster::agent::bounds
