#include "cli/completion.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace headroom {
namespace {

// A command, its words below `headroom`, and what may follow them.
struct Place {
  std::string path;  // "trace info"; empty for the command itself
  const CLI::App* app;
};

void collect(const CLI::App& app, const std::string& path, std::vector<Place>& places) {
  places.push_back({path, &app});
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    collect(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name(), places);
  }
}

std::vector<const CLI::Option*> named_options(const CLI::App& app) {
  return app.get_options([](const CLI::Option* option) { return !option->get_lnames().empty(); });
}

std::string bash_script(const std::vector<Place>& places) {
  std::string cases;
  std::string paths;
  for (const Place& place : places) {
    std::string words;
    for (const CLI::App* sub : place.app->get_subcommands([](const CLI::App*) { return true; })) {
      words += sub->get_name() + " ";
    }
    for (const CLI::Option* option : named_options(*place.app)) words += "--" + option->get_lnames().front() + " ";
    cases += fmt::format("    \"{}\") words=\"{}\" ;;\n", place.path, words);
    if (!place.path.empty()) paths += fmt::format("{}\"{}\"", paths.empty() ? "" : "|", place.path);
  }
  return fmt::format(R"(_headroom() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} path= word words=
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case "${{path:+$path }}$word" in {}) path="${{path:+$path }}$word" ;; esac
  done
  case "$path" in
{}  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -o default -F _headroom headroom
)",
                     paths, cases);
}

std::string fish_quoted(std::string text) {
  for (std::size_t at = 0; (at = text.find('\'', at)) != std::string::npos; at += 2) text.insert(at, "\\");
  return "'" + text + "'";
}

std::string fish_script(const std::vector<Place>& places) {
  std::string script;
  for (const Place& place : places) {
    std::string condition = "__fish_use_subcommand";
    if (!place.path.empty()) {
      condition.clear();
      for (const std::string& word : CLI::detail::split(place.path, ' ')) {
        condition += fmt::format("{}__fish_seen_subcommand_from {}", condition.empty() ? "" : "; and ", word);
      }
    }
    for (const CLI::App* sub : place.app->get_subcommands([](const CLI::App*) { return true; })) {
      script += fmt::format("complete -c headroom -n '{}' -a {} -d {}\n", condition, sub->get_name(),
                            fish_quoted(sub->get_description()));
    }
    for (const CLI::Option* option : named_options(*place.app)) {
      script += fmt::format("complete -c headroom -n '{}' -l {}{} -d {}\n", condition, option->get_lnames().front(),
                            option->get_items_expected_max() > 0 ? " -r" : "", fish_quoted(option->get_description()));
    }
  }
  return script;
}

}  // namespace

std::string completion_script(const CLI::App& app, const std::string& shell) {
  std::vector<Place> places;
  collect(app, "", places);
  if (shell == "fish") return fish_script(places);
  const std::string bash = bash_script(places);
  return shell == "zsh" ? "autoload -U +X bashcompinit && bashcompinit\n" + bash : bash;
}

}  // namespace headroom
