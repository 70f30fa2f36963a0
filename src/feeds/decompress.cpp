// SPDX-License-Identifier: Apache-2.0
#include "feeds/decompress.h"

#include <algorithm>
#include <memory>
#include <new>

#include <zlib.h>
#include <zstd.h>

#include "feeds/unzip.h"

namespace muster::feeds {

namespace {

constexpr std::size_t step_bytes = 256 * 1024;
constexpr int zstd_window_log_max = 27;

Error too_large(std::size_t bytes_max) {
  return {Errc::body_too_large,
          "The file is larger than " + std::to_string(bytes_max) + " bytes when decompressed."};
}

Error damaged(const char* format, const char* what) {
  return {Errc::invalid_encoding, std::string("The ") + format + " file is " + what + "."};
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

Result<std::string> gunzip(std::string_view content, std::size_t bytes_max) {
  Inflater inflater;
  z_stream& stream = inflater.stream;
  std::string out;
  std::size_t used = 0;
  int state = Z_OK;
  // zlib counts in 32 bits, so a large file is given to it in pieces.
  for (;;) {
    if (stream.avail_in == 0) {
      const std::size_t piece = std::min<std::size_t>(content.size(), 1U << 30);
      // zlib reads through this pointer and never writes; its interface predates const.
      stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(content.data()));
      stream.avail_in = static_cast<uInt>(piece);
      content.remove_prefix(piece);
    }
    if (state == Z_STREAM_END) {
      if (stream.avail_in == 0) break;
      if (inflateReset(&stream) != Z_OK) throw std::bad_alloc();
    }
    if (used == out.size()) grow(out, used, bytes_max);
    const std::size_t room = std::min<std::size_t>(out.size() - used, 1U << 30);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + used);
    stream.avail_out = static_cast<uInt>(room);
    state = inflate(&stream, Z_NO_FLUSH);
    const std::size_t produced = room - stream.avail_out;
    used += produced;
    if (used > bytes_max) return too_large(bytes_max);
    if (state != Z_OK && state != Z_STREAM_END && state != Z_BUF_ERROR) {
      return damaged("gzip", "damaged");
    }
    const bool no_input = stream.avail_in == 0 && content.empty();
    if (state != Z_STREAM_END && no_input && produced == 0) return damaged("gzip", "cut off");
  }
  out.resize(used);
  return out;
}

Result<std::string> unzstd(std::string_view content, std::size_t bytes_max) {
  const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> decoder(ZSTD_createDCtx(),
                                                                     &ZSTD_freeDCtx);
  if (!decoder) throw std::bad_alloc();
  ZSTD_DCtx_setParameter(decoder.get(), ZSTD_d_windowLogMax, zstd_window_log_max);
  ZSTD_inBuffer in{content.data(), content.size(), 0};
  std::string out;
  std::size_t used = 0;
  std::size_t wanted = 0;  // 0: a frame is complete
  while (in.pos < in.size || wanted != 0) {
    if (used == out.size()) grow(out, used, bytes_max);
    ZSTD_outBuffer to{out.data(), out.size(), used};
    const std::size_t read_before = in.pos;
    wanted = ZSTD_decompressStream(decoder.get(), &to, &in);
    if (ZSTD_isError(wanted)) {
      return damaged("zstd", ZSTD_getErrorName(wanted));
    }
    const bool stuck = to.pos == used && in.pos == read_before;
    used = to.pos;
    if (used > bytes_max) return too_large(bytes_max);
    if (wanted != 0 && in.pos == in.size && (stuck || used < out.size())) {
      return damaged("zstd", "cut off");
    }
  }
  out.resize(used);
  return out;
}

}  // namespace

Result<std::string> decompress(std::string content, std::size_t bytes_max) {
  constexpr std::string_view gzip_magic = "\x1f\x8b";
  constexpr std::string_view zstd_magic = "\x28\xb5\x2f\xfd";
  if (content.starts_with(gzip_magic)) return gunzip(content, bytes_max);
  if (content.starts_with(zstd_magic)) return unzstd(content, bytes_max);
  if (is_zip(content)) return unzip_json(content, bytes_max);
  if (content.size() > bytes_max) return too_large(bytes_max);
  return content;
}

}  // namespace muster::feeds
