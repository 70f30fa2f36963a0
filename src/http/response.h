// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/unique_function.h"

namespace muster::store {
class Tx;
struct JointWork;
}  // namespace muster::store

namespace muster::http {

/// Content that is too large to be held, read piece by piece while it is sent.
class BodySource {
 public:
  virtual ~BodySource() = default;
  /// Some of the octets from `offset` on, at most limits::blob_chunk_bytes; none when they cannot
  /// be had any more. Runs on a worker, one call at a time. Throws what the environment throws.
  virtual std::string read(std::uint64_t offset) = 0;
};

/// `bytes` octets of a source from `offset` on.
struct Stream {
  std::shared_ptr<BodySource> source;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

/// Content without an end that is known: said piece by piece as it comes about, until it is over or
/// the peer goes. The connection ends with it.
class LiveSource {
 public:
  virtual ~LiveSource() = default;
  /// What there is to say now, some hundred octets; empty when there is nothing, and none once it
  /// is over. Memory only: runs on an IO thread.
  virtual std::optional<std::string> take() = 0;
  /// From now on `wake` is called when take() may have something to say, on any thread; it returns
  /// at once. An empty one ends that: no call is under way when this returns.
  virtual void wake_by(UniqueFunction<void()> wake) = 0;
};

/// One answer as values. `Content-Length`, `Date` and `Connection` are the session's business.
struct Response {
  int status = 200;
  std::string body = {};
  std::string_view content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers = {};
  /// Instead of `body`: octets that outlive the server, so that whoever reads slowly holds no copy.
  std::string_view kept_body = {};
  std::optional<Stream> stream = {};      // instead of `body`
  std::shared_ptr<LiveSource> live = {};  // instead of either

  std::uint64_t body_bytes() const { return stream ? stream->bytes : octets().size(); }
  /// Of the body that is held, whoever holds it.
  std::string_view octets() const { return kept_body.empty() ? std::string_view(body) : kept_body; }
};

/// Work that needs the store's writer: runs inside the next group commit and yields the answer,
/// which is sent once that commit is on disk. An Error undoes what this closure wrote, alone.
class Write {
 public:
  Write() = default;
  template <typename F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, Write> &&
           std::is_invocable_r_v<Result<Response>, F&, store::Tx&>)
      Write(F run)  // NOLINT: implicit, as the function that it is
      : run_(std::move(run)) {}
  /// `run` owns `joint`: what the store may do for many of its kind before it runs (store/store.h).
  template <typename F>
  Write(F run, store::JointWork* joint) : run_(std::move(run)), joint_(joint) {}

  Result<Response> operator()(store::Tx& tx) { return run_(tx); }
  store::JointWork* joint() const { return joint_; }

 private:
  UniqueFunction<Result<Response>(store::Tx&)> run_;
  store::JointWork* joint_ = nullptr;
};

/// What a handler returns: an answer, or the work that yields it.
using Reply = std::variant<Response, Write>;

/// HTTP status of a failure: the one table, base/errc.def.
int status_of(Errc code);

inline Response json_response(int status, std::string body) {
  return {status, std::move(body)};
}

}  // namespace muster::http
