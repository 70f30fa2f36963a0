// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/time.h"

namespace muster::store {

class Reader;
class Tx;

/// How an operator signs in without a link.
struct OperatorPassword {
  OperatorId id;
  std::string name;                  // of the operator; no two with a password have the same
  std::string hash;                  // crypto/password.h
  std::int64_t totp_generation = 0;  // of the second factor's secret; 0 is none
  std::int64_t totp_step = 0;        // the last one that was used
  Instant set_at;
};
/// Replaces the operator's row.
void set_operator_password(Tx& tx, const OperatorPassword& password);
std::optional<OperatorPassword> find_operator_password(Reader& reader, OperatorId id);
std::optional<OperatorPassword> find_operator_password(Reader& reader, std::string_view name);
/// False when a code of this step or of a later one was used before.
bool use_totp_step(Tx& tx, OperatorId id, std::int64_t step);
/// False when there is none.
bool delete_operator_password(Tx& tx, OperatorId id);

}  // namespace muster::store
