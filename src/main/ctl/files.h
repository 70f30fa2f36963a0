// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <istream>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"
#include "crypto/sha256.h"
#include "main/ctl/session.h"
#include "main/ctl/shell.h"

namespace muster::ctl {

/// Lets `use` read a file, or standard input for "-". Fails with not_found, and as `use` does.
Result<void> with_input(const Shell& shell, const std::string& path,
                        const std::function<Result<void>(std::istream&)>& use);

/// Makes a file of that mode, on disk when this returns. Never over one that is there: it may be
/// the only copy of a key. Fails with invalid_field and the system's reason; of a file that was not
/// written whole nothing stays.
Result<void> write_new_file(const std::string& path, std::string_view content, int mode);

/// Uploads a file for `org` (id or name; "0" is the server itself; empty the default organisation).
/// Returns its digest, by which it can be referred to for some hours.
Result<crypto::Sha256> upload_file(Session& session, const std::string& path, std::string_view org);

}  // namespace muster::ctl
