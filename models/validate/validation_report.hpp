// A validation for people (a table), for programs (JSON, "headroom.validation/1") and for CI (JUnit XML). Promises
// valid UTF-8, JSON and XML whatever host names and logs hold.
#pragma once

#include <string>

#include "models/validate/validation.hpp"

namespace headroom::validate {

std::string validation_table(const Validation& validation);
std::string validation_json(const Validation& validation);
// One test case for each requirement: FAIL is a failure, INCONCLUSIVE is skipped.
std::string validation_junit(const Validation& validation);

// `text` as XML character data or attribute value: escaped, without the characters that XML 1.0 forbids and without
// bytes that are not UTF-8.
std::string xml_text(std::string_view text);

}  // namespace headroom::validate
