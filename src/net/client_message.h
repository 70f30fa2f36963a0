// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/client.h"
#include "net/origin.h"

/// What a client writes and reads, apart from how it waits: for Client and ClientFleet.
namespace muster::net {

/// True when `text` could not break out of its line of the head (RFC 9110 5.5).
bool is_field_value(std::string_view text);

/// The head of `request`; its body follows as it is. Fails with invalid_field for a target that is
/// no path and for a header that is none.
Result<std::string> write_request_head(const ClientRequest& request, const Origin& origin,
                                       std::string_view user_agent);

/// Reads one answer, whatever the pieces it comes in. Interim answers (1xx) are passed over.
class AnswerParser {
 public:
  /// An answer with a larger body is refused.
  explicit AnswerParser(std::size_t body_bytes_max);
  ~AnswerParser();
  AnswerParser(AnswerParser&&) noexcept;
  AnswerParser& operator=(AnswerParser&&) noexcept;

  /// Takes all of `bytes`. Fails with unavailable when they are no answer or too large a one;
  /// nothing may be put after that.
  Result<void> put(std::string_view bytes);
  /// The peer has closed: false if that cuts the answer off.
  bool end();

  /// Whether there was any byte.
  bool started() const;
  bool done() const;
  /// Once it is done: whether another request may follow. Bytes after the answer belong to no
  /// request, so such a connection is never reused.
  bool keep_alive() const;
  /// Once it is done, once.
  ClientResponse take();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace muster::net
