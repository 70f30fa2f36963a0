// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "agent/transport.h"
#include "base/ids.h"
#include "base/time.h"
#include "http/response.h"

namespace muster::sim {

/// What the server promises; each is checked (claims.def has the sentences).
enum class Claim : std::uint8_t {
#define CLAIM(name, sentence) name,
#include "sim/claims.def"
#undef CLAIM
};
std::string_view claim_sentence(Claim claim);

/// A claim that did not hold.
struct Breach {
  Claim claim;
  std::string detail;
  Instant at;
};

/// What the world was told and what it did: written down at the server's door and on the hosts,
/// independent of the server's own books, which are later held against it.
class Ledger {
 public:
  /// One copy of a request at the server's door, and the answer the server sent: none if it died
  /// before. `at` is when the request arrived, `life` which start of the server took it.
  struct Served {
    const agent::Call& call;
    const http::Response* response;
    Instant at;
    int life = 0;
    Instant server_started;
  };
  void take(const Served& served, Instant now);
  /// One copy of a request reached the server's door, whatever comes of it.
  void asked(const agent::Call& call, Instant at);
  void started(Instant at) { starts_.push_back(at); }

  void breach(Claim claim, std::string detail, Instant now);
  const std::vector<Breach>& breaches() const { return breaches_; }

  // --- On the hosts ------------------------------------------------------------------------------
  void executed(TaskId task, bool by_own_agent, Instant now);
  /// Its outcome is on the agent's disk, or in the hands of an agent that has none.
  void finished(TaskId task) { runs_[task].finished = true; }
  /// The host was set up anew before it could report what it had run.
  void forgotten(TaskId task) { runs_[task].forgotten = true; }

  // --- What is known -----------------------------------------------------------------------------
  struct Said {
    std::int64_t exit_code = 0;
    std::string stdout_text;
    friend auto operator<=>(const Said&, const Said&) = default;
  };
  struct Reported {
    std::set<Said> said;  // all that was ever sent for the task
    bool acknowledged = false;
  };
  struct Run {
    int times = 0;
    bool by_own_agent = false;
    bool finished = false;
    bool forgotten = false;
  };
  /// How often the server did one kind of thing to one target, as far as its answers tell.
  struct Changes {
    std::int64_t acknowledged = 0;
    std::int64_t unknown = 0;  // no answer, or one that leaves it open
  };
  const std::map<TaskId, Reported>& results() const { return results_; }
  const std::map<TaskId, Run>& runs() const { return runs_; }
  /// Tasks that operators were told of.
  const std::set<TaskId>& orders() const { return orders_; }
  /// When calls of the agent came to the door, in order.
  const std::unordered_map<AgentId, std::vector<Instant>>& visits() const { return visits_; }
  /// A call that was answered 2xx. Between the two moments its body may have dribbled in, and until
  /// the latter the server need not have known of it.
  struct Hearing {
    Instant came, answered;
  };
  /// Of each agent, in the order of the answers.
  const std::unordered_map<AgentId, std::vector<Hearing>>& hearings() const { return hearings_; }
  const std::vector<Instant>& starts() const { return starts_; }
  const std::map<AgentId, std::string>& enrolled() const { return enrolled_; }
  const std::map<std::pair<std::string, std::string>, Changes>& changes() const { return changes_; }
  const std::map<std::string, int>& counts() const { return counts_; }
  void count(const std::string& what) { ++counts_[what]; }

 private:
  void take_agent_call(const Served& served, Instant now);
  void take_enrolment(const Served& served);
  void take_start(const Served& served, TaskId task, Instant now);
  void take_order(const Served& served);
  void take_unapproved(const Served& served, const std::vector<TaskId>& tasks);
  void take_decision(const Served& served, const std::string& action, std::string_view task);
  void take_delivery(const Served& served, Instant now);
  void take_operator_call(const Served& served, Instant now);
  void take_agent_list(const Served& served, Instant now);
  void change(const std::string& action, const std::string& target, const http::Response* response);

  std::vector<Breach> breaches_;
  std::map<TaskId, Reported> results_;
  std::map<TaskId, Run> runs_;
  std::map<TaskId, Instant> cancelled_;
  std::set<TaskId> orders_;
  std::map<TaskId, Instant> valid_until_;  // of those that were given little time
  std::map<TaskId, Instant> first_ask_;    // when a start was first asked for
  std::set<TaskId> allowed_;               // a start was acknowledged
  /// Tasks of one call that wait for a second person.
  struct Unapproved {
    std::string creator;  // its Authorization
    std::vector<TaskId> tasks;
    bool approval_asked = false;
  };
  std::map<TaskId, std::shared_ptr<Unapproved>> unapproved_;
  std::map<AgentId, std::string> enrolled_;
  std::map<std::pair<std::string, std::string>, Changes> changes_;
  struct Heard {
    Instant at;
    int life = 0;
  };
  std::unordered_map<AgentId, Heard> heard_;    // a call of it was answered 2xx
  std::unordered_map<AgentId, Instant> asked_;  // a call of it came at all
  std::unordered_map<AgentId, std::vector<Instant>> visits_;
  std::unordered_map<AgentId, std::vector<Hearing>> hearings_;
  std::vector<Instant> starts_;
  struct Shown {
    Instant last_seen;
    int life = 0;
  };
  std::unordered_map<AgentId, Shown> shown_;
  std::map<std::string, int> counts_;
};

}  // namespace muster::sim
