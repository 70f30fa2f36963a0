// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "agent/image_record.h"
#include "agent/testing/world.h"

namespace muster::agent {
namespace {

using testing::FakeHost;
using testing::FakeWorld;

/// A world with images "a:1" and "b:1" on its host.
struct ImageWorld : FakeWorld {
  ImageWorld() {
    host.images = {FakeHost::image("sha256:a", {"a:1", "localhost:5000/team/a:2"}),
                   FakeHost::image("sha256:b", {"b:1"})};
  }
  /// One report: "a:1=sha256:a b:1" names two images, of which the first is reported on.
  static std::string brief(const std::string& body) {
    std::string out;
    const Json root = thread_json().parse(body).value();
    root.find("images")->for_each([&](const Json& image) {
      Fields fields(image);
      out += (out.empty() ? "" : " ") + std::string(fields.text("image_name", 600)) + ":" +
             std::string(fields.optional_text("image_tag", 600).value_or(""));
      const auto report = image.find("trivy_output");
      if (report) out += "=" + std::string(report->find("of")->string().value());
    });
    return out;
  }
  std::vector<std::string> briefs() const {
    std::vector<std::string> list;
    for (const std::string& body : server.image_reports) list.push_back(brief(body));
    return list;
  }
};

constexpr const char* both = "a:1=sha256:a localhost:5000/team/a:2 b:1=sha256:b";
constexpr const char* names_alone = "a:1 localhost:5000/team/a:2 b:1";

TEST(AgentImages, AreToldOnceWithAllTheirNames) {
  ImageWorld world;
  ASSERT_TRUE(world.run_for(std::chrono::hours(6)).ok());
  EXPECT_EQ(world.briefs(), std::vector<std::string>{both});
  EXPECT_GT(world.host.image_orders.size(), 10U) << "looked at all the time";
  const Json root = thread_json().parse(world.server.image_reports[0]).value();
  EXPECT_EQ(root.find("hostname")->string(), "box");
  EXPECT_EQ(root.find("scanner")->string(), "muster-agent");
}

TEST(AgentImages, ThatAreLeftOutAreLoggedWhenTheirNumberChanges) {
  ImageWorld world;
  world.host.images_left_out = 5;
  world.server.change = [&](const Call&, Answer&) {
    const bool later = world.rest.steady > std::chrono::hours(1) + std::chrono::hours(3);
    if (later) world.host.images_left_out = 6;
  };
  ASSERT_TRUE(world.run_for(std::chrono::hours(6)).ok());
  std::size_t lines = 0;
  for (std::size_t at = 0; (at = world.logged.find("images_left_out", at)) != std::string::npos;
       ++at) {
    ++lines;
  }
  EXPECT_EQ(lines, 2U);
}

TEST(AgentImages, AHostWithoutImagesSaysNothingOfThem) {
  FakeWorld world;
  ASSERT_TRUE(world.run_for(std::chrono::hours(6)).ok());
  EXPECT_EQ(world.server.count("/api/agent/container-scan"), 0U);
}

TEST(AgentImages, AChangeOfTheListNamesAllAndReportsOnWhatIsNew) {
  ImageWorld world;
  ASSERT_TRUE(world.run_once().ok());
  world.host.images.push_back(FakeHost::image("sha256:c", {"c:1"}));
  ASSERT_TRUE(world.run_once().ok());
  world.host.images.clear();
  ASSERT_TRUE(world.run_once().ok());
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_EQ(world.briefs(),
            (std::vector<std::string>{both, std::string(names_alone) + " c:1=sha256:c", ""}));
}

TEST(AgentImages, ManyGoInSeveralCallsOneAfterTheOther) {
  ImageWorld world;
  world.host.image_reports_max = 1;
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_EQ(world.briefs(), (std::vector<std::string>{"a:1=sha256:a localhost:5000/team/a:2 b:1",
                                                      "a:1 localhost:5000/team/a:2 b:1=sha256:b"}));
}

TEST(AgentImages, ALostCallOrAnswerIsMadeUpFor) {
  ImageWorld whole;
  ASSERT_TRUE(whole.run_once().ok());
  const auto& calls = whole.server.calls;
  const auto place = std::find_if(calls.begin(), calls.end(), [](const Call& call) {
    return call.target == "/api/agent/container-scan";
  });
  ASSERT_NE(place, calls.end());
  for (const bool request : {false, true}) {
    ImageWorld world;
    (request ? world.server.lost_requests : world.server.lost_answers)
        .insert(static_cast<std::size_t>(place - calls.begin()));
    ASSERT_TRUE(world.run_once().ok());
    EXPECT_EQ(world.briefs().back(), both);
    ASSERT_TRUE(world.run_once().ok());
    EXPECT_EQ(world.briefs().size(), request ? 1U : 2U) << "and then it is known";
  }
}

TEST(AgentImages, AWeekLaterAllAreToldAgain) {
  ImageWorld world;
  ASSERT_TRUE(world.run_for(std::chrono::hours(24 * 8)).ok());
  EXPECT_EQ(world.briefs(), (std::vector<std::string>{both, both}));
}

TEST(AgentImages, AScannersWordIsAskedForAnewEveryDay) {
  ImageWorld world;
  world.settings.inventory_images = "trivy";
  ASSERT_TRUE(world.run_for(std::chrono::hours(30)).ok());
  EXPECT_EQ(world.briefs(), (std::vector<std::string>{both, both}));
  EXPECT_TRUE(world.host.image_orders[0].scanner);
}

TEST(AgentImages, AreLookedAtByAScannerOnceOneIsWanted) {
  ImageWorld world;
  ASSERT_TRUE(world.run_once().ok());
  world.settings.inventory_images = "trivy";
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_EQ(world.briefs(), (std::vector<std::string>{both, both}));
}

TEST(AgentImages, AreNotLookedAtWhereTheOwnerSaysSo) {
  ImageWorld world;
  world.settings.inventory_images = "off";
  ASSERT_TRUE(world.run_for(std::chrono::hours(6)).ok());
  EXPECT_TRUE(world.host.image_orders.empty());
  EXPECT_EQ(world.server.count("/api/agent/container-scan"), 0U);
}

TEST(AgentImages, AServerThatTakesNoneIsAskedOnceAnHour) {
  ImageWorld world;
  world.server.takes_images = false;
  ASSERT_TRUE(world.run_once().ok());
  ASSERT_TRUE(world.run_for(std::chrono::hours(5)).ok());
  EXPECT_LE(world.server.count("/api/agent/container-scan"), 7U);
  EXPECT_GE(world.server.count("/api/agent/container-scan"), 5U);
}

TEST(AgentImages, AServerThatTakesNoReportsHearsOfNoImages) {
  ImageWorld world;
  world.server.change = [](const Call& call, Answer& answer) {
    if (call.target == "/api/agent/report") answer = {404, {}, "{}"};
  };
  ASSERT_TRUE(world.run_for(std::chrono::hours(3)).ok());
  EXPECT_EQ(world.server.count("/api/agent/container-scan"), 0U);
}

TEST(AgentImages, AListThatCannotBeReadIsNotToldAsEmpty) {
  ImageWorld world;
  ASSERT_TRUE(world.run_once().ok());
  world.host.images.clear();
  world.host.images_readable = false;
  ASSERT_TRUE(world.run_for(std::chrono::hours(3)).ok());
  EXPECT_EQ(world.briefs().size(), 1U);
}

TEST(ImageRecord, ReadsBackAndADamagedOneIsNone) {
  const ImageRecord record{"hash", {{"sha256:a", Instant{1'700'000'000'000}, true}}};
  const auto again = decode_images(encode_images(record));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->list_hash, "hash");
  ASSERT_EQ(again->entries.size(), 1U);
  EXPECT_EQ(again->entries[0].digest, "sha256:a");
  EXPECT_EQ(again->entries[0].until, record.entries[0].until);
  EXPECT_TRUE(again->entries[0].by_scanner);
  for (const char* text : {"", "{", "{}", R"({"images": [{"digest": "x"}]})", R"({"images": 3})"}) {
    EXPECT_FALSE(decode_images(text).has_value()) << text;
  }
}

TEST(ImageRecord, AMomentFarAheadIsAClockThatWasWrong) {
  const Instant now{1'700'000'000'000};
  const ImageRecord record{"", {{"sha256:a", now + std::chrono::hours(24 * 400), false}}};
  EXPECT_TRUE(record.known(now, false).empty());
  const ImageRecord sane{"", {{"sha256:a", now + std::chrono::hours(24), false}}};
  EXPECT_EQ(sane.known(now, false), std::vector<std::string>{"sha256:a"});
  EXPECT_TRUE(sane.known(now, true).empty());
}

}  // namespace
}  // namespace muster::agent
