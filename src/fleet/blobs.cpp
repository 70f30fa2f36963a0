// SPDX-License-Identifier: Apache-2.0
#include "fleet/blobs.h"

#include <algorithm>

#include "base/limits.h"
#include "store/sql/tasks.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

using limits::blob_chunk_bytes;
using limits::blob_chunks_per_commit;

/// Looked at in one call of delete_loose_blobs(); the rest waits for the next.
constexpr int due_blobs = 100;

/// Whether there is room for a file of `size` that is not there yet.
Result<void> check_room(store::Reader& reader, OrgId org, std::size_t size) {
  const auto mib = [](std::size_t bytes) { return std::to_string(bytes / limits::MiB) + " MiB"; };
  const store::BlobRoom room =
      store::sum_blobs(reader, org, static_cast<std::int64_t>(blob_counts_bytes));
  const auto fits = [&](std::int64_t taken, std::size_t bound) {
    return static_cast<std::size_t>(taken) + std::max(size, blob_counts_bytes) <= bound;
  };
  if (!fits(room.loose, loose_blobs_bytes)) {
    return Error{Errc::rate_limited,
                 "Files that nothing uses take " + mib(loose_blobs_bytes) +
                     " at most; each goes three hours after its upload.",
                 {},
                 600};
  }
  if (org != store::server_org && !fits(room.all, org_blobs_bytes)) {
    return Error{Errc::body_too_large, "The files of an organization take " + mib(org_blobs_bytes) +
                                           " at most: delete test binaries that it does not need."};
  }
  return {};
}

class StoredBlob final : public http::BodySource {
 public:
  StoredBlob(store::Store& store, const store::BlobName& name) : store_(store), name_(name) {}

  std::string read(std::uint64_t offset) override {
    const auto position = static_cast<std::int64_t>(offset / blob_chunk_bytes);
    std::string chunk = store_.read(
        [&](store::Reader& reader) { return store::find_chunk(reader, name_, position); });
    chunk.erase(0, offset % blob_chunk_bytes);
    return chunk;
  }

 private:
  store::Store& store_;
  store::BlobName name_;
};

/// Puts the deletion of a program off that a task names which is not over.
bool put_off(store::Store& store, const store::BlobName& name, Instant now) {
  const bool wanted = store.read([&](store::Reader& reader) {
    return store::is_program_wanted(reader, name.org, name.sha256.text());
  });
  if (!wanted) return false;
  // If somebody keeps it meanwhile, this ends when the time is up: it is referred to.
  store.write(
      [&](store::Tx& tx) { store::let_go_of_blob(tx, name, now + limits::loose_blob_life); });
  return true;
}

}  // namespace

Result<crypto::Sha256> store_blob(store::Store& store, NumberIds& ids, const Actor& actor,
                                  OrgId org, std::string_view content, Instant now) {
  constexpr std::size_t step = blob_chunk_bytes * blob_chunks_per_commit;
  const store::BlobName name{org, crypto::sha256(content)};
  const Result<bool> there = store.write([&](store::Tx& tx) -> Result<bool> {
    if (!store::has_blob_row(tx, name)) TRY(check_room(tx, org, content.size()));
    return store::begin_blob(tx, name, content.size(), now + limits::loose_blob_life);
  });
  if (!there.ok()) return there.error();
  if (*there) return name.sha256;
  for (std::size_t at = 0; at < content.size(); at += step) {
    const std::size_t end = std::min(at + step, content.size());
    store.write([&](store::Tx& tx) {
      for (std::size_t from = at; from < end; from += blob_chunk_bytes) {
        store::insert_chunk(tx, name, static_cast<std::int64_t>(from / blob_chunk_bytes),
                            content.substr(from, std::min(blob_chunk_bytes, end - from)));
      }
    });
  }
  store.write([&](store::Tx& tx) {
    if (!store::finish_blob(tx, name, now)) return;  // another upload of the same has told
    record_audit(
        tx, ids, org, actor, "blobs.upload", name.sha256.text(),
        [&](JsonWriter& details) { details.member("size", content.size()); }, now);
  });
  return name.sha256;
}

std::optional<http::Stream> open_blob(store::Store& store, const store::BlobName& name) {
  const auto size =
      store.read([&](store::Reader& reader) { return store::find_blob(reader, name); });
  if (!size) return std::nullopt;
  return http::Stream{std::make_shared<StoredBlob>(store, name), 0, *size};
}

std::size_t delete_loose_blobs(store::Store& store, Instant now) {
  const auto due = store.read(
      [&](store::Reader& reader) { return store::list_due_blobs(reader, now, due_blobs); });
  for (const store::BlobName& name : due) {
    bool more = !put_off(store, name, now);
    while (more) {
      more = store.write([&](store::Tx& tx) {
        return store::delete_some_of_blob(tx, name, now, static_cast<int>(blob_chunks_per_commit));
      });
    }
  }
  return due.size();
}

}  // namespace muster::fleet
