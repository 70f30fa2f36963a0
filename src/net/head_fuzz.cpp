// SPDX-License-Identifier: Apache-2.0
// Any bytes: a head is refused or gives views into itself, and a chunked body reads the same
// however it is cut into pieces.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "net/head.h"

namespace {

using namespace muster;

constexpr std::size_t body_max = 1000;

struct Read {
  int status = 0;  // 0: whole, -1: more is needed
  std::string body;
};

Read read_in_steps(std::string_view head, std::string_view rest, std::size_t step) {
  http::Request request;
  net::RequestParser parser;
  CHECK(!parser.parse_head(head, request));
  Read out;
  std::string pending;
  while (!rest.empty()) {
    pending.append(rest.substr(0, step));
    rest.remove_prefix(std::min(step, rest.size()));
    std::size_t used = 0;
    if (const auto refused = parser.put_chunks(pending, out.body, body_max, used)) {
      out.status = static_cast<int>(refused->code) + 1;
      return out;
    }
    CHECK(used <= pending.size() && out.body.size() <= body_max);
    pending.erase(0, used);
    if (parser.chunks_done()) return out;
  }
  out.status = -1;
  return out;
}

bool inside(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(bytes), size);
  std::size_t scanned = 0;
  const std::size_t head_size = net::find_head(input, scanned);
  if (head_size == 0) {
    net::refuse_front(input);
    return 0;
  }
  const std::string_view head = input.substr(0, head_size);
  http::Request request;
  net::RequestParser parser;
  if (parser.parse_head(head, request)) return 0;
  CHECK(!request.path.empty() && inside(request.query, head));
  CHECK(parser.framing().http_1_0 || request.headers.has("host"));
  CHECK(!parser.framing().chunked || parser.framing().content_length == 0);
  if (!parser.framing().chunked) return 0;
  const Read whole = read_in_steps(head, input.substr(head_size), input.size());
  const Read cut = read_in_steps(head, input.substr(head_size), 1);
  // Cut finely a bad byte is met before or after a limit, but never accepted on one way only.
  CHECK((whole.status == 0) == (cut.status == 0));
  CHECK(whole.status != 0 || whole.body == cut.body);
  return 0;
}
