// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"

/// Every limit of the product, with its reason. Those an operator may change have a name in the
/// configuration file ([limits]); base/config.h reads them.
namespace muster::limits {

inline constexpr std::size_t KiB = 1024;
inline constexpr std::size_t MiB = 1024 * KiB;

// --- Before authentication -------------------------------------------------------------------
/// Request line and header together; nothing a caller has proved yet may cost more than 16 KiB.
inline constexpr std::size_t head_bytes = 16 * KiB;
inline constexpr std::size_t head_fields = 64;
/// The body of an enrolment or a sign-in is read before what is in it is proved, so it shares that
/// bound.
inline constexpr std::size_t enroll_body_bytes = 8 * KiB;

// --- Files that an operator names -------------------------------------------------------------
/// A configuration with every setting and its comments is a few KiB: one that is larger is another
/// file.
inline constexpr std::size_t config_file_bytes = MiB;
/// Certificates or keys in PEM: a system's list of all authorities has a quarter of that.
inline constexpr std::size_t pem_file_bytes = MiB;

// --- Bodies ----------------------------------------------------------------------------------
/// Bodies of routes that have none are read and ignored up to this.
inline constexpr std::size_t no_body_bytes = 4 * KiB;
/// Agents in the field list up to 500 services, ports and patches in theirs.
inline constexpr std::size_t heartbeat_body_bytes = 512 * KiB;
inline constexpr std::size_t small_body_bytes = 64 * KiB;
/// Signed orders of a short command for limits::task_targets agents.
inline constexpr std::size_t task_body_bytes = 2 * MiB;
/// Two streams of 1 MiB binary output become about 12 MiB as JSON escapes.
inline constexpr std::size_t result_body_bytes = 16 * MiB;
/// A result that is longer is shortened to that while it is read (docs/adr/0013): fielded agents
/// keep one that is refused, and every later one behind it. An agent that holds this much in memory
/// to send it is not in the field.
inline constexpr std::size_t long_result_bytes = 256 * MiB;
/// One text of a shortened result: what is left is over output_bytes however it was escaped, so the
/// cut is found and flagged where it is decoded.
inline constexpr std::size_t long_result_text_bytes = 6 * MiB + 6;
/// An inventory body as sent plain, as sent compressed, and after it was decompressed (design: wire
/// decisions, "HTTP").
inline constexpr std::size_t report_body_bytes = 10 * MiB;
inline constexpr std::size_t compressed_body_bytes = 2 * MiB;
inline constexpr std::size_t decompressed_body_bytes = 10 * MiB;
/// The window that a body in zstd may ask for, as a power of two: RFC 9659 lets senders ask for
/// 8 MiB and no more.
inline constexpr int zstd_body_window_log = 23;
/// A container scan as sent: one budget of bytes for all its images, instead of a number of images
/// or of vulnerabilities, for the images with the most of them matter most. As large as the largest
/// body of any agent; 50 images with 300 vulnerabilities each fit.
inline constexpr std::size_t scan_body_bytes = 16 * MiB;
/// The same once decompressed: a report that lists every file of a large image is 100 MB, of which
/// gzip leaves a tenth. It is held once, and read entry by entry.
inline constexpr std::size_t scan_text_bytes = 128 * MiB;
/// The whole Debian tracker is about 70 MB; imports come from an authenticated operator only.
inline constexpr std::size_t feed_body_bytes = 256 * MiB;
inline constexpr std::size_t feed_text_bytes = 1024 * MiB;
/// A test binary or release, as fielded operators upload them.
inline constexpr std::size_t blob_bytes = 200 * MiB;
/// An inventory agent in the field is a shell script of some 100 KiB.
inline constexpr std::size_t script_bytes = 4 * MiB;
/// Downloads of it, and requests to end a former key, a minute for each key: one host does either
/// once in a while.
inline constexpr std::int64_t rare_calls_per_minute = 10;
/// What is read of a stored file at a time, and held for each connection that it goes to.
inline constexpr std::size_t blob_chunk_bytes = 128 * KiB;
/// Chunks in one transaction of an upload: about 2 ms, which agents wait at most behind it.
inline constexpr std::size_t blob_chunks_per_commit = 8;
/// How long a file that nothing refers to is kept: longer than its upload, and than a download that
/// has begun, can take (blob_bytes at slowest_bytes_per_second is 6,400 s).
inline constexpr Duration loose_blob_life = std::chrono::hours(3);
/// Bodies from here on, and compressed ones, are decoded on a worker, so that no agent waits behind
/// them.
inline constexpr std::size_t inline_body_bytes = 64 * KiB;
/// Octets of such bodies that are read, decoded or wait for their commit, over all connections,
/// with what came out of compressed ones; the next one gets 503. A feed and as much again.
inline constexpr std::size_t bodies_bytes = 512 * MiB;
/// Of these, while reports and scans come, and while operators upload: the rest is kept for
/// results.
inline constexpr std::size_t report_bodies_bytes = 448 * MiB;
inline constexpr std::size_t operator_bodies_bytes = 320 * MiB;
/// Of these, one agent's (a result and its repeat) and one inventory key's, whose hosts are a site:
/// nobody takes the place of all others.
inline constexpr std::size_t agent_bodies_bytes = 32 * MiB;
inline constexpr std::size_t key_bodies_bytes = 128 * MiB;

// --- Connections -----------------------------------------------------------------------------
/// Answers under way whose body is read piece by piece; each holds blob_chunk_bytes, 64 MiB in all.
inline constexpr std::size_t streams = 512;
/// Of these, those that went to callers without a key, whom nobody counts.
inline constexpr std::size_t stranger_streams = 64;
/// Open at one time; the next caller gets 503. Lowered to what the process may open.
inline constexpr std::size_t connections = 100'000;
/// Large bodies and answers get time on top of the timeouts, at this rate.
inline constexpr std::size_t slowest_bytes_per_second = 32 * KiB;
/// The body of a refused request is read and dropped up to this; beyond it the connection ends.
inline constexpr std::size_t discard_bytes = 64 * KiB;
/// How long input is dropped after an answer that ends the connection, so that the peer reads it.
inline constexpr Duration linger_timeout = std::chrono::seconds(5);
inline constexpr Duration head_timeout = std::chrono::seconds(20);
inline constexpr Duration body_timeout = std::chrono::seconds(60);
inline constexpr Duration write_timeout = std::chrono::seconds(30);
/// TLS handshakes under way on one IO thread: each holds about 50 KiB until it is done.
inline constexpr std::size_t handshakes = 512;
/// Steps of handshakes before established connections get their turn: each takes 0.1 ms and more.
inline constexpr std::size_t handshake_steps_per_turn = 4;
/// From the first byte on; a slow network needs three round trips.
inline constexpr Duration handshake_timeout = std::chrono::seconds(10);
/// The same while more than half of the handshakes' places are taken.
inline constexpr Duration crowded_handshake_timeout = std::chrono::seconds(2);
/// How long a session ticket is good; its key is gone after two periods at most.
inline constexpr Duration ticket_key_period = std::chrono::hours(12);
/// Certificates that expire sooner are warned of.
inline constexpr Duration certificate_warning = std::chrono::hours(24 * 14);
/// Agents poll every 30 s and beat every 60 s: an idle connection outlives both.
inline constexpr Duration idle_timeout = std::chrono::seconds(180);
inline constexpr Duration drain_timeout = std::chrono::seconds(10);
/// The end of it, in which writes that found no place with the writer are told to come back: 60,000
/// on one thread.
inline constexpr Duration drain_refusals = std::chrono::seconds(2);
/// Write requests that the writer has, over all connections; the next one waits for a place
/// (docs/adr/0033).
inline constexpr std::size_t writes_in_flight = 4096;
/// Of these, for reports and scans: the rest is kept for presence, work and operators.
inline constexpr std::size_t later_writes_in_flight = 3072;
/// Of a commit that is full, for them: one part in so many, so that they are slow and not stuck.
inline constexpr std::size_t later_writes_share = 8;
/// Octets of requests that wait for such a place: each counts for what it holds with a small body,
/// and for its body twice, as it came and as it was decoded. Those beyond it wait to be refused,
/// and hold no write.
inline constexpr std::size_t waiting_writes_bytes = 128 * MiB;
inline constexpr std::size_t waiting_write_bytes = 8 * KiB;
/// How long one waits before it may be refused: agents and proxies wait 30 s and more, so that it
/// still reads its Retry-After.
inline constexpr Duration write_patience = std::chrono::seconds(10);
/// Between looks for places, and between two refusals on an IO thread: a refusal, with the repeat
/// that follows at once, takes 30 us, so that all of them take 0.15 % of a processor. The writer
/// would have to commit 100,000 a second to run dry meanwhile.
inline constexpr Duration write_turn = std::chrono::milliseconds(20);
/// Of these looks, those that begin with whoever comes last: one in so many, so that they are slow
/// and not stuck.
inline constexpr std::size_t later_turns_share = 8;
/// Closures in one transaction: bounds the commit and what one failure can take with it.
inline constexpr std::size_t writes_per_commit = 2000;
/// What programs wrote and tests found, of results that are stored together
/// (fleet/reported_results): PostgreSQL takes 1 GiB in one value, and a lot is copied twice on its
/// way.
inline constexpr std::size_t result_lot_bytes = 8 * MiB;
/// Connections that read the store at a time: PostgreSQL takes 100 in all as it is installed.
inline constexpr std::size_t store_readers = 16;
inline constexpr Duration reader_wait = std::chrono::seconds(10);
/// Between attempts to reach a database that went away, doubling: a restart is noticed at once and
/// a long absence costs no load.
inline constexpr Duration reconnect_delay_min = std::chrono::milliseconds(10);
inline constexpr Duration reconnect_delay_max = std::chrono::seconds(5);
/// A server that could not renew its lease for this long refuses agents (model/node_lease.h).
inline constexpr Duration node_lease = std::chrono::seconds(5);
/// How far apart two machines' clocks may run within a lease: 10 %.
inline constexpr Duration node_lease_margin = std::chrono::milliseconds(500);
inline constexpr Duration node_renewal = std::chrono::seconds(1);
/// Between looks at the other servers' rows while a revocation waits for them.
inline constexpr Duration node_look = std::chrono::milliseconds(50);
/// How long a revocation waits for a database that does not answer before it is a 503.
inline constexpr Duration node_patience = std::chrono::seconds(30);
/// Rows of servers that ended without a word are kept this long.
inline constexpr Duration node_row_age = std::chrono::hours(24);
/// Between renewals that others' announcements ask for: many of them cost one.
inline constexpr Duration node_renewals_apart = std::chrono::milliseconds(20);
/// How long what a call made waits to be known to every server before it is answered all the same:
/// longer than a server that died holds its lease.
inline constexpr Duration follow_patience = std::chrono::seconds(6);
/// Agents that fall silent or return together are announced one by one up to this many.
inline constexpr std::size_t silences_announced_alone = 64;
/// Announcements read at a time; the rest follows at once.
inline constexpr int announcements_per_read = 5000;
/// Requests waiting for a worker; the next one gets 503. Pieces of answers under way are none.
inline constexpr std::size_t reads_in_flight = 256;
/// Of these, operators': the rest is kept for agents.
inline constexpr std::size_t operator_reads_in_flight = 192;
/// Of what workers do, for those who come last: one part in so many, so that they are slow and not
/// stuck.
inline constexpr std::size_t later_reads_share = 8;
/// Threads for operators' work that takes long (an import), waits for other servers (a revocation)
/// or proves a password: two imports leave two for revocations.
inline constexpr std::size_t slow_threads = 4;
/// Requests waiting for one of these threads; the next one gets 503.
inline constexpr std::size_t slow_in_flight = 64;
/// Of these, of people who sign in: one proof takes a tenth of a second, and more at one time are
/// answered at once (fleet/passwords). The rest is left to those who have proved who they are.
inline constexpr std::size_t slow_strangers_in_flight = 16;
/// A store that has not answered for so long is not ready. It is asked every second.
inline constexpr Duration readiness_age = std::chrono::seconds(5);

// --- Calls that the server makes -------------------------------------------------------------
/// Publishers' files stand behind one redirect, rarely two.
inline constexpr int egress_redirects = 5;
inline constexpr Duration egress_connect_timeout = std::chrono::seconds(20);
/// A download slower than this for so long has stalled.
inline constexpr long egress_slowest_bytes_per_second = 1024;
inline constexpr Duration egress_stall = std::chrono::seconds(60);
/// Of one file: OSV's largest archive is 222 MB (npm, 2026).
inline constexpr std::size_t egress_file_bytes = 512 * MiB;
inline constexpr Duration egress_file_time = std::chrono::hours(1);
/// A page of NVD's API has 2,000 records: 15 MB, in up to a minute.
inline constexpr std::size_t egress_page_bytes = 64 * MiB;
/// Validators and the like are kept as they came, up to this.
inline constexpr std::size_t egress_header_bytes = 1 * KiB;
/// A server that asks for more patience than this is left alone until the next time.
inline constexpr Duration egress_wait = std::chrono::minutes(2);
/// How often one file is asked for again because its server asked for patience.
inline constexpr int egress_retries = 2;

// --- JSON ------------------------------------------------------------------------------------
inline constexpr std::size_t json_depth = 32;

// --- Text ------------------------------------------------------------------------------------
inline constexpr std::size_t name_bytes = 200;
inline constexpr std::size_t hostname_bytes = 255;
inline constexpr std::size_t version_bytes = 200;
inline constexpr std::size_t vendor_bytes = 200;
inline constexpr std::size_t cpe_bytes = 500;
/// Products of CPE that one software is: NVD has split none into more than five.
inline constexpr std::size_t override_products = 16;
/// One end of a range of versions in a feed; NVD's longest is below 100.
inline constexpr std::size_t range_end_bytes = 500;
inline constexpr std::size_t os_bytes = 200;
/// Repository and tag have 255 and 128 at most, and a digest 71.
inline constexpr std::size_t image_reference_bytes = 600;
inline constexpr std::size_t ip_address_bytes = 45;
inline constexpr std::size_t path_bytes = 1000;
inline constexpr std::size_t key_bytes = 200;
inline constexpr std::size_t agent_version_bytes = 64;
inline constexpr std::size_t detail_bytes = 2000;
/// A real shell one-liner fits; the fielded server has the same bound.
inline constexpr std::size_t command_bytes = 10240;
/// The signed text of a task: a command and arguments with every character escaped, and ids.
inline constexpr std::size_t order_bytes = 64 * KiB;
/// Output kept of each stream; more is cut and flagged.
inline constexpr std::size_t output_bytes = 1 * MiB;

// --- Lists -----------------------------------------------------------------------------------
/// A large Debian desktop has 4,000 packages and as many language packages.
inline constexpr std::size_t software_items = 20000;
/// CPE criteria of one advisory: NVD's widest (processor flaws) have 5,821.
inline constexpr std::size_t cpe_criteria = 50'000;
/// Packages that a held report is shown with.
inline constexpr std::size_t held_sample = 10;
/// Agents in the field send no more images in a scan: one of so many may have been cut.
inline constexpr std::size_t fielded_scan_images = 50;
/// Lock files in one dependency scan, as agents in the field send; with as many, some may have been
/// left out.
inline constexpr std::size_t lockfiles = 50;
/// A lock file, and the packages that are taken from it: the fielded server's bounds.
inline constexpr std::size_t lockfile_bytes = 10 * MiB;
inline constexpr std::size_t lockfile_packages = 10'000;
/// Packages of one scan, over all its files: new ones take the writer some 4 us each.
inline constexpr std::size_t scan_packages = 50'000;
/// Lock files that are kept of one host, over all its scans.
inline constexpr std::size_t host_lockfiles = 1000;
/// Names of one image on one host, and places of one vulnerable package in one image.
inline constexpr std::size_t image_tags = 100;
/// What a scanner says of a vulnerability: shown in a table, and stored with each finding.
inline constexpr std::size_t title_bytes = 300;
inline constexpr std::size_t url_bytes = 500;
inline constexpr std::size_t image_places = 100;
inline constexpr std::size_t tags = 64;
inline constexpr std::size_t tag_bytes = 100;
inline constexpr int controls = 2000;
inline constexpr std::size_t task_targets = 1000;
inline constexpr std::size_t heartbeat_warnings = 16;
inline constexpr int page_size = 1000;
inline constexpr int page_size_default = 100;
/// How far a list counts its rows; beyond it the total is "at least". The statements name it plus
/// one.
inline constexpr std::int64_t counted_rows = 10'000;
/// A filter for agents that were silent for longer means nothing.
inline constexpr std::int64_t silent_seconds_max = 10 * 365 * 24 * 3600;

/// Findings that follow an acceptance, or its end, in one transaction: about 20 ms.
inline constexpr int acceptance_rows = 2000;
/// Acceptances that one pass ends or settles.
inline constexpr int acceptances_per_pass = 1000;
/// Findings of a flaw that are marked as exploited in one transaction.
inline constexpr int exploited_rows = 2000;
inline constexpr std::int64_t acceptance_seconds_max = 10 * 365 * 24 * 3600;

/// A host with more packages that were not assessed is not called clean: a few without identity
/// (printer drivers, a helper of the vendor's) are on every host.
inline constexpr std::int64_t unseen_percent = 5;

// --- Work ------------------------------------------------------------------------------------
inline constexpr std::int64_t execution_timeout_seconds_max = 24 * 3600;
inline constexpr std::int64_t execution_timeout_seconds_default = 300;
/// How much later than its arrival a result may say that it ended: the agent's clock may be as far
/// off.
inline constexpr Duration result_clock_margin = std::chrono::minutes(5);
inline constexpr Duration lease_margin = std::chrono::seconds(120);
inline constexpr Duration lease_min = std::chrono::minutes(5);
/// On top of the execution timeout before a started task without a result is given up.
inline constexpr Duration overdue_margin = std::chrono::seconds(120);
/// A started task whose agent says nothing for so long is given up; fielded agents beat every
/// minute, and their server waits as long.
inline constexpr Duration silent_agent = std::chrono::minutes(6);
/// Tasks that time alone may change are looked at so many at a time: the pass must not hold up the
/// writer.
inline constexpr int task_pass_rows = 500;
inline constexpr std::int64_t task_retries_max = 5;
/// Credentials for a test are a dozen short texts.
inline constexpr std::size_t env_vars = 64;
inline constexpr std::size_t env_var_name_bytes = 128;
inline constexpr std::size_t env_var_value_bytes = 4 * KiB;
inline constexpr std::size_t env_vars_bytes = 16 * KiB;
/// Of a command or a test's name, what searches see.
inline constexpr std::size_t task_label_bytes = 1000;
/// Versions of a task's note that are kept; then no more are taken.
inline constexpr int task_notes = 100;
inline constexpr std::size_t note_bytes = 4000;
/// Of a batch that is cancelled, in one commit: a call creates no more, and retries are few.
inline constexpr int batch_cancel_rows = 2000;
inline constexpr std::int64_t task_ttl_seconds_max = 90 * 24 * 3600;
inline constexpr int pending_tasks_per_agent = 1000;

// --- Keys ------------------------------------------------------------------------------------
/// Keys that answers to repeats of one enrolment may carry; all are accepted until one is used. An
/// installer that is run again by hand gets through long before.
inline constexpr std::int64_t enrolment_repeats = 16;
/// A host that called with a site's key within this time is taken to use it still. A month is
/// longer than holidays, and keys are moved in a few weeks.
inline constexpr Duration key_use_memory = std::chrono::hours(24 * 30);
/// How far apart the same host's uses of a key are written down.
inline constexpr Duration key_use_step = std::chrono::hours(24);
/// Rotations that the schedule begins each time: at the usual flush_seconds, 57,600 a day.
inline constexpr std::size_t rotations_per_pass = 200;
/// Agents that the schedule reads at a time, most of which may have to wait for their turn.
inline constexpr int rotation_page_rows = 1000;
/// An offered key that was not used for so long is shown as overdue: a host that is off over a
/// weekend or a short leave is not.
inline constexpr Duration rotation_overdue = std::chrono::hours(24 * 7);
/// An agent's boot time that differs by more is another boot. Rounding, slow networks and clocks
/// that are set right move it by less.
inline constexpr Duration boot_tolerance = std::chrono::minutes(5);
/// A boot time that goes back three times within this is that of two machines.
inline constexpr Duration clone_window = std::chrono::hours(1);
/// Agents that are watched for it; 250 bytes each. A correction of the server's own clock makes
/// suspects of all for an hour.
inline constexpr std::size_t clone_suspects = 10'000;
/// A clone that was not seen for so long is over.
inline constexpr Duration clone_memory = std::chrono::hours(24 * 7);
/// Uses of an agent's former key are told once in this time.
inline constexpr Duration retired_key_silence = std::chrono::hours(1);
/// Such uses that wait for the store.
inline constexpr std::size_t retired_key_uses = 1000;
/// Agents whose refusals are remembered; 200 bytes each. When the server's own clock is wrong, all
/// are refused: then the rest is only counted.
inline constexpr std::size_t refused_agents = 20'000;
/// When room is needed, those that were not refused for so long are forgotten.
inline constexpr Duration refusal_memory = std::chrono::hours(1);
/// A clock that goes wrong again is told again after so long: of a copied machine one of the two
/// may be right.
inline constexpr Duration skew_silence = std::chrono::hours(1);
/// Events of a look about clocks; the others follow with the next.
inline constexpr std::size_t skew_events = 1000;

// --- Presence --------------------------------------------------------------------------------
/// Outages of one organisation and moment that are still an event each; more are one event.
inline constexpr std::size_t lone_outages = 200;
/// Findings that are grouped for one answer, the most pressing first: a tenth of a second.
inline constexpr std::int64_t grouped_findings = 100'000;
/// Packages that a group of findings names.
inline constexpr std::size_t group_packages = 3;
/// Agents that a group's event names.
inline constexpr std::size_t outage_group_names = 100;
/// A group whose agents do not all come back ends after this; whoever comes later is told alone.
inline constexpr Duration outage_group_open_max = std::chrono::hours(24);
/// Samples of an agent that wait in memory for a store that is away: five hours and more.
inline constexpr std::size_t waiting_sample_bytes = 1 * KiB;
/// How far back a history may be asked for.
inline constexpr std::int64_t history_days = 366;
/// Days for which it is kept how many findings were open: a year beside the same month of the last.
inline constexpr std::int64_t finding_trend_days = 400;
/// Samples in one answer; of more, every second, third or so on is left.
inline constexpr std::size_t history_points = 2000;
/// Rows that one transaction of the pruning deletes, and how many there are in a row.
inline constexpr int prune_rows = 1000;
inline constexpr int prune_rounds = 20;
/// Output of programs that one of them deletes: SQLite frees about 1 GiB a second.
inline constexpr std::int64_t prune_output_bytes = 16 * MiB;

// --- Tokens ----------------------------------------------------------------------------------
inline constexpr std::int64_t token_ttl_seconds_max = 365 * 24 * 3600;
/// Networks, and systems, that a token is for: all are in memory.
inline constexpr std::size_t token_fences = 64;
inline constexpr std::int64_t token_uses_max = 1'000'000;
/// An operator's token ends after this unless its order says otherwise: ten years, or never.
inline constexpr std::int64_t operator_ttl_seconds = 90 * 24 * 3600;
inline constexpr std::int64_t operator_ttl_seconds_max = 315'360'000;
inline constexpr Duration admin_token_ttl = std::chrono::hours(24 * 90);

// --- Signing in ------------------------------------------------------------------------------
/// A sign-in link waits so long for its one use: it passes through a terminal, and perhaps a chat.
inline constexpr Duration sign_in_link_ttl = std::chrono::minutes(5);
/// Links of one operator that wait at once, and sessions: more than a person opens.
inline constexpr std::size_t waiting_links = 20;
inline constexpr std::size_t operator_sessions = 50;
/// Sessions and links that ended are listed and kept so long.
inline constexpr Duration ended_session_memory = std::chrono::hours(24 * 30);
/// A session's use is written down again after this long.
inline constexpr Duration session_use_step = std::chrono::minutes(1);
/// NIST SP 800-63B asks for eight characters, and for no rules beside the length.
inline constexpr std::size_t password_bytes_min = 12;
inline constexpr std::size_t password_bytes = 200;
/// A code of an authenticator, spaces included.
inline constexpr std::size_t totp_code_bytes = 10;
/// A source whose sign-ins are refused has an audit row at once, and then one after each such time.
inline constexpr Duration refused_sign_in_interval = std::chrono::hours(1);
/// Sources that have rows of their own within it; all others share one. Strangers have as many
/// addresses as they like, and rows of the audit log stay for ever: these are 1,560 a day at most.
inline constexpr std::size_t refused_sign_in_sources = 64;

// --- Passkeys --------------------------------------------------------------------------------
/// Of one operator: a few devices and keys, and some that were forgotten.
inline constexpr std::size_t operator_passkeys = 10;
/// From the challenge to its proof: people look for their key, and for their telephone.
inline constexpr Duration passkey_challenge_ttl = std::chrono::minutes(5);
/// Challenges that were answered are remembered for so long after their end: the clock of another
/// server may be behind.
inline constexpr Duration challenge_memory = std::chrono::minutes(5);
/// An operator without a password adds a way in so soon after it signed in, or not at all.
inline constexpr Duration recent_sign_in = std::chrono::minutes(15);
/// WebAuthn Level 3 (7.1) lets ids be as long, and user handles 64 octets (5.4.3).
inline constexpr std::size_t credential_id_bytes = 1023;
inline constexpr std::size_t user_handle_bytes = 64;
/// Browsers write some 150 octets, and may add members.
inline constexpr std::size_t client_data_bytes = 2 * KiB;
/// Without certificates an attestation is an RSA key, an id and some 200 octets.
inline constexpr std::size_t attestation_bytes = 8 * KiB;
/// Of an assertion: 37 octets, and what extensions say.
inline constexpr std::size_t authenticator_data_bytes = 1 * KiB;
/// RSA with 4096 bits.
inline constexpr std::size_t passkey_signature_bytes = 512;
/// CTAP 2.1 (8) lets arrays and maps nest so deep; the values are more than any certificate chain
/// has.
inline constexpr std::size_t cbor_depth = 4;
inline constexpr std::size_t cbor_values = 128;

// --- Single sign-on --------------------------------------------------------------------------
/// From the button to the provider's answer: people find their password, and their telephone.
inline constexpr Duration oidc_request_ttl = std::chrono::minutes(10);
/// One person has an account or two with a provider.
inline constexpr std::size_t operator_identities = 5;
/// OpenID Connect Core (2) lets a subject be as long.
inline constexpr std::size_t oidc_subject_bytes = 255;
/// Codes are opaque, and some providers put a sealed token in theirs.
inline constexpr std::size_t oidc_code_bytes = 4 * KiB;
/// A discovery document, a set of keys with certificates, the answer with the tokens.
inline constexpr std::size_t oidc_answer_bytes = 128 * KiB;
/// An id token with groups in it.
inline constexpr std::size_t jws_bytes = 64 * KiB;
inline constexpr std::size_t jws_key_id_bytes = 256;
/// Providers publish two or three, some dozens.
inline constexpr std::size_t jwk_set_keys = 64;
/// Somebody waits in front of the browser, and a worker with them.
inline constexpr Duration oidc_time = std::chrono::seconds(10);
/// Calls to the provider at once, of those workers: the others are for what else is slow.
inline constexpr int oidc_calls = 2;
/// What the provider published is asked for again after this long; and for the sake of a key that
/// is not known no sooner than that.
inline constexpr Duration oidc_document_age = std::chrono::hours(1);
inline constexpr Duration oidc_refetch = std::chrono::seconds(30);
/// The doctor tells of a failure for so long.
inline constexpr Duration oidc_failure_memory = std::chrono::hours(24);
/// The provider's clock may be so wrong, and its token so old.
inline constexpr Duration oidc_skew = std::chrono::minutes(2);
inline constexpr Duration id_token_age = std::chrono::minutes(10);

}  // namespace muster::limits
