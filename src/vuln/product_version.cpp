// SPDX-License-Identifier: Apache-2.0
#include "vuln/product_version.h"

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace muster::vuln {

namespace {

using model::CpeAttribute;

struct UpdateWord {
  std::string_view text;
  std::string_view name;
  bool patch;
};

constexpr UpdateWord update_words[] = {
    {"p", "p", true},
    {"patch", "p", true},
    {"pl", "p", true},
    {"patchlevel", "p", true},
    {"sp", "sp", true},
    {"servicepack", "sp", true},
    {"u", "u", true},
    {"update", "u", true},
    {"hf", "hf", true},
    {"hotfix", "hf", true},
    {"cu", "cu", true},
    {"fp", "fp", true},
    {"s", "s", true},
    {"alpha", "alpha", false},
    {"a", "alpha", false},
    {"beta", "beta", false},
    {"b", "beta", false},
    {"rc", "rc", false},
    {"cr", "rc", false},
    {"pre", "pre", false},
    {"preview", "pre", false},
    {"dev", "dev", false},
    {"m", "m", false},
    {"milestone", "m", false},
    {"ea", "ea", false},
    {"snapshot", "snapshot", false},
    {"nightly", "nightly", false},
};

/// What publishers call the release itself: no update of it.
constexpr std::string_view release_words[] = {"final", "ga", "gold", "release", "stable"};

bool names_release(std::string_view update) {
  return std::find(std::begin(release_words), std::end(release_words), update) !=
         std::end(release_words);
}

const UpdateWord* find_word(std::string_view text) {
  const auto found = std::find_if(std::begin(update_words), std::end(update_words),
                                  [&](const UpdateWord& each) { return each.text == text; });
  return found == std::end(update_words) ? nullptr : found;
}

bool is_separator(char c) {
  return c == '.' || c == '-' || c == '_' || c == ' ';
}

std::string_view take_while(std::string_view& text, bool (*wanted)(char)) {
  std::size_t size = 0;
  while (size < text.size() && wanted(text[size])) ++size;
  const std::string_view taken = text.substr(0, size);
  text.remove_prefix(size);
  return taken;
}

std::string without_leading_zeros(std::string_view digits) {
  const auto first = digits.find_first_not_of('0');
  if (digits.empty()) return {};
  return std::string(first == std::string_view::npos ? "0" : digits.substr(first));
}

struct Update {
  std::string name;
  bool patch = false;
};

/// "p2", "-rc.1", "_update_3", and two of them: "p1-beta1"; nothing for text of any other shape.
std::optional<Update> read_update(std::string_view folded) {
  Update update;
  constexpr int words_max = 2;
  for (int words = 0; words < words_max && (words == 0 || !folded.empty()); ++words) {
    take_while(folded, is_separator);
    const std::string_view letters = take_while(folded, is_letter);
    const bool number_follows = !folded.empty() && is_digit(folded.front());
    take_while(folded, is_separator);
    const std::string_view digits = take_while(folded, is_digit);
    const UpdateWord* word = find_word(letters);
    if (word == nullptr || (letters.size() == 1 && digits.empty())) return std::nullopt;
    // A lone letter is a patch level of its own kind ("1.0.2a", "0.9.7a-2"), and so is no word.
    if (letters.size() == 1 && !word->patch && !number_follows) return std::nullopt;
    update.name += std::string(word->name) + without_leading_zeros(digits);
    if (words == 0) update.patch = word->patch;
  }
  if (!folded.empty()) return std::nullopt;
  return update;
}

std::vector<std::string_view> numbers_of(std::string_view text) {
  std::vector<std::string_view> numbers;
  for (;;) {
    const auto dot = text.find('.');
    const std::string_view number = text.substr(0, dot);
    if (number.empty() || !std::all_of(number.begin(), number.end(), is_digit)) return {};
    numbers.push_back(number);
    if (dot == std::string_view::npos) return numbers;
    text.remove_prefix(dot + 1);
  }
}

bool is_java(const model::Cpe& product) {
  static constexpr std::string_view products[] = {"jre", "jdk", "openjdk", "java_se"};
  return std::find(std::begin(products), std::end(products), product[CpeAttribute::product]) !=
         std::end(products);
}

ProductVersion java_version(std::string_view family, std::string_view update) {
  ProductVersion version;
  version.base = "1." + std::string(family) + ".0";
  version.update = "u" + without_leading_zeros(update);
  version.whole = version.base + "_" + without_leading_zeros(update);
  return version;
}

/// "8u351", "1.8.0_351-b10", "1.8.0-update351", and the installers' "8.0.3510.10".
std::optional<ProductVersion> read_java(std::string_view folded) {
  std::string_view rest = folded;
  const std::string_view family = take_while(rest, is_digit);
  if (!family.empty() && rest.starts_with('u')) {
    rest.remove_prefix(1);
    const std::string_view update = take_while(rest, is_digit);
    if (!update.empty()) return java_version(family, update);
  }
  if (const auto mark = folded.find_first_of("_-");
      folded.starts_with("1.") && mark != std::string::npos) {
    const auto numbers = numbers_of(folded.substr(0, mark));
    std::string_view after = folded.substr(mark + 1);
    constexpr std::string_view word = "update";
    if (after.starts_with(word)) {
      after.remove_prefix(word.size());
      take_while(after, is_separator);
    } else if (folded[mark] == '-') {
      return std::nullopt;
    }
    const std::string_view update = take_while(after, is_digit);
    if (numbers.size() == 3 && !update.empty()) return java_version(numbers[1], update);
  }
  // The update times ten: only the families that had updates, whose third number is otherwise 0.
  const auto numbers = numbers_of(folded);
  const bool installer = numbers.size() == 4 && numbers[0].size() == 1 && numbers[1] == "0" &&
                         numbers[2].size() >= 2 && numbers[2].ends_with('0');
  if (!installer) return std::nullopt;
  return java_version(numbers[0], numbers[2].substr(0, numbers[2].size() - 1));
}

/// Field three of Python's MSI is 1000 × micro + 10 × stage + serial (PC/layout of CPython); a
/// stage of 15 is the release itself.
std::optional<std::string> read_python_installer(std::string_view text) {
  const auto numbers = numbers_of(text);
  if (numbers.size() != 4 || numbers[3] != "0" || !numbers[2].ends_with("150")) return std::nullopt;
  std::string_view micro = numbers[2].substr(0, numbers[2].size() - 3);
  if (micro.empty()) micro = "0";
  return std::string(numbers[0]) + "." + std::string(numbers[1]) + "." + std::string(micro);
}

}  // namespace

std::string normalise_cpe_update(std::string_view update) {
  std::string folded = fold_case(update);
  if (names_release(folded)) return {};
  if (const auto read = read_update(folded)) return read->name;
  return folded;
}

ProductVersion split_product_version(const model::Cpe& product, std::string_view text) {
  ProductVersion version;
  const std::string folded = fold_case(trim(text));
  if (is_java(product)) {
    if (const auto java = read_java(folded)) return *java;
  }
  if (product[CpeAttribute::product] == "python") {
    if (auto python = read_python_installer(folded)) {
      version.whole = version.base = std::move(*python);
      return version;
    }
  }
  version.whole = version.base = folded;
  // Up to the first letter all must be the base: "1.2.3p4", and not "build3 rc4".
  const auto last = folded.find_first_not_of("0123456789.");
  const std::string_view rest = std::string_view(folded).substr(std::min(last, folded.size()));
  std::string_view base = std::string_view(folded).substr(0, folded.size() - rest.size());
  while (base.ends_with('.')) base.remove_suffix(1);
  if (base.empty() || rest.empty()) return version;
  if (names_release(rest.substr(std::min(rest.find_first_not_of(".-_ "), rest.size())))) {
    version.base = base;
    return version;
  }
  if (const auto update = read_update(rest)) {
    version.base = base;
    version.update = update->name;
    version.patch = update->patch;
  }
  return version;
}

ProductVersion join_product_version(const model::Cpe& product, std::string_view version,
                                    std::string_view update) {
  const ProductVersion alone = split_product_version(product, version);
  if (normalise_cpe_update(update).empty()) return alone;
  ProductVersion joined =
      split_product_version(product, std::string(version).append("-").append(update));
  if (!joined.update.empty() || !alone.update.empty()) return joined;
  // No word that tells where the update stands: an update comes after what it updates.
  joined.base = alone.base;
  joined.update = normalise_cpe_update(update);
  joined.patch = true;
  return joined;
}

std::optional<version::Scheme> product_scheme(const model::Cpe& product,
                                              model::Ecosystem ecosystem) {
  if (product[CpeAttribute::product] == "openssl") return version::parse_scheme("openssl");
  if (is_java(product)) return version::parse_scheme("jvm");
  const std::string_view declared = model::ecosystem_scheme(ecosystem);
  return version::parse_scheme(declared.empty() ? "generic" : declared);
}

}  // namespace muster::vuln
