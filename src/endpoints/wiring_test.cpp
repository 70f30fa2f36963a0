// SPDX-License-Identifier: Apache-2.0
#include "endpoints/wiring.h"

#include <gtest/gtest.h>

#include "base/json_read.h"
#include "endpoints/testing.h"

namespace muster::endpoints {
namespace {

constexpr const char* feed =
    R"({"widget": {"CVE-2099-0001": {"description": "d", "scope": "remote", "releases": {)"
    R"("bookworm": {"status": "open", "repositories": {"bookworm": "1"}, "urgency": "high"}}}}})";
constexpr const char* report = R"({"hostname": "web-1", "os": "Debian GNU/Linux 12", "software": [)"
                               R"({"name": "widget", "version": "1", "ecosystem": "deb"}]})";

/// Findings cannot be written for as long as this lives.
class NoFindings {
 public:
  explicit NoFindings(const TestServer& server)
      : database_(
            store::open_sqlite(server.directory.path() + "/muster.db", store::Access::read_write)) {
    database_->run(
        "CREATE TRIGGER fault BEFORE INSERT ON findings"
        " BEGIN SELECT RAISE(ABORT, 'a fault of the test'); END");
  }
  ~NoFindings() { database_->run("DROP TRIGGER fault"); }
  NoFindings(const NoFindings&) = delete;
  NoFindings& operator=(const NoFindings&) = delete;

 private:
  std::unique_ptr<store::Connection> database_;
};

TEST(Wiring, FinishesTheMatchingThatAFailingStoreCutShort) {
  TestServer server;
  const auto ask = [&](const char* method, const char* target, const char* body) {
    return server.ask({method, target, {{"Authorization", "Bearer " + server.admin_token}}, body});
  };
  const http::Response created = ask("POST", "/api/v1/keys", R"({"name": "site"})");
  const std::string key(*thread_json().parse(created.body).value().find("key")->string());
  ASSERT_EQ(server.ask({"POST", "/api/agent/report", {{"X-Agent-Key", key}}, report}).status, 200);
  {
    const NoFindings fault(server);
    EXPECT_EQ(ask("POST", "/api/v1/feeds/debian", feed).status, 503);
    server.wiring.finish_matching(server.clock.now());
  }
  EXPECT_EQ(ask("GET", "/api/v1/findings", "").body.find("CVE-2099-0001"), std::string::npos);
  server.wiring.finish_matching(server.clock.now());
  EXPECT_NE(ask("GET", "/api/v1/findings", "").body.find("CVE-2099-0001"), std::string::npos);
}

TEST(Wiring, StopsMatchingAtTheEndAndTheNextStartGoesOn) {
  TestServer server;
  const auto ask = [&](const char* method, const char* target, const char* body) {
    return server.ask({method, target, {{"Authorization", "Bearer " + server.admin_token}}, body});
  };
  const http::Response created = ask("POST", "/api/v1/keys", R"({"name": "site"})");
  const std::string key(*thread_json().parse(created.body).value().find("key")->string());
  ASSERT_EQ(server.ask({"POST", "/api/agent/report", {{"X-Agent-Key", key}}, report}).status, 200);
  server.fleet.catalogue.stop_matching();
  const http::Response imported = ask("POST", "/api/v1/feeds/debian", feed);
  EXPECT_EQ(imported.status, 200) << "what is stored stays";
  EXPECT_NE(imported.body.find("its next start"), std::string::npos);
  server.wiring.finish_matching(server.clock.now());
  EXPECT_EQ(ask("GET", "/api/v1/findings", "").body.find("CVE-2099-0001"), std::string::npos);

  fleet::Changes changes;
  fleet::Fleet fleet(std::make_unique<store::SqliteDatabase>(server.directory.path()),
                     server.directory.path() + "/secret", server.rng, server.clock.now());
  Wiring next(fleet, changes, server.config, server.rng, server.log,
              server.directory.path() + "/admin.token", server.clock.now());
  EXPECT_EQ(ask("GET", "/api/v1/findings", "").body.find("CVE-2099-0001"), std::string::npos)
      << "no start waits for it";
  next.finish_matching(server.clock.now());
  EXPECT_NE(ask("GET", "/api/v1/findings", "").body.find("CVE-2099-0001"), std::string::npos);
}

TEST(Wiring, ReadinessIsAsOldAsTheStoresLastAnswer) {
  TestServer server;
  const auto readiness = [&] { return server.ask({"GET", "/readyz", {}, {}}).status; };
  EXPECT_EQ(readiness(), 200);
  server.clock.advance(limits::readiness_age);
  EXPECT_EQ(readiness(), 200);
  server.clock.advance(Duration(1));
  EXPECT_EQ(readiness(), 503) << "nobody has asked the store since";
  server.wiring.ask_store(server.clock.now());
  EXPECT_EQ(readiness(), 200);
  server.clock.advance(-std::chrono::hours(1));
  EXPECT_EQ(readiness(), 503) << "a clock that was set back proves nothing";
  server.wiring.ask_store(server.clock.now());
  EXPECT_EQ(readiness(), 200);
}

}  // namespace
}  // namespace muster::endpoints
