// SPDX-License-Identifier: Apache-2.0
#include "fleet/watchers.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

#include "base/testing.h"

namespace muster::fleet {
namespace {

constexpr OrgId everywhere{0};
constexpr OrgId a{1};
constexpr OrgId b{2};
constexpr OperatorId ann{7};
constexpr Duration second = std::chrono::seconds(1);
constexpr std::string_view alive = "event: alive\ndata: {}\n\n";

class Watching : public ::testing::Test {
 protected:
  using Source = std::shared_ptr<http::LiveSource>;

  /// One that has said its greeting.
  Source watch(std::optional<OrgId> org = std::nullopt, OperatorId of = ann) {
    Source source = add(org, of).value();
    source->take();
    return source;
  }
  Result<Source> add(std::optional<OrgId> org, OperatorId of) {
    return watchers.add({of, org, [this](Instant) { return admitted; }}, now);
  }
  void tell(const Changed& changed = {}) { watchers.tell(changed, now = now + second); }
  /// What it says now; "over" when it is.
  static std::string said(const Source& source) { return source->take().value_or("over"); }
  static std::string topics(std::string_view names) {
    return "event: changed\ndata: {\"topics\": [" + std::string(names) + "]}\n\n";
  }

  Instant now = test_epoch;
  bool admitted = true;
  Watchers watchers;
};

TEST_F(Watching, BeginsWithWhenToComeBackAndThatItIsReady) {
  const Source source = add(std::nullopt, ann).value();
  const std::string greeting = said(source);
  EXPECT_TRUE(greeting.starts_with("retry: ")) << greeting;
  EXPECT_TRUE(greeting.ends_with("\nevent: ready\ndata: {}\n\n")) << greeting;
  EXPECT_EQ(said(source), "");
}

TEST_F(Watching, BeginsWithWhatChangedWhileItsPageWasLoading) {
  tell({{b, Topic::findings}});
  for (int i = 0; i < 4; ++i) tell();
  tell({{a, Topic::tasks}});
  const Source of_a = add(a, ann).value();
  const Source of_b = add(b, ann).value();
  EXPECT_TRUE(said(of_a).ends_with("\n\n" + topics(R"("tasks")")));
  EXPECT_TRUE(said(of_b).ends_with("event: ready\ndata: {}\n\n")) << "that was long ago";
}

TEST_F(Watching, TellsATopicOnceHoweverOftenItChanged) {
  const Source source = watch();
  tell({{a, Topic::tasks}});
  tell({{a, Topic::tasks | Topic::results}});
  EXPECT_EQ(said(source), topics(R"("tasks", "results")"));
  EXPECT_EQ(said(source), "");
  tell();
  EXPECT_EQ(said(source), "");
}

TEST_F(Watching, OfOneOrganisationLearnsNothingOfAnother) {
  const Source of_a = watch(a);
  const Source of_b = watch(b);
  const Source of_all = watch();
  tell({{a, Topic::tasks}});
  EXPECT_EQ(said(of_a), topics(R"("tasks")"));
  EXPECT_EQ(said(of_b), "");
  EXPECT_EQ(said(of_all), topics(R"("tasks")"));
  tell({{a, Topic::hosts}, {b, Topic::findings}});
  EXPECT_EQ(said(of_a), topics(R"("hosts")"));
  EXPECT_EQ(said(of_b), topics(R"("findings")"));
  EXPECT_EQ(said(of_all), topics(R"("hosts", "findings")"));
  tell({{everywhere, Topic::feeds}});
  for (const Source& each : {of_a, of_b, of_all}) EXPECT_EQ(said(each), topics(R"("feeds")"));
}

TEST_F(Watching, WakesOnceForAllThatComesUntilItIsTaken) {
  const Source source = watch();
  int woken = 0;
  source->wake_by([&] { ++woken; });
  tell();
  EXPECT_EQ(woken, 0) << "there is nothing to say";
  for (int i = 0; i < 100; ++i) tell({{a, Topic::tasks}});
  EXPECT_EQ(woken, 1) << "who does not read costs nothing more";
  EXPECT_EQ(said(source), topics(R"("tasks")"));
  tell({{a, Topic::tasks}});
  EXPECT_EQ(woken, 2);
  source->wake_by({});
  source->take();
  tell({{a, Topic::tasks}});
  EXPECT_EQ(woken, 2);
}

TEST_F(Watching, SaysThatItIsThereWhenThereIsNothingElse) {
  const Source source = watch();
  int seconds = 0;
  std::string heard;
  for (; heard.empty() && seconds < 100; ++seconds) {
    tell();
    heard = said(source);
  }
  EXPECT_EQ(heard, alive);
  EXPECT_EQ(std::chrono::seconds(seconds), Watchers::keep_alive);
  tell({{a, Topic::tasks}});
  EXPECT_EQ(said(source), topics(R"("tasks")"));
}

TEST_F(Watching, EndsWhenItsCallerMayNotAnyMoreAndTellsItNothingMore) {
  const Source source = watch();
  int woken = 0;
  source->wake_by([&] { ++woken; });
  tell({{a, Topic::tasks}});
  admitted = false;
  tell({{a, Topic::results}});
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(said(source), "over");
  source->wake_by({});
}

TEST_F(Watching, EndsInBoundedTimeAndThoseThatBeganTogetherApart) {
  std::vector<Source> sources;
  for (int i = 0; i < 64; ++i) sources.push_back(watch(std::nullopt, OperatorId{i / 8}));
  std::set<std::int64_t> ends;
  const Instant began = now;
  std::size_t over = 0;
  while (now - began <= Watchers::stream_max) {
    tell();
    for (Source& source : sources) {
      if (!source || said(source) != "over") continue;
      source.reset();
      ++over;
      ends.insert((now - began).count());
    }
  }
  EXPECT_EQ(over, sources.size());
  EXPECT_GE(Duration(*ends.begin()), Watchers::stream_max / 2);
  EXPECT_GT(ends.size(), 32U);
  EXPECT_EQ(watchers.count(), 0U);
}

TEST_F(Watching, IsBoundedForEachOperatorAndForAll) {
  std::vector<Source> sources;
  for (std::size_t i = 0; i < Watchers::watchers_per_operator; ++i) sources.push_back(watch());
  const Result<Source> one_more = add(std::nullopt, ann);
  ASSERT_FALSE(one_more.ok());
  EXPECT_EQ(one_more.error().code, Errc::rate_limited);
  EXPECT_GE(one_more.error().retry_after_seconds.value_or(0), 30);
  sources.pop_back();
  EXPECT_TRUE(add(std::nullopt, ann).ok()) << "a place is free again";
  while (watchers.count() < Watchers::watchers_max) {
    sources.push_back(watch(a, OperatorId{static_cast<std::int64_t>(100 + sources.size())}));
  }
  const Result<Source> too_many = add(std::nullopt, OperatorId{99});
  ASSERT_FALSE(too_many.ok());
  EXPECT_EQ(too_many.error().code, Errc::overloaded);
  EXPECT_GE(too_many.error().retry_after_seconds.value_or(0), 30);
  sources.clear();
  EXPECT_EQ(watchers.count(), 0U);
  EXPECT_EQ(watchers.most(), Watchers::watchers_max);
}

TEST_F(Watching, ThatAClockWasSetBackEndsNoStreamEarlyAndKeepsItAlive) {
  const Source source = watch();
  watchers.tell({}, now - std::chrono::hours(2));
  EXPECT_EQ(said(source), alive);
}

}  // namespace
}  // namespace muster::fleet
