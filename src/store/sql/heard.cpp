// SPDX-License-Identifier: Apache-2.0
#include "store/sql/heard.h"

#include <algorithm>
#include <array>
#include <string>
#include <tuple>
#include <utility>

#include "store/store.h"

namespace muster::store {

namespace {

// Of an organisation: a row holds some fifty agents of 100,000, and fits a page with 500 of a
// million.
constexpr std::uint64_t blocks = 2048;
// A block is a row of these, by ascending tail: both numbers from the highest octet on.
constexpr std::size_t tail_octets = 8;
constexpr std::size_t time_octets = 6;  // milliseconds since the epoch
constexpr std::size_t entry_octets = tail_octets + time_octets;

using BlockKey = std::pair<OrgId, std::int64_t>;

struct Entry {
  OrgId org;
  std::uint64_t tail = 0;
  std::int64_t unix_ms = 0;

  BlockKey block() const { return {org, static_cast<std::int64_t>(tail % blocks)}; }
  auto order() const { return std::tuple(org, tail % blocks, tail, unix_ms); }
};

struct Block {
  BlockKey key;
  std::string times;
};

void put_number(std::string& out, std::uint64_t number, std::size_t octets) {
  for (std::size_t i = octets; i-- > 0;) out.push_back(static_cast<char>(number >> (8 * i)));
}

std::uint64_t take_number(std::string_view& bytes, std::size_t octets) {
  std::uint64_t number = 0;
  for (const char octet : bytes.substr(0, octets)) {
    number = number << 8 | static_cast<unsigned char>(octet);
  }
  bytes.remove_prefix(octets);
  return number;
}

std::uint64_t tail_of(AgentId agent) {
  const auto& octets = agent.uuid.bytes;
  std::string_view bytes(reinterpret_cast<const char*>(octets.data()), octets.size());
  bytes.remove_prefix(bytes.size() - tail_octets);
  return take_number(bytes, tail_octets);
}

/// Of a row of org_id, block, times. Throws StoreError for what this did not write.
void read_block(const Rows& rows, std::vector<Entry>& entries) {
  std::string_view bytes = rows.blob(2);
  if (bytes.size() % entry_octets != 0) throw StoreError("a block of times that is none");
  while (!bytes.empty()) {
    Entry entry;
    entry.org = rows.number_id<OrgId>(0);
    entry.tail = take_number(bytes, tail_octets);
    entry.unix_ms = static_cast<std::int64_t>(take_number(bytes, time_octets));
    entries.push_back(entry);
  }
}

std::vector<Entry> read_all(Reader& reader) {
  std::vector<Entry> entries;
  Rows rows = reader.query("SELECT org_id, block, times FROM heard_blocks");
  while (rows.next()) read_block(rows, entries);
  return entries;
}

/// Those blocks of `keys` that there are.
std::vector<Entry> read_blocks(Reader& reader, const std::vector<BlockKey>& keys) {
  std::vector<Entry> entries;
  reader.query_batch(
      "SELECT org_id, block, times FROM heard_blocks WHERE org_id = $1 AND block = $2",
      "SELECT b.org_id, b.block, b.times"
      " FROM unnest($1::bigint[], $2::bigint[]) AS given (org_id, block)"
      " JOIN heard_blocks b ON b.org_id = given.org_id AND b.block = given.block",
      keys,
      [](const BlockKey& key) {
        return std::array<Param, 2>{key.first, key.second};
      },
      [&](const Rows& rows) { read_block(rows, entries); });
  return entries;
}

void sort_entries(std::vector<Entry>& entries) {
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.order() < b.order(); });
}

/// Of sorted entries, each once.
std::vector<BlockKey> keys_of(const std::vector<Entry>& entries) {
  std::vector<BlockKey> keys;
  for (const Entry& entry : entries) {
    if (keys.empty() || keys.back() != entry.block()) keys.push_back(entry.block());
  }
  return keys;
}

/// Of sorted entries: the last of an agent's counts.
std::vector<Block> pack(const std::vector<Entry>& entries) {
  std::vector<Block> packed;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Entry& entry = entries[i];
    if (packed.empty() || packed.back().key != entry.block()) packed.push_back({entry.block(), {}});
    const bool later_follows = i + 1 < entries.size() && entries[i + 1].org == entry.org &&
                               entries[i + 1].tail == entry.tail;
    if (later_follows) continue;
    put_number(packed.back().times, entry.tail, tail_octets);
    put_number(packed.back().times, static_cast<std::uint64_t>(entry.unix_ms), time_octets);
  }
  return packed;
}

std::array<Param, 3> values_of(const Block& block) {
  return {block.key.first, block.key.second, Blob{block.times}};
}

void insert_blocks(Tx& tx, const std::vector<Block>& rows) {
  tx.post_batch("INSERT INTO heard_blocks (org_id, block, times) VALUES ($1, $2, $3)",
                "INSERT INTO heard_blocks (org_id, block, times)"
                " SELECT * FROM unnest($1, $2, $3)",
                rows, values_of);
}

// An upsert would log a lock of each row beside its change on PostgreSQL.
void update_blocks(Tx& tx, const std::vector<Block>& rows) {
  tx.post_batch("UPDATE heard_blocks SET times = $3 WHERE org_id = $1 AND block = $2",
                "UPDATE heard_blocks b SET times = given.times"
                " FROM unnest($1, $2, $3) AS given (org_id, block, times)"
                " WHERE b.org_id = given.org_id AND b.block = given.block",
                rows, values_of);
}

}  // namespace

Instant HeardTimes::find(OrgId org, AgentId agent) const {
  const auto found = times_.find({org.value, tail_of(agent)});
  return found == times_.end() ? Instant{} : Instant{found->second};
}

Instant HeardTimes::later(OrgId org, AgentId agent, Instant last_seen) const {
  return std::max(last_seen, find(org, agent));
}

HeardTimes list_heard(Reader& reader) {
  HeardTimes times;
  for (const Entry& entry : read_all(reader)) {
    times.times_.emplace(std::pair(entry.org.value, entry.tail), entry.unix_ms);
  }
  return times;
}

HeardTimes list_heard(Reader& reader, const std::vector<AgentHeardRow>& agents) {
  std::vector<Entry> asked;
  for (const AgentHeardRow& row : agents) asked.push_back({row.org, tail_of(row.agent), 0});
  sort_entries(asked);
  HeardTimes times;
  for (const Entry& entry : read_blocks(reader, keys_of(asked))) {
    times.times_.emplace(std::pair(entry.org.value, entry.tail), entry.unix_ms);
  }
  return times;
}

void set_agent_heard(Tx& tx, const std::vector<AgentHeardRow>& rows) {
  if (rows.empty()) return;
  std::vector<Entry> entries;
  for (const AgentHeardRow& row : rows) {
    entries.push_back({row.org, tail_of(row.agent), row.last_seen.unix_ms});
  }
  sort_entries(entries);
  std::vector<Entry> stored = read_blocks(tx, keys_of(entries));
  sort_entries(stored);
  const std::vector<BlockKey> known = keys_of(stored);
  entries.insert(entries.end(), stored.begin(), stored.end());
  sort_entries(entries);
  std::vector<Block> fresh = pack(entries);
  const auto first_known = std::partition(fresh.begin(), fresh.end(), [&](const Block& block) {
    return !std::binary_search(known.begin(), known.end(), block.key);
  });
  const std::vector<Block> changed(std::make_move_iterator(first_known),
                                   std::make_move_iterator(fresh.end()));
  fresh.erase(first_known, fresh.end());
  insert_blocks(tx, fresh);
  update_blocks(tx, changed);
}

void bring_back_heard(Tx& tx, Instant now) {
  std::vector<Entry> entries = read_all(tx);
  for (Entry& entry : entries) entry.unix_ms = std::min(entry.unix_ms, now.unix_ms);
  sort_entries(entries);
  update_blocks(tx, pack(entries));
}

}  // namespace muster::store
