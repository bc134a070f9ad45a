// The include rule of core/README.md: which room may include which, as a function of two paths.
// Pure; the test beside it applies it to every #include of the tree.
#ifndef SLUICE_TESTS_TREE_INCLUDE_RULES_H_
#define SLUICE_TESTS_TREE_INCLUDE_RULES_H_

#include <optional>
#include <string>
#include <string_view>

namespace sluice {

// One #include line: what stands between the quotes or the angle brackets.
struct Include {
  std::string path;
  bool quoted = false;
};

// What `line` includes; nothing when it is not an #include.
std::optional<Include> ParseInclude(std::string_view line);

// The rule that `file` (a path from the root, such as core/net/dns.cc) breaks by `include`, in
// words; nothing when it may.
std::optional<std::string> BrokenRule(std::string_view file, const Include& include);

// The include guard that a header at `file` carries: core/net/dns.h is SLUICE_CORE_NET_DNS_H_.
std::string GuardOf(std::string_view file);

}  // namespace sluice

#endif  // SLUICE_TESTS_TREE_INCLUDE_RULES_H_
