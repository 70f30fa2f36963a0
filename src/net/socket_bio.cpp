// SPDX-License-Identifier: Apache-2.0
#include "net/socket_bio.h"

#include <sys/socket.h>

#include <cerrno>
#include <new>

#include <openssl/bio.h>
#include <openssl/err.h>

namespace muster::net {

namespace {

int descriptor_of(BIO* bio) {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

int finish(BIO* bio, ssize_t moved, int retry_flag) {
  BIO_clear_retry_flags(bio);
  if (moved < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
    BIO_set_flags(bio, retry_flag | BIO_FLAGS_SHOULD_RETRY);
  }
  if (moved == 0 && retry_flag == BIO_FLAGS_READ) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return static_cast<int>(moved);
}

int write_socket(BIO* bio, const char* bytes, int size) {
  const auto sent = send(descriptor_of(bio), bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  return finish(bio, sent, BIO_FLAGS_WRITE);
}

int read_socket(BIO* bio, char* out, int size) {
  return finish(bio, recv(descriptor_of(bio), out, static_cast<std::size_t>(size), 0),
                BIO_FLAGS_READ);
}

long control_socket(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
  return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP ? 1 : 0;
}

int create_socket(BIO* bio) {
  BIO_set_init(bio, 1);
  return 1;
}

const BIO_METHOD* socket_method() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "muster socket");
    if (made == nullptr) throw std::bad_alloc();
    BIO_meth_set_write(made, write_socket);
    BIO_meth_set_read(made, read_socket);
    BIO_meth_set_ctrl(made, control_socket);
    BIO_meth_set_create(made, create_socket);
    return made;
  }();
  return method;
}

}  // namespace

void attach_socket(SSL* ssl, int descriptor) {
  BIO* bio = BIO_new(socket_method());
  if (bio == nullptr) throw std::bad_alloc();
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(descriptor)));
  SSL_set_bio(ssl, bio, bio);
}

const char* take_ssl_error() {
  const auto code = ERR_get_error();
  ERR_clear_error();
  const char* text = ERR_reason_error_string(code);
  return text != nullptr ? text : "TLS failure";
}

}  // namespace muster::net
