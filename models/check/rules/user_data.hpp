// UserData of a launch template: base64 and the MIME multi-part archive inside (PCS-41).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace headroom::rules {

// The bytes; nothing when it is no base64 (RFC 4648; line breaks are passed over).
std::optional<std::string> decode_base64(std::string_view text);

// What keeps the archive from being one; empty if nothing. Any bytes will do.
std::string mime_problem(std::string_view archive);

}  // namespace headroom::rules
