// SPDX-License-Identifier: Apache-2.0
// Re-enrolment walked through every state that two machines can lead it to by enrolling again and
// again, with lost answers, crashes before a key is saved, disks that go back to a backup, and
// silence. What the server does durably between two answers is one step.
#include "model/enrolment.h"

#include <algorithm>
#include <array>
#include <deque>
#include <iostream>
#include <string>
#include <unordered_map>
#include <vector>

#include <gtest/gtest.h>

namespace muster::model {
namespace {

constexpr int none = -1;
constexpr int machines = 2;
/// Enrolments that one walk may see; hosts are as many again, for those that return.
constexpr int last_enrolment = 3;
constexpr int last_host = 6;

enum class State : std::uint8_t { fresh, live, superseded };

struct KnownAgent {
  std::int8_t host = none;
  std::int8_t machine = none;  // where it enrolled
  State state = State::fresh;
  std::int8_t returns = 0;
  bool pausing = false;  // superseded so recently that its key is refused
  bool operator==(const KnownAgent&) const = default;
};
struct HostState {
  std::int8_t machine_id = none;
  bool shared = false;
  bool silent = false;
  bool operator==(const HostState&) const = default;
};
/// What a machine has, as numbers of agents whose key it is.
struct Machine {
  std::int8_t disk = none;
  std::int8_t backup = none;
  std::int8_t answer = none;  // of an enrolment, on its way
  bool operator==(const Machine&) const = default;
};

struct World {
  std::array<KnownAgent, last_enrolment> agents;
  std::array<HostState, last_host> hosts;
  std::array<Machine, machines> machine;
  std::int8_t enrolled = 0;
  std::int8_t hosts_made = 0;
  bool operator==(const World&) const = default;
};

struct WorldHash {
  std::size_t operator()(const World& world) const {
    static_assert(std::has_unique_object_representations_v<World>);
    return std::hash<std::string_view>{}({reinterpret_cast<const char*>(&world), sizeof(World)});
  }
};

/// The machine ids of the two machines; none is no evidence. Their hostnames are always equal.
struct Evidence {
  std::string name;
  std::array<int, machines> machine_ids;
  bool second_exists = true;
  bool with_backup = true;
};

class Walk {
 public:
  explicit Walk(const Evidence& evidence) : evidence_(evidence) {}

  /// Every world that can be reached, with the world it was reached from.
  const std::unordered_map<World, World, WorldHash>& all() {
    from_ = World{};
    reach(World{});
    while (!queue_.empty()) {
      from_ = queue_.front();
      queue_.pop_front();
      step(from_);
    }
    return seen_;
  }

  enum class Served : std::uint8_t { refused, later, yes };

  /// The machine calls with the key on its disk.
  Served call(World& world, int who) const {
    const std::int8_t number = world.machine[index(who)].disk;
    KnownAgent& agent = world.agents[index(number)];
    if (agent.state == State::superseded) {
      if (agent.pausing || !may_return(agent_of(world, number))) return Served::refused;
      bring_back(world, number);
      return Served::later;
    }
    if (agent.state == State::fresh) {
      agent.state = State::live;
      supersede(world, number);
    }
    world.hosts[index(agent.host)].silent = false;
    return Served::yes;
  }

  /// Lets a machine call, without faults and with the pauses that it would wait out.
  bool is_served(World& world, int who) const {
    for (int calls = 0; calls < 3; ++calls) {
      world.agents[index(world.machine[index(who)].disk)].pausing = false;
      if (call(world, who) == Served::yes) return true;
    }
    return false;
  }

 private:
  static std::size_t index(int number) { return static_cast<std::size_t>(number); }

  int machine_id_of(const World& world, int agent) const {
    return evidence_.machine_ids[index(world.agents[index(agent)].machine)];
  }
  static std::string text_of(int machine_id) {
    return machine_id == none ? std::string() : std::to_string(machine_id);
  }

  Agent agent_of(const World& world, int number) const {
    const KnownAgent& state = world.agents[index(number)];
    Agent agent;
    agent.id.uuid.bytes[0] = static_cast<std::uint8_t>(number);
    agent.machine_id = text_of(machine_id_of(world, number));
    if (state.state == State::superseded) {
      agent.status = AgentStatus::superseded;
      agent.superseded_at = Instant{};
    }
    return agent;
  }

  void supersede(World& world, int caller) const {
    const std::int8_t host = world.agents[index(caller)].host;
    for (int other = 0; other < world.enrolled; ++other) {
      KnownAgent& state = world.agents[index(other)];
      if (other == caller || state.host != host) continue;
      const auto kind = supersession_of(agent_of(world, other), agent_of(world, caller));
      if (kind == Supersession::none) continue;
      ASSERT_EQ(kind, Supersession::until_it_calls) << "no operator is at work";
      state.state = State::superseded;
      state.pausing = true;
    }
  }

  void bring_back(World& world, int number) const {
    KnownAgent& agent = world.agents[index(number)];
    HostState& left = world.hosts[index(agent.host)];
    Host left_host;
    left_host.machine_id = text_of(left.machine_id);
    const bool shared = shows_shared_machine(agent_of(world, number), left_host);
    const int machine_id = machine_id_of(world, number);
    agent.host = world.hosts_made++;
    agent.state = State::live;
    agent.pausing = false;
    agent.returns += 1;
    world.hosts[index(agent.host)] = {static_cast<std::int8_t>(machine_id), shared, false};
    if (!shared) return;
    for (HostState& host : world.hosts) host.shared |= host.machine_id == machine_id;
  }

  /// Enrols; of several hosts `latest` is the one that was seen last.
  void enrol(World& world, int who, int latest) const {
    const int machine_id = evidence_.machine_ids[index(who)];
    std::vector<KnownHost> known;
    bool known_machine = false;
    for (int number = 0; number < world.hosts_made; ++number) {
      const HostState& state = world.hosts[index(number)];
      const bool both = state.machine_id != none && machine_id != none;
      KnownHost host;
      host.id = {number};
      host.same_machine = both && state.machine_id == machine_id;
      host.other_machine = both && !host.same_machine;
      host.same_name = true;
      host.machine_shared = state.shared;
      host.silent = state.silent;
      host.last_seen = {number == latest ? 1 : 0};
      known_machine |= host.same_machine;
      known.push_back(host);
    }
    const auto placed = place(known);
    const int host = placed ? static_cast<int>(placed->value) : world.hosts_made++;
    HostState& state = world.hosts[index(host)];
    if (!placed) state.shared = known_machine;
    if (machine_id != none) state.machine_id = static_cast<std::int8_t>(machine_id);
    state.silent = false;
    const std::int8_t agent = world.enrolled++;
    world.agents[index(agent)] = {static_cast<std::int8_t>(host), static_cast<std::int8_t>(who),
                                  State::fresh, 0, false};
    world.machine[index(who)].answer = agent;
  }

  void reach(const World& world) {
    if (seen_.emplace(world, from_).second) queue_.push_back(world);
  }
  template <typename F>
  void move(const World& world, F&& change) {
    World next = world;
    change(next);
    reach(next);
  }

  void step(const World& world) {
    for (int who = 0; who < (evidence_.second_exists ? machines : 1); ++who) step_of(world, who);
    for (int host = 0; host < world.hosts_made; ++host) {
      move(world, [&](World& next) { next.hosts[index(host)].silent = true; });
    }
    for (int agent = 0; agent < world.enrolled; ++agent) {
      move(world, [&](World& next) { next.agents[index(agent)].pausing = false; });
    }
  }

  void step_of(const World& world, int who) {
    const Machine& machine = world.machine[index(who)];
    if (world.enrolled < last_enrolment && world.hosts_made < last_host) {
      for (int latest = 0; latest < std::max<int>(1, world.hosts_made); ++latest) {
        move(world, [&](World& next) { enrol(next, who, latest); });
      }
    }
    if (machine.answer != none) {
      move(world, [&](World& next) { next.machine[index(who)].answer = none; });  // lost
      move(world, [&](World& next) {
        next.machine[index(who)].disk = machine.answer;
        next.machine[index(who)].answer = none;
      });
    }
    if (evidence_.with_backup && machine.disk != machine.backup) {
      move(world, [&](World& next) { next.machine[index(who)].backup = machine.disk; });
      move(world, [&](World& next) {
        next.machine[index(who)].disk = machine.backup;
        next.machine[index(who)].answer = none;
      });
    }
    if (machine.disk != none && world.hosts_made < last_host) {
      move(world, [&](World& next) { call(next, who); });
    }
  }

  Evidence evidence_;
  World from_;
  std::unordered_map<World, World, WorldHash> seen_;
  std::deque<World> queue_;
};

std::string text(const World& world) {
  std::string all;
  for (int i = 0; i < world.enrolled; ++i) {
    const KnownAgent& agent = world.agents[static_cast<std::size_t>(i)];
    all += " agent" + std::to_string(i) + "{host " + std::to_string(agent.host) + " machine " +
           std::to_string(agent.machine) + " state " +
           std::to_string(static_cast<int>(agent.state)) + "}";
  }
  for (const Machine& machine : world.machine) {
    all += " disk " + std::to_string(machine.disk);
  }
  return all;
}

/// No host has two living lineages, and nobody changes hosts but by somebody's enrolment.
void check_lineages(const World& world) {
  std::array<int, last_host> living{};
  for (int i = 0; i < world.enrolled; ++i) {
    const KnownAgent& agent = world.agents[static_cast<std::size_t>(i)];
    if (agent.state == State::live) living[static_cast<std::size_t>(agent.host)] += 1;
    ASSERT_LE(agent.returns, world.enrolled - i - 1);
  }
  ASSERT_LE(*std::max_element(living.begin(), living.end()), 1);
}

/// Whoever holds a key is served, and two machines that go on calling stay where they are.
void check_service(const Walk& walk, const World& world) {
  if (world.hosts_made + machines > last_host) return;  // cut off by the bound, not by a rule
  World later = world;
  for (int round = 0; round < 3; ++round) {
    const World before = later;
    for (int who = 0; who < machines; ++who) {
      if (world.machine[static_cast<std::size_t>(who)].disk == none) continue;
      ASSERT_TRUE(walk.is_served(later, who)) << "locked out";
    }
    // First calls that were outstanding end in the first round, what they brought up in the second.
    if (round < 2) continue;
    ASSERT_EQ(later.hosts_made, before.hosts_made) << "it flaps";
  }
}

class ReEnrolment : public ::testing::TestWithParam<Evidence> {};

TEST_P(ReEnrolment, LocksNobodyOutAndNeitherMergesNorFlaps) {
  Walk walk(GetParam());
  const auto& worlds = walk.all();
  std::cout << GetParam().name << ": " << worlds.size() << " states\n";
  ASSERT_GT(worlds.size(), 50U);
  for (const auto& [world, from] : worlds) {
    check_lineages(world);
    check_service(walk, world);
    if (HasFatalFailure()) FAIL() << text(world) << " from" << text(from);
  }
}

INSTANTIATE_TEST_SUITE_P(Of, ReEnrolment,
                         ::testing::Values(Evidence{"CloneWithTheSameMachineId", {1, 1}},
                                           Evidence{"OneNameWithoutMachineIds", {none, none}},
                                           Evidence{"OneNameAndOneMachineId", {1, none}},
                                           Evidence{"OneNameAndTwoMachineIds", {1, 2}}),
                         [](const auto& evidence) { return evidence.param.name; });

TEST(ReEnrolmentOfOneMachine, KeepsItsHostHoweverOftenItEnrols) {
  for (const int machine_id : {1, none}) {
    Walk walk({"alone", {machine_id, machine_id}, false, false});
    std::size_t hosts = 0;
    for (const auto& [world, from] : walk.all()) {
      hosts = std::max<std::size_t>(hosts, static_cast<std::size_t>(world.hosts_made));
    }
    if (machine_id != none) {
      EXPECT_EQ(hosts, 1U);
    } else {
      EXPECT_GT(hosts, 1U) << "a name alone joins a silent host only";
    }
  }
}

TEST(ReEnrolmentOfMachines, WithTwoIdsNeverShareAHost) {
  Walk walk({"two ids", {1, 2}});
  for (const auto& [world, from] : walk.all()) {
    for (int i = 0; i < world.enrolled; ++i) {
      const KnownAgent& agent = world.agents[static_cast<std::size_t>(i)];
      ASSERT_EQ(world.hosts[static_cast<std::size_t>(agent.host)].machine_id, agent.machine + 1);
    }
  }
}

TEST(RepeatsEnrolment, OnlyOfTheSameMachineAndTokenAndWhileNoKeyWasUsed) {
  Agent agent;
  agent.token = {7};
  agent.os = "linux";
  agent.arch = "amd64";
  agent.machine_id = "m";
  const Enrolment same{{7}, "WEB-1", "linux", "amd64", "m"};
  EXPECT_TRUE(repeats(same, agent, "web-1"));
  // Every way to differ, alone and together.
  constexpr unsigned ways = 10;
  for (unsigned differences = 1; differences < 1U << ways; ++differences) {
    const auto differs = [&](unsigned way) { return (differences >> way & 1U) != 0; };
    Enrolment enrolment = same;
    Agent other = agent;
    if (differs(0)) enrolment.token = {8};
    if (differs(1)) enrolment.hostname = "web-2";
    if (differs(2)) enrolment.os = "darwin";
    if (differs(3)) enrolment.arch = "arm64";
    if (differs(4)) enrolment.machine_id = "n";
    if (differs(5)) enrolment.machine_id = "";
    if (differs(6)) other.status = AgentStatus::disabled;
    if (differs(7)) other.keys.used = true;
    if (differs(8)) other.keys.offered = 1;
    if (differs(9)) other.keys.issued = enrolment_repeats;
    EXPECT_FALSE(repeats(enrolment, other, "web-1")) << differences;
  }
  agent.machine_id = "";
  EXPECT_TRUE(repeats({{7}, "web-1", "linux", "amd64", ""}, agent, "web-1"))
      << "agents in the field do not tell a machine id";
  EXPECT_FALSE(repeats(same, agent, "web-1"));
}

TEST(Supersession, OfADisabledAgentIsForGood) {
  Agent stolen, fresh;
  fresh.id.uuid.bytes[0] = 1;
  EXPECT_EQ(supersession_of(stolen, fresh), Supersession::until_it_calls);
  EXPECT_EQ(supersession_of(fresh, stolen), Supersession::none);
  stolen.status = AgentStatus::disabled;
  EXPECT_EQ(supersession_of(stolen, fresh), Supersession::for_good);
  stolen.status = AgentStatus::superseded;
  EXPECT_FALSE(may_return(stolen));
  EXPECT_EQ(supersession_of(stolen, fresh), Supersession::none) << "it has ended before";
}

}  // namespace
}  // namespace muster::model
