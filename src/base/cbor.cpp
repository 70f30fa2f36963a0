// SPDX-License-Identifier: Apache-2.0
#include "base/cbor.h"

#include "base/limits.h"
#include "base/text.h"

namespace muster {

namespace {

/// RFC 8949 §3.1.
enum class Major : std::uint8_t {
  unsigned_integer,
  negative_integer,
  octets,
  text,
  array,
  map,
  tag,
  simple
};

struct Head {
  Major major = Major::simple;
  std::uint64_t argument = 0;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::optional<Cbor> value(std::size_t depth) {
    if (++values_ > limits::cbor_values) return std::nullopt;
    const auto head = take_head();
    if (!head) return std::nullopt;
    switch (head->major) {
      case Major::unsigned_integer:
      case Major::negative_integer:
        return integer(*head);
      case Major::octets:
      case Major::text:
        return string(*head);
      case Major::array:
      case Major::map:
        return depth == 0 ? std::nullopt : items(*head, depth - 1);
      case Major::simple:
        return simple(head->argument);
      case Major::tag:
        break;
    }
    return std::nullopt;
  }
  std::string_view rest() const { return rest_; }

 private:
  /// The argument in its shortest form alone: nothing for indefinite lengths and for floats, whose
  /// heads look like long simple values.
  std::optional<Head> take_head() {
    if (rest_.empty()) return std::nullopt;
    const auto first = static_cast<unsigned char>(rest_[0]);
    rest_.remove_prefix(1);
    Head head{Major(first >> 5U), first & 0x1FU};
    constexpr unsigned in_one_byte = 24;  // and 25, 26, 27 in two, four and eight
    if (head.argument < in_one_byte) return head;
    if (head.argument > in_one_byte + 3 || head.major == Major::simple) return std::nullopt;
    const std::size_t size = std::size_t{1} << (head.argument - in_one_byte);
    if (rest_.size() < size) return std::nullopt;
    std::uint64_t argument = 0;
    for (std::size_t at = 0; at < size; ++at) {
      argument = argument << 8U | static_cast<unsigned char>(rest_[at]);
    }
    rest_.remove_prefix(size);
    const bool fits_shorter = size == 1 ? argument < in_one_byte : argument >> (size * 4U) == 0;
    if (fits_shorter) return std::nullopt;
    head.argument = argument;
    return head;
  }

  static std::optional<Cbor> integer(const Head& head) {
    if (head.argument > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
    Cbor value;
    value.kind = Cbor::Kind::integer;
    value.number = static_cast<std::int64_t>(head.argument);
    if (head.major == Major::negative_integer) value.number = -1 - value.number;
    return value;
  }

  static std::optional<Cbor> simple(std::uint64_t which) {
    constexpr std::uint64_t no = 20, yes = 21, null = 22;
    Cbor value;
    if (which == null) return value;
    if (which != no && which != yes) return std::nullopt;
    value.kind = Cbor::Kind::boolean;
    value.flag = which == yes;
    return value;
  }

  std::optional<Cbor> string(const Head& head) {
    if (head.argument > rest_.size()) return std::nullopt;
    Cbor value;
    value.kind = head.major == Major::text ? Cbor::Kind::text : Cbor::Kind::octets;
    value.bytes = rest_.substr(0, head.argument);
    rest_.remove_prefix(head.argument);
    if (value.kind == Cbor::Kind::text && !is_plain_text(value.bytes)) return std::nullopt;
    return value;
  }

  std::optional<Cbor> items(const Head& head, std::size_t depth) {
    if (head.argument > limits::cbor_values) return std::nullopt;
    Cbor value;
    value.kind = head.major == Major::map ? Cbor::Kind::map : Cbor::Kind::array;
    std::string_view former;
    for (std::uint64_t left = head.argument; left > 0; --left) {
      if (value.kind == Cbor::Kind::map && !take_key(value, former)) return std::nullopt;
      auto item = this->value(depth);
      if (!item) return std::nullopt;
      value.items.push_back(*std::move(item));
    }
    return value;
  }

  /// Keys are integers and texts; their order is that of their encodings, the shorter before the
  /// longer within a major type.
  bool take_key(Cbor& map, std::string_view& former) {
    const std::string_view before = rest_;
    auto key = value(0);
    if (!key || (key->kind != Cbor::Kind::integer && key->kind != Cbor::Kind::text)) return false;
    const std::string_view encoded = before.substr(0, before.size() - rest_.size());
    if (!former.empty() && !is_before(former, encoded)) return false;
    former = encoded;
    map.items.push_back(*std::move(key));
    return true;
  }

  static bool is_before(std::string_view a, std::string_view b) {
    const auto major = [](std::string_view key) {
      return static_cast<unsigned char>(key[0]) >> 5U;
    };
    if (major(a) != major(b)) return major(a) < major(b);
    if (a.size() != b.size()) return a.size() < b.size();
    return a < b;
  }

  std::string_view rest_;
  std::size_t values_ = 0;
};

template <typename Is>
const Cbor* find_key(const Cbor& map, Is&& is) {
  if (map.kind != Cbor::Kind::map) return nullptr;
  for (std::size_t at = 0; at + 1 < map.items.size(); at += 2) {
    if (is(map.items[at])) return &map.items[at + 1];
  }
  return nullptr;
}

}  // namespace

const Cbor* Cbor::find(std::int64_t key) const {
  return find_key(*this, [&](const Cbor& each) { return each.integer() == key; });
}

const Cbor* Cbor::find(std::string_view key) const {
  return find_key(*this, [&](const Cbor& each) { return each.text() == key; });
}

std::optional<std::int64_t> Cbor::integer() const {
  if (kind != Kind::integer) return std::nullopt;
  return number;
}

std::optional<std::string_view> Cbor::octets() const {
  if (kind != Kind::octets) return std::nullopt;
  return bytes;
}

std::optional<std::string_view> Cbor::text() const {
  if (kind != Kind::text) return std::nullopt;
  return bytes;
}

std::optional<Cbor> take_cbor(std::string_view& bytes) {
  Reader reader(bytes);
  auto value = reader.value(limits::cbor_depth);
  if (value) bytes = reader.rest();
  return value;
}

std::optional<Cbor> parse_cbor(std::string_view bytes) {
  auto value = take_cbor(bytes);
  if (!bytes.empty()) return std::nullopt;
  return value;
}

}  // namespace muster
