// SPDX-License-Identifier: Apache-2.0
#include "store/store.h"

#include <algorithm>
#include <chrono>
#include <future>

#include "store/migrate.h"
#include "store/sql/nodes.h"
#include "store/transfer.h"

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

crypto::Sha256 Rows::sha256(int column) const {
  const std::string_view bytes = blob(column);
  crypto::Sha256 digest;
  CHECK(bytes.size() == digest.bytes.size());
  std::memcpy(digest.bytes.data(), bytes.data(), bytes.size());
  return digest;
}

Total read_total(Rows rows) {
  CHECK(rows.next());
  const std::int64_t counted = rows.integer(0);
  return {std::min(counted, limits::counted_rows), counted <= limits::counted_rows};
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

void Tx::start_posted(Sql sql, std::span<const Param> params) {
  Rows rows = start(sql, params);
  rows.statement_->post();
}

struct Store::PooledReader {
  explicit PooledReader(Database& database)
      : connection(database.connect(Access::read_only)), reader(*connection) {}
  std::unique_ptr<Connection> connection;
  Reader reader;
};

Store::Lease::Lease(Store& of) : store(of) {
  {
    std::unique_lock lock(store.readers_mutex_);
    const bool free = store.reader_free_.wait_for(
        lock, limits::reader_wait, [&] { return store.readers_in_use_ < limits::store_readers; });
    if (!free) {
      ++store.reads_refused_;
      throw StoreError("no reader of the store became free");
    }
    ++store.readers_in_use_;
    while (!store.readers_.empty() && !pooled) {
      pooled = std::move(store.readers_.back());
      store.readers_.pop_back();
      if (pooled->connection->lost()) pooled.reset();
    }
  }
  try {
    if (!pooled) pooled = std::make_unique<PooledReader>(*store.database_);
    pooled->connection->begin();
  } catch (...) {
    pooled.reset();
    give_back();
    throw;
  }
  reader = &pooled->reader;
}

Store::Lease::~Lease() {
  try {
    pooled->connection->commit();
  } catch (const StoreError&) {
    pooled.reset();  // a reader that cannot end its transaction is not used again
  }
  give_back();
}

void Store::Lease::give_back() {
  {
    const std::lock_guard lock(store.readers_mutex_);
    --store.readers_in_use_;
    if (pooled) store.readers_.push_back(std::move(pooled));
  }
  store.reader_free_.notify_one();
}

Store::Store(std::unique_ptr<Database> database)
    : database_(std::move(database)), writer_connection_(database_->connect(Access::read_write)) {
  if (is_transfer_unfinished(*writer_connection_)) {
    throw StoreError(
        "a store is being copied into this database: run `muster store copy` again to finish it");
  }
  migrate(*writer_connection_);
  if (database_->remote()) marker_.emplace(*writer_connection_);
  tx_ = std::make_unique<Tx>(*writer_connection_);
}

Store::~Store() {
  stop_writer();
  if (!marker_ || !writer_connection_) return;
  try {
    marker_->remove(*writer_connection_);
  } catch (const StoreError&) {
    // The row stays.
  }
}

Store::Figures Store::figures() {
  Figures figures;
  {
    const std::lock_guard lock(queue_mutex_);
    figures.writes_in_flight = in_flight_;
    figures.most_in_flight = most_in_flight_;
  }
  {
    const std::lock_guard lock(readers_mutex_);
    figures.readers_in_use = readers_in_use_;
  }
  figures.commits = commits_;
  figures.failed_commits = failed_commits_;
  figures.reads_refused = reads_refused_;
  return figures;
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
  if (thread_.joinable()) thread_.join();
  running_ = false;
}

void Store::step_writer(std::function<bool()> wait) {
  const std::lock_guard lock(queue_mutex_);
  CHECK(!running_ && wait);
  running_ = true;
  stopping_ = false;
  wait_ = std::move(wait);
}

std::size_t Store::commit_queued(std::size_t most) {
  CHECK(wait_);
  std::vector<Pending> batch;
  {
    const std::lock_guard lock(queue_mutex_);
    take_queued(batch, most);
  }
  if (!batch.empty()) commit_batch(batch);
  const std::lock_guard lock(queue_mutex_);
  in_flight_ -= batch.size();
  return queue_.size() + later_.size();
}

void Store::take_queued(std::vector<Pending>& batch, std::size_t most) {
  const auto take = [&](std::deque<Pending>& from, std::size_t size) {
    while (!from.empty() && batch.size() < size) {
      batch.push_back(std::move(from.front()));
      from.pop_front();
    }
  };
  take(queue_, most - std::min(later_.size(), most / limits::later_writes_share));
  take(later_, most);
  take(queue_, most);
}

bool Store::submit(Work& work, Done& done, bool may_wait, JointWork* joint) {
  {
    const std::lock_guard lock(queue_mutex_);
    if (running_) {
      const std::size_t places =
          may_wait ? limits::later_writes_in_flight : limits::writes_in_flight;
      if (stopping_ || in_flight_ >= places) return false;
      most_in_flight_ = std::max(most_in_flight_, ++in_flight_);
      const bool empty = queue_.empty() && later_.empty();
      (may_wait ? later_ : queue_).push_back({std::move(work), std::move(done), joint});
      if (empty) queue_filled_.notify_one();
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
  std::future<void> outcome = finished.get_future();
  if (!submit(task, done)) throw StoreError("the writer takes no more work");
  while (wait_ && outcome.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
    if (!wait_()) throw StoreError("the writer has stopped");
  }
  outcome.get();
}

void Store::run_writer() {
  std::vector<Pending> batch;
  for (;;) {
    {
      std::unique_lock lock(queue_mutex_);
      const auto called = [&] { return stopping_ || !queue_.empty() || !later_.empty(); };
      if (writer_connection_) {
        queue_filled_.wait(lock, called);
      } else {
        queue_filled_.wait_until(lock, pace_.next_try(), called);
      }
      if (queue_.empty() && later_.empty() && stopping_) return;
      take_queued(batch, limits::writes_per_commit);
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
    connect_writer();
    if (!batch.empty()) {
      commit_works(batch, failures);
      ++commits_;
    }
  } catch (const StoreError&) {
    lost = std::current_exception();
    ++failed_commits_;
  }
  for (std::size_t i = 0; i < batch.size(); ++i) batch[i].done(lost ? lost : failures[i]);
}

/// Throws StoreError when nothing of the batch is stored, as far as anyone knows.
void Store::commit_works(std::vector<Pending>& batch, std::vector<std::exception_ptr>& failures) {
  try {
    writer_connection_->begin();
    if (marker_) {
      take_turn(*tx_);
      if (before_writes_) before_writes_(*tx_);
    }
    run_joint_works(batch);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const bool is_done = batch[i].joint != nullptr && batch[i].joint->done;
      failures[i] = run_work(batch[i].work, !is_done);
    }
    if (marker_) {
      // Last: it holds up what other servers announce until this commit is durable.
      insert_announcements(*tx_, marker_->writer(), tx_->announced_);
      marker_->set(*tx_);
    }
    writer_connection_->commit();
  } catch (const StoreError& failure) {
    if (failure.kind() != StoreError::Kind::in_doubt) {
      undo_transaction();
      throw;
    }
    doubt_ = Doubt{std::move(tx_->on_commit_)};
    drop_writer();
    connect_writer();
    if (!doubt_took_effect_) throw;
    return;
  }
  for (auto& then : tx_->on_commit_) then();
  tx_->on_commit_.clear();
  tx_->announced_.clear();
}

/// Of each kind that two works or more have in common. What fails is left to the works.
void Store::run_joint_works(std::vector<Pending>& batch) {
  std::vector<std::pair<JointWork::Run, std::vector<JointWork*>>> kinds;
  for (const Pending& pending : batch) {
    if (pending.joint == nullptr) continue;
    const auto of_kind = [&](const auto& kind) { return kind.first == pending.joint->run; };
    auto kind = std::find_if(kinds.begin(), kinds.end(), of_kind);
    if (kind == kinds.end()) kind = kinds.insert(kind, {pending.joint->run, {}});
    kind->second.push_back(pending.joint);
  }
  for (const auto& [run, parts] : kinds) {
    if (parts.size() < 2) continue;
    Work together = [run = run, &parts = parts](Tx& tx) {
      run(tx, parts);
      return true;
    };
    if (!run_work(together)) continue;
    for (JointWork* part : parts) part->done = false;
  }
}

/// Runs one closure, which `writes`, in its savepoint and returns what it threw. Throws when the
/// transaction is lost.
std::exception_ptr Store::run_work(Work& work, bool writes) {
  std::exception_ptr failure;
  const std::size_t hooks = tx_->on_commit_.size();
  const std::size_t announced = tx_->announced_.size();
  if (writes) writer_connection_->savepoint();
  try {
    if (work(*tx_)) {
      if (writes) writer_connection_->release();
      return nullptr;
    }
  } catch (...) {
    failure = std::current_exception();
  }
  if (writes) writer_connection_->undo_to_savepoint();
  tx_->on_commit_.erase(tx_->on_commit_.begin() + static_cast<std::ptrdiff_t>(hooks),
                        tx_->on_commit_.end());
  tx_->announced_.resize(announced);
  return failure;
}

void Store::undo_transaction() {
  tx_->on_commit_.clear();
  tx_->announced_.clear();
  try {
    writer_connection_->rollback();
  } catch (const StoreError&) {
    drop_writer();
  }
}

void Store::drop_writer() {
  tx_.reset();
  writer_connection_.reset();
}

/// Makes the writer's connection anew if it is gone, and learns what became of a commit in doubt.
/// Throws StoreError while the database is away.
void Store::connect_writer() {
  if (writer_connection_ && writer_connection_->lost()) drop_writer();
  if (writer_connection_) return;
  if (!wait_ && !pace_.may_try()) throw StoreError("the database is away", StoreError::Kind::away);
  try {
    auto connection = database_->connect(Access::read_write);
    if (doubt_) settle_doubt(*connection);
    tx_ = std::make_unique<Tx>(*connection);
    writer_connection_ = std::move(connection);
    pace_.succeeded();
  } catch (const StoreError&) {
    pace_.failed();
    throw;
  }
}

void Store::settle_doubt(Connection& connection) {
  doubt_took_effect_ = marker_->is_set(connection);
  if (doubt_took_effect_) {
    for (auto& then : doubt_->on_commit) then();
  }
  doubt_.reset();
}

}  // namespace muster::store
