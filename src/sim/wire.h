// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "agent/transport.h"
#include "sim/ledger.h"
#include "sim/plant.h"
#include "sim/server.h"
#include "sim/steps.h"

namespace muster::sim {

/// What the network does to messages, in thousandths.
struct Weather {
  std::size_t request_lost = 0;
  std::size_t answer_lost = 0;
  std::size_t repeated = 0;  // a second copy arrives, some time later
  std::size_t late = 0;      // takes seconds to minutes, and so overtakes or is overtaken
  std::size_t cut = 0;       // the caller learns at once that the connection broke; the server not
  /// Also reports may arrive twice, or after their sender gave them up and sent a newer one. Then
  /// all senders name hashes: the protocol has no numbers on reports, so what comes late from
  /// others is believed (docs/adr/0009).
  bool stale_reports = false;
};

/// The network between all callers and the server.
class Wire {
 public:
  using Answered = UniqueFunction<void(Result<agent::Answer>)>;

  Wire(Steps& steps, Server& server, Ledger& ledger, Trace& trace, Plant plant, std::uint64_t seed)
      : steps_(steps),
        server_(server),
        ledger_(ledger),
        trace_(trace),
        plant_(plant),
        rng_(fork(seed, "wire")) {}

  /// Sends a call; `answered` is called once, with the answer or with why there is none, at the
  /// latest after the caller's patience.
  void send(std::string_view who, agent::Call call, Answered answered);

  void set_weather(const Weather& weather) { weather_ = weather; }

 private:
  struct Exchange;

  void deliver(const std::shared_ptr<Exchange>& exchange, Duration wait);
  void serve(const std::shared_ptr<Exchange>& exchange, Instant at);
  void served(const std::shared_ptr<Exchange>& exchange, Instant at, int life,
              Instant server_started, std::optional<http::Response> response);
  static void finish(Exchange& exchange, Result<agent::Answer> answer);
  Duration latency();

  Steps& steps_;
  Server& server_;
  Ledger& ledger_;
  Trace& trace_;
  Plant plant_;
  SeededRng rng_;
  Weather weather_;
};

}  // namespace muster::sim
