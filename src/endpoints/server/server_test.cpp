// SPDX-License-Identifier: Apache-2.0
// What the server tells operators of itself, but for the doctor.
#include <gtest/gtest.h>

#include "base/json_read.h"
#include "endpoints/testing.h"

namespace muster::endpoints {
namespace {

/// The row of that key in the answer of GET /api/v1/config; empty when there is none.
std::string setting(TestServer& server, std::string_view key) {
  const http::Response answer = server.ask(
      {"GET", "/api/v1/config", {{"Authorization", "Bearer " + server.admin_token}}, ""});
  EXPECT_EQ(answer.status, 200) << answer.body;
  JsonDocument document;
  std::string found;
  document.parse(answer.body).value().for_each([&](const Json& row) {
    if (row.find("key")->string() == key) found = row.serialise();
  });
  return found;
}

TEST(ServerConfig, IsWhatTheServerRunsWith) {
  Config config;
  config.limits_report_per_minute = 7;
  TestServer server(config);
  EXPECT_EQ(setting(server, "limits.report_per_minute"),
            R"({"key": "limits.report_per_minute", "value": 7, "default": 60, "changed": true, )"
            R"("meaning": "reports a minute for each inventory key; 0 is off"})");
  EXPECT_NE(setting(server, "history.event_days").find(R"("value": 365)"), std::string::npos);
  EXPECT_EQ(setting(server, "--listen"), "") << "it was started without flags";
}

TEST(ServerConfig, HasTheFlagsOfTheStartWithoutThePasswordOfTheStore) {
  TestServer server;
  server.face.flags = {{"--listen", "127.0.0.1:8480", "127.0.0.1:8480", "ADDRESS:PORT"},
                       {"--store", "postgresql://muster:hunter2@db.lan/muster", "sqlite", "Where"}};
  EXPECT_EQ(setting(server, "--listen"),
            R"({"key": "--listen", "value": "127.0.0.1:8480", "default": "127.0.0.1:8480", )"
            R"("changed": false, "meaning": "ADDRESS:PORT"})");
  EXPECT_EQ(setting(server, "--store"),
            R"({"key": "--store", "value": "postgresql://***@db.lan/muster", "default": "sqlite", )"
            R"("changed": true, "meaning": "Where"})");
}

}  // namespace
}  // namespace muster::endpoints
