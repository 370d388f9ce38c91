// Shell completion, made from the command's own arguments, so that it cannot fall behind them.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace headroom {

// A script to be sourced by `shell`: bash, zsh or fish.
std::string completion_script(const CLI::App& app, const std::string& shell);

}  // namespace headroom
