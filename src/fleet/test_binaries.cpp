// SPDX-License-Identifier: Apache-2.0
#include "fleet/test_binaries.h"

#include <algorithm>

#include "base/json_read.h"
#include "base/limits.h"
#include "base/text.h"
#include "fleet/blobs.h"
#include "fleet/cursor.h"
#include "store/sql/tasks.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

Error no_such_binary(std::string_view name) {
  return {Errc::not_found, "Binary not found: " + std::string(name)};
}

std::string target_of(const TestBinary& binary) {
  return binary.test.text() + "/" + binary.name;
}

void record(store::Tx& tx, NumberIds& ids, const Actor& actor, std::string_view action,
            const TestBinary& binary, Instant now) {
  record_audit(
      tx, ids, binary.org, actor, action, target_of(binary),
      [&](JsonWriter& details) {
        details.member("sha256", binary.sha256.text()).member("size", binary.size);
      },
      now);
}

/// "1/0190f1c2-…/name": where the next page goes on.
std::string cursor_of(const TestBinary& binary) {
  return std::to_string(binary.org.value) + "/" + target_of(binary);
}

Result<store::TestBinaryPlace> parse_cursor(std::string_view cursor) {
  store::TestBinaryPlace place;
  if (cursor.empty()) return place;
  const CursorParts all = TRY(split_cursor(cursor, '/'));
  const CursorParts target = TRY(split_cursor(all.rest, '/'));
  place.org = {TRY(parse_cursor_number(all.first))};
  place.test = TRY(parse_cursor_uuid(target.first));
  if (!is_binary_name(target.rest)) return not_a_cursor();
  place.name = target.rest;
  return place;
}

/// Whether a task is about that program; if so, under which digest its agent expects it.
struct Expectation {
  bool named = false;
  std::optional<crypto::Sha256> digest;
};
Expectation expectation_of(const model::Task& task, const Uuid& test, std::string_view name) {
  JsonDocument document;
  const Result<Json> payload = document.parse(task.payload);
  const auto text = [&](std::string_view member) {
    const auto value = payload.ok() ? payload->find(member) : std::nullopt;
    return std::string(value ? value->string().value_or("") : "");
  };
  const Result<Uuid> of = parse_uuid(text("test_uuid"));
  if (!of.ok() || *of != test || text("binary_name") != name) return {};
  return {true, crypto::parse_sha256(text("binary_sha256"))};
}

/// What the agent's task means by the name; nothing without such a task.
std::optional<crypto::Sha256> digest_for(store::Reader& reader, OrgId org, AgentId agent,
                                         const Uuid& test, std::string_view name) {
  for (const model::Task& task : store::list_tasks_in_hand(reader, org, agent)) {
    const Expectation expected = expectation_of(task, test, name);
    if (expected.digest) return expected.digest;
    const auto binary =
        expected.named ? store::find_test_binary(reader, org, test, name) : std::nullopt;
    if (binary) return binary->sha256;
  }
  return std::nullopt;
}

}  // namespace

bool is_binary_name(std::string_view name) {
  if (name.empty() || name.size() > limits::name_bytes || name.front() == '.') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

Result<TestBinary> register_test_binary(store::Tx& tx, NumberIds& ids, const Actor& actor,
                                        TestBinary binary, Instant now) {
  if (!is_binary_name(binary.name)) {
    return invalid_field("name",
                         "must be letters, digits, '.', '_' and '-', and begin with no dot");
  }
  const auto former = store::find_test_binary(tx, binary.org, binary.test, binary.name);
  const auto size = store::keep_blob(tx, {binary.org, binary.sha256});
  if (!size) return Error{Errc::not_found, "sha256: no such file was uploaded", "sha256"};
  binary.size = static_cast<std::int64_t>(*size);
  binary.uploaded_at = now;
  store::set_test_binary(tx, binary);
  if (former && former->sha256 != binary.sha256) {
    store::let_go_of_blob(tx, {former->org, former->sha256}, now + limits::loose_blob_life);
  }
  record(tx, ids, actor, "binaries.upload", binary, now);
  return binary;
}

Result<TestBinary> delete_test_binary(store::Tx& tx, NumberIds& ids, const Actor& actor, OrgId org,
                                      const Uuid& test, std::string_view name, Instant now) {
  auto binary = name.empty() ? std::nullopt : store::find_test_binary(tx, org, test, name);
  if (!binary) return no_such_binary(name);
  store::delete_test_binary(tx, org, test, name);
  store::let_go_of_blob(tx, {org, binary->sha256}, now + limits::loose_blob_life);
  record(tx, ids, actor, "binaries.delete", *binary, now);
  return *std::move(binary);
}

Result<TestBinaryPage> list_test_binary_page(store::Store& store, std::optional<OrgId> org,
                                             std::optional<Uuid> test, const std::string& cursor,
                                             int count) {
  const store::TestBinaryPlace after = TRY(parse_cursor(cursor));
  return store.read([&](store::Reader& reader) -> Result<TestBinaryPage> {
    TestBinaryPage page;
    page.binaries = store::list_test_binaries(reader, org, test, after, count + 1);
    page.total = store::count_test_binaries(reader, org, test);
    if (page.binaries.size() > static_cast<std::size_t>(count)) {
      page.binaries.pop_back();
      page.next_cursor = cursor_of(page.binaries.back());
    }
    return page;
  });
}

Result<OpenedBinary> open_test_binary(store::Store& store, OrgId org, AgentId agent,
                                      const Uuid& test, std::string_view name) {
  const auto digest =
      store.read([&](store::Reader& reader) { return digest_for(reader, org, agent, test, name); });
  auto content = digest ? open_blob(store, {org, *digest}) : std::nullopt;
  if (!content) return no_such_binary(name);
  return OpenedBinary{*digest, *std::move(content)};
}

}  // namespace muster::fleet
