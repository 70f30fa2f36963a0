// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "agent/transport.h"
#include "base/config.h"
#include "base/log.h"
#include "base/test_directory.h"
#include "endpoints/wiring.h"
#include "sim/disk.h"
#include "sim/fault_vfs.h"
#include "sim/steps.h"
#include "sim/trace.h"

namespace muster::sim {

/// How a server may end.
enum class End : std::uint8_t {
  killed,    // kill -9: the system keeps what the process wrote
  power,     // the power goes: the disk keeps what was synced, and some of the rest
  on_disk,   // as `power`, in the middle of one of the next operations of the disk
  politely,  // SIGTERM: it drains, flushes and comes back
};

/// The machine with the server on it: the whole product but its sockets on a simulated disk. It
/// crashes and starts again; between requests stand the delays of slow bodies, busy workers and the
/// group commit. Only the secret file and the first operator's token are real files, in memory.
class Server {
 public:
  /// Called with each answer that the server sends, and with nothing when none will ever come.
  using Respond = UniqueFunction<void(std::optional<http::Response>)>;

  Server(Steps& steps, Trace& trace, std::uint64_t seed);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Starts it for the first time.
  void start();
  /// False between a crash and the next start: connections are refused.
  bool up() const { return wiring_ != nullptr && !disk_.dead() && !draining_; }
  /// Counts starts.
  int life() const { return life_; }
  Instant started_at() const { return started_at_; }

  /// Takes a request as the network does; false, and nothing happens, when the server is not up.
  bool ask(const agent::Call& call, std::string_view peer, Respond respond);

  void end(End how);
  /// Destroys it for good: what waits for an answer learns that none will come.
  void shut_down();
  /// Buries what has crashed. Only between steps: nothing of the server may be on the stack.
  void settle();

  Disk& disk() { return disk_; }
  /// The parts, while it is up.
  fleet::Fleet& fleet() { return *fleet_; }
  const std::string& admin_token() const { return admin_token_; }
  /// Commits what is queued and writes presence, so that memory and store can be compared.
  void come_to_rest();
  const Config& config() const { return config_; }
  /// Rotates keys by schedule, of which the configuration knows whole days; 0 is never.
  void rotate_keys_after(Duration age) { rotate_keys_after_ = age; }
  /// Runs on each start, once requests could be served.
  std::function<void()> on_start;
  std::size_t commits() const { return commits_; }

 private:
  struct Flight;

  void finish(const std::shared_ptr<Flight>& flight);
  void answer(Flight& flight, http::Response response);
  void schedule_commit();
  void commit();
  bool wait_for_commit();
  void schedule_flush();
  void schedule_watch();
  void rotate_keys();
  void schedule_start(Duration wait);
  void bury(bool power_lost);
  bool runs(int life) const { return life == life_ && wiring_ != nullptr && !disk_.dead(); }

  Steps& steps_;
  Trace& trace_;
  SeededRng rng_;         // of the machine: delays, batches
  SeededRng server_rng_;  // of the product: keys, ids
  Config config_;
  TestDirectory directory_{memory_backed_path()};
  Disk disk_;
  FaultVfs vfs_;
  Log log_;
  fleet::Changes changes_;  // nobody watches
  std::unique_ptr<fleet::Fleet> fleet_;
  std::unique_ptr<endpoints::Wiring> wiring_;
  std::string admin_token_;
  Instant started_at_;
  Duration rotate_keys_after_ = Duration(0);
  int life_ = 0;
  int depth_ = 0;  // steps that run inside a step
  bool may_interleave_ = false;
  bool commit_scheduled_ = false;
  bool draining_ = false;
  bool killed_ = false;  // this death keeps what the system has
  std::size_t commits_ = 0;
};

}  // namespace muster::sim
