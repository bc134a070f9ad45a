#include "core/config/route_regex.h"

#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>
#include <utility>

#include "core/base/strings.h"

namespace sluice {
namespace {

re2::StringPiece Piece(std::string_view text) { return {text.data(), text.size()}; }

bool IsAlphanumeric(char c) {
  return (c >= '0' && c <= '9') || (LowerAscii(c) >= 'a' && LowerAscii(c) <= 'z');
}

// The literal characters that the pattern begins with. An alternation may stand beside them, so a
// pattern with any gets none.
RegexPrefix ReadLiteral(std::string_view pattern) {
  RegexPrefix prefix;
  if (pattern.find('|') != std::string_view::npos) return prefix;
  size_t at = pattern.starts_with('^') ? 1 : 0;
  for (; at < pattern.size(); ++at) {
    char c = pattern[at];
    if (c == '\\') {
      // Before a letter or a digit it is a class, an anchor or the like.
      if (at + 1 == pattern.size() || IsAlphanumeric(pattern[at + 1])) return prefix;
      c = pattern[++at];
    } else if (c == '*' || c == '?' || c == '{') {
      if (!prefix.text.empty()) prefix.text.pop_back();  // it repeats the last one, maybe not once
      return prefix;
    } else if (c == '$' && at + 1 == pattern.size()) {
      break;
    } else if (std::string_view("+.[](){}$^").find(c) != std::string_view::npos) {
      return prefix;
    }
    // What is not ASCII may be several bytes that repeat together.
    if (static_cast<unsigned char>(c) >= 0x80) return prefix;
    prefix.text += c;
  }
  prefix.whole = true;
  return prefix;
}

// From RE2's own analysis, which also sees through groups and alternations.
std::string RangePrefix(const re2::RE2& regex) {
  constexpr int kLongest = 64;
  std::string least;
  std::string most;
  if (!regex.PossibleMatchRange(&least, &most, kLongest)) return {};
  const size_t size = std::min(least.size(), most.size());
  const auto differ =
      std::mismatch(least.begin(), least.begin() + static_cast<ptrdiff_t>(size), most.begin());
  least.erase(differ.first, least.end());
  return least;
}

}  // namespace

Result<std::unique_ptr<re2::RE2>> CompileRegex(std::string_view pattern) {
  auto regex = std::make_unique<re2::RE2>(Piece(pattern), re2::RE2::Quiet);
  if (!regex->ok()) return Fail(Code::kInvalidArgument, regex->error());
  return regex;
}

bool FullMatch(const re2::RE2& regex, std::string_view text) {
  return regex.Match(Piece(text), 0, text.size(), re2::RE2::ANCHOR_BOTH, nullptr, 0);
}

RegexPrefix FindRegexPrefix(const re2::RE2& regex) {
  RegexPrefix prefix = ReadLiteral(regex.pattern());
  if (prefix.whole) return prefix;
  std::string range = RangePrefix(regex);
  if (range.size() > prefix.text.size()) prefix.text = std::move(range);
  return prefix;
}

struct RegexSet::Automaton {
  explicit Automaton(const re2::RE2::Options& options) : set(options, re2::RE2::ANCHOR_BOTH) {}

  re2::RE2::Set set;
};

RegexSet::RegexSet(std::unique_ptr<Automaton> automaton) : automaton_(std::move(automaton)) {}
RegexSet::~RegexSet() = default;

std::unique_ptr<RegexSet> RegexSet::Build(const std::vector<std::string>& patterns) {
  // The automaton's states grow with the number of patterns, and those that do not fit are built
  // again and again.
  constexpr int64_t kBaseMemory = 8 << 20;
  constexpr int64_t kMemoryPerPattern = 4 << 10;
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_max_mem(kBaseMemory + kMemoryPerPattern * static_cast<int64_t>(patterns.size()));
  auto automaton = std::make_unique<Automaton>(options);
  for (const std::string& pattern : patterns) {
    if (automaton->set.Add(pattern, nullptr) < 0) return nullptr;
  }
  if (!automaton->set.Compile()) return nullptr;
  return std::unique_ptr<RegexSet>(new RegexSet(std::move(automaton)));
}

bool RegexSet::Match(std::string_view text, std::vector<int>& numbers) const {
  re2::RE2::Set::ErrorInfo error{re2::RE2::Set::kNoError};
  const bool any = automaton_->set.Match(Piece(text), &numbers, &error);
  std::sort(numbers.begin(), numbers.end());
  return any || error.kind == re2::RE2::Set::kNoError;
}

}  // namespace sluice
