// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vuln/string_pool.h"

namespace muster::vuln {

/// A name as it reads: folded, with only letters, digits, "+" and "#" left, so that "Visual Studio
/// Code", "visual_studio_code" and "VisualStudioCode" are one. Escapes of CPE go the same way.
std::string name_key(std::string_view name);

/// name_key() of a CPE vendor without what CPE hangs on the name: "putty_project" is "putty".
std::string vendor_key(std::string_view cpe_vendor);

/// The programs that an index has advisories about, found by how a product's name reads. Programs
/// for a host's own system only: no plugin of a site, no app of a telephone, no library. Immutable.
class Vocabulary {
 public:
  struct Program {
    std::uint64_t key;         // of name_key(product)
    std::uint32_t vendor;      // text of the index
    std::uint32_t product;     // text of the index
    std::uint32_t advisories;  // how many are about it
    /// Other vendors use the name too, alone or as a word of a longer one ("root", "desktop").
    bool shared;
  };

  Vocabulary() = default;
  /// Takes vendor, product and advisories of each; makes the rest.
  Vocabulary(std::vector<Program> programs, const StringPool& texts);

  /// Programs whose product reads like this; empty for an empty key.
  std::span<const Program> find(std::string_view name_key) const;

  std::size_t bytes() const { return programs_.capacity() * sizeof(Program); }

  /// As Index::for_each_array(), of which these are a part.
  template <typename Self, typename Each>
  static void for_each_array(Self& vocabulary, Each&& each) {
    each(vocabulary.programs_);
  }

 private:
  std::vector<Program> programs_;  // by key, vendor, product
};

}  // namespace muster::vuln
