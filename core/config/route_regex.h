// The regexes of routing: RE2, quiet, in full matches. Immutable; RE2 guards its own lazily built
// automata.
#ifndef SLUICE_CORE_CONFIG_ROUTE_REGEX_H_
#define SLUICE_CORE_CONFIG_ROUTE_REGEX_H_

#include <cstddef>
#include <functional>
#include <map>
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

// Regexes by their pattern: those of many routes are the same but for what they begin with, and one
// automaton stays in the caches where thousands do not. Owns them.
class RegexPool {
 public:
  RegexPool();
  ~RegexPool();
  RegexPool(const RegexPool&) = delete;
  RegexPool& operator=(const RegexPool&) = delete;

  // Valid as long as the pool. Errors as of CompileRegex.
  Result<const re2::RE2*> Get(std::string_view pattern);

 private:
  std::map<std::string, std::unique_ptr<re2::RE2>, std::less<>> regexes_;
};

// A regex of whole paths, split so that a tree can find what it begins with.
class RouteRegex {
 public:
  // `pool` outlives it.
  static Result<RouteRegex> Compile(std::string_view pattern, RegexPool& pool);

  const std::string& pattern() const { return pattern_; }
  // What every text that matches begins with.
  const std::string& prefix() const { return prefix_; }
  // It matches its prefix and nothing else.
  bool literal() const { return rest_ == nullptr; }
  // REQUIRES: `text` begins with prefix().
  bool Matches(std::string_view text) const;

 private:
  RouteRegex() = default;

  std::string pattern_;
  std::string prefix_;
  size_t known_ = 0;                // how much of the prefix rest_ leaves out
  const re2::RE2* rest_ = nullptr;  // nullptr: the prefix is all
};

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
