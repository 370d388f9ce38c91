// The command line of the MPI programs: --name VALUE or --name=VALUE. Hides the parsing; promises one sentence for
// anything that is wrong, and a help text and a JSON record that know every option.
#pragma once

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "mpi-tests/common/json.hpp"

namespace headroom::mpi {

struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Options {
 public:
  // Each target holds the default and receives the value; it has to outlive this object.
  void flag(std::string name, bool& target, std::string help);
  void count(std::string name, std::int64_t& target, std::int64_t least, std::int64_t most, std::string help);
  // 4096, 64K, 16M, 1G (powers of 1024).
  void bytes(std::string name, std::int64_t& target, std::int64_t least, std::int64_t most, std::string help);
  void seconds(std::string name, double& target, double least, std::string help);
  void number(std::string name, double& target, double least, std::string help);
  void text(std::string name, std::string value_name, std::string& target, std::string help);

  // Without the program's name. Throws UsageError.
  void parse(const std::vector<std::string>& arguments) const;

  std::string help() const;            // one line an option, with its default
  void write(JsonWriter& json) const;  // the values as they are now: {"max-bytes": 4096, ...}

 private:
  struct Option {
    std::string name;
    std::string value_name;  // empty for a flag
    std::string help;
    std::string default_text;
    std::function<void(const std::string&)> take;
    std::function<void(JsonWriter&)> write;
  };
  const Option& find(const std::string& name) const;
  std::vector<Option> options_;
};

// "64M" and the like in bytes. Throws UsageError.
std::int64_t parse_bytes(const std::string& text);

}  // namespace headroom::mpi
