// SPDX-License-Identifier: Apache-2.0
// What stands in files that packagers, users and attackers put on a host. The first octet chooses
// the format.
#include <array>
#include <cstdint>

#include "agent/collectors/databases.h"
#include "agent/collectors/go_binary.h"
#include "agent/collectors/manifests.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace muster;
  using namespace muster::agent;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  constexpr std::string_view path =
      "home/u/.config/chromium/Default/Extensions/id/1_0/manifest.json";
  constexpr std::array manifests = {&parse_python_metadata,
                                    &parse_npm_package,
                                    &parse_gemspec,
                                    &parse_cargo_installs,
                                    &parse_snap,
                                    &parse_metainfo,
                                    &parse_editor_extension,
                                    &parse_chromium_extension,
                                    &parse_firefox_extensions};
  Found found;
  const std::size_t format = bytes[0] % (manifests.size() + 5);
  if (format < manifests.size()) {
    manifests[format](text, path, found);
  } else if (format == manifests.size()) {
    parse_apk(text, "alpine:3.21", found);
  } else if (format == manifests.size() + 1) {
    parse_pacman(text, "arch", found);
  } else if (format == manifests.size() + 2) {
    parse_rpm_header(text, "rhel:9", found);
  } else if (format == manifests.size() + 3) {
    parse_go_buildinfo(text, found);
  } else {
    read_go_binary(
        [&](std::uint64_t offset, std::size_t wanted) -> std::optional<std::string> {
          if (offset > text.size()) return "";
          return std::string(text.substr(offset, wanted));
        },
        found);
  }
  for (const model::Package& package : found.packages) {
    CHECK(!package.name.empty() && package.name.size() <= limits::name_bytes);
    CHECK(is_plain_text(package.name) && is_plain_text(package.version));
  }
  return 0;
}
