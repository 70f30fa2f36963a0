// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/time.h"
#include "crypto/keyed_hash.h"

namespace muster::store {

/// The environment is broken: the database is gone, full or damaged. Caught once, answered 503.
class StoreError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Octets, as opposed to text.
struct Blob {
  std::string_view bytes;
};

/// One bound value. bind() copies what it views.
class Param {
 public:
  enum class Kind : std::uint8_t { null, integer, real, text, blob };

  Param() = default;
  Param(std::nullopt_t) {}                                                            // NOLINT
  Param(std::int64_t value) : kind(Kind::integer), integer(value) {}                  // NOLINT
  Param(int value) : Param(static_cast<std::int64_t>(value)) {}                       // NOLINT
  Param(bool value) : Param(static_cast<std::int64_t>(value ? 1 : 0)) {}              // NOLINT
  Param(double value) : kind(Kind::real), real(value) {}                              // NOLINT
  Param(std::string_view value) : kind(Kind::text), view(value) {}                    // NOLINT
  Param(const std::string& value) : Param(std::string_view(value)) {}                 // NOLINT
  Param(const char* value) : Param(std::string_view(value)) {}                        // NOLINT
  Param(Blob value) : kind(Kind::blob), view(value.bytes) {}                          // NOLINT
  Param(Instant at) : Param(at.unix_ms) {}                                            // NOLINT
  Param(const Uuid& id) : kind(Kind::blob), view(octets(id.bytes)) {}                 // NOLINT
  Param(const crypto::KeyHash& hash) : kind(Kind::blob), view(octets(hash.bytes)) {}  // NOLINT
  template <typename Tag>
  Param(NumberId<Tag> id) : Param(id.value) {}  // NOLINT
  template <typename Tag>
  Param(const UuidId<Tag>& id) : Param(id.uuid) {}  // NOLINT
  template <typename T>
  Param(const std::optional<T>& maybe) {  // NOLINT
    if (maybe) *this = Param(*maybe);
  }

  Kind kind = Kind::null;
  std::int64_t integer = 0;
  double real = 0;
  std::string_view view;

 private:
  template <typename Array>
  static std::string_view octets(const Array& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
};

/// A prepared statement with its current row. All calls throw StoreError on failure.
class Statement {
 public:
  virtual ~Statement() = default;
  virtual void bind(std::span<const Param> params) = 0;
  /// Moves to the next row; false after the last.
  virtual bool step() = 0;
  /// Ends the run and forgets the bound values.
  virtual void reset() = 0;
  virtual bool is_null(int column) const = 0;
  virtual std::int64_t integer(int column) const = 0;
  virtual double real(int column) const = 0;
  /// Valid until the next step or reset.
  virtual std::string_view text(int column) const = 0;
  virtual std::string_view blob(int column) const = 0;
};

/// One connection to a database, used by one thread at a time. Statements are written once for all
/// engines: parameters are $1, $2, ...
class Connection {
 public:
  virtual ~Connection() = default;
  virtual std::unique_ptr<Statement> prepare(const char* sql) = 0;
  /// Runs statements without parameters or rows (migrations, BEGIN, COMMIT).
  virtual void run(const char* sql) = 0;
  /// Rows changed by the last statement.
  virtual std::int64_t changes() const = 0;
};

enum class Access { read_write, read_only };

/// Where the data lies: opens connections to one database. connect() may be called from several
/// threads and throws StoreError.
class Database {
 public:
  virtual ~Database() = default;
  virtual std::unique_ptr<Connection> connect(Access access) = 0;
};

}  // namespace muster::store
