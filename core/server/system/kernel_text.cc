#include "core/server/system/kernel_text.h"

#include <cstddef>

#include "core/base/strings.h"

namespace sluice {
namespace {

// Takes the first line off `text`, without its end.
std::string_view TakeLine(std::string_view& text) {
  const size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

// Takes the first word off `text`; empty at its end.
std::string_view TakeWord(std::string_view& text) {
  const size_t begin = text.find_first_not_of(" \t\n");
  if (begin == std::string_view::npos) return text = {};
  text.remove_prefix(begin);
  const std::string_view word = text.substr(0, text.find_first_of(" \t\n"));
  text.remove_prefix(word.size());
  return word;
}

std::optional<uint64_t> TakeNumber(std::string_view& text) { return ParseDecimal(TakeWord(text)); }

std::string_view TakeWords(std::string_view& text, int count) {
  std::string_view last;
  for (int i = 0; i < count; ++i) last = TakeWord(text);
  return last;
}

// mountinfo writes blanks and backslashes as three octal digits.
std::string Unescape(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto is_octal = [&text](size_t i) { return text[i] >= '0' && text[i] <= '7'; };
    if (text[0] == '\\' && text.size() >= 4 && is_octal(1) && is_octal(2) && is_octal(3)) {
      out += static_cast<char>((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0'));
      text.remove_prefix(4);
    } else {
      out += text[0];
      text.remove_prefix(1);
    }
  }
  return out;
}

// Where the cgroup v2 tree is mounted, and which part of it.
struct CgroupMount {
  std::string root;
  std::string folder;
};

std::optional<CgroupMount> FindCgroupMount(std::string_view mountinfo) {
  while (!mountinfo.empty()) {
    std::string_view line = TakeLine(mountinfo);
    const size_t dash = line.find(" - ");
    if (dash == std::string_view::npos) continue;
    std::string_view kind = line.substr(dash + 3);
    if (TakeWord(kind) != "cgroup2") continue;
    line = line.substr(0, dash);
    CgroupMount mount;
    mount.root = Unescape(TakeWords(line, 4));
    mount.folder = Unescape(TakeWord(line));
    if (!mount.folder.empty()) return mount;
  }
  return std::nullopt;
}

}  // namespace

std::optional<uint64_t> NumberOf(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    std::string_view line = TakeLine(text);
    std::string_view name = TakeWord(line);
    if (name.ends_with(':')) name.remove_suffix(1);
    if (name != key) continue;
    const std::optional<uint64_t> number = TakeNumber(line);
    const bool in_kilobytes = TakeWord(line) == "kB";
    if (!number || (in_kilobytes && *number > UINT64_MAX / 1024)) return std::nullopt;
    return in_kilobytes ? *number * 1024 : *number;
  }
  return std::nullopt;
}

std::optional<uint64_t> NumberInGroup(std::string_view text, std::string_view group,
                                      std::string_view key) {
  while (!text.empty()) {
    std::string_view names = TakeLine(text);
    if (TakeWord(names) != group) continue;
    std::string_view numbers = TakeLine(text);
    if (TakeWord(numbers) != group) return std::nullopt;
    for (;;) {
      const std::string_view name = TakeWord(names);
      const std::optional<uint64_t> number = TakeNumber(numbers);
      if (name.empty()) return std::nullopt;
      if (name == key) return number;
    }
  }
  return std::nullopt;
}

std::optional<uint64_t> OnlyNumber(std::string_view text) { return TakeNumber(text); }

std::optional<uint64_t> PressureTotal(std::string_view text, std::string_view stall) {
  constexpr std::string_view kTotal = "total=";
  while (!text.empty()) {
    std::string_view line = TakeLine(text);
    if (TakeWord(line) != stall) continue;
    for (std::string_view word = TakeWord(line); !word.empty(); word = TakeWord(line)) {
      if (word.starts_with(kTotal)) return ParseDecimal(word.substr(kTotal.size()));
    }
  }
  return std::nullopt;
}

std::optional<ProcessStat> ParseProcessStat(std::string_view text) {
  // "PID (NAME) STATE ...", where NAME may hold anything; proc(5) counts the fields from 1.
  const size_t name_end = text.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  text.remove_prefix(name_end + 1);
  TakeWords(text, 17);  // fields 3 to 19
  const std::optional<uint64_t> threads = TakeNumber(text);
  TakeWords(text, 2);
  const std::optional<uint64_t> virtual_bytes = TakeNumber(text);
  const std::optional<uint64_t> resident_pages = TakeNumber(text);
  if (!threads || !virtual_bytes || !resident_pages) return std::nullopt;
  return ProcessStat{*threads, *virtual_bytes, *resident_pages};
}

std::optional<CpuMax> ParseCpuMax(std::string_view text) {
  const std::string_view quota = TakeWord(text);
  const std::optional<uint64_t> period = TakeNumber(text);
  if (!period || *period == 0) return std::nullopt;
  if (quota == "max") return CpuMax{std::nullopt, *period};
  const std::optional<uint64_t> number = ParseDecimal(quota);
  if (!number) return std::nullopt;
  return CpuMax{number, *period};
}

std::vector<InterfaceTraffic> ParseInterfaces(std::string_view text) {
  std::vector<InterfaceTraffic> all;
  while (!text.empty()) {
    std::string_view line = TakeLine(text);
    const size_t colon = line.rfind(':');  // an alias has one in its name
    if (colon == std::string_view::npos) continue;
    std::string_view numbers = line.substr(colon + 1);
    const std::optional<uint64_t> received_bytes = TakeNumber(numbers);
    TakeWords(numbers, 2);  // packets, errs
    const std::optional<uint64_t> received_drops = TakeNumber(numbers);
    TakeWords(numbers, 4);  // fifo, frame, compressed, multicast
    const std::optional<uint64_t> sent_bytes = TakeNumber(numbers);
    TakeWords(numbers, 2);
    const std::optional<uint64_t> sent_drops = TakeNumber(numbers);
    if (!received_bytes || !received_drops || !sent_bytes || !sent_drops) continue;
    all.push_back({std::string(TrimBlanks(line.substr(0, colon))), *received_bytes, *received_drops,
                   *sent_bytes, *sent_drops});
  }
  return all;
}

std::string CgroupFolder(std::string_view cgroup, std::string_view mountinfo) {
  constexpr std::string_view kUnified = "0::";  // the line of cgroup v2
  std::optional<std::string_view> path;
  while (!cgroup.empty() && !path) {
    const std::string_view line = TakeLine(cgroup);
    if (line.starts_with(kUnified)) path = line.substr(kUnified.size());
  }
  const std::optional<CgroupMount> mount = FindCgroupMount(mountinfo);
  if (!path || !path->starts_with('/') || !mount) return {};
  // A container sees a part of the tree as its own: the process' path may lead into that part, or,
  // as seen from the container, out of it.
  std::string_view inside = *path;
  if (mount->root != "/") {
    const bool leads_in = inside.starts_with(mount->root) && (inside.size() == mount->root.size() ||
                                                              inside[mount->root.size()] == '/');
    inside = leads_in ? inside.substr(mount->root.size()) : std::string_view();
  }
  if (inside == "/" || inside.starts_with("/..")) inside = {};
  return StrCat({mount->folder, inside});
}

}  // namespace sluice
