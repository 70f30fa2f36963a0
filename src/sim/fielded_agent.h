// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "sim/device.h"

namespace muster::sim {

/// A host with an agent as they are in the field: a beat a minute, a poll each half minute, one
/// task at a time, results sent again with the same body until they are taken. It keeps nothing but
/// its identity on disk, never enrols again by itself, and takes a 401 for a passing trouble.
class FieldedAgent {
 public:
  FieldedAgent(Surroundings& world, std::string name, std::uint64_t seed);
  FieldedAgent(const FieldedAgent&) = delete;
  FieldedAgent& operator=(const FieldedAgent&) = delete;

  /// It enrols with `token`, which has one use, until that was answered.
  void start(std::string token) {
    token_ = std::move(token);
    enrol();
  }
  std::optional<AgentId> id() const { return id_; }
  const std::string& name() const { return name_; }
  const std::string& key() const { return key_; }

 private:
  struct Task {
    TaskId id;
    std::string type;
    std::string test_uuid;
    std::string program;  // its URL; empty unless it is still to be fetched
    std::size_t program_bytes = 0;
    int sent = 0;
    std::string body;
  };

  void enrol();
  void take_enrolment(const agent::Answer& answer);
  void live();
  void set_up_anew();
  void beat();
  void take_beat(const agent::Answer& answer);
  void poll();
  void take_poll(const agent::Answer& answer);
  void announce();
  void fetch();
  void give_up(const agent::Answer& answer, void (FieldedAgent::*again)());
  void run();
  std::string result();
  void report();

  agent::Call call(http::Method method, std::string target, std::string body = {}) const;
  template <typename F>
  void send(agent::Call call, F take);
  void after(Duration least, Duration most, void (FieldedAgent::*step)());

  Surroundings& world_;
  std::string name_;
  SeededRng rng_;
  Duration clock_error_{0};
  std::optional<AgentId> id_;
  std::string key_;
  std::string token_;  // its own; empty: the one of all
  std::optional<Task> task_;
  std::optional<TaskId> last_task_;
  bool running_ = false;
  bool fresh_ = true;  // says why it connects until it was heard
  int process_ = 0;
};

}  // namespace muster::sim
