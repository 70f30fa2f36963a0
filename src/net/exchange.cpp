// SPDX-License-Identifier: Apache-2.0
#include "net/exchange.h"

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

void Exchange::clear() {
  reset(head);
  reset(body);
  reset(unsent);
  reset(unsent_body);
  parser.reset();
  request.reset();
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
