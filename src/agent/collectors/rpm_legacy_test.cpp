// SPDX-License-Identifier: Apache-2.0
#include "agent/collectors/rpm_legacy.h"

#include <functional>
#include <vector>

#include <gtest/gtest.h>

#include "agent/testing/rpm_headers.h"

namespace muster::agent {
namespace {

void put(std::string& out, std::size_t at, std::uint32_t value, std::size_t octets) {
  if (out.size() < at + octets) out.resize(at + octets);
  for (std::size_t i = 0; i < octets; ++i)
    out[at + i] = static_cast<char>(value >> (8 * i) & 0xffU);
}

std::string number(std::uint32_t value) {
  std::string out;
  put(out, 0, value, 4);
  return out;
}

/// A `Packages` of Berkeley DB with pages of 512 octets.
class BerkeleyWriter {
 public:
  static constexpr std::size_t page_bytes = 512;

  BerkeleyWriter() {
    pages_.push_back(page(8, 0, 0));
    put(pages_[0], 12, 0x00061561, 4);
    put(pages_[0], 16, 9, 4);
    put(pages_[0], 20, page_bytes, 4);
  }

  /// A page of pairs: the number of a header, and how it is stored.
  void add_pairs(const std::vector<std::pair<std::uint32_t, std::string>>& pairs) {
    std::string made = page(13, static_cast<std::uint32_t>(2 * pairs.size()), 0);
    std::size_t end = page_bytes;
    std::size_t index = 26;
    const auto add_item = [&](const std::string& item) {
      end -= item.size();
      made.replace(end, item.size(), item);
      put(made, index, static_cast<std::uint32_t>(end), 2);
      index += 2;
    };
    for (const auto& [key, value] : pairs) {
      add_item('\1' + number(key));
      add_item(value);
    }
    pages_.push_back(made);
  }

  static std::string inline_value(const std::string& header) { return '\1' + header; }
  static std::string chain_value(std::uint32_t first, std::size_t size) {
    return '\3' + std::string(3, '\0') + number(first) + number(static_cast<std::uint32_t>(size));
  }
  /// A chain of pages with `part` octets each; gives the number of the first.
  std::uint32_t add_chain(const std::string& content, std::size_t part) {
    const auto first = static_cast<std::uint32_t>(pages_.size());
    for (std::size_t at = 0; at < content.size(); at += part) {
      const std::string octets = content.substr(at, part);
      const bool last = at + part >= content.size();
      std::string made = page(7, 1, static_cast<std::uint32_t>(octets.size()));
      put(made, 16, last ? 0 : static_cast<std::uint32_t>(pages_.size() + 1), 4);
      made.replace(26, octets.size(), octets);
      pages_.push_back(made);
    }
    return first;
  }
  std::string bytes() {
    put(pages_[0], 32, static_cast<std::uint32_t>(pages_.size() - 1), 4);
    std::string out;
    for (const std::string& one : pages_) out += one;
    return out;
  }

 private:
  static std::string page(char type, std::uint32_t entries, std::uint32_t offset) {
    std::string out(page_bytes, '\0');
    put(out, 20, entries, 2);
    put(out, 22, offset, 2);
    out[25] = type;
    return out;
  }

  std::vector<std::string> pages_;
};

/// A `Packages.db` of one page of slots, the headers behind it, and a free slot between them.
std::string ndb_of(const std::vector<std::string>& headers) {
  std::string out = "RpmP" + number(0) + number(7) + number(1) + number(9);
  out.resize(4096, '\0');
  for (std::size_t slot = 32; slot < 4096; slot += 16) out.replace(slot, 4, "Slot");
  std::size_t slot = 32;
  std::uint32_t index = 0;
  for (const std::string& header : headers) {
    const std::size_t blocks = (16 + header.size() + 12 + 15) / 16;
    const auto size = static_cast<std::uint32_t>(header.size());
    put(out, slot + 4, ++index, 4);
    put(out, slot + 8, static_cast<std::uint32_t>(out.size() / 16), 4);
    put(out, slot + 12, static_cast<std::uint32_t>(blocks), 4);
    std::string blob = "BlbS" + number(index) + number(7) + number(size) + header;
    blob.resize(blocks * 16 - 12, '\0');
    out += blob + number(0) + number(size) + "BlbE";
    slot += 32;
  }
  return out;
}

struct Taken {
  bool whole = false;
  Found found;
  std::size_t octets = 0;  // that were asked for
};

using Reader = bool (*)(const RpmFile&, std::string_view, Found&);

Taken take(Reader reader, const std::string& text) {
  Taken taken;
  const std::atomic<bool> stop{false};
  const ReadAt read = [&](std::uint64_t offset, std::size_t size) -> std::optional<std::string> {
    taken.octets += size;
    return text.substr(offset, size);
  };
  taken.whole = reader({read, text.size(), stop}, "rhel:8", taken.found);
  return taken;
}

/// One header within the page of its number, one on pages of its own, and the count of them.
std::string berkeley_file() {
  BerkeleyWriter writer;
  const std::string header = openssl_header();
  const std::uint32_t chain = writer.add_chain(header, 50);
  writer.add_pairs({{0, BerkeleyWriter::inline_value(number(2))},
                    {1, BerkeleyWriter::chain_value(chain, header.size())},
                    {2, BerkeleyWriter::inline_value(header)}});
  return writer.bytes();
}

TEST(RpmLegacy, ABerkeleyDatabaseHasHeadersInPagesAndOnChainsOfTheirOwn) {
  const Taken taken = take(&read_berkeley_rpms, berkeley_file());
  EXPECT_TRUE(taken.whole);
  ASSERT_EQ(taken.found.packages.size(), 2U);
  for (const model::Package& package : taken.found.packages) {
    EXPECT_EQ(package.name, "openssl-libs");
    EXPECT_EQ(package.version, "1:3.0.7-27.el9");
    EXPECT_EQ(package.distro, "rhel:8");
  }
  EXPECT_EQ(taken.found.malformed, 0U);
}

TEST(RpmLegacy, AnNdbDatabaseHasHeadersInBlocks) {
  const Taken taken = take(&read_ndb_rpms, ndb_of({openssl_header(), openssl_header()}));
  EXPECT_TRUE(taken.whole);
  ASSERT_EQ(taken.found.packages.size(), 2U);
  EXPECT_EQ(taken.found.packages[1].source_name, "openssl");
  EXPECT_TRUE(take(&read_ndb_rpms, ndb_of({})).whole);
}

TEST(RpmLegacy, AFileThatIsCutIsNotTakenForAll) {
  const std::string berkeley = berkeley_file();
  const std::string ndb = ndb_of({openssl_header()});
  for (std::size_t size = 0; size < berkeley.size(); ++size) {
    EXPECT_FALSE(take(&read_berkeley_rpms, berkeley.substr(0, size)).whole) << size;
  }
  for (std::size_t size = 0; size < ndb.size(); ++size) {
    EXPECT_FALSE(take(&read_ndb_rpms, ndb.substr(0, size)).whole) << size;
  }
}

TEST(RpmLegacy, NoChangedOctetLeadsBeyondTheFileOrRoundInIt) {
  for (const auto& [reader, whole] :
       {std::pair<Reader, std::string>{&read_berkeley_rpms, berkeley_file()},
        std::pair<Reader, std::string>{&read_ndb_rpms, ndb_of({openssl_header()})}}) {
    for (std::size_t at = 0; at < whole.size(); ++at) {
      for (const char octet : {'\0', '\1', '\3', '\x7f', '\xff'}) {
        std::string changed = whole;
        changed[at] = octet;
        const Taken taken = take(reader, changed);
        EXPECT_LE(taken.octets, 2 * whole.size() + 4096) << at;
        EXPECT_LE(taken.found.packages.size(), 2U) << at;
      }
    }
  }
}

TEST(RpmLegacy, AChainThatGoesRoundEnds) {
  BerkeleyWriter writer;
  const std::uint32_t chain = writer.add_chain(std::string(20, 'x'), 1);
  writer.add_pairs({{1, BerkeleyWriter::chain_value(chain, 60'000'000)}});
  std::string text = writer.bytes();
  put(text, (chain + 19) * BerkeleyWriter::page_bytes + 16, chain, 4);
  const Taken taken = take(&read_berkeley_rpms, text);
  EXPECT_FALSE(taken.whole);
  EXPECT_LE(taken.octets, 2 * text.size() + 512);
}

TEST(RpmLegacy, WhatIsAnotherFormIsNotRead) {
  const std::string sound = berkeley_file();
  const auto changed = [&](std::size_t at, char octet) {
    std::string text = sound;
    text[at] = octet;
    return take(&read_berkeley_rpms, text).whole;
  };
  EXPECT_FALSE(changed(24, 1)) << "encrypted";
  EXPECT_FALSE(changed(26, 1)) << "with check sums";
  EXPECT_FALSE(changed(25, 9)) << "a tree";
  EXPECT_FALSE(changed(16, 10)) << "of a later version";
  EXPECT_FALSE(take(&read_ndb_rpms, sound).whole);
  EXPECT_FALSE(take(&read_berkeley_rpms, ndb_of({})).whole);
}

TEST(RpmLegacy, AStoppedLookEnds) {
  const std::string text = berkeley_file();
  const std::atomic<bool> stop{true};
  const ReadAt read = [&](std::uint64_t offset, std::size_t size) -> std::optional<std::string> {
    return text.substr(offset, size);
  };
  Found found;
  EXPECT_FALSE(read_berkeley_rpms({read, text.size(), stop}, "rhel:8", found));
  EXPECT_TRUE(found.packages.empty());
}

}  // namespace
}  // namespace muster::agent
