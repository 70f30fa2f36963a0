// SPDX-License-Identifier: Apache-2.0
#include "fleet/passwords.h"

#include <algorithm>
#include <mutex>

#include "crypto/password.h"
#include "crypto/totp.h"
#include "fleet/operators.h"
#include "store/sql/keys.h"
#include "store/sql/passwords.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

using store::OperatorPassword;

/// Of an authenticator's secret (RFC 4226 §4 asks for 160 bits).
constexpr std::size_t totp_secret_bytes = 20;

Error wrong_password() {
  return {Errc::invalid_credentials, "Name, password or code is wrong."};
}

/// Of the next secret: later than any that the operator had, also before its password was removed.
std::int64_t next_generation(const OperatorPassword& row) {
  return std::max(row.set_at.unix_ms, row.totp_generation + 1);
}

Error no_password() {
  return {Errc::illegal_transition, "The operator has no password."};
}

std::string totp_secret(const Credentials& credentials, OperatorId id, std::int64_t generation) {
  const crypto::KeyHash derived = credentials.keyed_hash().derive(
      "second factor", std::to_string(id.value) + " " + std::to_string(generation));
  return {reinterpret_cast<const char*>(derived.bytes.data()), totp_secret_bytes};
}

std::optional<OperatorPassword> find(store::Store& store, OperatorId id) {
  return store.read(
      [&](store::Reader& reader) { return store::find_operator_password(reader, id); });
}

/// Of some password: a name that is not known takes the time of one that is.
const std::string& nobodys_hash() {
  static const std::string hash = crypto::hash_password("nobody's");
  return hash;
}

void audit(store::Tx& tx, NumberIds& ids, const Actor& actor, std::string_view action,
           const OperatorPassword& of, Instant now) {
  record_audit(
      tx, ids, OrgId{0}, actor, action, std::to_string(of.id.value),
      [&](JsonWriter& details) { details.member("name", of.name); }, now);
}

}  // namespace

PasswordState password_state(store::Store& store, OperatorId id) {
  const auto row = find(store, id);
  if (!row) return {};
  return {row->set_at, row->totp_generation > 0};
}

Result<PasswordTurn> PasswordTurn::take() {
  static std::mutex one_at_a_time;
  std::unique_lock lock(one_at_a_time, std::try_to_lock);
  if (!lock.owns_lock()) {
    return Error{Errc::rate_limited, "Somebody else changes a password.", {}, 1};
  }
  return PasswordTurn(std::move(lock));
}

bool is_password(const PasswordTurn&, store::Store& store, OperatorId id,
                 std::string_view password) {
  const auto row = find(store, id);
  return row && crypto::verify_password(row->hash, password);
}

std::string hash_password(const PasswordTurn&, std::string_view password) {
  return crypto::hash_password(password);
}

Result<void> set_password(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                          const Actor& actor, OperatorId id, std::string hash, Instant now,
                          SessionId own) {
  const auto token = store::find_operator_token(tx, id);
  if (!token || !is_active(*token, now)) {
    return Error{Errc::not_found, "There is no such operator."};
  }
  const auto same_name = store::find_operator_password(tx, token->name);
  if (same_name && same_name->id != id) {
    return Error{Errc::name_taken, "Another operator signs in under this name.", "name"};
  }
  const auto former = store::find_operator_password(tx, id);
  OperatorPassword row = former.value_or(OperatorPassword{});
  row.id = id;
  row.name = token->name;
  row.hash = std::move(hash);
  row.set_at = now;
  store::set_operator_password(tx, row);
  if (former) end_sign_ins(tx, credentials, id, now, own);
  audit(tx, ids, actor, "password.set", row, now);
  return {};
}

Result<void> remove_password(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                             const Actor& actor, const http::Authority& authority, OperatorId id,
                             Instant now) {
  const OperatorView view = TRY(get_operator(tx, id));
  TRY(check_rank(authority, view));
  const auto row = store::find_operator_password(tx, id);
  if (!row) return {};
  store::delete_operator_password(tx, id);
  end_sign_ins(tx, credentials, id, now);
  audit(tx, ids, actor, "password.remove", *row, now);
  return {};
}

Result<SecondFactorOffer> offer_second_factor(store::Store& store, const Credentials& credentials,
                                              OperatorId id) {
  const auto row = find(store, id);
  if (!row) return no_password();
  SecondFactorOffer offer;
  offer.secret = crypto::encode_base32(totp_secret(credentials, id, next_generation(*row)));
  offer.url = "otpauth://totp/Muster?secret=" + offer.secret + "&issuer=Muster";
  return offer;
}

Result<void> set_second_factor(store::Tx& tx, NumberIds& ids, const Credentials& credentials,
                               const Actor& actor, OperatorId id, std::string_view code,
                               Instant now) {
  auto row = store::find_operator_password(tx, id);
  if (!row) return no_password();
  const std::int64_t generation = next_generation(*row);
  const auto step = crypto::match_totp(totp_secret(credentials, id, generation), code, now, 0);
  if (!step) return invalid_field("code", "is not of this secret at this time");
  row->totp_generation = generation;
  row->totp_step = *step;
  store::set_operator_password(tx, *row);
  audit(tx, ids, actor, "second_factor.set", *row, now);
  return {};
}

Result<ProvedPassword> prove_password(store::Store& store, const Credentials& credentials,
                                      const PresentedPassword& presented, Instant now) {
  static std::mutex one_at_a_time;
  const std::unique_lock turn(one_at_a_time, std::try_to_lock);
  if (!turn.owns_lock()) return Error{Errc::rate_limited, "Somebody else signs in.", {}, 1};
  const auto row = store.read(
      [&](store::Reader& reader) { return store::find_operator_password(reader, presented.name); });
  const bool right = crypto::verify_password(row ? row->hash : nobodys_hash(), presented.password);
  if (!row || !right) return wrong_password();
  ProvedPassword proved{row->id, row->set_at, row->totp_generation, 0};
  if (row->totp_generation > 0) {
    const auto step = crypto::match_totp(totp_secret(credentials, row->id, row->totp_generation),
                                         presented.code, now, row->totp_step);
    if (!step) return wrong_password();
    proved.totp_step = *step;
  }
  return proved;
}

Result<SignedIn> sign_in_with_password(store::Tx& tx, NumberIds& ids, Rng& rng,
                                       Credentials& credentials, const Config& config,
                                       const ProvedPassword& proved, std::string_view address,
                                       Instant now) {
  const auto row = store::find_operator_password(tx, proved.id);
  const auto token = store::find_operator_token(tx, proved.id);
  const bool same =
      row && row->set_at == proved.set_at && row->totp_generation == proved.totp_generation;
  if (!same || !token || !is_active(*token, now)) return wrong_password();
  if (proved.totp_step > 0 && !store::use_totp_step(tx, proved.id, proved.totp_step)) {
    return wrong_password();
  }
  return open_session(tx, ids, rng, credentials, config, *token, "password", address, now);
}

}  // namespace muster::fleet
