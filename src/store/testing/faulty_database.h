// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "store/driver.h"

namespace muster::store::testing {

/// What goes wrong with a FaultyDatabase, and when. Counts what its writing connections are asked
/// for: every run of a statement, and every beginning, savepoint, release and commit. Safe from
/// several threads.
class Faults {
 public:
  enum class How {
    fail,           // the engine refuses the statement
    lose,           // the connection breaks before the statement
    answer_lost,    // only for commits: it takes effect, and the connection breaks
    question_lost,  // only for commits: it does not, and nobody can tell
  };

  /// At the n-th call from now, counted from 1.
  void arrange(int n, How how) {
    const std::lock_guard lock(mutex_);
    countdown_ = n;
    how_ = how;
  }
  /// At the next commit.
  void arrange_at_commit(How how) {
    const std::lock_guard lock(mutex_);
    at_commit_ = how;
  }
  /// Every statement that holds this text, until it is empty.
  void refuse(std::string text) {
    const std::lock_guard lock(mutex_);
    refused_ = std::move(text);
  }
  /// So many attempts to connect.
  void refuse_connections(int count) {
    const std::lock_guard lock(mutex_);
    refused_connections_ = count;
  }
  /// Whether what was arranged has not happened; it then never will.
  bool cancel() {
    const std::lock_guard lock(mutex_);
    at_commit_.reset();
    refused_.clear();
    return std::exchange(countdown_, 0) > 0;
  }
  int connections() const {
    const std::lock_guard lock(mutex_);
    return connections_;
  }

  /// What the writing connections were asked for since the beginning.
  std::int64_t calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
  }

  std::optional<How> at(std::string_view call) {
    const std::lock_guard lock(mutex_);
    ++calls_;
    if (call == "COMMIT" && at_commit_) return std::exchange(at_commit_, std::nullopt);
    if (!refused_.empty() && call.find(refused_) != std::string_view::npos) return How::fail;
    if (countdown_ == 0 || --countdown_ > 0) return std::nullopt;
    return how_;
  }
  bool may_connect() {
    const std::lock_guard lock(mutex_);
    ++connections_;
    if (refused_connections_ == 0) return true;
    --refused_connections_;
    return false;
  }

 private:
  mutable std::mutex mutex_;
  int countdown_ = 0;
  How how_ = How::fail;
  std::optional<How> at_commit_;
  std::string refused_;
  int refused_connections_ = 0;
  int connections_ = 0;
  std::int64_t calls_ = 0;
};

/// A connection through which faults happen. Failures are the engine's own, so that a transaction
/// is afterwards in the state that the engine leaves it in.
class FaultyConnection final : public Connection {
 public:
  FaultyConnection(std::unique_ptr<Connection> real, std::shared_ptr<Faults> faults)
      : real_(std::move(real)), faults_(std::move(faults)) {}

  Engine engine() const override { return real_->engine(); }
  std::unique_ptr<Statement> prepare(const char* sql) override;
  void run(const char* sql) override {
    before(sql);
    real_->run(sql);
  }
  std::int64_t changes() const override { return real_->changes(); }
  void begin() override {
    before("BEGIN");
    real_->begin();
  }
  void begin_alone() override {
    before("BEGIN");
    real_->begin_alone();
  }
  void savepoint() override {
    before("SAVEPOINT");
    real_->savepoint();
  }
  void undo_to_savepoint() override {
    before("ROLLBACK TO");
    real_->undo_to_savepoint();
  }
  void release() override {
    before("RELEASE");
    real_->release();
  }
  void commit() override {
    if (before("COMMIT")) real_->commit();
    if (lost_) throw StoreError("a fault: no answer to a commit", StoreError::Kind::in_doubt);
  }
  void rollback() override {
    if (lost_) lose();
    real_->rollback();
  }
  bool lost() override { return lost_ || real_->lost(); }

  /// Throws, or returns whether the call is to be made.
  bool before(std::string_view call) {
    if (lost_) lose();
    const std::optional<Faults::How> how = faults_->at(call);
    if (!how) return true;
    if (*how == Faults::How::fail) fail();
    lost_ = true;
    if (call != "COMMIT" || *how == Faults::How::lose) lose();
    return *how == Faults::How::answer_lost;
  }
  /// As before(), for a statement whose failure may come late: then false.
  bool before_post(std::string_view call) {
    if (lost_) lose();
    const std::optional<Faults::How> how = faults_->at(call);
    if (!how) return true;
    if (*how == Faults::How::fail && engine() == Engine::postgres) {
      late_failure_ = real_->prepare("SELECT 1 / 0");
      late_failure_->post();
      return false;
    }
    if (*how == Faults::How::fail) fail();
    lose();
  }

 private:
  [[noreturn]] void fail() {
    real_->run("SELECT a_fault_of_the_test");
    throw StoreError("the fault did not happen");
  }
  [[noreturn]] void lose() {
    lost_ = true;
    throw StoreError("a fault: the connection is lost", StoreError::Kind::away);
  }

  std::unique_ptr<Connection> real_;
  std::shared_ptr<Faults> faults_;
  std::unique_ptr<Statement> late_failure_;
  bool lost_ = false;
};

class FaultyStatement final : public Statement {
 public:
  FaultyStatement(FaultyConnection& connection, std::unique_ptr<Statement> real, const char* sql)
      : connection_(connection), real_(std::move(real)), sql_(sql) {}

  void bind(std::span<const Param> params) override { real_->bind(params); }
  bool step() override {
    if (!std::exchange(running_, true)) connection_.before(sql_);
    return real_->step();
  }
  void post() override {
    if (connection_.before_post(sql_)) real_->post();
  }
  void reset() override {
    running_ = false;
    real_->reset();
  }
  bool is_null(int column) const override { return real_->is_null(column); }
  std::int64_t integer(int column) const override { return real_->integer(column); }
  double real(int column) const override { return real_->real(column); }
  std::string_view text(int column) const override { return real_->text(column); }
  std::string_view blob(int column) const override { return real_->blob(column); }

 private:
  FaultyConnection& connection_;
  std::unique_ptr<Statement> real_;
  const char* sql_;
  bool running_ = false;
};

inline std::unique_ptr<Statement> FaultyConnection::prepare(const char* sql) {
  return std::make_unique<FaultyStatement>(*this, real_->prepare(sql), sql);
}

/// A database that breaks as it is told. Readers' connections do not.
class FaultyDatabase final : public Database {
 public:
  FaultyDatabase(std::unique_ptr<Database> real, std::shared_ptr<Faults> faults)
      : real_(std::move(real)), faults_(std::move(faults)) {}

  std::unique_ptr<Connection> connect(Access access) override {
    if (access == Access::read_only) return real_->connect(access);
    if (!faults_->may_connect()) {
      throw StoreError("a fault: cannot connect", StoreError::Kind::away);
    }
    return std::make_unique<FaultyConnection>(real_->connect(access), faults_);
  }
  bool remote() const override { return true; }

 private:
  std::unique_ptr<Database> real_;
  std::shared_ptr<Faults> faults_;
};

}  // namespace muster::store::testing
