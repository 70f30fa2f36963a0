// SPDX-License-Identifier: Apache-2.0
#include "http/gunzip.h"

#include <algorithm>
#include <new>

#include <zlib.h>

namespace muster::http {

namespace {

/// Ends the stream whichever way the decoder leaves.
struct Inflater {
  z_stream stream{};
  Inflater() {
    constexpr int gzip_only = 16 + MAX_WBITS;
    if (inflateInit2(&stream, gzip_only) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
};

}  // namespace

Result<std::string> gunzip(std::string_view compressed, std::size_t bytes_max) {
  constexpr std::size_t step_bytes = 64 * 1024;
  Inflater inflater;
  z_stream& stream = inflater.stream;
  // zlib reads through this pointer and never writes; its interface predates const.
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(compressed.data()));
  stream.avail_in = static_cast<uInt>(compressed.size());
  std::string out;
  int state = Z_OK;
  while (state != Z_STREAM_END) {
    const std::size_t used = out.size();
    out.resize(std::min(used + std::max(step_bytes, used / 2), bytes_max + 1));
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + used);
    stream.avail_out = static_cast<uInt>(out.size() - used);
    state = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
    if (out.size() > bytes_max) {
      return Error{Errc::body_too_large, "Decompressed payload too large"};
    }
    const bool stuck =
        state == Z_BUF_ERROR || (state == Z_OK && stream.avail_in == 0 && stream.avail_out != 0);
    if ((state != Z_OK && state != Z_STREAM_END) || stuck) {
      return Error{Errc::invalid_encoding, "Invalid gzip payload"};
    }
  }
  if (stream.avail_in != 0) return Error{Errc::invalid_encoding, "Invalid gzip payload"};
  return out;
}

}  // namespace muster::http
