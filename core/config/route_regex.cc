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

// The literal characters that a pattern begins with.
struct Literal {
  std::string text;
  // The pattern from `rest` on matches what follows the first `known` bytes of the text. The two
  // are not the same at a "+", which asks for its character once and takes more.
  size_t known = 0;
  size_t rest = 0;
};

// An alternation may stand beside the literal, so a pattern with any gets none.
Literal ReadLiteral(std::string_view pattern) {
  Literal literal;
  if (pattern.find('|') != std::string_view::npos) return literal;
  size_t at = pattern.starts_with('^') ? 1 : 0;
  size_t last = at;  // where the last literal character is written
  const auto stop = [&](bool without_last) {
    literal.known = literal.text.size() - (without_last && !literal.text.empty() ? 1 : 0);
    literal.rest = without_last ? last : at;
    return literal;
  };
  // What comes next may make the last character a choice.
  const auto give_back = [&] {
    Literal without_last = stop(true);
    without_last.text.resize(without_last.known);
    return without_last;
  };
  while (at < pattern.size()) {
    char c = pattern[at];
    size_t size = 1;
    if (c == '\\') {
      // Before a letter or a digit it is a class, an anchor or the like; \Q\E may be nothing at
      // all, so that what follows it repeats the last character, as may (?i).
      if (at + 1 == pattern.size() || IsAlphanumeric(pattern[at + 1])) return give_back();
      c = pattern[at + 1];
      size = 2;
    } else if (c == '$' && at + 1 == pattern.size()) {
      at = pattern.size();
      break;
    } else if (c == '*' || c == '?' || c == '{' || pattern.substr(at).starts_with("(?")) {
      return give_back();
    } else if (c == '+') {
      return stop(true);
    } else if (std::string_view(".[](){}$^").find(c) != std::string_view::npos) {
      return stop(false);
    }
    // What is not ASCII may be several bytes that repeat together.
    if (static_cast<unsigned char>(c) >= 0x80) return stop(false);
    literal.text += c;
    last = at;
    at += size;
  }
  return stop(false);
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

RouteRegex::RouteRegex() = default;
RouteRegex::RouteRegex(RouteRegex&&) noexcept = default;
RouteRegex& RouteRegex::operator=(RouteRegex&&) noexcept = default;
RouteRegex::~RouteRegex() = default;

Result<RouteRegex> RouteRegex::Compile(std::string_view pattern) {
  auto whole = CompileRegex(pattern);
  if (!whole) return Fail(std::move(whole).error());
  RouteRegex regex;
  regex.pattern_ = pattern;
  Literal literal = ReadLiteral(pattern);
  regex.prefix_ = std::move(literal.text);
  if (literal.rest == pattern.size()) return regex;
  if (std::string range = RangePrefix(**whole); range.size() > regex.prefix_.size()) {
    regex.prefix_ = std::move(range);
  }
  regex.rest_ = std::move(*whole);
  // What the tree has compared already need not run through an automaton again.
  if (auto rest = CompileRegex(pattern.substr(literal.rest)); literal.known > 0 && rest) {
    regex.rest_ = std::move(*rest);
    regex.known_ = literal.known;
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
