// SPDX-License-Identifier: Apache-2.0
#include "vuln/product_name.h"

#include <algorithm>

#include "base/text.h"

namespace muster::vuln {

namespace {

/// "22.01", "v3.0.2", "7.1.1-21", "8u351", "2023-10-21"; a year alone is no version.
bool is_version_word(std::string_view word) {
  if (word.size() > 1 && word.front() == 'v' && is_digit(word[1])) word.remove_prefix(1);
  if (word.empty() || !is_digit(word.front())) return false;
  const bool year = word.size() == 4 && (word.starts_with("19") || word.starts_with("20")) &&
                    is_digit(word[2]) && is_digit(word[3]);
  if (year) return false;
  std::size_t letters = 0;
  for (const char c : word) {
    if (c >= 'a' && c <= 'z') ++letters;
    if (!is_digit(c) && !(c >= 'a' && c <= 'z') && c != '.' && c != '-' && c != '_' && c != '+') {
      return false;
    }
  }
  // "7-zip" and "3d" are names, "4.2.8p15" and "8u351" versions.
  return letters == 0 || (letters <= 2 && word.size() >= 4);
}

bool is_noise_word(std::string_view word) {
  static constexpr std::string_view noise[] = {
      "x64",     "x86",     "x86_64", "amd64",   "arm64",    "aarch64", "win64",  "win32",
      "64-bit",  "32-bit",  "64bit",  "32bit",   "64",       "32",      "bit",    "bits",
      "version", "release", "user",   "deutsch", "english",  "french",  "german", "spanish",
      "mui",     "machine", "-",      "hdri",    "q16-hdri", "q16",     "q8",     "build"};
  if (std::find(std::begin(noise), std::end(noise), word) != std::end(noise)) return true;
  // A language tag: "en-us", "zh-cn".
  return word.size() == 5 && word[2] == '-' && !is_digit(word[0]) && !is_digit(word[4]);
}

/// Text without trademark signs; brackets and separators become spaces.
std::string without_signs(std::string_view name) {
  std::string text = fold_case(name);
  for (const std::string_view sign :
       {std::string_view("®"), std::string_view("™"), std::string_view("©"),
        std::string_view("(r)"), std::string_view("(tm)"), std::string_view("(c)")}) {
    for (auto at = text.find(sign); at != std::string::npos; at = text.find(sign)) {
      text.erase(at, sign.size());
    }
  }
  if (text.ends_with(".app")) text.resize(text.size() - 4);
  return text;
}

bool is_edition(std::string_view word) {
  static constexpr std::string_view editions[] = {
      "edition", "basic",    "professional", "pro",       "premium", "standard",   "ultimate",
      "home",    "free",     "lite",         "community", "ce",      "enterprise", "express",
      "eap",     "personal", "trial",        "client",    "business"};
  return std::find(std::begin(editions), std::end(editions), word) != std::end(editions);
}

/// The name before the first version, of which "Name 7 2203 CU2" has two; all of it if it has none.
std::string_view before_version(std::string_view name) {
  std::size_t at = name.find(' ');
  while (at != std::string_view::npos) {
    const auto begin = name.find_first_not_of(" \t(", at);
    if (begin == std::string_view::npos) break;
    const auto end = std::min(name.find_first_of(" \t()", begin), name.size());
    if (is_version_word(fold_case(name.substr(begin, end - begin)))) return name.substr(0, at);
    at = name.find(' ', end);
  }
  return name;
}

std::string_view before_system(std::string_view normalised) {
  for (const std::string_view system : {" for windows", " for mac", " for macos", " for linux"}) {
    const auto at = normalised.find(system);
    if (at != std::string_view::npos) return normalised.substr(0, at);
  }
  return normalised;
}

}  // namespace

std::string normalise_product_name(std::string_view name) {
  const std::string text = without_signs(name);
  std::string out;
  bool after_architecture = false;
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto begin = rest.find_first_not_of(" \t\r\n()[]{},;|");
    if (begin == std::string_view::npos) break;
    rest.remove_prefix(begin);
    const auto end = std::min(rest.find_first_of(" \t\r\n()[]{},;|"), rest.size());
    std::string_view word = rest.substr(0, end);
    rest.remove_prefix(end);
    // Homebrew's versioned names: "openssl@3".
    if (const auto at = word.find('@'); at != 0 && at != std::string_view::npos) {
      if (is_digit(word.substr(at + 1).empty() ? ' ' : word[at + 1])) word = word.substr(0, at);
    }
    const bool first = out.empty();
    // "(x64 de)": what follows an architecture is a language.
    const bool language = after_architecture && word.size() == 2;
    after_architecture = word == "x64" || word == "x86" || word == "arm64" || word == "aarch64";
    if (!first && (language || is_noise_word(word) || is_version_word(word))) continue;
    if (!first) out += ' ';
    out += word;
  }
  return out;
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    if (end > 0) words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

std::vector<ShorterName> shorter_product_names(std::string_view name) {
  std::vector<ShorterName> forms;
  std::string last = normalise_product_name(name);
  const auto add = [&](std::string_view form, bool cut) {
    if (form.empty() || form.size() >= last.size()) return;
    last = std::string(form);
    forms.push_back({last, cut});
  };
  add(before_system(last), false);
  for (auto space = last.rfind(' '); space != std::string::npos; space = last.rfind(' ')) {
    if (!is_edition(std::string_view(last).substr(space + 1))) break;
    add(std::string(last, 0, space), false);
  }
  const auto dash = name.find(" - ");
  add(normalise_product_name(name.substr(0, dash)), true);
  add(normalise_product_name(before_version(name.substr(0, dash))), true);
  add(std::string(last, 0, last.find(" for ")), true);
  return forms;
}

}  // namespace muster::vuln
