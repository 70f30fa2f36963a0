// SPDX-License-Identifier: Apache-2.0
#include "fleet/webhooks.h"

#include <gtest/gtest.h>

#include "base/json_read.h"
#include "crypto/hmac.h"
#include "crypto/signing.h"
#include "fleet/testing.h"
#include "store/store.h"

namespace muster::fleet {
namespace {

using model::EventType;
using std::chrono::seconds;

/// A receiver that takes what it is sent, or does not.
class Webhooks : public ::testing::Test {
 protected:
  Webhooks() {
    world.fetch = [this](const http::FetchOrder& order) -> Result<http::Fetched> {
      sent.push_back(order);
      fleet.now = fleet.now + takes;
      if (refusal) return *refusal;
      return http::Fetched{};
    };
    world.now = [this] { return fleet.now; };
    world.goes_on = [this] { return goes_on; };
  }

  Result<CreatedWebhook> create(const std::string& name, std::vector<EventType> events,
                                const std::string& url = "https://192.0.2.1/hook") {
    return fleet->store.write([&](store::Tx& tx) {
      return create_webhook(tx, fleet->ids, fleet->keyed_hash, fleet.config, fleet.actor,
                            {TestFleet::org, name, url, std::move(events)}, fleet.now);
    });
  }
  EventId happens(EventType type, Telling telling = Telling::told, OrgId org = TestFleet::org) {
    return fleet->store.write([&](store::Tx& tx) {
      return record_event(
          tx, fleet->ids, org, type, std::nullopt, HostId{7},
          [](JsonWriter& details) { details.member("what", "größe"); }, fleet.now, telling);
    });
  }
  WebhookPass deliver() { return deliver_events(fleet->store, fleet->keyed_hash, world); }
  WebhookView view(std::size_t i = 0) { return list_webhooks(fleet->store, std::nullopt).at(i); }
  static std::string header(const http::FetchOrder& order, std::string_view name) {
    for (const auto& [key, value] : order.headers) {
      if (key == name) return value;
    }
    return "(absent)";
  }

  TestFleet fleet;
  WebhookWorld world;
  std::vector<http::FetchOrder> sent;
  std::optional<Error> refusal;
  Duration takes{};
  bool goes_on = true;
};

TEST_F(Webhooks, AreSentWhatTheyWantSignedAsTheSpecificationSays) {
  const CreatedWebhook created = create("pager", {EventType::alert_firing}).value();
  happens(EventType::alert_ok);
  happens(EventType::alert_pending);
  const EventId event = happens(EventType::alert_firing);
  EXPECT_EQ(view().waiting, 1);
  EXPECT_EQ(deliver().delivered, 1U);
  ASSERT_EQ(sent.size(), 1U);
  const http::FetchOrder& order = sent[0];
  EXPECT_EQ(order.url, "https://192.0.2.1/hook");
  EXPECT_EQ(header(order, "Content-Type"), "application/json");
  const std::string id = header(order, "webhook-id");
  EXPECT_EQ(id, std::to_string(created.webhook.id.value) + "-" + std::to_string(event.value));
  const std::string timestamp = header(order, "webhook-timestamp");
  EXPECT_EQ(timestamp, std::to_string(fleet.now.unix_ms / 1000));
  // As a receiver verifies it, by the secret that was shown.
  ASSERT_TRUE(created.secret.starts_with("whsec_"));
  const std::string key = crypto::from_base64(created.secret.substr(6)).value();
  EXPECT_EQ(key.size(), 32U);
  const auto mac = crypto::hmac_sha256(key, id + "." + timestamp + "." + *order.body);
  EXPECT_EQ(header(order, "webhook-signature"), "v1," + crypto::to_base64(mac.octets()));
  JsonDocument document;
  const Json body = document.parse(*order.body).value();
  EXPECT_EQ(body.find("type")->string(), "alert_firing");
  EXPECT_EQ(body.find("data")->find("id")->integer(), event.value);
  EXPECT_EQ(body.find("data")->find("asset_id")->integer(), 7);
  EXPECT_TRUE(body.find("data")->find("hostname")->is_null()) << "there is no such host";
  EXPECT_EQ(body.find("data")->find("details")->find("what")->string(), "größe");
  EXPECT_EQ(deliver().delivered, 0U) << "once is enough";
  EXPECT_EQ(view().waiting, 0);
  EXPECT_EQ(view().webhook.delivered_at, fleet.now);
}

TEST(WebhookSignature, IsThatOfTheSpecificationsExample) {
  // https://www.standardwebhooks.com: the vector of its reference libraries.
  const std::string key = crypto::from_base64("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").value();
  EXPECT_EQ(sign_webhook(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", Instant{1614265330'000},
                         R"({"test": 2432232314})"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST_F(Webhooks, HaveSecretsOfTheirOwnThatAreNowhereStored) {
  const CreatedWebhook a = create("a", {EventType::alert_firing}).value();
  const CreatedWebhook b = create("b", {EventType::alert_firing}).value();
  EXPECT_NE(a.secret, b.secret);
  fleet.reopen();
  happens(EventType::alert_firing);
  deliver();
  ASSERT_EQ(sent.size(), 2U);
  const std::string key = crypto::from_base64(a.secret.substr(6)).value();
  EXPECT_EQ(header(sent[0], "webhook-signature"),
            sign_webhook(key, header(sent[0], "webhook-id"), fleet.now, *sent[0].body))
      << "it holds over a restart";
  EXPECT_EQ(fleet.count("SELECT count(*) FROM audit WHERE details LIKE '%whsec%'"), 0);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM audit WHERE details LIKE '%192.0.2.1%'"), 0)
      << "an address may be a secret, too";
}

TEST_F(Webhooks, TryAgainWithTheSameIdAndGrowingPatience) {
  create("pager", {EventType::alert_firing}).value();
  happens(EventType::alert_firing);
  refusal = Error{Errc::unavailable, "The server answered 503."};
  EXPECT_EQ(deliver().failed, 1U);
  EXPECT_EQ(view().webhook.failures, 1);
  EXPECT_EQ(view().webhook.failure, "The server answered 503.");
  EXPECT_EQ(view().webhook.failed_at, fleet.now);
  EXPECT_EQ(view().webhook.next_at, fleet.now + limits::webhook_wait_first);
  EXPECT_EQ(deliver().failed, 0U) << "it rests";
  fleet.now = fleet.now + limits::webhook_wait_first;
  EXPECT_EQ(deliver().failed, 1U);
  EXPECT_EQ(view().webhook.next_at, fleet.now + 2 * limits::webhook_wait_first);
  refusal->retry_after_seconds = 600;
  fleet.now = fleet.now + 2 * limits::webhook_wait_first;
  deliver();
  EXPECT_EQ(view().webhook.next_at, fleet.now + seconds(600)) << "as the receiver asked";
  fleet.now = fleet.now + seconds(600);
  refusal.reset();
  EXPECT_EQ(deliver().delivered, 1U);
  EXPECT_EQ(view().webhook.failures, 0);
  EXPECT_EQ(view().webhook.failure, "");
  EXPECT_EQ(view().webhook.next_at, std::nullopt);
  ASSERT_EQ(sent.size(), 4U);
  for (const http::FetchOrder& order : sent) {
    EXPECT_EQ(header(order, "webhook-id"), header(sent[0], "webhook-id"));
    EXPECT_EQ(*order.body, *sent[0].body);
  }
  EXPECT_NE(header(sent[3], "webhook-signature"), header(sent[0], "webhook-signature"))
      << "each attempt is signed at its time";
}

TEST(WebhookWait, DoublesUpToAnHour) {
  EXPECT_EQ(webhook_wait(1), limits::webhook_wait_first);
  EXPECT_EQ(webhook_wait(4), 8 * limits::webhook_wait_first);
  EXPECT_EQ(webhook_wait(1000), limits::webhook_wait_most);
}

TEST_F(Webhooks, GiveAnEventUpAndGoOnWithTheNext) {
  create("pager", {EventType::alert_firing}).value();
  happens(EventType::alert_firing);
  happens(EventType::alert_firing);
  refusal = Error{Errc::unavailable, "The server answered 500."};
  for (std::int64_t i = 0; i < limits::webhook_attempts; ++i) {
    EXPECT_EQ(view().waiting, 2);
    EXPECT_EQ(deliver().failed, 1U);
    fleet.now = fleet.now + limits::webhook_wait_most;
  }
  EXPECT_EQ(view().waiting, 1);
  EXPECT_EQ(view().webhook.given_up, 1);
  refusal.reset();
  EXPECT_EQ(deliver().delivered, 1U);
  EXPECT_NE(header(sent.back(), "webhook-id"), header(sent.front(), "webhook-id"));
}

TEST_F(Webhooks, KeepABoundedNumberOfEventsAndCountTheRest) {
  create("pager", {EventType::alert_firing}).value();
  create("other", {EventType::alert_firing}).value();
  for (std::int64_t i = 0; i < limits::webhook_queue; ++i) happens(EventType::alert_firing);
  refusal = Error{Errc::unavailable, "The server answered 500."};
  EXPECT_EQ(deliver().given_up, 0U);
  const std::string oldest = header(sent[0], "webhook-id");
  for (int i = 0; i < 3; ++i) happens(EventType::alert_firing);
  EXPECT_EQ(deliver().given_up, 6U) << "also while they rest";
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
    EXPECT_EQ(view(i).waiting, limits::webhook_queue);
    EXPECT_EQ(view(i).webhook.given_up, 3);
  }
  fleet.now = fleet.now + limits::webhook_wait_first;
  sent.clear();
  EXPECT_EQ(deliver().failed, 2U);
  EXPECT_EQ(header(sent[0], "webhook-id"), oldest) << "the newest were given up";
}

TEST_F(Webhooks, OfOneOrganisationHearNothingOfAnother) {
  create("pager", {EventType::alert_firing}).value();
  happens(EventType::alert_firing, Telling::told, OrgId{2});
  happens(EventType::alert_firing, Telling::told, OrgId{0});
  happens(EventType::alert_firing, Telling::quiet);
  EXPECT_EQ(view().waiting, 0);
}

TEST_F(Webhooks, ThatAreSlowOrAwayDoNotHoldUpTheOthers) {
  create("slow", {EventType::came_online}).value();
  create("other", {EventType::came_online}).value();
  for (int i = 0; i < 5; ++i) happens(EventType::came_online);
  takes = limits::webhook_turn / 2;
  EXPECT_EQ(deliver().delivered, 4U) << "two each, then it is the other's turn";
  refusal = Error{Errc::unavailable, "It is away."};
  EXPECT_EQ(deliver().failed, 2U) << "one call to each that does not answer";
}

TEST_F(Webhooks, ThatAreGivenUpHalfwayAreSentAgain) {
  create("pager", {EventType::came_online}).value();
  happens(EventType::came_online);
  world.fetch = [this](const http::FetchOrder& order) -> Result<http::Fetched> {
    goes_on = false;
    EXPECT_FALSE(order.goes_on(0, std::nullopt));
    return Error{Errc::unavailable, "It was given up."};
  };
  EXPECT_EQ(deliver().failed, 0U);
  EXPECT_EQ(view().waiting, 1);
  EXPECT_EQ(view().webhook.failures, 0);
}

TEST_F(Webhooks, ForgetEventsThatWerePruned) {
  create("pager", {EventType::came_online}).value();
  happens(EventType::came_online);
  fleet->store.write(
      [&](store::Tx& tx) { store::delete_old_events(tx, EventId{number_id_max}, 100); });
  EXPECT_EQ(deliver().given_up, 1U);
  EXPECT_EQ(view().waiting, 0);
  EXPECT_EQ(view().webhook.given_up, 1);
}

TEST_F(Webhooks, AreTestedAtOnceWhateverTheyWant) {
  const WebhookId id = create("pager", {EventType::alert_firing}).value().webhook.id;
  happens(EventType::alert_firing);
  refusal = Error{Errc::unavailable, "The server answered 500."};
  deliver();
  refusal.reset();
  const auto test = [&](WebhookId which) {
    return fleet->store.write(
        [&](store::Tx& tx) { return test_webhook(tx, fleet->ids, fleet.actor, which, fleet.now); });
  };
  EXPECT_EQ(test(id).value().next_at, std::nullopt);
  EXPECT_EQ(deliver().delivered, 2U);
  EXPECT_NE(sent.back().body->find("webhook_test"), std::string::npos);
  EXPECT_EQ(test(WebhookId{1}).error().code, Errc::not_found);
  for (std::int64_t i = 0; i < limits::webhook_queue; ++i) happens(EventType::alert_firing);
  EXPECT_EQ(test(id).error().code, Errc::rate_limited);
}

TEST_F(Webhooks, AreRefusedWhenTheyCouldNotBeCalled) {
  EXPECT_EQ(create("", {EventType::came_online}).error().field, "name");
  EXPECT_EQ(create("a", {}).error().field, "events");
  EXPECT_EQ(create("a", std::vector(limits::webhook_events + 1, EventType::enrolled)).error().field,
            "events");
  for (const char* url : {"http://192.0.2.1/", "ftp://192.0.2.1/", "https://", "https://a b/",
                          "https://user:word@192.0.2.1/", "hook"}) {
    EXPECT_EQ(create("a", {EventType::came_online}, url).error().field, "url") << url;
  }
  EXPECT_EQ(create("a", {EventType::came_online},
                   "https://" + std::string(limits::webhook_url_bytes, 'a'))
                .error()
                .field,
            "url");
  fleet.config.egress_plain_http = {"192.0.2.1"};
  EXPECT_TRUE(create("plain", {EventType::came_online}, "http://192.0.2.1/").ok());
  EXPECT_EQ(create("plain", {EventType::came_online}).error().code, Errc::name_taken);
  for (std::size_t i = 1; i < limits::webhooks_of_org; ++i) {
    ASSERT_TRUE(create("hook " + std::to_string(i), {EventType::came_online}).ok());
  }
  EXPECT_EQ(create("one more", {EventType::came_online}).error().field, "name");
}

TEST_F(Webhooks, AreDeletedWithWhatWaits) {
  const WebhookId id = create("pager", {EventType::came_online}).value().webhook.id;
  happens(EventType::came_online);
  const auto remove = [&] {
    return fleet->store.write(
        [&](store::Tx& tx) { return delete_webhook(tx, fleet->ids, fleet.actor, id, fleet.now); });
  };
  EXPECT_EQ(remove().value().name, "pager");
  EXPECT_EQ(remove().error().code, Errc::not_found);
  EXPECT_EQ(deliver().delivered, 0U);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM webhook_deliveries"), 0);
}

}  // namespace
}  // namespace muster::fleet
