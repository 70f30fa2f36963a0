// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

namespace muster {

std::string_view errc_name(Errc code) {
  switch (code) {
#define ERRC(name, status) \
  case Errc::name:         \
    return #name;
#include "base/errc.def"
#undef ERRC
  }
  check_failed("known Errc", __FILE__, __LINE__);
}

}  // namespace muster
