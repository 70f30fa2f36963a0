// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "model/release.h"
#include "store/total.h"

namespace muster::store {

class Reader;
class Tx;

void insert_release(Tx& tx, const model::Release& release);
/// Nothing: it is offered.
void set_release_withdrawn(Tx& tx, model::ReleaseId id, std::optional<Instant> withdrawn_at);
std::optional<model::Release> find_release(Reader& reader, model::ReleaseId id);
/// All of a platform, withdrawn ones too.
std::vector<model::Release> list_platform_releases(Reader& reader, std::string_view os,
                                                   std::string_view arch);
/// Newest first, `before` excluded.
std::vector<model::Release> list_releases(Reader& reader, model::ReleaseId before, int count);
Total count_releases(Reader& reader);

}  // namespace muster::store
