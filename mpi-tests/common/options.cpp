#include "mpi-tests/common/options.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>
#include <system_error>
#include <utility>

namespace headroom::mpi {

namespace {

bool parse_integer(std::string_view text, std::int64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

bool parse_number(std::string_view text, double& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty() && std::isfinite(value);
}

std::string shown(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%g", value);
  return buffer;
}

std::string shown_bytes(std::int64_t value) {
  constexpr std::int64_t kKi = 1024;
  if (value >= kKi * kKi * kKi && value % (kKi * kKi * kKi) == 0)
    return std::to_string(value / (kKi * kKi * kKi)) + "G";
  if (value >= kKi * kKi && value % (kKi * kKi) == 0) return std::to_string(value / (kKi * kKi)) + "M";
  if (value >= kKi && value % kKi == 0) return std::to_string(value / kKi) + "K";
  return std::to_string(value);
}

}  // namespace

std::int64_t parse_bytes(const std::string& text) {
  const auto wrong = [&] { return UsageError("found \"" + text + "\", expected a size such as 4096, 64K or 16M"); };
  if (text.empty()) throw wrong();
  int shift = 0;
  std::string_view digits = text;
  switch (digits.back()) {
    case 'k':
    case 'K':
      shift = 10;
      break;
    case 'm':
    case 'M':
      shift = 20;
      break;
    case 'g':
    case 'G':
      shift = 30;
      break;
    default:
      break;
  }
  if (shift > 0) digits.remove_suffix(1);
  std::int64_t value = 0;
  if (!parse_integer(digits, value) || value < 0 || value > (std::numeric_limits<std::int64_t>::max() >> shift)) {
    throw wrong();
  }
  return value << shift;
}

void Options::flag(std::string name, bool& target, std::string help) {
  options_.push_back({std::move(name), "", std::move(help), "", [&target](const std::string&) { target = true; },
                      [&target](JsonWriter& json) { json.value(target); }});
}

void Options::count(std::string name, std::int64_t& target, std::int64_t least, std::int64_t most, std::string help) {
  const auto take = [&target, least, most](const std::string& text) {
    std::int64_t value = 0;
    if (!parse_integer(text, value) || value < least || value > most) {
      throw UsageError("found \"" + text + "\", expected a whole number from " + std::to_string(least) + " to " +
                       std::to_string(most));
    }
    target = value;
  };
  options_.push_back({std::move(name), "N", std::move(help), std::to_string(target), take,
                      [&target](JsonWriter& json) { json.value(target); }});
}

void Options::bytes(std::string name, std::int64_t& target, std::int64_t least, std::int64_t most, std::string help) {
  const auto take = [&target, least, most](const std::string& text) {
    const std::int64_t value = parse_bytes(text);
    if (value < least || value > most) {
      throw UsageError("found \"" + text + "\", expected " + shown_bytes(least) + " to " + shown_bytes(most) +
                       " bytes");
    }
    target = value;
  };
  options_.push_back({std::move(name), "BYTES", std::move(help), shown_bytes(target), take,
                      [&target](JsonWriter& json) { json.value(target); }});
}

void Options::seconds(std::string name, double& target, double least, std::string help) {
  number(std::move(name), target, least, std::move(help));
  options_.back().value_name = "SECONDS";
}

void Options::number(std::string name, double& target, double least, std::string help) {
  const auto take = [&target, least](const std::string& text) {
    double value = 0;
    if (!parse_number(text, value) || value < least) {
      throw UsageError("found \"" + text + "\", expected a number of at least " + shown(least));
    }
    target = value;
  };
  options_.push_back({std::move(name), "NUMBER", std::move(help), shown(target), take,
                      [&target](JsonWriter& json) { json.value(target); }});
}

void Options::text(std::string name, std::string value_name, std::string& target, std::string help) {
  options_.push_back({std::move(name), std::move(value_name), std::move(help), target,
                      [&target](const std::string& value) {
                        if (value.empty()) throw UsageError("is empty");
                        target = value;
                      },
                      [&target](JsonWriter& json) { json.value(target); }});
}

const Options::Option& Options::find(const std::string& name) const {
  const auto found = std::find_if(options_.begin(), options_.end(), [&](const Option& o) { return o.name == name; });
  if (found == options_.end()) throw UsageError("unknown option \"--" + name + "\"; --help lists the options");
  return *found;
}

void Options::parse(const std::vector<std::string>& arguments) const {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument.size() < 3 || argument.compare(0, 2, "--") != 0) {
      throw UsageError("unexpected argument \"" + argument + "\"; --help lists the options");
    }
    const std::size_t equals = argument.find('=');
    const Option& option = find(argument.substr(2, equals == std::string::npos ? equals : equals - 2));
    std::string value;
    if (equals != std::string::npos) {
      if (option.value_name.empty()) throw UsageError("--" + option.name + ": takes no value");
      value = argument.substr(equals + 1);
    } else if (!option.value_name.empty()) {
      if (i + 1 == arguments.size()) throw UsageError("--" + option.name + ": needs a value");
      value = arguments[++i];
    }
    try {
      option.take(value);
    } catch (const UsageError& error) {
      throw UsageError("--" + option.name + ": " + error.what());
    }
  }
}

std::string Options::help() const {
  std::string result;
  for (const Option& option : options_) {
    std::string line = "  --" + option.name;
    if (!option.value_name.empty()) line += " " + option.value_name;
    line.resize(std::max<std::size_t>(line.size() + 1, 30), ' ');
    line += option.help;
    if (!option.default_text.empty()) line += " (" + option.default_text + ")";
    result += line + "\n";
  }
  return result;
}

void Options::write(JsonWriter& json) const {
  json.begin_object();
  for (const Option& option : options_) {
    json.key(option.name);
    option.write(json);
  }
  json.end_object();
}

}  // namespace headroom::mpi
