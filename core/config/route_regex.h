// The regexes of routing: RE2, quiet, in full matches. Immutable; RE2 guards its own lazily built
// automata.
#ifndef SLUICE_CORE_CONFIG_ROUTE_REGEX_H_
#define SLUICE_CORE_CONFIG_ROUTE_REGEX_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace re2 {
class RE2;
}

namespace sluice {

// The error says what is wrong with the pattern, and where in it.
Result<std::unique_ptr<re2::RE2>> CompileRegex(std::string_view pattern);

// Does all of `text` match?
bool FullMatch(const re2::RE2& regex, std::string_view text);

// What every text that fully matches begins with: it tells where in the prefix tree the regex
// stands.
struct RegexPrefix {
  std::string text;
  bool whole = false;  // the regex matches `text` and nothing else
};
RegexPrefix FindRegexPrefix(const re2::RE2& regex);

// Many regexes, tested at once.
class RegexSet {
 public:
  // The patterns are numbered from 0 in their order. nullptr if they are too many or too large for
  // one automaton. REQUIRES: each compiles.
  static std::unique_ptr<RegexSet> Build(const std::vector<std::string>& patterns);
  ~RegexSet();
  RegexSet(const RegexSet&) = delete;
  RegexSet& operator=(const RegexSet&) = delete;

  // Sets `numbers` to those of the patterns that fully match, in order. False if that could not be
  // found out within the set's memory: test them one by one.
  bool Match(std::string_view text, std::vector<int>& numbers) const;

 private:
  struct Automaton;  // keeps <re2/set.h> out of here

  explicit RegexSet(std::unique_ptr<Automaton> automaton);

  std::unique_ptr<Automaton> automaton_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_ROUTE_REGEX_H_
