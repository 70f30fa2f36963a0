// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "net/asio.h"
#include "net/exchange.h"
#include "net/io_thread.h"
#include "net/socket_bio.h"
#include "net/transport.h"

namespace muster::net {

/// One connection: a coroutine that waits for bytes, and plain functions that do everything which
/// need not wait. A request that arrives whole, runs inline and whose answer fits into the socket
/// passes through advance() alone.
class Session : public SessionLink, public DeadlineWheel::Entry {
 public:
  Session(IoThread& thread, Socket socket, const IpAddress& peer);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Serves until the peer closes, misbehaves, is too slow, or close() was called.
  static Task<void> run(std::unique_ptr<Session> session);

  /// Ends whatever run() waits for, except a delivery.
  void close();
  /// Closes unless a request is under way or has arrived; a live body is none.
  void drain();
  /// The live body may have something to say, or the write's turn has come.
  void wake();

 private:
  /// What advance() and its parts leave to be done.
  enum class Next {
    more_input,    // the head is not whole
    next_request,  // answered
    wait,          // finish() goes on at stage_
    close
  };
  /// Where a request that has to wait stands.
  enum class Stage {
    read_body,
    read_chunks,
    read_long_body,
    work,
    commit,
    send,
    stream,
    live,
    discard,
    linger,
    done,
    close
  };

  // Before the first request; session_opening.cpp.
  bool has_opening() const;
  /// The proxy's header and the TLS handshake, as far as there are any. False when the connection
  /// ends.
  Task<bool> open();
  Task<bool> read_proxy_header();
  Task<bool> shake_hands();
  /// True for a caller that begins to speak TLS; answers one that speaks plain HTTP.
  Task<bool> begins_tls();
  void set_peer(const IpAddress& peer);

  // The socket, or TLS over it.
  Io read(std::span<char> out);
  Io write(std::string_view bytes);
  /// Something can be read that no readiness of the socket announces.
  bool has_unread() const { return tls_ && SSL_pending(tls_.get()) > 0; }
  /// For the state of a read or write. False when the connection was closed meanwhile.
  Task<bool> wait(Io::State state);

  /// Reads once and makes it the input.
  Io receive();
  /// Takes what is left of the input out of the thread's buffer.
  void keep_input();
  /// Before each wait for a request or the rest of a head. False when it is not worth waiting.
  bool expect_request();
  /// Deadline for moving `bytes`: the timeout, and more for large ones.
  void allow(Duration timeout, std::uint64_t bytes);

  Next advance();
  Exchange& open_exchange();
  /// Who the request is from, when a trusted proxy brought it.
  void believe_proxy(http::Request& request);
  Next start(std::string_view head);
  Next take_body();
  /// Takes a place for a body of so many bytes if it is large, or may become so. False when there
  /// is none.
  bool take_body_place(std::uint64_t bytes);
  /// What a body is told that found no place.
  Next refuse_for_bodies();
  Next run_here_or_wait();
  Next run_shortened();
  Next refuse_head(const Refusal& refusal);
  /// Answers without having read the body, and ends the connection once the peer has seen it.
  Next refuse_and_close(const Error& error);
  /// Answers without having read the body: a small one is discarded, else the connection ends.
  Next refuse_with(http::Response response);
  Next after_reply(http::Reply reply);
  Next answer(http::Response response);
  /// Takes a place for the answer's stream, if it has one. False when there is none.
  bool take_stream(http::Response& response);
  Next answered();
  Next wait_at(Stage stage) {
    stage_ = stage;
    return Next::wait;
  }
  bool say_continue();

  /// Completes the request at stage_. False when the connection ends.
  Task<bool> finish();
  Task<void> read_body();
  Task<void> read_chunks();
  Task<void> read_long_body();
  Task<void> work();
  Task<void> commit();
  // What joins the group commit; session_commit.cpp.
  /// False, leaving the write, when there is no place for it.
  bool submit_write(std::uint64_t ticket);
  /// Until submit_write() is true. False, and goes on, when the peer is gone or is told to come
  /// back later.
  Task<bool> wait_for_place(std::uint64_t ticket);
  /// Until wake(). False when the peer is gone.
  Task<bool> wait_for_call();
  void drop_write();
  Task<void> send();
  /// Reads and sends a body piece by piece.
  Task<void> stream();
  Task<bool> read_piece();
  /// Sends what a live body says until it is over, the peer goes or the server drains;
  /// session_live.cpp.
  Task<void> live();
  /// Until wake(). False when the peer is gone or speaks, or nobody woke us for too long.
  Task<bool> wait_for_wake();
  Task<void> discard();
  Task<void> linger();
  /// Drops what comes until the peer closes, or for a while.
  Task<void> drop_input();
  Task<bool> write_all(std::string_view bytes);
  /// Waits until there is something to read, and reads. Nothing when the peer is gone.
  Task<std::span<const char>> read_more(std::size_t bytes_max);
  void goes_on(Next next);

  int socket() { return socket_.native_handle(); }

  IoThread& thread_;
  Socket socket_;
  SslPtr tls_;      // over socket_; none on a plain connection
  IpAddress peer_;  // the socket's, or whom the proxy's header names
  std::string peer_text_;
  bool through_proxy_;  // the socket's peer is a trusted proxy
  Socket::wait_type read_waits_for_ = Socket::wait_read;
  std::string pending_;                 // input that had to wait; empty on an idle connection
  std::string_view input_;              // not yet used; into pending_ or the thread's buffer
  std::size_t scanned_ = 0;             // of the input, for the end of a head
  std::unique_ptr<Exchange> exchange_;  // while a request is under way
  http::Write write_;                   // stage commit
  std::uint64_t to_discard_ = 0;        // stage discard
  Stage stage_ = Stage::done;
  Stage after_ = Stage::done;  // once the answer is out: done, close, discard or linger
  bool idle_ = true;           // nothing of a request has come
  bool head_begun_ = false;    // the head's deadline is set
  bool listens_ = false;       // to wake(): stage live or commit, and nothing to do
  bool woken_ = false;         // while listens_
};

}  // namespace muster::net
