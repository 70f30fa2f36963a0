// SPDX-License-Identifier: Apache-2.0
#include "net/exchange.h"

#include <exception>

namespace muster::net {

namespace {

/// What a pooled exchange may keep, so that one large body does not stay for ever.
constexpr std::size_t kept_bytes = 64 * limits::KiB;

void reset(std::string& text) {
  if (text.capacity() > kept_bytes) {
    std::string().swap(text);
  } else {
    text.clear();
  }
}

}  // namespace

void Exchange::own() {
  if (request->body.data() != body.data()) {
    body.assign(request->body);
    request->body = body;
  }
  peer.assign(request->peer_address);
  request->peer_address = peer;
}

void Exchange::drop_body() {
  if (!body_place) return;
  request->body = {};
  request->body_place = nullptr;
  reset(body);
  body_place.reset();
}

void Exchange::read_piece() noexcept {
  unsent_body.clear();
  try {
    unsent_body = stream->source->read(stream->offset);
  } catch (const std::exception&) {
    // The head is out: all that is left to say it with is an answer that ends too early.
  }
  if (unsent_body.size() > stream->bytes) unsent_body.resize(stream->bytes);
  stream->offset += unsent_body.size();
  stream->bytes -= unsent_body.size();
}

std::optional<StreamPlace> StreamPlace::take(std::atomic<std::size_t>& taken, std::size_t places) {
  if (taken.fetch_add(1, std::memory_order_relaxed) < places) return StreamPlace(taken);
  taken.fetch_sub(1, std::memory_order_relaxed);
  return std::nullopt;
}

void Exchange::clear() {
  reset(head);
  reset(body);
  body_place.reset();
  shortener.reset();
  reset(unsent);
  reset(unsent_body);
  unsent_kept_body = {};
  parser.reset();
  request.reset();
  stream.reset();
  place.reset();
  stranger_place.reset();
  live.reset();
}

void Mailbox::deliver(Delivery delivery) {
  const std::lock_guard lock(mutex_);
  if (!wake_) return;
  waiting_.push_back(std::move(delivery));
  if (waiting_.size() == 1) wake_();
}

std::vector<Delivery> Mailbox::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(waiting_, {});
}

void Mailbox::close() {
  const std::lock_guard lock(mutex_);
  wake_ = {};
  waiting_.clear();
}

}  // namespace muster::net
