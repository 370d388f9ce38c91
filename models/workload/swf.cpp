#include "models/workload/swf.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <map>
#include <type_traits>

#include "models/errors.hpp"
#include "models/workload/request_map.hpp"

namespace headroom {

namespace {

constexpr int kFields = 18;

struct FieldRule {
  const char* name;
  std::int64_t scale;    // kSecond: a time
  std::int64_t largest;  // magnitude, in the text's unit
};

// 3 170 years: sums of a few such times still fit in Time.
constexpr std::int64_t kLargestSeconds = 100'000'000'000;
constexpr std::int64_t kLargestCount = 2'147'483'647;
constexpr std::int64_t kLargestInteger = std::int64_t{1} << 53;  // exact as a double, too

constexpr std::array<FieldRule, kFields> kFieldRules{{{"job number", 1, kLargestInteger},
                                                      {"submit time", kSecond, kLargestSeconds},
                                                      {"wait time", kSecond, kLargestSeconds},
                                                      {"run time", kSecond, kLargestSeconds},
                                                      {"allocated processors", 1, kLargestCount},
                                                      {"CPU time", kSecond, kLargestSeconds},
                                                      {"used memory", 1, kLargestInteger},
                                                      {"requested processors", 1, kLargestCount},
                                                      {"requested time", kSecond, kLargestSeconds},
                                                      {"requested memory", 1, kLargestInteger},
                                                      {"status", 1, kLargestInteger},
                                                      {"user", 1, kLargestInteger},
                                                      {"group", 1, kLargestInteger},
                                                      {"executable", 1, kLargestInteger},
                                                      {"queue", 1, kLargestInteger},
                                                      {"partition", 1, kLargestInteger},
                                                      {"preceding job", 1, kLargestInteger},
                                                      {"think time", kSecond, kLargestSeconds}}};

// An SwfRecord is its 18 fields in the order of the columns.
static_assert(std::is_trivially_copyable_v<SwfRecord> && sizeof(SwfRecord) == kFields * sizeof(std::int64_t));

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Text of unknown origin, fit for a terminal: 40 bytes at most, anything but printable ASCII escaped.
std::string shown_text(std::string_view text) {
  constexpr std::size_t kLongest = 40;
  constexpr char kHex[] = "0123456789abcdef";
  std::string shown = "\"";
  for (const char c : text.substr(0, kLongest)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      shown += c;
    } else {
      shown += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return shown + (text.size() > kLongest ? "...\"" : "\"");
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && is_blank(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

bool same_key(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [&](char x, char y) { return lower(x) == lower(y); });
}

// The integer a header value starts with (`1664 (72, 1368, 224)` is 1664); -1 if there is none. Moves behind
// it.
std::int64_t leading_integer(std::string_view& text) {
  std::int64_t value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) {
    return -1;
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

// `; Queue: 2 Besteffort` or `; Queue: 2 - Besteffort jobs`.
void add_name(std::vector<std::pair<std::int64_t, std::string>>& names, std::string_view value) {
  constexpr std::size_t kMostNames = 10'000;  // a header is a header
  constexpr std::size_t kLongestName = 200;
  const std::int64_t number = leading_integer(value);
  if (number < 0 || names.size() >= kMostNames) {
    return;
  }
  value = trimmed(value);
  if (value.substr(0, 2) == "- ") {
    value = trimmed(value.substr(2));
  }
  names.emplace_back(number, std::string(value.substr(0, kLongestName)));
}

}  // namespace

void SwfReader::read_comment(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) {
    return;
  }
  line.remove_prefix(line.find(';') + 1);
  const auto key_end = line.find(':');
  const std::string_view key = trimmed(line.substr(0, key_end));
  std::string_view value = trimmed(line.substr(key_end + 1));

  const auto text = [&](const char* name, std::string& to) {
    if (same_key(key, name)) {
      header_.present = true;
      if (to.empty()) {
        to = value;
      }
    }
  };
  const auto number = [&](const char* name, std::int64_t& to) {
    if (same_key(key, name)) {
      header_.present = true;
      if (to < 0) {
        to = leading_integer(value);
      }
    }
  };
  text("Version", header_.version);
  text("Computer", header_.computer);
  text("Installation", header_.installation);
  text("TimeZoneString", header_.time_zone);
  number("UnixStartTime", header_.unix_start_time);
  number("MaxJobs", header_.max_jobs);
  number("MaxRecords", header_.max_records);
  number("MaxNodes", header_.max_nodes);
  number("MaxProcs", header_.max_processors);
  if (same_key(key, "Queue")) {
    header_.present = true;
    add_name(header_.queues, value);
  } else if (same_key(key, "Partition")) {
    header_.present = true;
    add_name(header_.partitions, value);
  }
}

void SwfReader::fail_field(const char* at, const char* end, int field, const char* expected) const {
  const char* stop = at;
  while (stop != end && !is_blank(*stop)) {
    ++stop;
  }
  throw InputError(shown_name() + ":" + std::to_string(lines_.line_number()) + ": field " + std::to_string(field + 1) +
                   " (" + kFieldRules[static_cast<std::size_t>(field)].name + "): found " +
                   shown_text(std::string_view(at, static_cast<std::size_t>(stop - at))) + ", expected " + expected);
}

// The rare shapes of a number: decimals, exponents, a plus sign, too many digits. `at` moves behind it.
std::int64_t SwfReader::parse_oddity(const char*& at, const char* end, int field) const {
  if (at == end) {
    throw InputError(shown_name() + ":" + std::to_string(lines_.line_number()) + ": found " + std::to_string(field) +
                     (field == 1 ? " field" : " fields") + ", expected 18");
  }
  const FieldRule& rule = kFieldRules[static_cast<std::size_t>(field)];
  const char* p = at;
  const bool negative = *p == '-';
  p += static_cast<int>(negative || *p == '+');
  // Up to six decimals of a time are exact as integers, and as fast: logs with decimals have them on every
  // line.
  std::int64_t whole = 0;
  const char* digit = p;
  while (is_digit(*digit) && digit - p < 12) {
    whole = 10 * whole + (*digit++ - '0');
  }
  if (rule.scale == kSecond && digit != p && *digit == '.' && whole <= rule.largest) {
    std::int64_t micros = 0;
    std::int64_t unit = kSecond;
    for (++digit; is_digit(*digit) && unit > 1; ++digit) {
      unit /= 10;
      micros += unit * (*digit - '0');
    }
    if (is_blank(*digit) || digit == end) {
      at = digit;
      const std::int64_t value = whole * kSecond + micros;
      return negative ? -value : value;
    }
  }
  // Neither "nan" nor "inf" nor a second sign.
  if (!is_digit(*p) && !(*p == '.' && is_digit(p[1]))) {
    fail_field(at, end, field, "a number");
  }
  double value = 0;
  const auto [stop, error] = std::from_chars(p, end, value);
  if (stop != end && !is_blank(*stop)) {
    fail_field(at, end, field, "a number");
  }
  // from_chars calls both 1e999 and 1e-999 out of range and sets no value.
  if (error != std::errc{} || value > static_cast<double>(rule.largest)) {
    const std::string expected = "a number up to " + std::to_string(rule.largest);
    fail_field(at, end, field, expected.c_str());
  }
  at = stop;
  const std::int64_t rounded = std::llround(value * static_cast<double>(rule.scale));
  return negative ? -rounded : rounded;
}

bool SwfReader::next(SwfRecord& record) {
  std::string_view line;
  while (lines_.next(line)) {
    // The byte at `end` is readable and '\n' (LineReader): no digit and no blank, so that it ends every loop
    // below.
    const char* p = line.data();
    const char* const end = p + line.size();
    while (is_blank(*p)) {
      ++p;
    }
    if (p == end) {
      continue;
    }
    if (*p == ';') {
      read_comment(line);
      continue;
    }
    std::array<std::int64_t, kFields> values;
    for (int field = 0; field < kFields; ++field) {
      while (is_blank(*p)) {
        ++p;
      }
      const FieldRule& rule = kFieldRules[static_cast<std::size_t>(field)];
      const char* const start = p;
      const bool negative = *p == '-';
      p += static_cast<int>(negative);
      const char* const digits = p;
      std::int64_t value = 0;
      // 18 digits cannot overflow.
      for (unsigned digit = 0; (digit = static_cast<unsigned char>(*p) - unsigned{'0'}) < 10 && p - digits < 18; ++p) {
        value = 10 * value + digit;
      }
      if (p != digits && (is_blank(*p) || p == end) && value <= rule.largest) [[likely]] {
        values[static_cast<std::size_t>(field)] = (negative ? -value : value) * rule.scale;
      } else {
        p = start;
        values[static_cast<std::size_t>(field)] = parse_oddity(p, end, field);
      }
    }
    while (is_blank(*p)) {
      ++p;
    }
    wide_lines_ += static_cast<std::uint64_t>(p != end);
    std::memcpy(static_cast<void*>(&record), values.data(), sizeof(record));
    is_burst_ = record.status >= 2 && record.status <= 4 && record.job >= 0 && record.job == last_job_;
    last_job_ = record.job;
    return true;
  }
  return false;
}

namespace {

// User numbers to dense indices, in the order of first appearance.
class UserTable {
 public:
  std::uint32_t index_of(std::int64_t user, std::vector<std::string>& names) {
    if (user < 0) {
      user = -1;
    }
    // Archived logs number their users from 0 or 1; raw ones may hold any uid.
    if (user < kDense) {
      const auto slot = static_cast<std::size_t>(user + 1);
      if (slot >= dense_.size()) {
        dense_.resize(std::max(slot + 1, 2 * dense_.size()), kNone);
      }
      if (dense_[slot] == kNone) {
        dense_[slot] = add(user, names);
      }
      return dense_[slot];
    }
    const auto found = sparse_.find(user);
    return found != sparse_.end() ? found->second : sparse_.emplace(user, add(user, names)).first->second;
  }

 private:
  static constexpr std::int64_t kDense = 65536;
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  static std::uint32_t add(std::int64_t user, std::vector<std::string>& names) {
    names.push_back(user < 0 ? "unknown" : std::to_string(user));
    return static_cast<std::uint32_t>(names.size() - 1);
  }
  std::vector<std::uint32_t> dense_;
  std::map<std::int64_t, std::uint32_t> sparse_;
};

// What can happen to a record: first the reasons to drop it, then the repairs.
enum Event : std::size_t {
  kBurst,
  kNoProcessors,
  kTooWide,
  kNoRunTime,
  kTooShort,
  kNoSubmit,
  kNoRequestedTime,
  kEndOfDrops,
  kProcessorsFilled = kEndOfDrops,
  kRequestFromRunTime,
  kRequestFromDefault,
  kRaised,
  kKilled,
  kClairvoyant,
  kLimitCut,
  kUnmappedQueue,
  kOddStatus,
  kEvents
};

// Seconds without trailing zeros: "1", "0.5".
std::string shown_seconds(Time time) {
  std::string text = std::to_string(time / kSecond);
  if (const Time rest = time % kSecond; rest != 0) {
    std::string decimals = std::to_string(kSecond + rest);
    decimals[0] = '.';
    decimals.erase(decimals.find_last_not_of('0') + 1);
    text += decimals;
  }
  return text + " s";
}

std::string describe(Event event, const TraceFilter& filter) {
  switch (event) {
    case kBurst:
      return "burst of a checkpointed job: dropped";
    case kNoProcessors:
      return "no processor count: dropped";
    case kTooWide:
      return "wider than " + std::to_string(filter.max_processors) + " processors: dropped";
    case kNoRunTime:
      return "run time unknown: dropped";
    case kTooShort:
      return "run time below " + shown_seconds(filter.min_run_time) + ": dropped";
    case kNoSubmit:
      return "submit time unknown: dropped";
    case kNoRequestedTime:
      return "requested time missing: dropped";
    case kProcessorsFilled:
      return "requested processors missing: allocated processors taken";
    case kRequestFromRunTime:
      return "requested time missing: run time taken";
    case kRequestFromDefault:
      return "requested time missing: " + shown_seconds(filter.default_requested_time) + " taken";
    case kRaised:
      return "run time over requested time: request raised to the run time";
    case kKilled:
      return "run time over requested time: will be killed at the limit";
    case kClairvoyant:
      return "requested time over run time: run time taken";
    case kLimitCut:
      return "requested time over 10 years: 10 years taken";
    case kUnmappedQueue:
      return "queue number not in workload.map.queues: sent to the default queue";
    case kOddStatus:
      return "status not defined by SWF: taken as completed";
    case kEvents:
      break;
  }
  return {};
}

Outcome outcome_of(std::int64_t status) {
  return status == 0 || status == 4 ? Outcome::failed : status == 5 ? Outcome::cancelled : Outcome::completed;
}

}  // namespace

Workload read_swf(const std::string& path, const std::string& shown_name, const TraceMap& map,
                  const TraceFilter& filter, const std::vector<std::string>& queue_names, std::uint64_t max_jobs) {
  const bool value_missing =
      filter.no_requested_time == TraceFilter::NoRequestedTime::value && filter.default_requested_time <= 0;
  ensure(!value_missing, "a default requested time is positive");
  const RequestMap requests(map, queue_names);
  SwfReader reader(path, shown_name);
  Workload workload;
  workload.source = reader.shown_name();

  std::array<std::uint64_t, kEvents> counts{};
  std::uint64_t out_of_order = 0;
  UserTable users;
  Time last_submit = 0;
  SwfRecord record;

  // Why the record is no job of the run; kEndOfDrops: it is one.
  const auto reason_to_drop = [&] {
    if (reader.is_burst()) {
      return kBurst;
    }
    if (record.processors() <= 0) {
      return kNoProcessors;
    }
    if (filter.max_processors > 0 &&
        std::max(record.requested_processors, record.allocated_processors) > filter.max_processors) {
      return kTooWide;
    }
    if (record.run < 0) {
      return kNoRunTime;
    }
    if (record.run < filter.min_run_time) {
      return kTooShort;
    }
    if (record.submit < 0) {
      return kNoSubmit;
    }
    if (record.requested_time <= 0 && filter.no_requested_time == TraceFilter::NoRequestedTime::drop) {
      return kNoRequestedTime;
    }
    return kEndOfDrops;
  };

  while ((max_jobs == 0 || workload.jobs.size() < max_jobs) && reader.next(record)) {
    if (workload.records++ == 0) {
      // The header's word is worth a guess, not an allocation of any size.
      const std::int64_t announced =
          std::clamp<std::int64_t>(std::max(reader.header().max_records, reader.header().max_jobs), 0, 1 << 19);
      workload.jobs.reserve(max_jobs == 0
                                ? static_cast<std::size_t>(announced)
                                : std::min(static_cast<std::size_t>(announced), static_cast<std::size_t>(max_jobs)));
    }
    if (const Event reason = reason_to_drop(); reason != kEndOfDrops) {
      ++counts[reason];
      continue;
    }
    WorkloadJob job;
    job.run_time = record.run;
    job.outcome = outcome_of(record.status);
    job.number = record.job >= 0 ? static_cast<std::uint64_t>(record.job) : workload.records;
    job.request.submit = record.submit;
    job.request.user = users.index_of(record.user, workload.user_names);
    requests.fill(job.request, record.processors(), record.queue);
    counts[kUnmappedQueue] += static_cast<std::uint64_t>(!requests.knows_queue(record.queue));
    counts[kProcessorsFilled] += static_cast<std::uint64_t>(record.requested_processors <= 0);
    counts[kOddStatus] += static_cast<std::uint64_t>(record.status < -1 || record.status > 5);

    job.request.limit = record.requested_time;
    if (record.requested_time <= 0) {
      if (filter.no_requested_time == TraceFilter::NoRequestedTime::run_time) {
        job.request.limit = std::max(record.run, kSecond);
        ++counts[kRequestFromRunTime];
      } else {
        job.request.limit = filter.default_requested_time;
        ++counts[kRequestFromDefault];
      }
    }
    if (record.run > job.request.limit) {
      if (filter.overrun == TraceFilter::Overrun::raise) {
        job.request.limit = record.run;
        ++counts[kRaised];
      } else {
        ++counts[kKilled];
      }
    }
    if (filter.clairvoyant && std::max(record.run, kSecond) < job.request.limit) {
      job.request.limit = std::max(record.run, kSecond);
      ++counts[kClairvoyant];
    }
    if (job.request.limit > kLongestRequest) {  // "unlimited" in some words or others
      job.request.limit = kLongestRequest;
      ++counts[kLimitCut];
    }
    out_of_order += static_cast<std::uint64_t>(record.submit < last_submit);
    last_submit = record.submit;
    workload.jobs.push_back(job);
  }

  if (workload.records == 0) {
    throw InputError(reader.shown_name() + ": no jobs: found no record, expected lines of 18 fields");
  }
  workload.dropped = workload.records - workload.jobs.size();
  const auto note = [&](std::string what, std::uint64_t jobs) {
    if (jobs > 0) {
      workload.adjustments.push_back({std::move(what), jobs});
    }
  };
  for (std::size_t event = 0; event < kEvents; ++event) {
    note(describe(static_cast<Event>(event), filter), counts[event]);
  }
  note("submitted out of order: sorted by submit time", out_of_order);
  note("more than 18 columns: the rest ignored", reader.wide_lines());
  if (workload.jobs.empty()) {
    std::string message = reader.shown_name() + ": no jobs left of " + std::to_string(workload.records) + ":";
    for (std::size_t event = 0; event < kEndOfDrops; ++event) {
      if (counts[event] > 0) {
        message += "\n  " + std::to_string(counts[event]) + " " + describe(static_cast<Event>(event), filter);
      }
    }
    throw InputError(message);
  }
  if (out_of_order > 0) {
    std::stable_sort(workload.jobs.begin(), workload.jobs.end(),
                     [](const WorkloadJob& a, const WorkloadJob& b) { return a.request.submit < b.request.submit; });
  }
  return workload;
}

}  // namespace headroom
