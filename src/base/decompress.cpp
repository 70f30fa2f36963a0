// SPDX-License-Identifier: Apache-2.0
#include "base/decompress.h"

#include <algorithm>
#include <memory>
#include <new>

#include <zlib.h>
#include <zstd.h>

namespace muster {

namespace {

constexpr std::size_t step_bytes = 64 * 1024;

Error too_large() {
  return {Errc::body_too_large, "too large"};
}

Error unreadable(const char* what) {
  return {Errc::invalid_encoding, what};
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

Result<std::string> gunzip(std::string_view compressed, const DecompressLimits& limits) {
  Inflater inflater;
  z_stream& stream = inflater.stream;
  std::string out;
  std::size_t used = 0;
  int state = Z_OK;
  // zlib counts in 32 bits, so a large file is given to it in pieces.
  constexpr std::size_t piece_bytes = 1U << 30;
  for (;;) {
    if (stream.avail_in == 0) {
      const std::string_view piece = compressed.substr(0, piece_bytes);
      // zlib reads through this pointer and never writes; its interface predates const.
      stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(piece.data()));
      stream.avail_in = static_cast<uInt>(piece.size());
      compressed.remove_prefix(piece.size());
    }
    if (state == Z_STREAM_END) {
      if (stream.avail_in == 0) break;
      if (!limits.several_gzip_members) return unreadable("damaged");
      if (inflateReset(&stream) != Z_OK) throw std::bad_alloc();
    }
    if (used == out.size()) grow(out, used, limits.bytes_max);
    const std::size_t room = std::min(out.size() - used, piece_bytes);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + used);
    stream.avail_out = static_cast<uInt>(room);
    state = inflate(&stream, Z_NO_FLUSH);
    const std::size_t produced = room - stream.avail_out;
    used += produced;
    if (used > limits.bytes_max) return too_large();
    if (state != Z_OK && state != Z_STREAM_END && state != Z_BUF_ERROR) {
      return unreadable("damaged");
    }
    const bool no_input = stream.avail_in == 0 && compressed.empty();
    if (state != Z_STREAM_END && no_input && produced == 0) return unreadable("cut off");
  }
  out.resize(used);
  return out;
}

Result<std::string> unzstd(std::string_view compressed, const DecompressLimits& limits) {
  const unsigned long long declared =
      ZSTD_getFrameContentSize(compressed.data(), compressed.size());
  if (declared == ZSTD_CONTENTSIZE_ERROR) return unreadable("damaged");
  if (declared != ZSTD_CONTENTSIZE_UNKNOWN && declared > limits.bytes_max) return too_large();
  const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> decoder(ZSTD_createDCtx(),
                                                                     &ZSTD_freeDCtx);
  if (!decoder) throw std::bad_alloc();
  ZSTD_DCtx_setParameter(decoder.get(), ZSTD_d_windowLogMax, limits.zstd_window_log_max);
  ZSTD_inBuffer in{compressed.data(), compressed.size(), 0};
  std::string out;
  std::size_t used = 0;
  std::size_t wanted = 0;  // 0: a frame is complete
  while (in.pos < in.size || wanted != 0) {
    if (used == out.size()) grow(out, used, limits.bytes_max);
    ZSTD_outBuffer to{out.data(), out.size(), used};
    const std::size_t read_before = in.pos;
    wanted = ZSTD_decompressStream(decoder.get(), &to, &in);
    if (ZSTD_isError(wanted)) return unreadable("damaged");
    const bool stuck = to.pos == used && in.pos == read_before;
    used = to.pos;
    if (used > limits.bytes_max) return too_large();
    const bool no_input = wanted != 0 && in.pos == in.size;
    if (no_input && (stuck || used < out.size())) return unreadable("cut off");
  }
  out.resize(used);
  return out;
}

}  // namespace

Result<std::string> decompress(Compression compression, std::string_view compressed,
                               const DecompressLimits& limits) {
  return compression == Compression::gzip ? gunzip(compressed, limits) : unzstd(compressed, limits);
}

}  // namespace muster
