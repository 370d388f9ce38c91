#include "models/journal_file.hpp"

#include <charconv>

#include <fmt/format.h>

#include "models/errors.hpp"

namespace headroom {
namespace {

constexpr std::string_view kMagic = "headroom.journal/1\n";
constexpr std::size_t kLengthBytes = 8;  // of the scenario, little endian
constexpr std::string_view kEndMagic = "\nheadroom.journal.end ";
constexpr std::size_t kEndBytes = kEndMagic.size() + 3 * (16 + 1) + 1 + 1;

std::string end_mark(std::string_view digest, std::uint64_t steps, std::string_view scenario_digest, bool interrupted) {
  return fmt::format("{}{} {:016x} {} {}\n", kEndMagic, digest, steps, scenario_digest, interrupted ? 'i' : 'c');
}

}  // namespace

JournalFile::JournalFile(const std::string& path, const std::string& scenario)
    : scenario_digest_(digest_of(scenario)), file_(path) {
  std::string header(kMagic);
  for (std::size_t i = 0; i < kLengthBytes; ++i) header.push_back(static_cast<char>(scenario.size() >> (8 * i)));
  file_.write(header);
  file_.write(scenario);
}

void JournalFile::commit(const std::string& digest, std::uint64_t steps, bool interrupted) {
  file_.write(end_mark(digest, steps, scenario_digest_, interrupted));
  file_.commit();
}

JournalParts split_journal(std::string_view bytes, const std::string& name) {
  if (!bytes.starts_with(kMagic)) {
    throw InputError(name + ": not a journal: it does not begin with \"headroom.journal/1\"");
  }
  bytes.remove_prefix(kMagic.size());
  std::uint64_t length = 0;
  if (bytes.size() >= kLengthBytes) {
    for (std::size_t i = 0; i < kLengthBytes; ++i) {
      length |= std::uint64_t{static_cast<std::uint8_t>(bytes[i])} << (8 * i);
    }
    bytes.remove_prefix(kLengthBytes);
  }
  if (length == 0 || length > bytes.size() || bytes.size() - length < kEndBytes ||
      !bytes.substr(bytes.size() - kEndBytes).starts_with(kEndMagic)) {
    throw InputError(name + ": the journal is cut short: its end mark is missing");
  }
  JournalParts parts;
  parts.scenario = bytes.substr(0, length);
  parts.steps = bytes.substr(length, bytes.size() - length - kEndBytes);
  const std::string_view end = bytes.substr(bytes.size() - kEndBytes);
  const std::string_view fields = end.substr(kEndMagic.size());
  parts.digest = fields.substr(0, 16);
  std::from_chars(fields.data() + 17, fields.data() + 33, parts.step_count, 16);
  parts.interrupted = fields[51] == 'i';
  // Made again from what was read, the mark is the same, or something in it or in the scenario is damaged.
  if (end != end_mark(parts.digest, parts.step_count, digest_of(parts.scenario), parts.interrupted)) {
    throw InputError(name + ": the journal is damaged: its end mark does not go with its scenario");
  }
  return parts;
}

}  // namespace headroom
