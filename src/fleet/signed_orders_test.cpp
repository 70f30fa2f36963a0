// SPDX-License-Identifier: Apache-2.0
#include "fleet/signed_orders.h"

#include <functional>

#include <gtest/gtest.h>

#include "base/text.h"
#include "fleet/task_testing.h"

namespace muster::fleet {
namespace {

const std::string test_uuid = "0190f1c2-0000-7000-8000-00000000000a";

/// An operator with a key that the server does not have.
struct SignedWork : Work {
  model::WorkOrder says(const TaskOrder& order) {
    model::WorkOrder says;
    says.id = model::make_order_id(rng);
    says.org = std::to_string(agent.org.value);
    says.agent = order.agents[0];
    says.type = order.type;
    says.command = order.payload.command;
    says.arguments = order.payload.arguments;
    says.execution_timeout_seconds = order.execution_timeout_seconds;
    says.not_before = fleet.now - std::chrono::minutes(5);
    says.expires_at = fleet.now + std::chrono::minutes(30);
    return says;
  }
  void sign(TaskOrder& order, const model::WorkOrder& says) {
    order.orders.push_back({model::sign_order(says, key), says});
  }
  TaskOrder signed_command() {
    TaskOrder order = Work::order();
    sign(order, says(order));
    return order;
  }
  Result<void> check(const TaskOrder& order, const std::vector<crypto::PublicKey>& roots = {}) {
    return check_signatures(order, roots, fleet.now);
  }

  SeededRng rng{3};
  crypto::SigningKey key{crypto::SigningKey::Seed{1}};
  crypto::SigningKey another{crypto::SigningKey::Seed{2}};
};

TEST(SignedOrders, AreGivenOutWithTheirTaskAgainAndAgain) {
  SignedWork work;
  work.poller.effect_once = true;
  const TaskOrder order = work.signed_command();
  ASSERT_TRUE(work.check(order).ok());
  const TaskId id = work.create(order);
  for (int delivery = 0; delivery < 2; ++delivery) {
    const auto claimed = work.claim();
    ASSERT_TRUE(claimed.has_value()) << delivery;
    ASSERT_TRUE(claimed->order.has_value());
    EXPECT_EQ(claimed->order->text, order.orders[0].order.text);
    EXPECT_EQ(claimed->order->signature, order.orders[0].order.signature);
    work.pass(std::chrono::minutes(10));
  }
  EXPECT_EQ(work.show(id).task.order->signer, work.key.public_key());
  EXPECT_FALSE(work.show(work.create()).task.order.has_value());
}

TEST(SignedOrders, AreStillThereAfterARestart) {
  SignedWork work;
  const TaskOrder order = work.signed_command();
  const TaskId id = work.create(order);
  work.fleet.reopen();
  EXPECT_EQ(work.show(id).task.order->text, order.orders[0].order.text);
}

TEST(SignedOrders, MustSayWhatTheTaskSays) {
  using Change = std::function<void(TaskOrder&)>;
  const std::vector<std::pair<std::string, Change>> changes = {
      {"command", [](TaskOrder& order) { order.payload.command = "false"; }},
      {"arguments", [](TaskOrder& order) { order.payload.arguments = {"-x"}; }},
      {"execution_timeout", [](TaskOrder& order) { order.execution_timeout_seconds = 7; }},
      {"env_vars", [](TaskOrder& order) { order.env_vars = R"({"A": "1"})"; }},
      {"org_id", [](TaskOrder& order) { order.orders[0].says.org = "99"; }},
      {"agent_id", [](TaskOrder& order) { order.orders[0].says.agent.uuid.bytes[0] ^= 1; }},
      {"type", [](TaskOrder& order) { order.orders[0].says.type = TaskType::update_agent; }},
  };
  for (const auto& [member, change] : changes) {
    SignedWork work;
    TaskOrder order = work.signed_command();
    change(order);
    EXPECT_EQ(work.fleet.create(order).error().field, member);
    EXPECT_FALSE(work.claim().has_value()) << "nothing was created";
  }
}

TEST(SignedOrders, OfATestNameTheProgramThatTheServerHas) {
  SignedWork work;
  const crypto::Sha256 digest = work.store_program(parse_uuid(test_uuid).value());
  const auto create = [&](const std::string& sha256) {
    TaskOrder order(TaskType::execute_test);
    order.agents = {work.agent.agent};
    order.payload.test_uuid = test_uuid;
    order.payload.binary_name = "probe";
    order.env_vars = R"({"B": "2", "A": "1"})";
    model::WorkOrder says = work.says(order);
    says.test_uuid = test_uuid;
    says.binary_name = "probe";
    says.binary_sha256 = sha256;
    says.env_sha256 = model::digest_of_env({{"A", "1"}, {"B", "2"}});
    work.sign(order, says);
    return work.fleet.create(order);
  };
  EXPECT_EQ(create(std::string(64, '0')).error().field, "binary_sha256");
  const auto made = create(digest.text());
  ASSERT_TRUE(made.ok()) << made.error().message;
  EXPECT_EQ(work.show(made->front()).task.max_retries, 0) << "an agent carries it out once";
}

TEST(SignedOrders, AreOfOneTask) {
  SignedWork work;
  const TaskOrder order = work.signed_command();
  work.create(order);
  EXPECT_EQ(work.fleet.create(order).error().field, "orders[0].order");
}

TEST(SignedOrders, EndTheirTask) {
  SignedWork work;
  const TaskId id = work.create(work.signed_command());
  EXPECT_EQ(work.show(id).task.deliver_by, work.fleet.now + std::chrono::minutes(30));
  work.pass(std::chrono::minutes(31));
  EXPECT_FALSE(work.claim().has_value());
  EXPECT_EQ(work.show(id).task.status, TaskStatus::expired);
}

TEST(Signatures, HoldOrAreRefusedByName) {
  SignedWork work;
  TaskOrder order = work.signed_command();
  order.orders[0].order.text += " ";
  EXPECT_EQ(work.check(order).error().field, "orders[0].signature");
  order = work.signed_command();
  order.orders[0].order.signer = work.another.public_key();
  EXPECT_EQ(work.check(order).error().field, "orders[0].signature");
  order = work.signed_command();
  order.agents.push_back(order.agents[0]);
  EXPECT_EQ(work.check(order).error().field, "orders");
}

TEST(Signatures, OfOrdersOutOfTimeAreRefusedByName) {
  SignedWork work;
  TaskOrder order = work.Work::order();
  model::WorkOrder says = work.says(order);
  says.expires_at = work.fleet.now;
  work.sign(order, says);
  EXPECT_EQ(work.check(order).error().field, "orders[0].order.expires");
  order = work.Work::order();
  says = work.says(order);
  says.not_before = work.fleet.now + std::chrono::seconds(1);
  work.sign(order, says);
  EXPECT_EQ(work.check(order).error().field, "orders[0].order.not_before");
}

TEST(Signatures, AreRequiredOfRootsOnceAnyIsNamed) {
  SignedWork work;
  EXPECT_TRUE(work.check(work.order()).ok());
  EXPECT_TRUE(work.check(work.signed_command()).ok()) << "anybody's, where nothing is required";
  const std::vector<crypto::PublicKey> roots = {work.another.public_key()};
  EXPECT_EQ(work.check(work.order(), roots).error().field, "orders");
  EXPECT_EQ(work.check(work.signed_command(), roots).error().field, "orders[0].public_key");
  EXPECT_TRUE(
      work.check(work.signed_command(), {work.another.public_key(), work.key.public_key()}).ok());
}

TEST(Roots, AreKeysOfTheConfiguration) {
  Config config;
  EXPECT_TRUE(task_roots(config).value().empty());
  SignedWork work;
  config.tasks_require_offline_signature = {to_hex(work.key.public_key())};
  EXPECT_EQ(task_roots(config).value(), std::vector{work.key.public_key()});
  config.tasks_require_offline_signature.emplace_back("none");
  EXPECT_EQ(task_roots(config).error().field, "tasks.require_offline_signature");
}

}  // namespace
}  // namespace muster::fleet
