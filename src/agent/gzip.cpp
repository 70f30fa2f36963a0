// SPDX-License-Identifier: Apache-2.0
#include "agent/gzip.h"

#include <zlib.h>

#include <new>

#include "base/check.h"

namespace muster::agent {

std::string gzip(std::string_view content) {
  CHECK(content.size() < (std::size_t{1} << 31));
  z_stream stream{};
  constexpr int gzip_window_bits = 15 + 16;  // zlib: 16 asks for a gzip head
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip_window_bits, 8,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
  std::string out(deflateBound(&stream, content.size()), '\0');
  // zlib reads next_in only, but its interface is older than const.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int outcome = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  CHECK(outcome == Z_STREAM_END);
  return out;
}

}  // namespace muster::agent
