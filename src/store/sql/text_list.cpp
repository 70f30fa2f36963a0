// SPDX-License-Identifier: Apache-2.0
#include "store/sql/text_list.h"

#include "base/json_read.h"
#include "base/json_write.h"
#include "store/driver.h"

namespace muster::store {

std::string encode_text_list(const std::vector<std::string>& texts) {
  return JsonWriter().value(texts).take();
}

std::string text_list_element(const std::string& text) {
  const std::string list = encode_text_list({text});
  return list.substr(1, list.size() - 2);
}

std::vector<std::string> decode_text_list(std::string_view column) {
  std::vector<std::string> texts;
  if (column == "[]") return texts;
  JsonDocument document;
  const auto parsed = document.parse(column);
  if (!parsed.ok() || !parsed->is_array()) throw StoreError("a list of texts is damaged");
  texts.reserve(parsed->size());
  parsed->for_each([&](const Json& text) { texts.emplace_back(text.string().value_or("")); });
  return texts;
}

}  // namespace muster::store
