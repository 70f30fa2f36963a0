// SPDX-License-Identifier: Apache-2.0
// The first byte chooses a scheme, the rest is three texts between line ends. Any bytes compare
// without leaving them; those that are versions obey the laws of an order.
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "version/scheme.h"

namespace {

using namespace muster::version;

constexpr std::array all_schemes{
#define SCHEME(name) Scheme::name,
#include "version/schemes.def"
#undef SCHEME
};

std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  const auto line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

/// pacman calls a version without a release equal to each of its releases, so there the third law
/// holds among versions with a release and among those without.
bool may_be_chained(Scheme scheme, std::string_view a, std::string_view b, std::string_view c) {
  if (scheme_name(scheme) != "pacman") return true;
  const auto released = [](std::string_view text) { return text.find('-') != text.npos; };
  return released(a) == released(b) && released(b) == released(c);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const Scheme scheme = all_schemes[bytes[0] % all_schemes.size()];
  std::string_view rest(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const std::string_view texts[] = {take_line(rest), take_line(rest), rest};
  bool valid[3];
  for (std::size_t i = 0; i < 3; ++i) {
    valid[i] = validate(scheme, texts[i]).ok();
    CHECK(compare_valid(scheme, texts[i], texts[i]) == 0);
  }
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) {
      const auto order = compare_valid(scheme, texts[i], texts[j]);
      CHECK(order == 0 <=> compare_valid(scheme, texts[j], texts[i]));
      const auto checked = compare(scheme, texts[i], texts[j]);
      CHECK(checked.ok() == (valid[i] && valid[j]));
      CHECK(!checked.ok() || *checked == order);
    }
  }
  if (!valid[0] || !valid[1] || !valid[2]) return 0;
  if (!may_be_chained(scheme, texts[0], texts[1], texts[2])) return 0;
  for (std::size_t i = 0; i < 3; ++i) {
    const auto first = compare_valid(scheme, texts[i], texts[(i + 1) % 3]);
    const auto second = compare_valid(scheme, texts[(i + 1) % 3], texts[(i + 2) % 3]);
    const auto both = compare_valid(scheme, texts[i], texts[(i + 2) % 3]);
    if (first <= 0 && second <= 0) CHECK(both == (first == 0 ? second : first));
    if (first >= 0 && second >= 0) CHECK(both == (first == 0 ? second : first));
  }
  return 0;
}
