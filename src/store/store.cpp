// SPDX-License-Identifier: Apache-2.0
#include "store/store.h"

#include <future>

namespace muster::store {

Uuid Rows::uuid(int column) const {
  const std::string_view bytes = blob(column);
  Uuid id;
  CHECK(bytes.size() == id.bytes.size());
  std::memcpy(id.bytes.data(), bytes.data(), bytes.size());
  return id;
}

crypto::KeyHash Rows::key_hash(int column) const {
  const std::string_view bytes = blob(column);
  crypto::KeyHash hash;
  CHECK(bytes.size() == hash.bytes.size());
  std::memcpy(hash.bytes.data(), bytes.data(), bytes.size());
  return hash;
}

Rows Reader::start(Sql sql, std::span<const Param> params) {
  Prepared& prepared = prepared_[sql.text];
  if (!prepared.statement) prepared.statement = connection_.prepare(sql.text);
  CHECK(!prepared.busy);  // a statement cannot run inside its own rows
  prepared.busy = true;
  Rows rows(*prepared.statement, prepared.busy);
  prepared.statement->bind(params);
  return rows;
}

struct Store::PooledReader {
  explicit PooledReader(Database& database)
      : connection(database.connect(Access::read_only)), reader(*connection) {}
  std::unique_ptr<Connection> connection;
  Reader reader;
};

Store::Lease::Lease(Store& of) : store(of) {
  {
    const std::lock_guard lock(store.readers_mutex_);
    if (!store.readers_.empty()) {
      pooled = std::move(store.readers_.back());
      store.readers_.pop_back();
    }
  }
  if (!pooled) pooled = std::make_unique<PooledReader>(*store.database_);
  pooled->connection->run("BEGIN");
  reader = &pooled->reader;
}

Store::Lease::~Lease() {
  try {
    pooled->connection->run("COMMIT");
    const std::lock_guard lock(store.readers_mutex_);
    store.readers_.push_back(std::move(pooled));
  } catch (const StoreError&) {
    // A reader that cannot end its transaction is not used again.
  }
}

Store::Store(std::unique_ptr<Database> database)
    : database_(std::move(database)), writer_connection_(database_->connect(Access::read_write)) {
  migrate(*writer_connection_);
  tx_ = std::make_unique<Tx>(*writer_connection_);
}

Store::~Store() {
  stop_writer();
}

void Store::start_writer() {
  const std::lock_guard lock(queue_mutex_);
  CHECK(!running_);
  running_ = true;
  stopping_ = false;
  thread_ = std::thread([this] { run_writer(); });
}

void Store::stop_writer() {
  {
    const std::lock_guard lock(queue_mutex_);
    if (!running_) return;
    stopping_ = true;
  }
  queue_filled_.notify_one();
  thread_.join();
  running_ = false;
}

bool Store::submit(Work& work, Done& done) {
  {
    const std::lock_guard lock(queue_mutex_);
    if (running_) {
      if (stopping_ || in_flight_ >= limits::writes_in_flight) return false;
      ++in_flight_;
      queue_.push_back({std::move(work), std::move(done)});
      if (queue_.size() == 1) queue_filled_.notify_one();
      return true;
    }
  }
  std::vector<Pending> batch;
  batch.push_back({std::move(work), std::move(done)});
  commit_batch(batch);
  return true;
}

void Store::write_and_wait(const std::function<bool(Tx&)>& work) {
  std::promise<void> finished;
  Work task = [&work](Tx& tx) { return work(tx); };
  Done done = [&finished](std::exception_ptr failure) {
    if (failure) {
      finished.set_exception(failure);
    } else {
      finished.set_value();
    }
  };
  if (!submit(task, done)) throw StoreError("the writer takes no more work");
  finished.get_future().get();
}

void Store::run_writer() {
  std::vector<Pending> batch;
  for (;;) {
    {
      std::unique_lock lock(queue_mutex_);
      queue_filled_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      while (!queue_.empty() && batch.size() < limits::writes_per_commit) {
        batch.push_back(std::move(queue_.front()));
        queue_.pop_front();
      }
    }
    commit_batch(batch);
    const std::lock_guard lock(queue_mutex_);
    in_flight_ -= batch.size();
    batch.clear();
  }
}

void Store::commit_batch(std::vector<Pending>& batch) {
  const std::lock_guard lock(writer_mutex_);
  std::vector<std::exception_ptr> failures(batch.size());
  std::exception_ptr lost;  // the whole transaction is
  try {
    writer_connection_->run("BEGIN IMMEDIATE");
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const std::size_t hooks = tx_->on_commit_.size();
      bool keep = false;
      tx_->execute("SAVEPOINT request");
      try {
        keep = batch[i].work(*tx_);
      } catch (...) {
        failures[i] = std::current_exception();
      }
      if (!keep) {
        tx_->execute("ROLLBACK TO request");
        tx_->on_commit_.erase(tx_->on_commit_.begin() + static_cast<std::ptrdiff_t>(hooks),
                              tx_->on_commit_.end());
      }
      tx_->execute("RELEASE request");
    }
    writer_connection_->run("COMMIT");
    for (auto& then : tx_->on_commit_) then();
  } catch (const StoreError&) {
    lost = std::current_exception();
    try {
      writer_connection_->run("ROLLBACK");
    } catch (const StoreError&) {
      // SQLite has rolled back by itself on the errors that lose a transaction.
    }
  }
  tx_->on_commit_.clear();
  for (std::size_t i = 0; i < batch.size(); ++i) batch[i].done(lost ? lost : failures[i]);
}

}  // namespace muster::store
