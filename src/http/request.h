// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/limits.h"
#include "base/time.h"
#include "http/role.h"

namespace muster::http {

class BodyPlace;

enum class Method : std::uint8_t { get, head, post, put, patch, del, other };
std::string_view method_name(Method method);

/// The header fields of a request, in order. Views into the session's memory.
class Headers {
 public:
  struct Field {
    std::string_view name;
    std::string_view value;
  };
  /// False when there is no room: the caller answers 431 or closes.
  bool add(std::string_view name, std::string_view value) {
    if (count_ == fields_.size()) return false;
    fields_[count_++] = {name, value};
    return true;
  }
  /// Value of the first field of that name in any case; empty if there is none.
  std::string_view find(std::string_view name) const;
  bool has(std::string_view name) const;
  /// Values of all fields of that name as one list, joined by commas (RFC 9110 5.3).
  std::string list(std::string_view name) const;

 private:
  const Field* field(std::string_view name) const;

  std::array<Field, limits::head_fields> fields_;
  std::size_t count_ = 0;
};

/// Permissions of an inventory key, as bits. `agent`: the routes of sites' reporters. `read`: what
/// an operator reads who is read_only in the key's organisation. `import`: importing feeds.
enum class Scope : std::uint8_t { agent = 1, read = 2, import = 4 };

/// Who a guard found behind a request. Handlers trust it and nothing else about identity.
struct Caller {
  enum class Kind : std::uint8_t { nobody, agent, inventory_key, operator_of_server };
  Kind kind = Kind::nobody;
  std::uint8_t scopes = 0;       // inventory_key
  Authority authority;           // operator_of_server, and a key on their routes: what it may where
  Role least = Role::none;       // likewise: the least role of the route
  OrgId org;                     // agent, inventory_key; 0 for operators
  AgentId agent;                 // agent
  HostId host;                   // agent
  std::int64_t key = 0;          // id of the inventory key or operator; generation of an agent's
  SessionId session;             // operator_of_server: of the console; 0 with a token
  std::int64_t offered_key = 0;  // agent: the generation to offer it in exchange; 0 is none
  Instant sent_at;               // agent: by its own clock
  bool first_use = false;        // agent: of this key, to be recorded before the call is answered
  bool ended = false;            // agent: it may repeat its last result and nothing else
  bool returning = false;        // agent: superseded, and its call shows that it is alive
  bool splitting = false;        // agent: of two machines with this key one is to have another

  bool may(Scope scope) const { return (scopes & static_cast<std::uint8_t>(scope)) != 0; }
  /// An operator whom only what it is in some organisations lets do what the route does.
  bool is_limited() const { return authority.on_server < least; }
};

/// Values of the `:name` parts of a route, in the order of the pattern.
class Params {
 public:
  static constexpr std::size_t size_max = 4;
  void add(std::string_view value) { values_[count_++] = value; }
  std::string_view operator[](std::size_t index) const { return values_[index]; }
  std::size_t size() const { return count_; }

 private:
  std::array<std::string_view, size_max> values_;
  std::size_t count_ = 0;
};

/// One request as values: no socket behind it. The views are valid while a handler runs; what must
/// outlive it (a closure that joins the commit) is copied.
struct Request {
  Method method = Method::other;
  std::string_view path;   // without the query, not decoded
  std::string_view query;  // after '?', not decoded
  Headers headers;
  std::string_view body;
  bool body_shortened = false;      // it was longer (shorten_json.h)
  BodyPlace* body_place = nullptr;  // what a large one has of its budget (body_budget.h)
  std::string_view peer_address;    // numeric IP of the caller, as far as trusted proxies know it
  /// The connection is a trusted proxy's: an address on loopback would be that proxy's loopback.
  bool through_proxy = false;
  Instant now;  // read once when the request arrived
  /// The server ends, or has more to write than it can: whoever can is to call less often.
  bool strained = false;
  Caller caller;
  Params params;

  Request() = default;
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;
};

/// Percent-decodes a query component; '+' is a space. Nothing for malformed escapes.
std::optional<std::string> decode_component(std::string_view text);

/// Decoded value of a query parameter; nothing if absent or malformed.
std::optional<std::string> query_param(std::string_view query, std::string_view name);

}  // namespace muster::http
