#include "core/config/node.h"

#include "core/base/strings.h"
#include "core/config/text.h"

namespace sluice {

const Node* Node::Find(std::string_view name) const {
  for (size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].name == name) return &items[i];
  }
  return nullptr;
}

std::string Describe(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull:
      return "nothing";
    case Node::Kind::kScalar:
      return node.secret ? "a secret" : Quoted(node.text);
    case Node::Kind::kList:
      return "a list";
    case Node::Kind::kMap:
      return "a map";
  }
  return "";
}

const Node& FindNearest(const Node& root, std::string_view path) {
  const Node* node = &root;
  while (!path.empty()) {
    const Node* next = nullptr;
    size_t end;
    if (path.front() == '[') {
      end = path.find(']');
      if (end == std::string_view::npos) break;
      const auto index = ParseDecimal(path.substr(1, end - 1));
      if (index && *index < node->items.size()) next = &node->items[*index];
      ++end;
    } else {
      end = path.find_first_of(".[");
      next = node->kind == Node::Kind::kMap ? node->Find(path.substr(0, end)) : node;
    }
    if (next == nullptr) break;
    node = next;
    path.remove_prefix(end == std::string_view::npos ? path.size() : end);
    if (!path.empty() && path.front() == '.') path.remove_prefix(1);
  }
  return *node;
}

}  // namespace sluice
