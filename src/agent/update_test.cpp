// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "agent/testing/update_world.h"

namespace muster::agent {
namespace {

using testing::base64_of;
using testing::Behaviour;
using testing::Crash;
using testing::day;
using testing::manifest_of;
using testing::release_of;
using testing::signer;
using testing::UpdateWorld;

TEST(AgentUpdate, AGoodBuildIsFetchedInPiecesTriedAndKept) {
  UpdateWorld world;
  world.publish("1.3.0", Behaviour::works);
  world.live_on(day);
  EXPECT_EQ(world.started, (std::vector<std::string>{"1.2.0", "1.3.0"}));
  const UpdateRecord record = world.record();
  ASSERT_TRUE(record.current.has_value());
  EXPECT_EQ(record.current->version, "1.3.0");
  EXPECT_FALSE(record.trial || record.suspect);
  EXPECT_EQ(record.serial, 7);
  EXPECT_EQ(testing::FakeServer::header(world.server.calls.back(), "X-Agent-Version"), "1.3.0");
  // Three pieces, each asked for once.
  EXPECT_EQ(world.server.count("/api/agent/update?os=linux&arch=amd64"), 3U);
}

TEST(AgentUpdate, OneThatCrashesIsGivenUpAndNeverTriedAgain) {
  UpdateWorld world;
  world.publish("1.3.0", Behaviour::crashes);
  world.live_on(7 * day);
  EXPECT_EQ(world.started, (std::vector<std::string>{"1.2.0", "1.3.0", "1.3.0", "1.3.0", "1.2.0"}));
  EXPECT_EQ(world.record().failures.size(), 1U);
  EXPECT_EQ(world.files.list(Build::folder), std::vector<std::string>{});
  // The next one is another build.
  world.publish("1.3.1", Behaviour::works, 8);
  world.live_on(day);
  EXPECT_EQ(world.started.back(), "1.3.1");
  EXPECT_EQ(world.record().current->version, "1.3.1");
}

TEST(AgentUpdate, SeldomHeartbeatsDoNotCostABuildItsTrial) {
  // As an owner or a server may set them: fewer than a trial needs.
  UpdateWorld world;
  world.settings.intervals_heartbeat_seconds = 3600;
  world.publish("1.3.0", Behaviour::works);
  world.live_on(day);
  EXPECT_EQ(world.started, (std::vector<std::string>{"1.2.0", "1.3.0"}));
  ASSERT_TRUE(world.record().current.has_value());
  EXPECT_EQ(world.record().current->version, "1.3.0");
}

TEST(AgentUpdate, TheServerIsToldWhatFailedUntilANewerOneWorks) {
  UpdateWorld world;
  const auto told = [&](std::string_view member) {
    const auto value = thread_json().parse(world.server.heartbeats.back()).value().find(member);
    return value ? std::string(value->string().value_or("")) : std::string("(absent)");
  };
  world.publish("1.3.0", Behaviour::crashes);
  world.live_on(day);
  EXPECT_EQ(told("update_version"), "1.3.0");
  EXPECT_EQ(told("update_error"), world.record().failures.back().why);
  world.publish("1.3.1", Behaviour::works, 8);
  world.live_on(day);
  EXPECT_EQ(told("update_error"), "(absent)");
}

TEST(AgentUpdate, OneThatHangsIsEndedByTheKernelAndGivenUp) {
  UpdateWorld world;
  world.publish("1.3.0", Behaviour::hangs);
  world.live_on(day);
  EXPECT_EQ(world.started.back(), "1.2.0");
  EXPECT_EQ(world.record().failures.size(), 1U);
}

TEST(AgentUpdate, OneThatHearsNoServerIsBlamedWhenTheBuildBeforeItHearsOne) {
  UpdateWorld world;
  world.publish("1.3.0", Behaviour::hears_nobody);
  world.live_on(day);
  EXPECT_EQ(world.started.back(), "1.2.0");
  ASSERT_EQ(world.record().failures.size(), 1U);
  EXPECT_EQ(world.record().failures[0].build.version, "1.3.0");
}

TEST(AgentUpdate, AnOutageOfTheServerIsNotTheBuildsFault) {
  UpdateWorld world;
  world.publish("1.3.0", Behaviour::works);
  // Away from the moment the trial starts, for hours.
  while (world.started.empty() || world.started.back() != "1.3.0") {
    world.rest.steady += std::chrono::seconds(1);
    world.server.unreachable = world.record().trial.has_value();
    world.live(std::chrono::hours(2));
  }
  world.live_on(std::chrono::hours(3));
  EXPECT_EQ(world.started.back(), "1.2.0");
  EXPECT_TRUE(world.record().suspect.has_value());
  world.server.unreachable = false;
  world.live_on(std::chrono::hours(3));
  EXPECT_EQ(world.started.back(), "1.3.0");
  EXPECT_EQ(world.record().current->version, "1.3.0");
  EXPECT_TRUE(world.record().failures.empty());
}

TEST(AgentUpdate, NothingIsTakenWhoseManifestDoesNotHold) {
  const std::string content = "the program";
  const model::Manifest good = manifest_of("1.3.0", content);
  const crypto::SigningKey other(crypto::SigningKey::Seed{9});
  const auto with = [&](auto change) {
    model::Manifest manifest = good;
    change(manifest);
    return release_of(manifest, content);
  };
  auto cut = release_of(good, content);
  cut.signature.pop_back();
  auto changed = release_of(good, content);
  changed.manifest.replace(changed.manifest.find("1.3.0"), 5, "1.4.0");
  const std::vector<testing::FakeServer::Release> offers = {
      release_of(good, content, other),
      cut,
      changed,
      with([](model::Manifest& m) { m.version = "1.2.0"; }),
      with([](model::Manifest& m) { m.version = "1.1.9"; }),
      with([](model::Manifest& m) { m.version = "1.2.0-rc.1"; }),
      with([](model::Manifest& m) { m.os = "windows"; }),
      with([](model::Manifest& m) { m.arch = "arm64"; }),
      with([](model::Manifest& m) { m.expires_at = Instant{1'700'000'000'000}; }),
      with([](model::Manifest& m) { m.size = 65 << 20; }),
      {content, "{}", to_hex(signer().sign("{}"))},
  };
  for (const auto& offer : offers) {
    UpdateWorld world;
    world.server.release = offer;
    world.live_on(std::chrono::hours(4));
    EXPECT_EQ(world.started, std::vector<std::string>{"1.2.0"}) << offer.manifest;
    EXPECT_EQ(world.server.count("/api/agent/update?"), 0U) << offer.manifest;
    EXPECT_FALSE(world.files.read(UpdateRecord::file).has_value()) << offer.manifest;
  }
}

TEST(AgentUpdate, AnExpiredOfferDoesNotBecomeValidByAClockThatIsSetBack) {
  UpdateWorld world;
  world.publish("1.3.0", Behaviour::works);
  model::Manifest manifest = model::parse_manifest(world.server.release->manifest).value();
  manifest.expires_at = Instant{1'700'000'000'000} + std::chrono::hours(1);
  world.server.release = release_of(manifest, world.server.release->content);
  world.rest.clock_error = -day;  // of the host; the server's clock says that it has passed
  world.live_on(std::chrono::hours(4));
  EXPECT_EQ(world.started, std::vector<std::string>{"1.2.0"});
}

TEST(AgentUpdate, AnOlderReleaseIsAReplayEvenIfItsVersionIsNewer) {
  UpdateWorld world;
  world.publish("1.3.0", Behaviour::works, 7);
  world.live_on(day);
  world.publish("1.4.0", Behaviour::works, 6);
  world.live_on(day);
  EXPECT_EQ(world.started.back(), "1.3.0");
}

TEST(AgentUpdate, PinnedKeysOverruleTheServers) {
  const crypto::SigningKey root(crypto::SigningKey::Seed{5});
  for (const bool by_root : {false, true}) {
    UpdateWorld world;
    world.settings.update_trusted_keys = {base64_of(root.public_key())};
    world.publish("1.3.0", Behaviour::works);
    const auto manifest = model::parse_manifest(world.server.release->manifest).value();
    const crypto::SigningKey& key = by_root ? root : signer();
    world.server.release = release_of(manifest, world.server.release->content, key);
    world.live_on(day);
    EXPECT_EQ(world.started.back(), by_root ? "1.3.0" : "1.2.0");
  }
}

TEST(AgentUpdate, KeysAreReadAsTheyArePrintedAndNoOtherTextIsOne) {
  const crypto::PublicKey key = signer().public_key();
  for (const std::string& text : {base64_of(key), to_hex(key)}) {
    const auto keys = update_keys({text}, "ignored");
    ASSERT_TRUE(keys.ok()) << text;
    EXPECT_EQ(keys.value(), std::vector<crypto::PublicKey>{key});
  }
  for (const std::string& text : {std::string("short"), std::string(64, 'x'), std::string()}) {
    const auto keys = update_keys({text}, "");
    ASSERT_FALSE(keys.ok()) << text;
    EXPECT_EQ(keys.error().field, "update.trusted_keys");
  }
  EXPECT_TRUE(update_keys({}, "").value().empty()) << "then nothing is trusted";
}

TEST(AgentUpdate, ADamagedRecordIsNoneAndTheInstalledProgramRuns) {
  UpdateWorld world;
  world.publish("1.3.0", Behaviour::works);
  world.live_on(day);
  ASSERT_EQ(world.started.back(), "1.3.0");
  std::string& text = world.files.content.at(UpdateRecord::file);
  for (std::size_t at = 0; at < text.size(); at += 7) {
    std::string changed = text;
    changed[at] = '~';
    const auto record = decode_update(changed);
    if (record.ok() && record->current) {
      EXPECT_EQ(record->current->sha256.text().size(), 64U);
    }
  }
  EXPECT_FALSE(decode_update(text.substr(0, text.size() / 2)).ok());
  EXPECT_FALSE(decode_update("[]").ok());
}

TEST(AgentUpdate, PiecesMustStandWhereTheySayThatTheyDo) {
  const auto offset = [](int status, const std::string& range, std::size_t body) {
    const auto at =
        offset_of_body({status, {{"Content-Range", range}}, std::string(body, 'x')}, 100);
    return at.ok() ? at.value() : -1;
  };
  EXPECT_EQ(offset(206, "bytes 10-19/100", 10), 10);
  EXPECT_EQ(offset(200, "", 100), 0);
  EXPECT_EQ(offset(200, "", 99), -1);
  for (const char* range :
       {"", "bytes 10-19/101", "bytes 10-18/100", "bytes 95-104/100", "bytes -10-0/100",
        "bytes */100", "bytes 19-10/100", "bytes 10-19", "items 10-19/100"}) {
    EXPECT_EQ(offset(206, range, 10), -1) << range;
  }
  EXPECT_EQ(offset(206, "bytes 10-9/100", 0), -1) << "nothing is no progress";
}

TEST(AgentUpdate, AFileThatIsNotWhatWasSignedIsFetchedAgainOnceAndLeft) {
  UpdateWorld world;
  world.publish("1.3.0", Behaviour::works);
  world.server.release->content[5] = 'y';
  world.live_on(std::chrono::minutes(75));
  EXPECT_EQ(world.started, std::vector<std::string>{"1.2.0"});
  EXPECT_TRUE(world.record().failures.empty()) << "the download failed, not the build";
  // Seen whole twice at each look (three pieces each), never more.
  const std::size_t looks =
      world.server.count("/api/agent/update") - world.server.count("/api/agent/update?");
  EXPECT_EQ(world.server.count("/api/agent/update?"), looks * 6);
}

TEST(AgentUpdate, AFullDiskCostsTheUpdateAndNothingElse) {
  UpdateWorld world;
  world.publish("1.3.0", Behaviour::works);
  world.files.full = true;
  world.live_on(day);
  EXPECT_EQ(world.started, std::vector<std::string>{"1.2.0"});
  world.files.full = false;
  world.live_on(day);
  EXPECT_EQ(world.started.back(), "1.3.0");
}

TEST(AgentUpdate, AnInterruptedDownloadGoesOnWhereItStood) {
  UpdateWorld world;
  world.publish("1.3.0", Behaviour::works);
  int pieces = 0;
  world.server.change = [&](const Call& call, Answer&) {
    // The machine loses power while it waits for the third piece.
    if (call.target.starts_with("/api/agent/update?") && ++pieces == 3) throw Crash{};
  };
  EXPECT_THROW(world.live_on(day), Crash);
  world.surveys.reset();
  world.server.change = nullptr;
  world.live_on(day);
  EXPECT_EQ(world.started.back(), "1.3.0");
  EXPECT_EQ(world.server.count("/api/agent/update?"), 4U) << "the third piece twice";
}

TEST(AgentUpdate, AnUpdateWaitsForTheTaskInHandAndTakesNoOtherMeanwhile) {
  UpdateWorld world;
  world.publish("1.3.0", Behaviour::works);
  const TaskId task = world.server.add_command("long");
  world.executor.hold = true;
  world.live_on(std::chrono::hours(3));
  EXPECT_EQ(world.started, std::vector<std::string>{"1.2.0"});
  EXPECT_TRUE(world.record().trial.has_value());
  EXPECT_EQ(world.executor.runs[task], 1);
}

TEST(AgentUpdate, APackageThatOvertookTheBuildRunsInstead) {
  UpdateWorld world;
  world.publish("1.3.0", Behaviour::works);
  world.live_on(day);
  world.installed = "1.3.1";
  world.server.release.reset();
  world.live_on(day);
  EXPECT_EQ(world.started.back(), "1.3.1");
  EXPECT_TRUE(world.files.list(Build::folder).empty());
}

TEST(AgentUpdate, StoppingABuildOnTrialThreeTimesSaysNothingAgainstIt) {
  UpdateWorld world;
  world.publish("1.3.0", Behaviour::works);
  while (!world.record().trial) world.live(std::chrono::hours(2));
  for (int i = 0; i < 5; ++i) world.live(std::chrono::seconds(5));
  world.live_on(day);
  EXPECT_EQ(world.started.back(), "1.3.0");
  EXPECT_EQ(world.record().current->version, "1.3.0");
}

/// A build comes over an agent that loses power in its `first` change of the disk, and its
/// successor in its `second`. Whatever happens, the host ends with an agent that beats, on the
/// build that works, with the task done once.
struct PowerCut {
  Behaviour does;
  int first;
  int second;
  bool after;
};

void check_power_cuts(const PowerCut& cut, bool& reached) {
  UpdateWorld world;
  world.seed = static_cast<std::uint64_t>(cut.first * 100 + cut.second);
  world.settings.update_trial_seconds = 500;
  world.settings.intervals_heartbeat_seconds = 120;
  world.settings.intervals_poll_seconds = 120;
  world.publish("1.3.0", cut.does);
  const TaskId task = world.server.add_command("true");
  const std::string where = std::to_string(static_cast<int>(cut.does)) + ": " +
                            std::to_string(cut.first) + ", " + std::to_string(cut.second) +
                            (cut.after ? "+" : "-");
  reached = false;
  for (const int at : {cut.first, cut.second}) {
    world.files.crash_at(at, cut.after);
    try {
      world.live_on(std::chrono::hours(1));
    } catch (const Crash&) {
      reached = true;
      world.lose_power();
    }
  }
  world.files.crash_never();
  const std::size_t heartbeats = world.server.heartbeats.size();
  world.live_on(std::chrono::hours(2));
  EXPECT_GT(world.server.heartbeats.size(), heartbeats + 20) << where << ": a dead agent";
  const UpdateRecord record = world.record();
  EXPECT_FALSE(record.trial || record.suspect) << where << ": it is not settled";
  if (cut.does == Behaviour::works) {
    EXPECT_EQ(world.started.back(), "1.3.0") << where;
  } else {
    EXPECT_EQ(world.started.back(), "1.2.0") << where;
    EXPECT_EQ(record.failures.size(), 1U) << where;
  }
  EXPECT_LE(world.executor.runs[task], 1) << where << ": a doubled result";
  EXPECT_TRUE(world.server.tasks[task].over()) << where << ": a lost result";
  EXPECT_LE(world.server.tasks[task].results.size(), 1U) << where;
}

TEST(AgentUpdate, PowerCutsAtEveryPersistedStateLeaveAnAgentThatWorks) {
  constexpr int second_cuts = 7;
  constexpr int first_cuts = 25;  // beyond the last change that any of these updates makes
  int runs = 0;
  int cut = 0;
  for (const Behaviour does :
       {Behaviour::works, Behaviour::crashes, Behaviour::hangs, Behaviour::hears_nobody}) {
    for (const bool after : {false, true}) {
      for (int first = 0; first < first_cuts; ++first) {
        for (int second = 0; second < second_cuts; ++second) {
          bool reached = false;
          check_power_cuts({does, first, second, after}, reached);
          cut += reached ? 1 : 0;
          ++runs;
          if (HasFailure()) return;
        }
      }
    }
  }
  EXPECT_GE(cut, 1000);
  RecordProperty("runs", runs);
}

}  // namespace
}  // namespace muster::agent
