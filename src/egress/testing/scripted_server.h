// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests only: an HTTP server on loopback that answers as it is told, over TLS or in the clear.

#include <sys/socket.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "net/testing_tls.h"

namespace muster::egress::testing {

struct Answer {
  std::string bytes;
  bool holds = false;  // says nothing more, and waits for the caller to go
};

inline Answer answer(const std::string& head, const std::string& body = {}) {
  return {"HTTP/1.1 " + head + "\r\nContent-Length: " + std::to_string(body.size()) +
          "\r\nConnection: close\r\n\r\n" + body};
}

/// Takes one request a connection, one connection at a time.
class ScriptedServer {
 public:
  using Script = std::function<Answer(const std::string& request)>;
  enum class Over { tls, clear };

  ScriptedServer(const net::testing::CertificateFiles& files, Script script, Over over = Over::tls,
                 const std::string& host = "127.0.0.1")
      : script_(std::move(script)),
        over_(over),
        key_(net::testing::make_key()),
        certificate_(net::testing::make_certificate(key_.get(), host, files.ca_certificate.get(),
                                                    files.ca_key.get())),
        listener_(net::testing::listen_on_loopback()),
        thread_([this] { run(); }) {}
  ~ScriptedServer() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  std::uint16_t port() const { return net::testing::port_of(listener_.get()); }
  std::string url(const std::string& path = "/file", const std::string& host = "127.0.0.1") const {
    return (over_ == Over::tls ? "https://" : "http://") + host + ":" + std::to_string(port()) +
           path;
  }
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void run() {
    const net::SslContextPtr context(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_use_certificate(context.get(), certificate_.get());
    SSL_CTX_use_PrivateKey(context.get(), key_.get());
    for (;;) {
      const net::Descriptor peer(::accept(listener_.get(), nullptr, nullptr));
      if (!peer) return;
      net::SslPtr ssl(over_ == Over::tls ? SSL_new(context.get()) : nullptr);
      if (ssl) {
        net::attach_socket(ssl.get(), peer.get());
        if (SSL_accept(ssl.get()) != 1) continue;
      }
      serve(ssl.get(), peer.get());
    }
  }

  void serve(SSL* ssl, int peer) {
    const auto read = [&](char* to, std::size_t size) {
      return ssl != nullptr ? SSL_read(ssl, to, static_cast<int>(size))
                            : static_cast<int>(::recv(peer, to, size, 0));
    };
    std::string request;
    char chunk[1024];
    while (request.find("\r\n\r\n") == std::string::npos) {
      const int got = read(chunk, sizeof chunk);
      if (got <= 0) return;
      request.append(chunk, static_cast<std::size_t>(got));
    }
    const auto length = request.find("Content-Length: ");
    const std::size_t size =
        request.find("\r\n\r\n") + 4 +
        (length == std::string::npos ? 0 : std::stoul(request.substr(length + 16)));
    while (request.size() < size) {
      const int got = read(chunk, sizeof chunk);
      if (got <= 0) return;
      request.append(chunk, static_cast<std::size_t>(got));
    }
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    const Answer said = script_(request);
    if (ssl != nullptr) {
      SSL_write(ssl, said.bytes.data(), static_cast<int>(said.bytes.size()));
    } else {
      static_cast<void>(::send(peer, said.bytes.data(), said.bytes.size(), MSG_NOSIGNAL));
    }
    while (said.holds && read(chunk, sizeof chunk) > 0) {
    }
  }

  Script script_;
  Over over_;
  net::testing::Key key_;
  net::testing::Certificate certificate_;
  net::Descriptor listener_;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

}  // namespace muster::egress::testing
