// SPDX-License-Identifier: Apache-2.0
#include "fleet/operator_names.h"

#include "base/text.h"
#include "store/sql/keys.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

std::optional<std::string> name_of(store::Reader& reader, OperatorId id) {
  auto token = store::find_operator_token(reader, id);
  return token ? std::optional(std::move(token->name)) : std::nullopt;
}

}  // namespace

OperatorNames::OperatorNames(store::Store& store)
    : look_up_([&store](OperatorId id) {
        return store.read([id](store::Reader& reader) { return name_of(reader, id); });
      }) {}

OperatorNames::OperatorNames(store::Tx& tx)
    : look_up_([&tx](OperatorId id) { return name_of(tx, id); }) {}

std::optional<std::string> OperatorNames::of(OperatorId id) {
  const auto found = known_.find(id);
  if (found != known_.end()) return found->second;
  return known_.emplace(id, look_up_(id)).first->second;
}

std::optional<std::string> OperatorNames::of_actor(std::string_view actor) {
  constexpr std::string_view prefix = "operator:";
  if (!actor.starts_with(prefix)) return std::nullopt;
  const auto id = parse_int(actor.substr(prefix.size()));
  return id ? of(OperatorId{*id}) : std::nullopt;
}

}  // namespace muster::fleet
