// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "base/ids.h"
#include "model/alert.h"

namespace muster::store {
class Store;
}

namespace muster::fleet {

/// The organisation that a thing is of; nothing when there is no such thing. It never changes.
/// Throws store::StoreError.
std::optional<OrgId> org_of(store::Store& store, AgentId id);
std::optional<OrgId> org_of(store::Store& store, TaskId id);
std::optional<OrgId> org_of(store::Store& store, TokenId id);
std::optional<OrgId> org_of(store::Store& store, KeyId id);
std::optional<OrgId> org_of(store::Store& store, FindingId id);
std::optional<OrgId> org_of(store::Store& store, ImageId id);
std::optional<OrgId> org_of(store::Store& store, AlertId id);
std::optional<OrgId> org_of(store::Store& store, WebhookId id);

}  // namespace muster::fleet
