// How numbers are written in output files: exact times and money, shortest doubles.
#pragma once

#include <string>

#include "models/scenario/design.hpp"

namespace headroom {

void append_seconds(std::string& out, Time t);       // 12 or 12.25: as many decimals as needed, up to 6
void append_usd(std::string& out, MicroUsd amount);  // 12.345678: always 6 decimals
void append_number(std::string& out, double value);  // shortest text that reads back as the same double
void append_number(std::string& out, std::int64_t value);
void append_csv_text(std::string& out, std::string_view text);  // quoted where RFC 4180 wants it

}  // namespace headroom
