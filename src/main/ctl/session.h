// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/json_read.h"
#include "base/result.h"
#include "base/time.h"
#include "http/request.h"
#include "net/client.h"

namespace muster::ctl {

/// Where a server is and how to reach it.
struct Address {
  std::string origin;
  std::string ca_file;  // empty: the system's
  Duration patience{};  // from the request to the end of its answer
};

/// Carries one request to the server and its answer back: net::Client, or canned answers in tests.
class Transport {
 public:
  virtual ~Transport() = default;
  /// Fails with unavailable when there is no answer.
  virtual Result<net::ClientResponse> send(const net::ClientRequest& request) = 0;
};

/// Conversations with the operator API as one operator.
class Session {
 public:
  /// `transport`, which leads to `address`, outlives the session.
  Session(Transport& transport, std::string token, Address address = {});

  /// For verbs that open connections of their own.
  const Address& address() const { return address_; }
  const std::string& token() const { return token_; }

  /// Every request that may name an organisation and names none names this one: for operators who
  /// have roles in several. Empty: none.
  void ask_about(std::string org) { org_ = std::move(org); }

  /// The body of a 2xx answer. Fails with what the server said of a refusal, in words that name
  /// the member it is about, and with unavailable when there is no answer of Muster at all.
  Result<std::string> call(http::Method method, std::string target, std::string body = {},
                           std::string_view content_type = "application/json");

  /// Calls `each` for the items of a list, in order, over all its pages or the first `limit`
  /// items. Returns whether there are more than that. `each` may have seen some items when it
  /// fails, with what call() fails with or with unavailable for an answer that is no page.
  /// `page`, if any, sees each page whole before its items.
  Result<bool> list(std::string_view path, std::string_view query, std::optional<std::size_t> limit,
                    const std::function<void(const Json&)>& each,
                    const std::function<void(const Json&)>& page = {});

 private:
  Transport& transport_;
  std::string token_;
  Address address_;
  std::string org_;
};

/// `text` as one part of a path or query: all but letters, digits and -._~ become %XX (RFC 3986).
std::string encode_component(std::string_view text);

}  // namespace muster::ctl
