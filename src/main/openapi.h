// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace muster {

/// The OpenAPI document as JSON, made from api/openapi.yaml when this is built.
extern const char* const openapi_json;

}  // namespace muster
