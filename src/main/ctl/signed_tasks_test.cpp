// SPDX-License-Identifier: Apache-2.0
// `muster tasks create --sign-key`: what is signed, and what the server is asked for it.
#include "main/ctl/signed_tasks.h"

#include <fstream>

#include <gtest/gtest.h>

#include "base/test_directory.h"
#include "base/text.h"
#include "crypto/pem.h"
#include "crypto/sha256.h"
#include "main/ctl/testing/canned.h"
#include "model/work_order.h"

namespace muster::ctl {
namespace {

using test::Desk;
using test::Transcript;

const std::string first = "0190f1c2-0000-7000-8000-000000000001";
const std::string second = "0190f1c2-0000-7000-8000-000000000002";
const std::string test_uuid = "0190f1c2-0000-7000-8000-00000000000a";

struct SigningDesk : Desk {
  SigningDesk() {
    std::ofstream(key_file) << crypto::write_signing_key(seed);
    std::ofstream(program) << "#!/bin/sh\n";
    server.on("GET /api/v1/agents/" + first, {200, R"({"org_id": 1})"});
    server.on("GET /api/v1/agents/" + second, {200, R"({"org_id": 7})"});
    server.on("POST /api/v1/tasks", {201, R"({"task_ids": []})"});
  }
  Transcript create(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"tasks", "create"});
    arguments.insert(arguments.end(), {"--sign-key", key_file});
    return run(arguments);
  }
  /// The members of the request, after it was sent.
  std::string member(std::string_view name) {
    const auto value = body().find(name);
    return value ? value->serialise() : "(absent)";
  }
  Json body() { return document.parse(server.requests.back().body).value(); }
  /// The orders of the request, each with a signature that holds.
  std::vector<model::WorkOrder> orders() {
    std::vector<model::WorkOrder> all;
    const crypto::SigningKey key(seed);
    body().find("orders")->for_each([&](const Json& order) {
      const std::string text(*order.find("order")->string());
      const auto signature = crypto::parse_signature(*order.find("signature")->string());
      EXPECT_EQ(*order.find("public_key")->string(), to_hex(key.public_key()));
      EXPECT_TRUE(model::is_signed_by(text, *signature, key.public_key()));
      all.push_back(model::parse_work_order(text).value());
    });
    return all;
  }

  crypto::SigningKey::Seed seed{5};
  TestDirectory directory;
  std::string key_file = directory.path() + "/tasks.pem";
  std::string program = directory.path() + "/probe.sh";
  JsonDocument document;
};

TEST(SignedTasks, AreOneOrderForEachAgentOfItsOrganisation) {
  SigningDesk desk;
  const Transcript done = desk.create({"--type", "execute_command", "--agent", first, second,
                                       "--command", "uname -a", "--timeout", "60s"});
  EXPECT_EQ(done.code, 0) << done.err;
  const auto orders = desk.orders();
  ASSERT_EQ(orders.size(), 2U);
  EXPECT_EQ(orders[0].agent.text(), first);
  EXPECT_EQ(orders[0].org, "1");
  EXPECT_EQ(orders[1].agent.text(), second);
  EXPECT_EQ(orders[1].org, "7");
  EXPECT_NE(orders[0].id, orders[1].id);
  for (const model::WorkOrder& order : orders) {
    EXPECT_EQ(order.command, "uname -a");
    EXPECT_EQ(order.execution_timeout_seconds, 60);
    EXPECT_EQ(order.env_sha256, "");
    EXPECT_EQ(order.expires_at - order.not_before,
              std::chrono::hours(7 * 24) + std::chrono::minutes(5));
  }
  EXPECT_EQ(desk.member("execution_timeout"), "60");
  EXPECT_EQ(desk.member("sign_key"), "(absent)") << "the key's place is nobody's";
}

TEST(SignedTasks, OfATestSignTheProgramOfThisMachineAndSaltItsVariables) {
  SigningDesk desk;
  const std::vector<std::string> arguments = {
      "--type", "execute_test", "--agent",   first,        "--test-uuid", test_uuid,
      "--env",  "TOKEN=hush",   "--program", desk.program, "--argument",  "-v"};
  EXPECT_EQ(desk.create(arguments).code, 0);
  const model::WorkOrder order = desk.orders().at(0);
  EXPECT_EQ(order.test_uuid, test_uuid);
  EXPECT_EQ(order.binary_name, "probe.sh");
  EXPECT_EQ(order.binary_sha256, crypto::sha256("#!/bin/sh\n").text());
  EXPECT_EQ(order.arguments, std::vector<std::string>{"-v"});
  EXPECT_EQ(desk.member("binary_name"), "\"probe.sh\"");
  std::vector<std::pair<std::string, std::string>> variables;
  desk.body().find("env_vars")->for_each_member([&](std::string_view name, const Json& value) {
    variables.emplace_back(name, *value.string());
  });
  ASSERT_EQ(variables.size(), 2U);
  EXPECT_EQ(variables[1].first, "MUSTER_ORDER_SALT");
  EXPECT_EQ(variables[1].second.size(), 64U);
  EXPECT_EQ(order.env_sha256, model::digest_of_env(variables));
  EXPECT_NE(order.env_sha256, model::digest_of_env({{"TOKEN", "hush"}}));
  EXPECT_EQ(desk.create(arguments).code, 0);
  EXPECT_NE(desk.orders().at(0).env_sha256, order.env_sha256) << "nobody can guess it";
}

TEST(SignedTasks, MistakesAreNamedBeforeTheServerIsAsked) {
  SigningDesk desk;
  const auto fault = [&](std::vector<std::string> arguments) {
    const Transcript done = desk.create(std::move(arguments));
    EXPECT_NE(done.code, 0);
    EXPECT_TRUE(desk.server.requests.empty());
    return done.err;
  };
  EXPECT_NE(fault({"--type", "execute_test", "--agent", first, "--test-uuid", test_uuid})
                .find("--program"),
            std::string::npos);
  EXPECT_NE(
      fault({"--type", "execute_command", "--agent", "web-1", "--command", "id"}).find("--agent"),
      std::string::npos);
  EXPECT_NE(fault({"--type", "execute_command", "--agent", first, "--command", "id", "--expires",
                   "2020-01-01T00:00:00Z"})
                .find("--expires"),
            std::string::npos);
  std::ofstream(desk.key_file) << "no key";
  EXPECT_NE(
      fault({"--type", "execute_command", "--agent", first, "--command", "id"}).find("--sign-key"),
      std::string::npos);
}

TEST(SignedTasks, WithoutAKeyNothingIsSigned) {
  SigningDesk desk;
  EXPECT_EQ(desk.run({"tasks", "create", "--type", "execute_command", "--agent", first, "--command",
                      "id"})
                .code,
            0);
  EXPECT_EQ(desk.member("orders"), "(absent)");
  EXPECT_EQ(desk.server.requests.size(), 1U);
  const Transcript done = desk.run({"tasks", "create", "--type", "execute_command", "--agent",
                                    first, "--command", "id", "--program", desk.program});
  EXPECT_NE(done.code, 0);
  EXPECT_NE(done.err.find("--program"), std::string::npos);
}

TEST(SignedTasks, OfAQuerySignForEachAgentThatItMeans) {
  SigningDesk desk;
  desk.server.on("POST /api/v1/tasks",
                 {200, R"({"dry_run": true, "hosts": 2, "without_agent": 0, "task_ids": [],)"
                       R"( "agents": [{"agent_id": ")" +
                           first + R"("}, {"agent_id": ")" + second + R"("}]})"});
  const std::vector<std::string> arguments = {"--type",    "execute_command", "--query",
                                              "group:web", "--command",       "id",
                                              "--env",     "TOKEN=hush"};
  EXPECT_EQ(desk.create(arguments).code, 0);
  const auto& requests = desk.server.requests;
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_NE(requests[0].body.find(R"("query": "group:web")"), std::string::npos);
  EXPECT_NE(requests[0].body.find(R"("dry_run": true)"), std::string::npos);
  EXPECT_EQ(requests[0].body.find("hush"), std::string::npos) << "asking needs no secret";
  EXPECT_EQ(desk.member("query"), "(absent)") << "who is signed for is named";
  EXPECT_EQ(desk.member("dry_run"), "(absent)");
  EXPECT_EQ(desk.body().find("agent_ids")->size(), 2U);
  const auto orders = desk.orders();
  ASSERT_EQ(orders.size(), 2U);
  EXPECT_EQ(orders[0].agent.text(), first);
  EXPECT_EQ(orders[1].agent.text(), second);
  EXPECT_EQ(orders[1].org, orders[0].org) << "a query is about one organisation";
}

TEST(SignedTasks, OfADryRunAreNone) {
  SigningDesk desk;
  EXPECT_EQ(
      desk.create({"--type", "execute_command", "--query", "web", "--command", "id", "--dry-run"})
          .code,
      0);
  EXPECT_EQ(desk.server.requests.size(), 1U);
  EXPECT_EQ(desk.member("dry_run"), "true");
  EXPECT_EQ(desk.member("orders"), "(absent)");
}

}  // namespace
}  // namespace muster::ctl
