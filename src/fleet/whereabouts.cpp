// SPDX-License-Identifier: Apache-2.0
#include "fleet/whereabouts.h"

#include "store/sql/agents.h"
#include "store/sql/alerts.h"
#include "store/sql/findings.h"
#include "store/sql/images.h"
#include "store/sql/keys.h"
#include "store/sql/tasks.h"
#include "store/sql/webhooks.h"
#include "store/store.h"

namespace muster::fleet {

std::optional<OrgId> org_of(store::Store& store, AgentId id) {
  return store.read([&](store::Reader& reader) -> std::optional<OrgId> {
    const auto agent = store::find_agent_anywhere(reader, id);
    return agent ? std::optional(agent->org) : std::nullopt;
  });
}

std::optional<OrgId> org_of(store::Store& store, TaskId id) {
  return store.read([&](store::Reader& reader) -> std::optional<OrgId> {
    const auto task = store::find_task_anywhere(reader, id);
    return task ? std::optional(task->org) : std::nullopt;
  });
}

std::optional<OrgId> org_of(store::Store& store, TokenId id) {
  return store.read([&](store::Reader& reader) -> std::optional<OrgId> {
    const auto token = store::find_enrolment_token_anywhere(reader, id);
    return token ? std::optional(token->org) : std::nullopt;
  });
}

std::optional<OrgId> org_of(store::Store& store, KeyId id) {
  return store.read([&](store::Reader& reader) -> std::optional<OrgId> {
    for (const store::InventoryKey& key : store::list_inventory_keys(reader)) {
      if (key.id == id) return key.org;
    }
    return std::nullopt;
  });
}

std::optional<OrgId> org_of(store::Store& store, FindingId id) {
  return store.read([&](store::Reader& reader) -> std::optional<OrgId> {
    const auto view = store::find_finding(reader, id);
    if (view) return view->finding.org;
    const auto of_image = store::find_image_finding(reader, id);
    return of_image ? std::optional(of_image->finding.org) : std::nullopt;
  });
}

std::optional<OrgId> org_of(store::Store& store, ImageId id) {
  return store.read([&](store::Reader& reader) -> std::optional<OrgId> {
    const auto image = store::find_image(reader, id);
    return image ? std::optional(image->org) : std::nullopt;
  });
}

std::optional<OrgId> org_of(store::Store& store, AlertId id) {
  return store.read([&](store::Reader& reader) -> std::optional<OrgId> {
    const auto alert = store::find_alert_anywhere(reader, id);
    return alert ? std::optional(alert->org) : std::nullopt;
  });
}

std::optional<OrgId> org_of(store::Store& store, WebhookId id) {
  return store.read([&](store::Reader& reader) -> std::optional<OrgId> {
    const auto webhook = store::find_webhook_anywhere(reader, id);
    return webhook ? std::optional(webhook->org) : std::nullopt;
  });
}

}  // namespace muster::fleet
