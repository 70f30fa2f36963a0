// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/config.h"
#include "base/ids.h"
#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "fleet/credentials.h"
#include "fleet/history.h"
#include "fleet/sign_in.h"

namespace muster::store {
class Store;
class Tx;
}  // namespace muster::store

/// Signing in by name and password, with a code of an authenticator as the second factor.
namespace muster::fleet {

struct PasswordState {
  std::optional<Instant> set_at;  // nothing: there is no password
  bool second_factor = false;
};
PasswordState password_state(store::Store& store, OperatorId id);

/// The turn of an operator whose password is proved or made, which takes 64 MiB and a tenth of a
/// second: one at a time on this server, beside the one that signs in (prove_password), so that
/// strangers cannot take it and nobody takes all threads. Ends with the object, on the same thread.
class PasswordTurn {
 public:
  /// Fails with rate_limited while it is another's.
  static Result<PasswordTurn> take();

 private:
  explicit PasswordTurn(std::unique_lock<std::mutex> lock) : lock_(std::move(lock)) {}
  std::unique_lock<std::mutex> lock_;
};

/// Whether `password` is the operator's; false when it has none. As slow as
/// crypto::verify_password.
bool is_password(const PasswordTurn& turn, store::Store& store, OperatorId id,
                 std::string_view password);
/// What is stored of a password. As slow as crypto::hash_password.
std::string hash_password(const PasswordTurn& turn, std::string_view password);

/// `hash` is of crypto/password.h. A second factor stays. One that replaces another ends the
/// operator's sessions, all but `own`: whoever knew the former may have one. Fails with not_found,
/// and with name_taken when another operator of the same name has a password.
Result<void> set_password(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                          const Actor& actor, OperatorId id, std::string hash, Instant now,
                          SessionId own = {});
/// Takes away password and second factor and ends the operator's sessions; nothing is changed where
/// there is none. `authority` is of who asks. Fails as check_rank (fleet/operators.h).
Result<void> remove_password(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                             const Actor& actor, const http::Authority& authority, OperatorId id,
                             Instant now);

/// What an authenticator is to be given. Nothing is stored: the secret follows from the server's,
/// the operator and when its password was set.
struct SecondFactorOffer {
  std::string secret;  // base32
  std::string url;     // otpauth://totp/…
};
/// Fails with illegal_transition when the operator has no password.
Result<SecondFactorOffer> offer_second_factor(store::Store& store, const Credentials& credentials,
                                              OperatorId id);
/// Takes the offer, proved by one of its codes. Fails with illegal_transition as above, and with
/// invalid_field when the code is none of it.
Result<void> set_second_factor(store::Tx& tx, NumberIds& ids, const Credentials& credentials,
                               const Actor& actor, OperatorId id, std::string_view code,
                               Instant now);

/// What somebody presents who wants to sign in.
struct PresentedPassword {
  std::string name;
  std::string password;
  std::string code;  // empty: none
};
struct ProvedPassword {
  OperatorId id;
  Instant set_at;  // of the password that was proved
  std::int64_t totp_generation = 0;
  std::int64_t totp_step = 0;  // that the code is of; 0 without a second factor
};
/// Takes as long for a name that is not known. Fails with invalid_credentials, whatever is wrong,
/// and with rate_limited while another one is being proved: each takes 64 MiB.
Result<ProvedPassword> prove_password(store::Store& store, const Credentials& credentials,
                                      const PresentedPassword& presented, Instant now);
/// As sign_in(). Fails with invalid_credentials when password or second factor were changed, or the
/// code used, meanwhile.
Result<SignedIn> sign_in_with_password(store::Tx& tx, NumberIds& ids, Rng& rng,
                                       Credentials& credentials, const Config& config,
                                       const ProvedPassword& proved, std::string_view address,
                                       Instant now);

}  // namespace muster::fleet
