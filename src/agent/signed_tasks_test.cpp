// SPDX-License-Identifier: Apache-2.0
// Tasks that an operator signed: a host that wants them takes no other, whatever its server sends.
#include <functional>

#include <gtest/gtest.h>

#include "agent/order_check.h"
#include "agent/testing/world.h"
#include "base/seeded_rng.h"

namespace muster::agent {
namespace {

using model::TaskType;
using model::WorkOrder;
using testing::FakeWorld;

const std::string test_uuid = "0190f1c2-0000-7000-8000-00000000000a";
const std::string program = std::string(2500, 'x') + "end";

/// A task as a server gives it out: the members as they are sent, and what is signed beside them.
struct Sent {
  std::string agent_id;  // "" sends none
  std::string org_id = "1";
  std::string type = "execute_command";
  std::string command = "uname -a";
  std::string test;
  std::string binary_name;
  std::string binary_sha256;
  std::vector<std::string> arguments;
  std::int64_t timeout = 60;
  std::vector<std::pair<std::string, std::string>> variables;
  std::string order;
  std::string signature;
};

struct SignedWorld : FakeWorld {
  SignedWorld() {
    settings.policy_allow = {"execute_command", "execute_test"};
    settings.policy_require_signed_tasks = true;
    trust(key);
    Identity mine = identity();
    mine.org = "1";
    files.content[Identity::file] = encode_identity(mine);
    server.binaries["/api/agent/binary/check?test_uuid=" + test_uuid] = program;
  }

  void trust(const crypto::SigningKey& trusted) {
    settings.policy_trusted_task_keys = {to_hex(trusted.public_key())};
  }
  Instant now() { return Instant{1'700'000'000'000} + rest.steady; }

  Sent command() {
    Sent sent;
    sent.agent_id = server.agent_id;
    return sign(sent, order_of(sent));
  }
  Sent test() {
    Sent sent;
    sent.agent_id = server.agent_id;
    sent.type = "execute_test";
    sent.command = "";
    sent.test = test_uuid;
    sent.binary_name = "check";
    sent.binary_sha256 = crypto::sha256(program).text();
    sent.arguments = {"-v", "all"};
    sent.variables = {{"TOKEN", "hush"}};
    return sign(sent, order_of(sent));
  }
  WorkOrder order_of(const Sent& sent) {
    WorkOrder order;
    order.id = model::make_order_id(rng);
    order.org = sent.org_id;
    order.agent = {parse_uuid(server.agent_id).value()};
    order.type = model::parse_task_type(sent.type).value();
    order.command = sent.command;
    order.test_uuid = sent.test;
    order.binary_name = sent.binary_name;
    order.binary_sha256 = sent.binary_sha256;
    order.arguments = sent.arguments;
    order.execution_timeout_seconds = sent.timeout;
    order.env_sha256 = model::digest_of_env(sent.variables);
    order.not_before = now() - std::chrono::minutes(5);
    order.expires_at = now() + std::chrono::hours(1);
    return order;
  }
  Sent sign(Sent sent, const WorkOrder& order) {
    const model::SignedOrder sealed = model::sign_order(order, key);
    sent.order = sealed.text;
    sent.signature = to_hex(sealed.signature);
    return sent;
  }
  TaskId add(const Sent& sent, int number = 1) {
    const std::string id = "0192c0de-0000-7000-8000-00000000000" + std::to_string(number);
    JsonWriter json;
    json.begin_object().member("id", id);
    if (!sent.agent_id.empty()) json.member("agent_id", sent.agent_id);
    json.member("org_id", sent.org_id).member("type", sent.type).key("payload").begin_object();
    json.member("command", sent.command).member("test_uuid", sent.test);
    json.member("binary_name", sent.binary_name).member("binary_sha256", sent.binary_sha256);
    json.member("binary_size", program.size()).member("execution_timeout", sent.timeout);
    json.member("arguments", sent.arguments);
    if (!sent.variables.empty()) {
      json.key("env_vars").begin_object();
      for (const auto& [name, value] : sent.variables) json.member(name, value);
      json.end_object();
    }
    json.end_object();
    if (!sent.order.empty()) json.member("order", sent.order);
    if (!sent.signature.empty()) json.member("order_signature", sent.signature);
    return server.add_task(id, json.end_object().take());
  }
  /// Runs what there is; why the task was refused, empty if it ran.
  std::string outcome_of(const Sent& sent, int number = 1) {
    const TaskId task = add(sent, number);
    const auto ended = run_once();
    EXPECT_TRUE(ended.ok()) << ended.error().message;
    if (executor.runs[task] > 0) return {};
    EXPECT_EQ(server.tasks[task].statuses, std::vector<std::string>{"failed"});
    EXPECT_FALSE(server.tasks[task].errors.empty()) << "nothing is refused in silence";
    return server.tasks[task].errors.empty() ? "(silence)" : server.tasks[task].errors[0];
  }

  SeededRng rng{11};
  crypto::SigningKey key{crypto::SigningKey::Seed{1}};
  crypto::SigningKey another{crypto::SigningKey::Seed{2}};
};

TEST(SignedTasks, RunAsAnyOther) {
  SignedWorld world;
  EXPECT_EQ(world.outcome_of(world.command()), "");
  EXPECT_EQ(world.outcome_of(world.test(), 2), "");
  EXPECT_EQ(world.executor.lines[0], "uname -a");
}

TEST(SignedTasks, AreDemandedOnlyByHostsThatWantThem) {
  SignedWorld world;
  world.settings.policy_require_signed_tasks = false;
  Sent sent = world.command();
  sent.order.clear();
  sent.signature.clear();
  EXPECT_EQ(world.outcome_of(sent), "");
}

TEST(SignedTasks, UnsignedOnesAreRefusedOfWhateverType) {
  for (const char* type : {"execute_command", "execute_test", "update_agent"}) {
    SignedWorld world;
    Sent sent = std::string(type) == "execute_test" ? world.test() : world.command();
    sent.type = type;
    sent.order.clear();
    sent.signature.clear();
    EXPECT_EQ(world.outcome_of(sent),
              "refused: order: is missing: the task is not signed ([policy] require_signed_tasks "
              "in agent.toml)")
        << type;
  }
}

TEST(SignedTasks, AnUpdateThatIsSignedIsLookedFor) {
  SignedWorld world;
  Sent sent;
  sent.agent_id = world.server.agent_id;
  sent.type = "update_agent";
  sent.command = "";
  const TaskId task = world.add(world.sign(sent, world.order_of(sent)));
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_EQ(world.server.tasks[task].results.size(), 1U);
}

TEST(SignedTasks, NoMemberMayDifferFromWhatWasSigned) {
  using Change = std::function<void(Sent&)>;
  const std::vector<std::pair<std::string, Change>> of_any = {
      {"org_id", [](Sent& sent) { sent.org_id = "2"; }},
      {"execution_timeout", [](Sent& sent) { sent.timeout = 61; }},
      {"env_vars", [](Sent& sent) { sent.variables.emplace_back("ADDED", "x"); }},
  };
  std::vector<std::pair<std::string, Change>> of_commands = of_any;
  of_commands.insert(of_commands.end(),
                     {{"command", [](Sent& sent) { sent.command = "rm -rf /"; }},
                      {"command", [](Sent& sent) { sent.command += " "; }},
                      {"arguments", [](Sent& sent) { sent.arguments.emplace_back("more"); }},
                      {"test_uuid", [](Sent& sent) { sent.test = test_uuid; }},
                      {"type", [](Sent& sent) { sent.type = "update_agent"; }}});
  std::vector<std::pair<std::string, Change>> of_tests = of_any;
  of_tests.insert(
      of_tests.end(),
      {{"test_uuid", [](Sent& sent) { sent.test.back() = 'b'; }},
       {"binary_name", [](Sent& sent) { sent.binary_name = "other"; }},
       {"binary_sha256", [](Sent& sent) { sent.binary_sha256 = crypto::sha256("evil").text(); }},
       {"arguments",
        [](Sent& sent) {
          sent.arguments = {"all", "-v"};
        }},
       {"arguments", [](Sent& sent) { sent.arguments.clear(); }},
       {"env_vars", [](Sent& sent) { sent.variables[0].second = "other"; }},
       {"env_vars", [](Sent& sent) { sent.variables.clear(); }},
       {"command", [](Sent& sent) { sent.command = "true"; }}});
  for (const bool test : {false, true}) {
    for (const auto& [member, change] : test ? of_tests : of_commands) {
      SignedWorld world;
      Sent sent = test ? world.test() : world.command();
      change(sent);
      const std::string why = world.outcome_of(sent);
      EXPECT_TRUE(why.starts_with("refused: " + member + ": is not what was signed")) << why;
    }
  }
}

TEST(SignedTasks, NoOctetOfTheOrderOrItsSignatureMayDiffer) {
  SignedWorld world;
  const Sent good = world.command();
  const std::vector<crypto::PublicKey> keys = {world.key.public_key()};
  const AgentId self{parse_uuid(world.server.agent_id).value()};
  const OrderJudge judge{keys, "1", self, world.now(), world.now()};
  ASSERT_TRUE(accept_order(good.order, good.signature, judge).ok());
  for (std::size_t i = 0; i < good.order.size(); ++i) {
    std::string order = good.order;
    order[i] ^= 1;
    EXPECT_FALSE(accept_order(order, good.signature, judge).ok()) << i;
  }
  for (std::size_t i = 0; i < good.signature.size(); ++i) {
    std::string signature = good.signature;
    signature[i] = signature[i] == '0' ? '1' : '0';
    EXPECT_FALSE(accept_order(good.order, signature, judge).ok()) << i;
  }
  for (const std::string& signature : {good.signature + "00", good.signature.substr(2),
                                       std::string(128, 'x'), std::string(128, '0')}) {
    EXPECT_FALSE(accept_order(good.order, signature, judge).ok()) << signature;
  }
}

TEST(SignedTasks, OnlyKeysOfTheHostsOwnerCount) {
  SignedWorld world;
  const Sent sent = world.command();
  world.trust(world.another);
  EXPECT_TRUE(world.outcome_of(sent).starts_with(
      "refused: order: is signed by no key that this host trusts"));
  // Either of two, hexadecimal or base64.
  const auto& octets = world.key.public_key();
  world.settings.policy_trusted_task_keys.push_back(
      crypto::to_base64({reinterpret_cast<const char*>(octets.data()), octets.size()}));
  EXPECT_EQ(world.outcome_of(world.command(), 2), "");
}

TEST(SignedTasks, ASignatureOfTheBareTextIsNone) {
  // As one of a release with the same key would be.
  SignedWorld world;
  Sent sent = world.command();
  sent.signature = to_hex(world.key.sign(sent.order));
  EXPECT_TRUE(world.outcome_of(sent).starts_with("refused: order: is signed by no key"));
}

TEST(SignedTasks, ThoseOfOthersAreRefused) {
  SignedWorld world;
  const Sent sent = world.command();
  WorkOrder order = world.order_of(sent);
  order.agent.uuid.bytes[15] ^= 1;
  EXPECT_TRUE(world.outcome_of(world.sign(sent, order))
                  .starts_with("refused: order: is for another agent"));
  order = world.order_of(sent);
  order.org = "2";
  EXPECT_TRUE(world.outcome_of(world.sign(sent, order), 2)
                  .starts_with("refused: order: is of another organisation"));
}

TEST(SignedTasks, RunWithinTheirTimeOnly) {
  SignedWorld world;
  const Sent sent = world.command();
  WorkOrder order = world.order_of(sent);
  order.expires_at = world.now() - std::chrono::seconds(1);
  EXPECT_TRUE(world.outcome_of(world.sign(sent, order)).starts_with("refused: order: has expired"));
  order = world.order_of(sent);
  order.not_before = world.now() + std::chrono::minutes(1);
  EXPECT_TRUE(
      world.outcome_of(world.sign(sent, order), 2).starts_with("refused: order: is not valid yet"));
}

TEST(SignedTasks, TheServersClockCountsOnAHostWhoseOwnIsSlow) {
  SignedWorld world;
  world.rest.clock_error = -std::chrono::hours(48);
  EXPECT_EQ(world.outcome_of(world.command()), "");
  Sent sent = world.command();
  WorkOrder order = world.order_of(sent);
  order.expires_at = world.now() - std::chrono::hours(1);
  EXPECT_TRUE(
      world.outcome_of(world.sign(sent, order), 2).starts_with("refused: order: has expired"));
}

TEST(SignedTasks, AServerThatTurnsItsClockBackMakesNoExpiredOrderValid) {
  SignedWorld world;
  world.server.skew_allowed = std::chrono::hours(1000);
  const Sent sent = world.command();
  world.rest.clock_error = std::chrono::hours(3);  // the host's clock is right, the server's is not
  EXPECT_TRUE(world.outcome_of(sent).starts_with("refused: order: has expired"));
}

TEST(SignedTasks, AreCarriedOutOnceUnderWhateverId) {
  SignedWorld world;
  const Sent sent = world.command();
  EXPECT_EQ(world.outcome_of(sent), "");
  const std::string why = world.outcome_of(sent, 2);
  EXPECT_TRUE(
      why.starts_with("refused: order: was carried out before, as task "
                      "0192c0de-0000-7000-8000-000000000001"))
      << why;
}

TEST(SignedTasks, ARepeatedDeliveryIsNoReplay) {
  SignedWorld world;
  const TaskId task = world.add(world.command());
  world.server.forgets_results = true;
  ASSERT_TRUE(world.run_once().ok());
  world.server.forgets_results = false;
  world.server.tasks[task].came_back = false;
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_EQ(world.executor.runs[task], 1);
  EXPECT_EQ(world.server.tasks[task].results.size(), 1U) << "the journal answers";
}

TEST(SignedTasks, ARefusedOrderIsNotUsedUp) {
  SignedWorld world;
  const Sent sent = world.command();
  Sent altered = sent;
  altered.command = "id";
  EXPECT_NE(world.outcome_of(altered), "");
  EXPECT_EQ(world.outcome_of(sent, 2), "") << "it was never carried out";
}

TEST(SignedTasks, AnOrderThatNobodyDemandedIsRememberedAllTheSame) {
  SignedWorld world;
  world.settings.policy_require_signed_tasks = false;
  const Sent sent = world.command();
  EXPECT_EQ(world.outcome_of(sent), "");
  world.settings.policy_require_signed_tasks = true;
  EXPECT_TRUE(world.outcome_of(sent, 2).starts_with("refused: order: was carried out before"));
}

TEST(SignedTasks, AreRememberedInArchivesToo) {
  SignedWorld world;
  const Sent sent = world.command();
  EXPECT_EQ(world.outcome_of(sent), "");
  Journal journal;
  Journal::Fold folded;
  for (std::size_t i = 0; i < bounds::journal_outputs + bounds::journal_segment; ++i) {
    Record record;
    record.task.uuid.bytes[15] = static_cast<std::uint8_t>(i);
    record.phase = Phase::finished;
    record.delivered = true;
    record.outcome.completed_at = Instant{static_cast<std::int64_t>(i)};
    if (i == 3) record.order_id = model::OrderId{record.task.uuid};
    journal.put(record);
    if (auto fold = journal.fold()) folded = *std::move(fold);
  }
  ASSERT_FALSE(folded.content.empty());
  Journal again;
  EXPECT_EQ(again.load_archive(folded.file, folded.content), 0U);
  Uuid third;
  third.bytes[15] = 3;
  EXPECT_EQ(again.find_order(model::OrderId{third}), TaskId{third});
  third.bytes[15] = 4;
  EXPECT_FALSE(again.find_order(model::OrderId{third}).has_value());
}

TEST(SignedTasks, NoCrashMakesAnOrderRunTwice) {
  // Killed at any change of the disk; then the server gives the same order out as another task too.
  for (const bool after : {false, true}) {
    bool crashed = true;
    int points = 0;
    for (; crashed; ++points) {
      SignedWorld world;
      const Sent sent = world.command();
      const TaskId first = world.add(sent, 1);
      world.files.crash_at(points, after);
      crashed = world.crashes_once();
      world.files.crash_never();
      const TaskId second = world.add(sent, 2);
      ASSERT_TRUE(world.run_once().ok()) << points;
      EXPECT_LE(world.executor.runs[first] + world.executor.runs[second], 1) << points;
      EXPECT_TRUE(world.server.tasks[first].over()) << points;
      EXPECT_TRUE(world.server.tasks[second].over()) << points;
    }
    EXPECT_GT(points, 5);
  }
}

TEST(SignedTasks, ATaskTakenBeforeARestartIsJudgedByTheKeysOfToday) {
  SignedWorld world;
  const TaskId task = world.add(world.command());
  // Killed after the task was accepted, before it began.
  world.server.change = [&](const Call& call, Answer&) {
    if (call.target.ends_with("/status")) world.files.crash_at(0, false);
  };
  EXPECT_TRUE(world.crashes_once());
  world.files.crash_never();
  world.server.change = {};
  world.trust(world.another);
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_EQ(world.executor.runs[task], 0);
  EXPECT_EQ(world.server.tasks[task].errors.back(),
            "refused: order: is signed by no key that this host trusts");
}

TEST(SignedTasks, OneThatExpiresBeforeItsStartDoesNotRun) {
  SignedWorld world;
  const Sent sent = world.command();
  WorkOrder order = world.order_of(sent);
  order.expires_at = world.now() + std::chrono::seconds(30);
  const TaskId task = world.add(world.sign(sent, order));
  world.server.change = [&](const Call& call, Answer&) {
    if (call.body.find("executing") != std::string::npos && call.target.ends_with("/status")) {
      world.rest.steady += std::chrono::minutes(1);
    }
  };
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_EQ(world.executor.runs[task], 0);
  EXPECT_EQ(world.server.tasks[task].errors.back(),
            "refused: order: has expired before the task could start");
}

TEST(SignedTasks, KeysOfTheSettingsMustBeKeys) {
  const auto fails = [](const std::string& toml) {
    return parse_settings("[policy]\n" + toml).error().field;
  };
  EXPECT_EQ(fails("require_signed_tasks = true\n"), "policy.trusted_task_keys");
  EXPECT_EQ(fails("require_signed_tasks = \"yes\"\n"), "policy.require_signed_tasks");
  EXPECT_FALSE(task_keys({"not a key"}).ok());
  SignedWorld world;
  world.settings.policy_trusted_task_keys = {"00"};
  EXPECT_EQ(load_state(world.files, world.settings, {}, {}, 1).error().field,
            "policy.trusted_task_keys");
}

}  // namespace
}  // namespace muster::agent
