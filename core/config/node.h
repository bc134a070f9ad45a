// What a YAML, JSON or TOML file says, before the schema is asked: one tree of maps, lists and
// scalars, each with its place in the file. Made by yaml_parser.h and toml_parser.h, owned by the
// loader; main thread.
#ifndef SLUICE_CORE_CONFIG_NODE_H_
#define SLUICE_CORE_CONFIG_NODE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace sluice {

// Bounds on what is parsed, so that no file exhausts the stack or memory.
inline constexpr size_t kMaxConfigBytes = 8u << 20;
inline constexpr size_t kMaxConfigDepth = 64;
inline constexpr size_t kMaxConfigNodes = 1u << 20;  // aliases expanded

// A place in the file; both count from 1.
struct Mark {
  int line = 1;
  int column = 1;
};

struct Node {
  enum class Kind : uint8_t { kNull, kScalar, kList, kMap };
  struct Key {
    std::string name;
    Mark mark;
  };

  Kind kind = Kind::kNull;
  bool broken = false;  // a fault was told already: no more about it
  bool secret = false;  // `text` came from a secret file: it is never shown
  Mark mark;
  std::string text;         // of a scalar, unquoted
  std::vector<Key> keys;    // of a map, as written: duplicates are still there
  std::vector<Node> items;  // elements of a list; values of a map, one a key

  // The value of the first such key, or null.
  const Node* Find(std::string_view name) const;
};

// What is there, for messages: `"text"`, "a list", "a map", "nothing", "a secret".
std::string Describe(const Node& node);

// The node at a path such as listeners[0].routes[2].cluster, or the last one on the way that
// exists: the place to show for a fault found there. "[2]" also takes a map's third value, since
// lists of named things may be written as maps.
const Node& FindNearest(const Node& root, std::string_view path);

struct ParseProblem {
  Mark mark;
  std::string message;
};
using ParseResult = tl::expected<Node, ParseProblem>;

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_NODE_H_
