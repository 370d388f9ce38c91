#include "models/report/format.hpp"

#include <array>
#include <charconv>

namespace headroom {
namespace {

template <class T>
void append_chars(std::string& out, T value) {
  std::array<char, 40> text;
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  ensure(error == std::errc{}, "a number fits in its text");
  out.append(text.data(), end);
}

// `value` millionths with exactly six decimals.
void append_millionths(std::string& out, std::int64_t value) {
  if (value < 0) {
    out.push_back('-');
    value = -value;
  }
  append_chars(out, value / 1'000'000);
  std::array<char, 7> decimals{'.', '0', '0', '0', '0', '0', '0'};
  std::int64_t rest = value % 1'000'000;
  for (std::size_t i = 6; i > 0; --i, rest /= 10) decimals[i] = static_cast<char>('0' + rest % 10);
  out.append(decimals.data(), decimals.size());
}

}  // namespace

void append_seconds(std::string& out, Time t) {
  if (t % kSecond == 0) return append_chars(out, t / kSecond);
  append_millionths(out, t);
  while (out.back() == '0') out.pop_back();
}

void append_usd(std::string& out, MicroUsd amount) { append_millionths(out, amount); }
void append_number(std::string& out, double value) { append_chars(out, value); }
void append_number(std::string& out, std::int64_t value) { append_chars(out, value); }

void append_csv_text(std::string& out, std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out.append(text);
    return;
  }
  out.push_back('"');
  for (const char c : text) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  out.push_back('"');
}

}  // namespace headroom
