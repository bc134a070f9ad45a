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

// The literal characters that a pattern begins with, and where the rest of the pattern is.
struct Literal {
  std::string text;
  size_t rest = 0;
};

// An alternation may stand beside the literal, so a pattern with any gets none.
Literal ReadLiteral(std::string_view pattern) {
  Literal literal;
  if (pattern.find('|') != std::string_view::npos) return literal;
  if (pattern.starts_with('^')) literal.rest = 1;
  size_t last = literal.rest;  // where the last literal character is written
  // What comes next makes the last character a choice, or may do so.
  const auto without_last = [&] {
    if (!literal.text.empty()) literal.text.pop_back();
    literal.rest = last;
    return literal;
  };
  while (literal.rest < pattern.size()) {
    const std::string_view left = pattern.substr(literal.rest);
    char c = left[0];
    size_t size = 1;
    if (c == '\\') {
      // Before a letter or a digit it is a class, an anchor or the like. \Q\E and (?i) may stand
      // between a character and what repeats it.
      if (left.size() == 1 || IsAlphanumeric(left[1])) return without_last();
      c = left[1];
      size = 2;
    } else if (std::string_view("*+?{").find(c) != std::string_view::npos ||
               left.starts_with("(?")) {
      return without_last();
    } else if (left == "$") {
      literal.rest = pattern.size();
      return literal;
    } else if (std::string_view(".[](){}$^").find(c) != std::string_view::npos) {
      return literal;
    }
    // What is not ASCII may be several bytes that repeat together.
    if (static_cast<unsigned char>(c) >= 0x80) return literal;
    literal.text += c;
    last = literal.rest;
    literal.rest += size;
  }
  return literal;
}

// From RE2's own analysis, which sees through groups and alternations, but goes wrong about what
// looks at neighbours: it says that all that match ^/ab?\b begin with /ab.
std::string RangePrefix(const re2::RE2& regex) {
  std::string_view inner = regex.pattern();
  if (inner.starts_with('^')) inner.remove_prefix(1);
  if (inner.ends_with('$')) inner.remove_suffix(1);
  for (const std::string_view look : {"^", "$", "\\b", "\\B", "\\A", "\\z"}) {
    if (inner.find(look) != std::string_view::npos) return {};
  }
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

RegexPool::RegexPool() = default;
RegexPool::~RegexPool() = default;

Result<const re2::RE2*> RegexPool::Get(std::string_view pattern) {
  const auto known = regexes_.find(pattern);
  if (known != regexes_.end()) return known->second.get();
  auto regex = CompileRegex(pattern);
  if (!regex) return Fail(std::move(regex).error());
  return regexes_.emplace(pattern, std::move(*regex)).first->second.get();
}

Result<RouteRegex> RouteRegex::Compile(std::string_view pattern, RegexPool& pool) {
  const auto whole = CompileRegex(pattern);
  if (!whole) return Fail(whole.error());
  RouteRegex regex;
  regex.pattern_ = pattern;
  Literal literal = ReadLiteral(pattern);
  regex.prefix_ = std::move(literal.text);
  if (literal.rest == pattern.size()) return regex;
  // What the tree has compared already need not run through an automaton again.
  auto rest = pool.Get(pattern.substr(literal.rest));
  regex.known_ = rest ? regex.prefix_.size() : 0;
  if (regex.known_ == 0) rest = pool.Get(pattern);
  if (!rest) return Fail(std::move(rest).error());
  regex.rest_ = *rest;
  if (std::string range = RangePrefix(**whole); range.size() > regex.prefix_.size()) {
    regex.prefix_ = std::move(range);
  }
  return regex;
}

bool RouteRegex::Matches(std::string_view text) const {
  if (rest_ == nullptr) return text.size() == prefix_.size();
  // From within the text, so that \b and ^ see what stands before.
  return rest_->Match(Piece(text), known_, text.size(), re2::RE2::ANCHOR_BOTH, nullptr, 0);
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
