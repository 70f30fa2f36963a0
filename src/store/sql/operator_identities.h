// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

namespace muster::store {

class Reader;
class Tx;

/// Who an operator is with a provider of identities.
struct OperatorIdentity {
  IdentityId id;
  OperatorId operator_id;
  std::string issuer;
  std::string subject;  // no two identities of an issuer have the same
  std::string name;     // as the provider wrote it when it was linked
  Instant created_at;
  std::optional<Instant> used_at;
};
void insert_identity(Tx& tx, const OperatorIdentity& identity);
std::optional<OperatorIdentity> find_identity(Reader& reader, IdentityId id);
std::optional<OperatorIdentity> find_identity(Reader& reader, std::string_view issuer,
                                              std::string_view subject);
/// In the order of their creation.
std::vector<OperatorIdentity> list_identities(Reader& reader, OperatorId id);
void set_identity_used(Tx& tx, IdentityId id, Instant now);
void delete_identity(Tx& tx, IdentityId id);
void delete_identities(Tx& tx, OperatorId id);

}  // namespace muster::store
