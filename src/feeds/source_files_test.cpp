// SPDX-License-Identifier: Apache-2.0
#include "feeds/source_files.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "base/test_directory.h"

namespace muster::feeds {
namespace {

using Places = std::vector<std::string>;

Places places(const std::vector<SourceFile>& files) {
  Places out;
  for (const SourceFile& file : files) out.push_back(file.part + "=" + file.at);
  return out;
}

TEST(SourceFiles, ElsewhereAreOneForEachPart) {
  EXPECT_EQ(places(remote_files(FeedKind::nvd, "https://m/{year}.gz", {"2002", "modified"})),
            (Places{"2002=https://m/2002.gz", "modified=https://m/modified.gz"}));
  EXPECT_EQ(places(remote_files(FeedKind::osv, "https://m/{ecosystem}/all.zip",
                                {"crates.io", "Rocky Linux:9", "../x"})),
            (Places{"crates.io=https://m/crates.io/all.zip",
                    "Rocky Linux:9=https://m/Rocky%20Linux%3A9/all.zip",
                    "../x=https://m/..%2Fx/all.zip"}));
  EXPECT_EQ(places(remote_files(FeedKind::nvd, "https://m/all.json", {"2002", "2003"})),
            Places{"=https://m/all.json"})
      << "one file that holds all";
}

TEST(SourceFiles, OfADirectoryElsewhereHaveThePublishersNames) {
  const auto first = [](FeedKind kind, const std::string& part) {
    return remote_files(kind, "https://m/", {part}).at(0).at;
  };
  EXPECT_EQ(first(FeedKind::kev, ""), "https://m/known_exploited_vulnerabilities.json");
  EXPECT_EQ(first(FeedKind::epss, ""), "https://m/epss_scores-current.csv.gz");
  EXPECT_EQ(first(FeedKind::debian, ""), "https://m/debian-tracker.json");
  EXPECT_EQ(first(FeedKind::nvd, "2024"), "https://m/nvdcve-2.0-2024.json.gz");
  EXPECT_EQ(first(FeedKind::osv, "PyPI"), "https://m/PyPI/all.zip");
}

TEST(SourceFiles, OnThisMachineAreThoseOfTheKind) {
  const TestDirectory directory;
  const std::string root = directory.path();
  const auto put = [&](const std::string& name) {
    std::filesystem::create_directories(std::filesystem::path(root + "/" + name).parent_path());
    std::ofstream(root + "/" + name) << name;
  };
  for (const char* name :
       {"epss_scores-2026-01-01.csv.gz", "kev.json", "debian.json", "deb.json", "nvd/README.md",
        "nvd/b.json.zst", "nvd/a/c.json", "nvdcve-x.json", "other/kev.json"}) {
    put(name);
  }
  const auto found = [&](FeedKind kind) {
    const auto files = local_files(kind, root);
    return files.ok() ? places(*files) : Places{};
  };
  EXPECT_EQ(found(FeedKind::kev), Places{"kev.json=" + root + "/kev.json"});
  EXPECT_EQ(found(FeedKind::epss),
            Places{"epss_scores-2026-01-01.csv.gz=" + root + "/epss_scores-2026-01-01.csv.gz"});
  EXPECT_EQ(found(FeedKind::debian), Places{"debian.json=" + root + "/debian.json"});
  EXPECT_EQ(found(FeedKind::nvd), (Places{"nvd/a/c.json=" + root + "/nvd/a/c.json",
                                          "nvd/b.json.zst=" + root + "/nvd/b.json.zst"}))
      << "its own folder comes first";
  EXPECT_EQ(found(FeedKind::osv), Places{});
  EXPECT_EQ(places(local_files(FeedKind::osv, root + "/deb.json").value()),
            Places{"=" + root + "/deb.json"})
      << "a file is what it is said to be";
  EXPECT_EQ(local_files(FeedKind::kev, root + "/none").error().code, Errc::not_found);
}

TEST(SourceFiles, HaveAStampThatChangesWithThem) {
  const TestDirectory directory;
  const std::string path = directory.path() + "/f";
  EXPECT_EQ(stamp_of_file(path), "");
  std::ofstream(path) << "one";
  const std::string first = stamp_of_file(path);
  EXPECT_EQ(stamp_of_file(path), first);
  std::ofstream(path) << "three";
  EXPECT_NE(stamp_of_file(path), first);
}

TEST(SourceFiles, AreToldFromAddresses) {
  EXPECT_TRUE(is_local_source("/srv/feeds"));
  EXPECT_EQ(local_path("file:///srv/feeds"), "/srv/feeds");
  EXPECT_FALSE(is_local_source("https://m/"));
  EXPECT_FALSE(is_local_source("feeds"));
}

}  // namespace
}  // namespace muster::feeds
