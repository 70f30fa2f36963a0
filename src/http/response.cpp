// SPDX-License-Identifier: Apache-2.0
#include "http/response.h"

namespace muster::http {

int status_of(Errc code) {
  switch (code) {
#define ERRC(name, status) \
  case Errc::name:         \
    return status;
#include "base/errc.def"
#undef ERRC
  }
  check_failed("known Errc", __FILE__, __LINE__);
}

}  // namespace muster::http
