// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace muster::store {

/// A list of texts in one column: a JSON array.
std::string encode_text_list(const std::vector<std::string>& texts);
/// `text` as it stands in such a column, quotes included: they bound it, so that the column has the
/// element where it has these octets.
std::string text_list_element(const std::string& text);
/// Throws StoreError for what encode_text_list() did not write.
std::vector<std::string> decode_text_list(std::string_view column);

}  // namespace muster::store
