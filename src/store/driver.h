// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "crypto/keyed_hash.h"
#include "crypto/sha256.h"
#include "model/set_hash.h"

namespace muster::store {

/// The environment is broken: the database is gone, full or damaged. Caught once, answered 503.
/// The text names the statement and never a value, a password or a row.
class StoreError : public std::runtime_error {
 public:
  enum class Kind : std::uint8_t {
    broken,     // disk, memory, damage, a statement that the engine refuses
    away,       // the connection is lost, and with it the transaction
    in_doubt,   // the connection was lost while a commit was on its way: it may have taken effect
    conflict,   // a deadlock or a serialization failure: the same work may succeed later
    duplicate,  // a unique key; where that can happen, the statement says ON CONFLICT
  };

  explicit StoreError(const std::string& what, Kind kind = Kind::broken)
      : std::runtime_error(what), kind_(kind) {}
  Kind kind() const { return kind_; }

 private:
  Kind kind_;
};

enum class Engine : std::uint8_t { sqlite, postgres };

/// Octets, as opposed to text.
struct Blob {
  std::string_view bytes;
};

class Column;

/// One bound value. bind() copies what it views. Text is UTF-8: each NUL and each malformed octet
/// is kept as U+FFFD, because PostgreSQL takes neither and an agent must not fail for ever by its
/// output. A missing value keeps its kind, so that engines
/// with typed parameters know what `$1 IS NULL` is about.
class Param {
 public:
  enum class Kind : std::uint8_t { none, integer, real, text, blob, column };

  Param() = default;
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
  Param(const crypto::Sha256& digest) : kind(Kind::blob), view(digest.octets()) {}    // NOLINT
  Param(const model::SetHash& hash) : Param(hash.sum) {}                              // NOLINT
  template <typename Tag>
  Param(NumberId<Tag> id) : Param(id.value) {}  // NOLINT
  template <typename Tag>
  Param(const UuidId<Tag>& id) : Param(id.uuid) {}  // NOLINT
  template <typename T>
  Param(const std::optional<T>& maybe) {  // NOLINT
    if (maybe) {
      *this = Param(*maybe);
    } else {
      kind = Param(T{}).kind;
      null = true;
    }
  }
  Param(const Column& values) : kind(Kind::column), column(&values) {}  // NOLINT

  Kind kind = Kind::none;
  bool null = false;
  const Column* column = nullptr;
  std::int64_t integer = 0;
  double real = 0;
  std::string_view view;

 private:
  template <typename Array>
  static std::string_view octets(const Array& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
};

/// One column of many rows, for an engine that takes them as an array (unnest). Views what was
/// added until it is bound.
class Column {
 public:
  void add(const Param& value) { values_.push_back(value); }
  const std::vector<Param>& values() const { return values_; }

 private:
  std::vector<Param> values_;
};

/// A prepared statement with its current row; lives no longer than its connection. All calls throw
/// StoreError on failure.
class Statement {
 public:
  virtual ~Statement() = default;
  virtual void bind(std::span<const Param> params) = 0;
  /// Moves to the next row; false after the last.
  virtual bool step() = 0;
  /// Runs the statement for its effect, perhaps without waiting for it: what breaks is thrown here
  /// or by a later call on the connection, at the latest by release() and commit().
  virtual void post() = 0;
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
  virtual Engine engine() const = 0;
  virtual std::unique_ptr<Statement> prepare(const char* sql) = 0;
  /// Runs statements without parameters or rows (migrations).
  virtual void run(const char* sql) = 0;
  /// Rows changed by the last statement that was stepped to its end.
  virtual std::int64_t changes() const = 0;

  /// Begins a transaction: for a reader one whose statements all see one moment.
  virtual void begin() = 0;
  /// Begins a transaction that waits for every other of its kind: for changes of the schema.
  virtual void begin_alone() = 0;
  /// A place inside the transaction to come back to. One at a time.
  virtual void savepoint() = 0;
  /// Undoes what came after the savepoint, and forgets it.
  virtual void undo_to_savepoint() = 0;
  /// Keeps what came after the savepoint, and forgets it.
  virtual void release() = 0;
  /// Returns once the transaction is durable. Throws Kind::in_doubt when that cannot be known.
  virtual void commit() = 0;
  /// Ends a transaction, if there is one, without effect.
  virtual void rollback() = 0;
  /// Whether the connection is known to be gone. Asks nobody.
  virtual bool lost() = 0;
};

enum class Access { read_write, read_only };

/// Where the data lies: opens connections to one database. connect() may be called from several
/// threads and throws StoreError.
class Database {
 public:
  virtual ~Database() = default;
  virtual std::unique_ptr<Connection> connect(Access access) = 0;
  /// Whether the answer to a commit can get lost on its way here.
  virtual bool remote() const = 0;
};

}  // namespace muster::store
