// SPDX-License-Identifier: Apache-2.0
#include "vuln/index_file.h"

#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "base/test_directory.h"
#include "vuln/index_diff.h"
#include "vuln/match.h"

namespace muster::vuln {
namespace {

using model::Advisory;
using model::Ecosystem;
using model::Package;

Advisory of_debian(const std::string& id, const std::string& fixed) {
  Advisory row;
  row.feed = "debian";
  row.id = id;
  row.aliases = {"DSA-1-1"};
  row.ecosystem = Ecosystem::deb;
  row.distro = "debian:12";
  row.package = "widget";
  row.ranges = {{"", fixed, ""}};
  row.summary = "A flaw of widget.";
  return row;
}

Advisory of_nvd(const std::string& id, const std::string& fixed) {
  Advisory row;
  row.feed = "nvd";
  row.id = id;
  row.score_tenths = 98;
  row.configurations = {{false,
                         false,
                         {{false,
                           false,
                           {{"cpe:2.3:a:acme:gadget:*:*:*:*:*:*:*:*", true, {"", fixed, ""}},
                            {"cpe:2.3:a:acme:gadget:7.1:*:*:*:*:*:*:*", true, {}}}}}}};
  return row;
}

std::shared_ptr<const Index> sample() {
  Advisory broken = of_debian("CVE-2099-0003", "no version");
  return Index::build({of_debian("CVE-2099-0001", "1.5-1"), of_debian("CVE-2099-0002", "1.0-1"),
                       broken, of_nvd("CVE-2099-0004", "3.0"), of_nvd("CVE-2099-0005", "2.0")});
}

Package widget() {
  Package package;
  package.name = package.source_name = "widget";
  package.version = package.source_version = "1.2-1";
  package.ecosystem = Ecosystem::deb;
  package.distro = "debian:12";
  return package;
}

/// Found by its name, in the vocabulary.
Package gadget() {
  Package package;
  package.name = "Acme Gadget";
  package.vendor = "Acme";
  package.version = "2.5";
  package.ecosystem = Ecosystem::windows;
  return package;
}

class IndexFile : public testing::Test {
 protected:
  std::string content() const {
    std::ifstream in(file_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void set_content(std::string_view bytes) const {
    std::ofstream(file_, std::ios::binary) << bytes;
  }

  TestDirectory directory_{memory_backed_path()};
  const std::filesystem::path file_ = std::filesystem::path(directory_.path()) / "index";
};

TEST_F(IndexFile, GivesTheIndexThatWasWritten) {
  const auto written = sample();
  ASSERT_TRUE(write_index(*written, "key", file_));
  const auto read = read_index("key", file_);
  ASSERT_NE(read, nullptr);
  EXPECT_EQ(read->size(), written->size());
  EXPECT_EQ(read->incomparable(), 1U);
  EXPECT_TRUE(read->covers("debian:12"));
  EXPECT_TRUE(IndexDiff(*written, *read).empty());
  for (const Package& package : {widget(), gadget()}) {
    const Verdict verdict = match(*read, package);
    EXPECT_EQ(verdict.matches.size(), 1U) << package.name;
    EXPECT_EQ(verdict, match(*written, package)) << package.name;
  }
}

TEST_F(IndexFile, IsNoneUnderAnotherKeyOrWhereThereIsNone) {
  EXPECT_EQ(read_index("key", file_), nullptr);
  ASSERT_TRUE(write_index(*sample(), "key", file_));
  EXPECT_EQ(read_index("ke", file_), nullptr);
  EXPECT_EQ(read_index("key\n", file_), nullptr);
  EXPECT_EQ(read_index("yek", file_), nullptr);
  EXPECT_NE(read_index("key", file_), nullptr);
}

TEST_F(IndexFile, IsNoneWhenAnyOctetOfItChangedOrIsMissing) {
  ASSERT_TRUE(write_index(*sample(), "key", file_));
  const std::string whole = content();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    set_content(damaged);
    ASSERT_EQ(read_index("key", file_), nullptr) << at;
  }
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    set_content(std::string_view(whole).substr(0, size));
    ASSERT_EQ(read_index("key", file_), nullptr) << size;
  }
  set_content(whole + '\0');
  EXPECT_EQ(read_index("key", file_), nullptr);
}

TEST_F(IndexFile, SaysWhenItCannotBeWritten) {
  EXPECT_FALSE(write_index(*sample(), "key", file_ / "below" / "a file that is not there"));
}

}  // namespace
}  // namespace muster::vuln
