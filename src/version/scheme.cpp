// SPDX-License-Identifier: Apache-2.0
#include "version/scheme.h"

#include "base/text.h"
#include "version/apk.h"
#include "version/deb.h"
#include "version/generic.h"
#include "version/golang.h"
#include "version/jvm.h"
#include "version/maven.h"
#include "version/nuget.h"
#include "version/openssl.h"
#include "version/packagist.h"
#include "version/pacman.h"
#include "version/pep440.h"
#include "version/rpm.h"
#include "version/rubygems.h"
#include "version/semver.h"
#include "version/windows.h"

namespace muster::version {

std::string_view scheme_name(Scheme scheme) {
  switch (scheme) {
#define SCHEME(name) \
  case Scheme::name: \
    return #name;
#include "version/schemes.def"
#undef SCHEME
  }
  check_failed("a known scheme", __FILE__, __LINE__);
}

std::optional<Scheme> parse_scheme(std::string_view text) {
#define SCHEME(name) \
  if (equal_folded(text, #name)) return Scheme::name;
#include "version/schemes.def"
#undef SCHEME
  return std::nullopt;
}

Result<void> validate(Scheme scheme, std::string_view text) {
  switch (scheme) {
#define SCHEME(name) \
  case Scheme::name: \
    return validate_##name(text);
#include "version/schemes.def"
#undef SCHEME
  }
  check_failed("a known scheme", __FILE__, __LINE__);
}

Result<std::weak_ordering> compare(Scheme scheme, std::string_view a, std::string_view b) {
  TRY(validate(scheme, a));
  TRY(validate(scheme, b));
  return compare_valid(scheme, a, b);
}

std::weak_ordering compare_valid(Scheme scheme, std::string_view a, std::string_view b) noexcept {
  switch (scheme) {
#define SCHEME(name) \
  case Scheme::name: \
    return compare_##name(a, b);
#include "version/schemes.def"
#undef SCHEME
  }
  check_failed("a known scheme", __FILE__, __LINE__);
}

}  // namespace muster::version
