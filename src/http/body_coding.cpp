// SPDX-License-Identifier: Apache-2.0
#include "http/body_coding.h"

#include <algorithm>
#include <memory>
#include <new>

#include <zlib.h>
#include <zstd.h>

#include "base/limits.h"
#include "base/text.h"

namespace muster::http {

namespace {

constexpr std::size_t step_bytes = 64 * 1024;

Error too_large() {
  return {Errc::body_too_large, "Decompressed payload too large"};
}

/// Makes room after the `used` bytes of `out`, one byte beyond the bound so that crossing it shows.
void grow(std::string& out, std::size_t used, std::size_t bytes_max) {
  out.resize(std::min(used + std::max(step_bytes, used / 2), bytes_max + 1));
}

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

Result<std::string> gunzip(std::string_view compressed, std::size_t bytes_max) {
  Inflater inflater;
  z_stream& stream = inflater.stream;
  // zlib reads through this pointer and never writes; its interface predates const.
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(compressed.data()));
  stream.avail_in = static_cast<uInt>(compressed.size());
  std::string out;
  int state = Z_OK;
  while (state != Z_STREAM_END) {
    const std::size_t used = out.size();
    grow(out, used, bytes_max);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + used);
    stream.avail_out = static_cast<uInt>(out.size() - used);
    state = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
    if (out.size() > bytes_max) return too_large();
    const bool stuck =
        state == Z_BUF_ERROR || (state == Z_OK && stream.avail_in == 0 && stream.avail_out != 0);
    if ((state != Z_OK && state != Z_STREAM_END) || stuck) {
      return Error{Errc::invalid_encoding, "Invalid gzip payload"};
    }
  }
  if (stream.avail_in != 0) return Error{Errc::invalid_encoding, "Invalid gzip payload"};
  return out;
}

Result<std::string> unzstd(std::string_view body, std::size_t bytes_max) {
  const Error damaged{Errc::invalid_encoding, "Invalid zstd payload"};
  const unsigned long long declared = ZSTD_getFrameContentSize(body.data(), body.size());
  if (declared == ZSTD_CONTENTSIZE_ERROR) return damaged;
  if (declared != ZSTD_CONTENTSIZE_UNKNOWN && declared > bytes_max) return too_large();
  const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> decoder(ZSTD_createDCtx(),
                                                                     &ZSTD_freeDCtx);
  if (!decoder) throw std::bad_alloc();
  ZSTD_DCtx_setParameter(decoder.get(), ZSTD_d_windowLogMax, limits::zstd_body_window_log);
  ZSTD_inBuffer in{body.data(), body.size(), 0};
  std::string out;
  std::size_t used = 0;
  std::size_t wanted = 0;  // 0: a frame is complete
  while (in.pos < in.size || wanted != 0) {
    if (used == out.size()) grow(out, used, bytes_max);
    ZSTD_outBuffer to{out.data(), out.size(), used};
    const std::size_t read_before = in.pos;
    wanted = ZSTD_decompressStream(decoder.get(), &to, &in);
    if (ZSTD_isError(wanted)) return damaged;
    const bool stuck = to.pos == used && in.pos == read_before;
    used = to.pos;
    if (used > bytes_max) return too_large();
    if (wanted != 0 && in.pos == in.size && (stuck || used < out.size())) return damaged;
  }
  out.resize(used);
  return out;
}

}  // namespace

std::optional<Coding> parse_coding(std::string_view name) {
  if (equal_folded(name, "gzip")) return Coding::gzip;
  if (equal_folded(name, "zstd")) return Coding::zstd;
  return std::nullopt;
}

Result<std::string> decompress(Coding coding, std::string_view body, std::size_t bytes_max) {
  return coding == Coding::gzip ? gunzip(body, bytes_max) : unzstd(body, bytes_max);
}

}  // namespace muster::http
