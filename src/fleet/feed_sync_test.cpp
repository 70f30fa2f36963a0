// SPDX-License-Identifier: Apache-2.0
#include "fleet/feed_sync.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "feeds/source_files.h"
#include "fleet/finding_testing.h"
#include "fleet/nvd_changes.h"
#include "store/sql/feed_syncs.h"
#include "store/sql/inventory.h"

namespace muster::fleet {
namespace {

using feeds::FeedKind;

/// An NVD record about the product `vendor:<product>`; silent without a product.
std::string nvd(const std::string& id, const std::string& modified, const std::string& product) {
  std::string text = R"({"cve": {"id": ")" + id + R"(", "lastModified": ")" + modified + "\"";
  if (!product.empty()) {
    text +=
        R"(, "configurations": [{"nodes": [{"operator": "OR", "cpeMatch": [{"vulnerable": true,)"
        R"( "criteria": "cpe:2.3:a:vendor:)" +
        product + R"(:1.0:*:*:*:*:*:*:*"}]}]}])";
  }
  return text + "}}";
}

std::string page(const std::vector<std::string>& records, std::int64_t total, std::int64_t start,
                 const std::string& timestamp = "2026-03-20T00:00:00.000") {
  std::string text = R"({"totalResults": )" + std::to_string(total) + R"(, "startIndex": )" +
                     std::to_string(start) + R"(, "timestamp": ")" + timestamp +
                     R"(", "vulnerabilities": [)";
  for (std::size_t i = 0; i < records.size(); ++i) text += (i > 0 ? ", " : "") + records[i];
  return text + "]}";
}

std::string debian(const std::string& package) {
  return feed({{package, "2"}});
}

/// Servers of files, a fleet and its clock.
struct Outside {
  Outside() : sources(config_of_test()) {
    world.fetch = [this](const http::FetchOrder& order) { return fetch(order); };
    world.now = [this] { return fleet.now; };
    world.pause = [this](Duration time) {
      pauses.push_back(time);
      fleet.now = fleet.now + time;
      return true;
    };
    world.goes_on = [this](const SyncProgress&) { return !ends; };
  }

  static Config config_of_test() {
    Config config;
    config.feeds_debian = {"https://a.example/debian.json", "https://b.example/debian.json"};
    config.feeds_osv = {"https://osv.example/{ecosystem}/all.zip"};
    config.feeds_osv_ecosystems = {"PyPI", "npm"};
    config.feeds_nvd = {"https://nvd.example/nvdcve-2.0-{year}.json.gz"};
    config.feeds_nvd_api = "https://nvd.example/api";
    return config;
  }

  Result<http::Fetched> fetch(const http::FetchOrder& order) {
    asked.push_back(order.url);
    headers = order.headers;
    if (broken.contains(order.url)) {
      const Error error = broken.at(order.url);
      if (failures_left > 0 && --failures_left == 0) broken.erase(order.url);
      return error;
    }
    if (order.goes_on && !order.goes_on(1, std::nullopt)) {
      return Error{Errc::unavailable, "It was given up."};
    }
    if (answer) return answer(order);
    const auto found = files.find(order.url);
    if (found == files.end()) return Error{Errc::not_found, "The server answered 404."};
    http::Fetched fetched;
    fetched.validators.etag = "\"" + std::to_string(std::hash<std::string>()(found->second)) + "\"";
    fetched.unchanged = order.have.etag == fetched.validators.etag;
    if (!fetched.unchanged) {
      fetched.bytes = found->second.size();
      order.take(found->second);
    }
    return fetched;
  }

  Result<SyncOutcome> sync(FeedKind kind, bool full = false) {
    asked.clear();
    pauses.clear();
    fleet.now = fleet.now + std::chrono::hours(1);
    return sync_feed(target(), sources, world, Actor::server(), kind, full);
  }
  FeedTarget target() { return {fleet->store, fleet->ids, fleet->catalogue, fleet->packages}; }
  FeedStatus status(FeedKind kind) {
    return list_feed_status(fleet->store).at(static_cast<std::size_t>(kind));
  }
  /// Ids and products in force.
  std::map<std::string, std::string> in_force(std::string_view feed) {
    std::map<std::string, std::string> out;
    fleet->store.read([&](store::Reader& reader) {
      store::for_each_advisory(reader, [&](const model::Advisory& one) {
        if (one.feed == feed) out[one.id] = model::encode_advisory(one);
      });
    });
    return out;
  }
  std::int64_t events(const std::string& type) {
    std::int64_t found = 0;
    fleet->store.read([&](store::Reader& reader) {
      store::Rows rows = reader.query("SELECT count(*) FROM events WHERE type = $1", type);
      rows.next();
      found = rows.integer(0);
    });
    return found;
  }
  void put_years(const std::map<int, std::string>& contents) {
    for (int year = 2002; year <= 2026; ++year) {
      const auto found = contents.find(year);
      const std::string id = "CVE-" + std::to_string(year) + "-0001";
      files[year_url(year)] = found != contents.end()
                                  ? found->second
                                  : page({nvd(id, "2026-01-01T00:00:00.000", "p")}, 1, 0);
    }
  }
  static std::string year_url(int year) {
    return "https://nvd.example/nvdcve-2.0-" + std::to_string(year) + ".json.gz";
  }

  TestFleet fleet;
  FeedSources sources;
  SyncWorld world;
  std::map<std::string, std::string> files;
  std::map<std::string, Error> broken;
  int failures_left = 0;  // 0: for ever
  std::function<Result<http::Fetched>(const http::FetchOrder&)> answer;
  std::vector<std::string> asked;
  std::vector<std::pair<std::string, std::string>> headers;
  std::vector<Duration> pauses;
  bool ends = false;
};

TEST(FeedSync, ImportsWhatIsNewAndOpensFindings) {
  Outside out;
  out.fleet.report(TestFleet::report_of("web-1", {debian_package("a", "1")})).value();
  out.files["https://a.example/debian.json"] = debian("a");
  const SyncOutcome done = out.sync(FeedKind::debian).value();
  EXPECT_TRUE(done.changed);
  EXPECT_EQ(done.imported.findings_opened, 1U);
  EXPECT_EQ(done.source, "https://a.example/debian.json");
  const FeedStatus status = out.status(FeedKind::debian);
  EXPECT_EQ(status.checked_at, out.fleet.now);
  EXPECT_EQ(status.imported_at, out.fleet.now);
  EXPECT_EQ(status.source, done.source);
  EXPECT_FALSE(status.etag.empty());
}

TEST(FeedSync, WhatIsUnchangedOnlyMovesWhenItWasChecked) {
  Outside out;
  out.files["https://a.example/debian.json"] = debian("a");
  out.sync(FeedKind::debian).value();
  const Instant imported = out.fleet.now;
  const SyncOutcome again = out.sync(FeedKind::debian).value();
  EXPECT_FALSE(again.changed);
  EXPECT_EQ(again.bytes, 0U);
  EXPECT_EQ(out.status(FeedKind::debian).imported_at, imported);
  EXPECT_EQ(out.status(FeedKind::debian).checked_at, out.fleet.now);
  EXPECT_TRUE(out.sync(FeedKind::debian, true)->changed) << "unless everything was asked for";
}

TEST(FeedSync, AnImportByHandIsNotTakenForWhatWasFetched) {
  Outside out;
  out.files["https://a.example/debian.json"] = debian("a");
  out.sync(FeedKind::debian).value();
  ASSERT_TRUE(out.fleet.import(FeedKind::debian, debian("b")).ok());
  EXPECT_TRUE(out.sync(FeedKind::debian)->changed);
}

TEST(FeedSync, TriesTheNextMirrorAndSaysWhichAnswered) {
  Outside out;
  out.broken["https://a.example/debian.json"] = {Errc::unavailable, "no route"};
  out.files["https://b.example/debian.json"] = debian("a");
  EXPECT_EQ(out.sync(FeedKind::debian)->source, "https://b.example/debian.json");
  out.broken.clear();
  out.files["https://a.example/debian.json"] = "this is no feed";
  EXPECT_EQ(out.sync(FeedKind::debian)->source, "https://b.example/debian.json")
      << "what cannot be read is no answer";
}

TEST(FeedSync, AFailureIsKeptAndToldOnceUntilItIsOver) {
  Outside out;
  out.files["https://a.example/debian.json"] = debian("a");
  out.sync(FeedKind::debian).value();
  const auto before = out.in_force("debian");
  for (const char* host : {"a", "b"}) {
    out.broken["https://" + std::string(host) + ".example/debian.json"] = {
        Errc::unavailable, std::string("it is down at ") + host};
  }
  const Instant checked = out.fleet.now;
  EXPECT_FALSE(out.sync(FeedKind::debian).ok());
  EXPECT_FALSE(out.sync(FeedKind::debian).ok());
  FeedStatus status = out.status(FeedKind::debian);
  EXPECT_EQ(status.failures, 2);
  EXPECT_EQ(status.failed_at, out.fleet.now);
  EXPECT_EQ(status.checked_at, checked) << "a failure is no check";
  EXPECT_NE(status.failure.find("it is down at a"), std::string::npos);
  EXPECT_NE(status.failure.find("it is down at b"), std::string::npos);
  EXPECT_EQ(out.events("feed_sync_failed"), 1);
  EXPECT_EQ(out.events("feed_sync_recovered"), 0);
  EXPECT_EQ(out.in_force("debian"), before);
  out.broken.clear();
  ASSERT_TRUE(out.sync(FeedKind::debian).ok());
  ASSERT_TRUE(out.sync(FeedKind::debian).ok());
  status = out.status(FeedKind::debian);
  EXPECT_EQ(status.failures, 0);
  EXPECT_EQ(out.events("feed_sync_recovered"), 1);
}

TEST(FeedSync, WaitsAsLongAsItsServerAsksButNotForEver) {
  Outside out;
  const std::string url = "https://a.example/debian.json";
  out.files[url] = debian("a");
  out.broken[url] = {Errc::rate_limited, "slow down"};
  out.broken[url].retry_after_seconds = 30;
  out.failures_left = 1;
  EXPECT_EQ(out.sync(FeedKind::debian)->source, url);
  EXPECT_EQ(out.pauses, std::vector<Duration>{std::chrono::seconds(30)});
  out.broken[url] = {Errc::rate_limited, "slow down"};
  out.broken[url].retry_after_seconds = 30;
  EXPECT_FALSE(out.sync(FeedKind::debian).ok());
  EXPECT_EQ(out.pauses.size(), 2U) << "each time";
  out.broken[url].retry_after_seconds = 3600;
  EXPECT_FALSE(out.sync(FeedKind::debian).ok());
  EXPECT_TRUE(out.pauses.empty()) << "longer than anybody waits";
}

TEST(FeedSync, OneThatIsGivenUpKeepsNothingOfItself) {
  Outside out;
  out.files["https://a.example/debian.json"] = debian("a");
  out.ends = true;
  EXPECT_FALSE(out.sync(FeedKind::debian).ok());
  EXPECT_EQ(out.asked.size(), 1U) << "no other mirror is tried";
  EXPECT_EQ(out.status(FeedKind::debian).failures, 0);
  EXPECT_TRUE(out.in_force("debian").empty());
}

TEST(FeedSync, TakesAGzipBombForAFailure) {
  Outside out;
  out.files["https://a.example/debian.json"] = std::string("\x1f\x8b\x08\x00 cut off", 12);
  EXPECT_FALSE(out.sync(FeedKind::debian).ok());
  EXPECT_TRUE(out.in_force("debian").empty());
}

TEST(FeedSync, OfEcosystemsFetchesAgainOnlyWhatChanged) {
  Outside out;
  const auto osv = [](const std::string& id, const std::string& ecosystem) {
    return R"({"id": ")" + id +
           R"(", "modified": "2026-01-01T00:00:00Z", "affected": [{"package":)" +
           R"( {"ecosystem": ")" + ecosystem +
           R"(", "name": "x"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}]})";
  };
  out.files["https://osv.example/PyPI/all.zip"] = osv("PYSEC-1", "PyPI");
  out.files["https://osv.example/npm/all.zip"] = osv("GHSA-1", "npm") + osv("GHSA-2", "npm");
  EXPECT_EQ(out.sync(FeedKind::osv)->files, 2U);
  EXPECT_EQ(out.in_force("osv").size(), 3U);
  EXPECT_EQ(out.status(FeedKind::osv).records, 3);
  out.files["https://osv.example/PyPI/all.zip"] = osv("PYSEC-1", "PyPI") + osv("PYSEC-2", "PyPI");
  EXPECT_EQ(out.sync(FeedKind::osv)->files, 1U);
  EXPECT_EQ(out.in_force("osv").size(), 4U);
  out.sources.osv_ecosystems = {"PyPI"};
  out.sync(FeedKind::osv).value();
  EXPECT_EQ(out.in_force("osv").size(), 2U) << "what is wanted no more is gone";
}

TEST(FeedSync, OfManyFilesGoesOnWhereTheLastOneEnded) {
  Outside out;
  out.put_years({});
  out.broken[Outside::year_url(2010)] = {Errc::unavailable, "cut"};
  const std::uint64_t snapshot = out.fleet->catalogue.current()->number;
  EXPECT_FALSE(out.sync(FeedKind::nvd).ok());
  EXPECT_EQ(out.in_force("nvd").size(), 8U);
  EXPECT_EQ(out.fleet->catalogue.current()->number, snapshot + 1) << "what came is matched";
  out.broken.clear();
  const SyncOutcome rest = out.sync(FeedKind::nvd).value();
  EXPECT_EQ(rest.files, 17U);
  EXPECT_EQ(out.in_force("nvd").size(), 25U);
}

TEST(FeedSync, AllAnewReplacesEverythingOrNothing) {
  Outside out;
  out.put_years({});
  out.sync(FeedKind::nvd).value();
  out.put_years({{2005, page({nvd("CVE-2005-0009", "2026-01-02T00:00:00.000", "q")}, 1, 0)}});
  out.broken[Outside::year_url(2026)] = {Errc::unavailable, "cut"};
  EXPECT_FALSE(out.sync(FeedKind::nvd, true).ok());
  EXPECT_TRUE(out.in_force("nvd").contains("CVE-2005-0001"));
  EXPECT_FALSE(out.in_force("nvd").contains("CVE-2005-0009"));
  out.broken.clear();
  ASSERT_TRUE(out.sync(FeedKind::nvd, true).ok());
  EXPECT_FALSE(out.in_force("nvd").contains("CVE-2005-0001"));
  EXPECT_TRUE(out.in_force("nvd").contains("CVE-2005-0009"));
  EXPECT_EQ(out.fleet.count("SELECT count(*) FROM advisories"), 25);
}

/// The number behind `name=` of a URL.
std::int64_t number_in(const std::string& url, const std::string& name) {
  const auto at = url.find(name + "=");
  if (at == std::string::npos) return -1;
  std::int64_t number = 0;
  for (std::size_t i = at + name.size() + 1; i < url.size() && url[i] >= '0' && url[i] <= '9';
       ++i) {
    number = number * 10 + (url[i] - '0');
  }
  return number;
}

/// An API that gives `records` in pages of two.
std::function<Result<http::Fetched>(const http::FetchOrder&)> api_of(
    const std::vector<std::string>& records) {
  return [&records](const http::FetchOrder& order) -> Result<http::Fetched> {
    const auto start = static_cast<std::size_t>(number_in(order.url, "startIndex"));
    std::vector<std::string> part;
    for (std::size_t i = start; i < std::min(start + 2, records.size()); ++i) {
      part.push_back(records[i]);
    }
    const std::string text =
        page(part, static_cast<std::int64_t>(records.size()), number_in(order.url, "startIndex"));
    order.take(text);
    http::Fetched fetched;
    fetched.bytes = text.size();
    return fetched;
  };
}

TEST(NvdChanges, ReplaceSingleRecordsPageByPageAtTheirPace) {
  Outside out;
  out.put_years({});
  out.sync(FeedKind::nvd).value();
  const std::vector<std::string> changes = {
      nvd("CVE-2026-0002", "2026-03-20T01:00:00.000", "new"),
      nvd("CVE-2005-0001", "2026-03-20T02:00:00.000", ""),  // rejected
      nvd("CVE-2006-0001", "2026-03-20T03:00:00.000", "other"),
  };
  out.answer = api_of(changes);
  const SyncOutcome done = out.sync(FeedKind::nvd).value();
  EXPECT_EQ(done.source, "https://nvd.example/api");
  EXPECT_EQ(out.asked.size(), 2U);
  EXPECT_EQ(out.pauses, std::vector<Duration>{std::chrono::seconds(6)});
  const auto records = out.in_force("nvd");
  EXPECT_EQ(records.size(), 25U);
  EXPECT_TRUE(records.contains("CVE-2026-0002"));
  EXPECT_FALSE(records.contains("CVE-2005-0001"));
  EXPECT_NE(records.at("CVE-2006-0001").find("other"), std::string::npos);
  EXPECT_EQ(out.status(FeedKind::nvd).records, 25);

  out.sources.nvd_api_key = "key";
  EXPECT_EQ(out.sync(FeedKind::nvd)->files, 2U);
  EXPECT_EQ(out.pauses, std::vector<Duration>{std::chrono::milliseconds(600)});
  EXPECT_EQ(out.headers, (std::vector<std::pair<std::string, std::string>>{{"apiKey", "key"}}));
}

TEST(NvdChanges, GoOnBehindTheLastPageThatCame) {
  Outside out;
  out.put_years({});
  out.sync(FeedKind::nvd).value();
  std::vector<std::string> changes;
  for (int i = 0; i < 6; ++i) {
    changes.push_back(nvd("CVE-2026-100" + std::to_string(i), "2026-03-20T01:00:00.000", "p"));
  }
  int calls = 0;
  out.answer = [&,
                inner = api_of(changes)](const http::FetchOrder& order) -> Result<http::Fetched> {
    if (order.url.find("/api?") == std::string::npos || ++calls == 2) {
      return Error{Errc::unavailable, "cut"};
    }
    return inner(order);
  };
  EXPECT_FALSE(out.sync(FeedKind::nvd).ok());
  EXPECT_EQ(out.in_force("nvd").size(), 27U) << "the first page";
  ASSERT_TRUE(out.sync(FeedKind::nvd).ok());
  EXPECT_EQ(number_in(out.asked.at(0), "startIndex"), 2);
  EXPECT_EQ(out.in_force("nvd").size(), 31U);
}

TEST(NvdChanges, AreReadAgainWhenTheyChangeWhileTheyAreRead) {
  Outside out;
  out.put_years({});
  out.sync(FeedKind::nvd).value();
  std::vector<std::string> changes;
  for (int i = 0; i < 4; ++i) {
    changes.push_back(nvd("CVE-2026-100" + std::to_string(i), "2026-03-20T01:00:00.000", "p"));
  }
  out.answer = [&, inner = api_of(changes)](const http::FetchOrder& order) {
    auto done = inner(order);
    if (changes.size() == 4) changes.erase(changes.begin());  // it was changed again
    return done;
  };
  ASSERT_TRUE(out.sync(FeedKind::nvd).ok());
  EXPECT_EQ(out.in_force("nvd").size(), 29U) << "none was passed over";
}

TEST(NvdChanges, ComeInWindowsOfAtMost120Days) {
  Outside out;
  out.put_years({});
  out.sync(FeedKind::nvd).value();
  out.fleet.now = out.fleet.now + std::chrono::hours(24 * 250);
  const std::vector<std::string> none;
  out.answer = api_of(none);
  ASSERT_TRUE(out.sync(FeedKind::nvd).ok());
  EXPECT_EQ(out.asked.size(), 3U);
}

TEST(NvdChanges, ComeAsAFileWhereThereIsNoApi) {
  Outside out;
  out.sources.nvd_api.clear();
  out.put_years({});
  out.sync(FeedKind::nvd).value();
  const std::string url = "https://nvd.example/nvdcve-2.0-modified.json.gz";
  out.files[url] = page({nvd("CVE-2026-0002", "2026-03-20T01:00:00.000", "new")}, 1, 0,
                        format_rfc3339(out.fleet.now));
  EXPECT_EQ(out.sync(FeedKind::nvd)->files, 1U);
  EXPECT_EQ(out.asked, std::vector<std::string>{url});
  EXPECT_EQ(out.in_force("nvd").size(), 26U);
  out.fleet.now = out.fleet.now + std::chrono::hours(24 * 10);
  out.sync(FeedKind::nvd).value();
  EXPECT_EQ(out.asked.size(), 25U) << "it covers eight days only";
}

TEST(NvdReached, IsReadAsItIsWritten) {
  const Instant at{1'700'000'000'000};
  for (const NvdReached& reached :
       {NvdReached{at}, NvdReached{at, at + std::chrono::hours(1), 2000, 4711}}) {
    EXPECT_EQ(parse_nvd_reached(format_nvd_reached(reached)), reached);
  }
  for (const char* text : {"", "x", "2026-03-20T00:00:00Z 1", "2026-03-20T00:00:00Z x 1 1"}) {
    EXPECT_EQ(parse_nvd_reached(text), std::nullopt) << text;
  }
}

TEST(FeedSync, OfADirectoryReadsItsFilesWhenOneChanged) {
  Outside out;
  const std::string root = out.fleet.directory.path() + "/mirror";
  std::filesystem::create_directories(root + "/nvd/old");
  const auto put = [&](const std::string& name, const std::string& content) {
    std::ofstream(root + "/" + name, std::ios::binary) << content;
  };
  put("nvd/a.json", page({nvd("CVE-2026-0001", "2026-03-20T01:00:00.000", "new")}, 1, 0));
  put("nvd/old/b.json", page({nvd("CVE-2026-0001", "2026-03-19T01:00:00.000", "old")}, 1, 0));
  put("debian-tracker.json", debian("a"));
  put("notes.txt", "none");
  out.sources.use_directory("file://" + root);
  const SyncOutcome done = out.sync(FeedKind::nvd).value();
  EXPECT_EQ(done.files, 2U);
  EXPECT_EQ(done.imported.superseded, 1U);
  EXPECT_NE(out.in_force("nvd").at("CVE-2026-0001").find("new"), std::string::npos);
  EXPECT_FALSE(out.sync(FeedKind::nvd)->changed);
  put("nvd/a.json", page({nvd("CVE-2026-0003", "2026-03-20T01:00:00.000", "newer")}, 1, 0));
  EXPECT_TRUE(out.sync(FeedKind::nvd)->changed);
  EXPECT_EQ(out.in_force("nvd").size(), 2U);
  EXPECT_TRUE(out.sync(FeedKind::debian)->changed);
  const auto missing = out.sync(FeedKind::kev);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, Errc::not_found);
  put("nvd/old/b.json", "no JSON");
  const auto broken = out.sync(FeedKind::nvd);
  ASSERT_FALSE(broken.ok());
  EXPECT_NE(broken.error().message.find(root + "/nvd/old/b.json: "), std::string::npos)
      << "of many files the one to look at: " << broken.error().message;
  EXPECT_TRUE(out.asked.empty()) << "nothing is fetched";
}

}  // namespace
}  // namespace muster::fleet
