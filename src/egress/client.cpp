// SPDX-License-Identifier: Apache-2.0
#include "egress/client.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <new>

#include <curl/curl.h>

#include "base/ip_scope.h"
#include "base/limits.h"
#include "base/text.h"

namespace muster::egress {

namespace {

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* handle) const {
    Free(handle);
  }
};
using Easy = std::unique_ptr<CURL, Freed<&curl_easy_cleanup>>;
using Url = std::unique_ptr<CURLU, Freed<&curl_url_cleanup>>;
using List = std::unique_ptr<curl_slist, Freed<&curl_slist_free_all>>;

/// The only state of the process that libcurl has; it may be made once.
void start_curl() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) throw std::bad_alloc();
}

struct Target {
  std::string scheme;
  std::string host;  // without the brackets of IPv6
  std::string port;
};

std::string part_of(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return {};
  std::string out(text);
  curl_free(text);
  return out;
}

Result<Target> parse_target(const std::string& text) {
  const Url url(curl_url());
  if (!url) throw std::bad_alloc();
  if (curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK ||
      text.find('\0') != std::string::npos) {
    return invalid_field("url", "is no address of a file");
  }
  if (!part_of(url.get(), CURLUPART_USER).empty() ||
      !part_of(url.get(), CURLUPART_PASSWORD).empty()) {
    return invalid_field("url", "must not hold a password");
  }
  Target target{part_of(url.get(), CURLUPART_SCHEME), part_of(url.get(), CURLUPART_HOST),
                part_of(url.get(), CURLUPART_PORT)};
  if (target.scheme != "https" && target.scheme != "http") {
    return invalid_field("url", "must begin with https://");
  }
  if (target.host.starts_with('[') && target.host.ends_with(']')) {
    target.host = target.host.substr(1, target.host.size() - 2);
  }
  if (target.host.empty()) return invalid_field("url", "names no host");
  return target;
}

bool may_call(const Rules& rules, const IpAddress& address) {
  return is_public_address(address) || contains(rules.allow, address);
}

Result<void> check_scheme(const Rules& rules, const Target& target, bool was_https) {
  if (target.scheme == "https") return {};
  if (was_https) return invalid_field("url", "leads from https to http");
  const bool allowed =
      std::any_of(rules.plain_http.begin(), rules.plain_http.end(),
                  [&](const std::string& host) { return equal_folded(host, target.host); });
  if (allowed) return {};
  return invalid_field(
      "url", "must begin with https://; [egress] plain_http does not name " + target.host);
}

/// The addresses that the connection may go to, as CURLOPT_RESOLVE takes them; empty for a host
/// that is an address itself.
Result<std::string> pin(const Rules& rules, const Resolve& resolve, const Refused& refused,
                        const Target& target) {
  const auto refuse = [&](const IpAddress& address) {
    if (refused) refused(target.host, address);
    return invalid_field(
        "url", target.host + " has an address that is not public and not in [egress] allow");
  };
  if (const auto address = parse_ip_address(target.host)) {
    if (!may_call(rules, *address)) return refuse(*address);
    return std::string();
  }
  // Whoever answers for a name must not have any address that we would not call.
  std::string pinned;
  for (const IpAddress& address : TRY(resolve(target.host))) {
    if (!may_call(rules, address)) return refuse(address);
    pinned += pinned.empty() ? target.host + ":" + target.port + ":" : ",";
    const std::string text = format_ip_address(address);
    pinned += address.is_v4() ? text : "[" + text + "]";
  }
  if (pinned.empty()) return Error{Errc::unavailable, target.host + " has no address"};
  return pinned;
}

/// One request and its answer.
class Exchange {
 public:
  Exchange(const Rules& rules, const http::FetchOrder& order, Duration time_left)
      : rules_(rules), order_(order), curl_(curl_easy_init()) {
    if (!curl_) throw std::bad_alloc();
    set_bounds(time_left);
    set_trust();
    set(CURLOPT_WRITEFUNCTION, &Exchange::on_write);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, &Exchange::progress);
    set(CURLOPT_XFERINFODATA, this);
  }

  /// Whether there was an answer. `with_headers`: those of the order go along.
  Result<void> run(const std::string& url, const std::string& pinned, bool with_headers) {
    set(CURLOPT_URL, url.c_str());
    if (!pinned.empty()) add(pins_, pinned);
    set(CURLOPT_RESOLVE, pins_.get());
    if (!order_.have.etag.empty()) add(headers_, "If-None-Match: " + order_.have.etag);
    if (!order_.have.last_modified.empty()) {
      add(headers_, "If-Modified-Since: " + order_.have.last_modified);
    }
    for (const auto& [name, value] : order_.headers) {
      if (with_headers) add(headers_, name + ": " + value);
    }
    if (order_.body) {
      set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(order_.body->size()));
      set(CURLOPT_POSTFIELDS, order_.body->data());
      add(headers_, "Expect:");  // no round trip before so little
    }
    set(CURLOPT_HTTPHEADER, headers_.get());
    const CURLcode code = curl_easy_perform(curl_.get());
    // What a refusal says beside its status is not wanted whole.
    const bool cut = code == CURLE_WRITE_ERROR || code == CURLE_FILESIZE_EXCEEDED;
    if (code == CURLE_OK || (cut && !takes_body())) return {};
    if (too_large_ || code == CURLE_FILESIZE_EXCEEDED) {
      return Error{Errc::body_too_large,
                   "The file is larger than " + std::to_string(order_.bytes_max) + " bytes."};
    }
    if (refused_) return invalid_field("url", "leads to an address that may not be called");
    if (code == CURLE_ABORTED_BY_CALLBACK) return Error{Errc::unavailable, "It was given up."};
    const std::string_view what = reason_[0] != '\0' ? reason_ : curl_easy_strerror(code);
    return Error{Errc::unavailable, std::string(what.substr(0, 300))};
  }

  bool was_taken() const {
    return order_.body && (order_.take || (status() >= 200 && status() <= 299));
  }

  long status() const {
    long status = 0;
    curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &status);
    return status;
  }
  std::string redirect_url() const {
    char* url = nullptr;
    curl_easy_getinfo(curl_.get(), CURLINFO_REDIRECT_URL, &url);
    return url != nullptr ? url : "";
  }
  std::optional<int> retry_after_seconds() const {
    curl_off_t seconds = 0;
    curl_easy_getinfo(curl_.get(), CURLINFO_RETRY_AFTER, &seconds);
    if (seconds <= 0) return std::nullopt;
    return static_cast<int>(std::min<curl_off_t>(seconds, 24 * 3600));
  }
  /// Empty too when it is longer or other than a validator can be.
  std::string header(const char* name) const {
    curl_header* found = nullptr;
    if (curl_easy_header(curl_.get(), name, 0, CURLH_HEADER, -1, &found) != CURLHE_OK) return {};
    const std::string_view value = found->value;
    const bool plain =
        std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~'; });
    return plain && value.size() <= limits::egress_header_bytes ? std::string(value)
                                                                : std::string();
  }
  std::uint64_t bytes() const { return bytes_; }
  Duration time_taken() const {
    curl_off_t microseconds = 0;
    curl_easy_getinfo(curl_.get(), CURLINFO_TOTAL_TIME_T, &microseconds);
    return Duration(microseconds / 1000);
  }

 private:
  template <typename T>
  void set(CURLoption option, T value) {
    const CURLcode code = curl_easy_setopt(curl_.get(), option, value);
    if (code == CURLE_OUT_OF_MEMORY) throw std::bad_alloc();
    CHECK(code == CURLE_OK);
  }
  static void add(List& list, const std::string& line) {
    curl_slist* longer = curl_slist_append(list.get(), line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    static_cast<void>(list.release());
    list.reset(longer);
  }

  void set_bounds(Duration time_left) {
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(order_.bytes_max));
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(time_left.count()));
    set(CURLOPT_CONNECTTIMEOUT_MS,
        static_cast<long>(std::min(time_left, limits::egress_connect_timeout).count()));
    set(CURLOPT_LOW_SPEED_LIMIT, limits::egress_slowest_bytes_per_second);
    set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(rules_.stall.count() / 1000));
    set(CURLOPT_ERRORBUFFER, reason_);
  }

  void set_trust() {
    set(CURLOPT_USERAGENT, rules_.user_agent.c_str());
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!rules_.ca_file.empty()) {
      set(CURLOPT_CAINFO, rules_.ca_file.c_str());
      set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
    }
    // Empty: none, and not that of the environment either.
    set(CURLOPT_PROXY, rules_.proxy.c_str());
    set(CURLOPT_NOPROXY, "");
    set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    if (!rules_.proxy.empty()) return;
    // The pin leaves curl nothing to look up; this holds should that ever fail.
    set(CURLOPT_OPENSOCKETFUNCTION, &Exchange::open_socket);
    set(CURLOPT_OPENSOCKETDATA, this);
  }

  static std::size_t on_write(char* octets, std::size_t, std::size_t size, void* self) {
    return static_cast<Exchange*>(self)->take({octets, size});
  }
  /// Whether what comes is wanted: of a GET the file and no refusal's words, of a POST all or none.
  bool takes_body() const { return order_.body ? static_cast<bool>(order_.take) : status() == 200; }
  std::size_t take(std::string_view piece) {
    if (!takes_body()) {
      dropped_ += piece.size();
      return dropped_ <= limits::discard_bytes ? piece.size() : CURL_WRITEFUNC_ERROR;
    }
    if (piece.size() > order_.bytes_max - bytes_) {
      too_large_ = true;
      return CURL_WRITEFUNC_ERROR;
    }
    bytes_ += piece.size();
    order_.take(piece);
    return piece.size();
  }

  static int progress(void* self, curl_off_t total, curl_off_t now, curl_off_t, curl_off_t) {
    const http::FetchOrder& order = static_cast<Exchange*>(self)->order_;
    if (!order.goes_on) return 0;
    const auto of = total > 0 ? std::optional(static_cast<std::uint64_t>(total)) : std::nullopt;
    return order.goes_on(static_cast<std::uint64_t>(now), of) ? 0 : 1;
  }

  static curl_socket_t open_socket(void* self, curlsocktype, curl_sockaddr* address) {
    auto* exchange = static_cast<Exchange*>(self);
    IpAddress to;
    if (address->family == AF_INET) {
      to = ipv4_address(&reinterpret_cast<const sockaddr_in*>(&address->addr)->sin_addr);
    } else if (address->family == AF_INET6) {
      const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address->addr);
      std::copy_n(v6->sin6_addr.s6_addr, to.bytes.size(), to.bytes.begin());
    }
    if (!may_call(exchange->rules_, to)) {
      exchange->refused_ = true;
      return CURL_SOCKET_BAD;
    }
    return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  }

  const Rules& rules_;
  const http::FetchOrder& order_;
  List pins_;
  List headers_;
  char reason_[CURL_ERROR_SIZE] = {};
  std::uint64_t bytes_ = 0;
  std::size_t dropped_ = 0;
  bool too_large_ = false;
  bool refused_ = false;
  Easy curl_;  // last: it refers to the others
};

Error refusal(const Exchange& exchange) {
  const long status = exchange.status();
  Error error{Errc::unavailable, "The server answered " + std::to_string(status) + "."};
  if (status == 404 || status == 410) error.code = Errc::not_found;
  if (status == 429) error.code = Errc::rate_limited;
  error.retry_after_seconds = exchange.retry_after_seconds();
  return error;
}

}  // namespace

Rules rules_of(const Config& config, std::string user_agent) {
  Rules rules;
  rules.allow = config.egress_allow;
  rules.plain_http = config.egress_plain_http;
  rules.proxy = config.egress_proxy;
  rules.ca_file = config.egress_ca_file;
  rules.user_agent = std::move(user_agent);
  return rules;
}

Result<std::vector<IpAddress>> resolve_by_system(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int code = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (code != 0) {
    return Error{Errc::unavailable, host + " is not found: " + ::gai_strerror(code)};
  }
  const std::unique_ptr<addrinfo, Freed<&::freeaddrinfo>> owned(list);
  std::vector<IpAddress> out;
  for (const addrinfo* each = list; each != nullptr; each = each->ai_next) {
    IpAddress address;
    if (each->ai_family == AF_INET) {
      address = ipv4_address(&reinterpret_cast<const sockaddr_in*>(each->ai_addr)->sin_addr);
    } else if (each->ai_family == AF_INET6) {
      const auto* v6 = reinterpret_cast<const sockaddr_in6*>(each->ai_addr);
      std::copy_n(v6->sin6_addr.s6_addr, address.bytes.size(), address.bytes.begin());
    } else {
      continue;
    }
    if (std::find(out.begin(), out.end(), address) == out.end()) out.push_back(address);
  }
  return out;
}

Client::Client(Rules rules, Resolve resolve, Refused refused)
    : rules_(std::move(rules)), resolve_(std::move(resolve)), refused_(std::move(refused)) {
  start_curl();
}

Result<http::Fetched> Client::fetch(const http::FetchOrder& order) const {
  std::string url = order.url;
  std::string first_host;
  bool was_https = false;
  Duration time_left = order.time_max;
  for (int redirects = 0; redirects <= limits::egress_redirects; ++redirects) {
    const Target target = TRY(parse_target(url));
    TRY(check_scheme(rules_, target, was_https));
    was_https = target.scheme == "https";
    // A proxy looks names up itself; addresses are checked all the same.
    const bool left_to_proxy = !rules_.proxy.empty() && !parse_ip_address(target.host);
    const std::string pinned =
        left_to_proxy ? std::string() : TRY(pin(rules_, resolve_, refused_, target));
    const std::string host = target.scheme + "://" + target.host + ":" + target.port;
    if (first_host.empty()) first_host = host;

    Exchange exchange(rules_, order, time_left);
    TRY(exchange.run(url, pinned, host == first_host));
    const long status = exchange.status();
    const bool asked = !order.have.etag.empty() || !order.have.last_modified.empty();
    if (order.body && !exchange.was_taken()) return refusal(exchange);
    if (order.body || status == 200 || (status == 304 && asked)) {
      http::Fetched fetched;
      fetched.unchanged = status == 304;
      fetched.validators = {exchange.header("ETag"), exchange.header("Last-Modified")};
      fetched.bytes = exchange.bytes();
      fetched.status = static_cast<int>(status);
      return fetched;
    }
    url = exchange.redirect_url();
    if (url.empty()) return refusal(exchange);
    time_left -= exchange.time_taken();
    if (time_left <= Duration(0)) return Error{Errc::unavailable, "It took too long."};
  }
  return Error{Errc::unavailable,
               "More than " + std::to_string(limits::egress_redirects) + " redirects."};
}

}  // namespace muster::egress
