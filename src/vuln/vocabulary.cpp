// SPDX-License-Identifier: Apache-2.0
#include "vuln/vocabulary.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "base/text.h"

namespace muster::vuln {

namespace {

/// FNV-1a. Two names with one hash would be taken for one another; among a hundred thousand names
/// that has a chance of one in 10^9.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  return hash;
}

bool counts(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '#' ||
         (static_cast<unsigned char>(c) & 0x80U) != 0;
}

/// Which vendor uses a name: one, or several.
struct Use {
  std::uint64_t vendor;
  bool several;
};

using Uses = std::unordered_map<std::uint64_t, Use>;

void note(Uses& uses, std::uint64_t name, std::uint64_t vendor) {
  const auto [at, fresh] = uses.try_emplace(name, Use{vendor, false});
  if (!fresh && at->second.vendor != vendor) at->second.several = true;
}

/// The product's words, and the product as one.
void note_product(Uses& uses, std::string_view product, std::uint64_t vendor) {
  note(uses, hash_of(name_key(product)), vendor);
  while (!product.empty()) {
    const auto end = std::min(product.find_first_of("_-."), product.size());
    if (const std::string word = name_key(product.substr(0, end)); !word.empty()) {
      note(uses, hash_of(word), vendor);
    }
    product.remove_prefix(std::min(end + 1, product.size()));
  }
}

}  // namespace

std::string name_key(std::string_view name) {
  std::string key;
  key.reserve(name.size());
  for (const char c : fold_case(name)) {
    if (counts(c)) key += c;
  }
  return key;
}

std::string vendor_key(std::string_view cpe_vendor) {
  std::string key = name_key(cpe_vendor);
  for (const std::string_view tail : {"project", "software", "foundation", "technologies", "inc"}) {
    if (key.size() > tail.size() + 1 && key.ends_with(tail)) {
      key.resize(key.size() - tail.size());
      break;
    }
  }
  return key;
}

Vocabulary::Vocabulary(std::vector<Program> programs, const StringPool& texts)
    : programs_(std::move(programs)) {
  Uses uses;
  for (Program& program : programs_) {
    const std::string_view product = texts.text(program.product);
    program.key = hash_of(name_key(product));
    note_product(uses, product, hash_of(vendor_key(texts.text(program.vendor))));
  }
  for (Program& program : programs_) program.shared = uses.at(program.key).several;
  // By text, not by number: numbers depend on the order in which advisories came.
  std::sort(programs_.begin(), programs_.end(), [&](const Program& a, const Program& b) {
    const auto names = [&](const Program& program) {
      return std::tuple(program.key, texts.text(program.vendor), texts.text(program.product));
    };
    return names(a) < names(b);
  });
  programs_.shrink_to_fit();
}

std::span<const Vocabulary::Program> Vocabulary::find(std::string_view name_key) const {
  if (name_key.empty()) return {};
  const std::uint64_t key = hash_of(name_key);
  const auto first = std::lower_bound(programs_.begin(), programs_.end(), key,
                                      [](const Program& p, std::uint64_t k) { return p.key < k; });
  auto last = first;
  while (last != programs_.end() && last->key == key) ++last;
  return {first, last};
}

}  // namespace muster::vuln
