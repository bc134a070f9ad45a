#include "core/config/env.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "core/base/strings.h"
#include "core/config/message_reader.h"
#include "core/config/text.h"

namespace sluice {
namespace {

bool IsVariableName(std::string_view name) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !name.empty() && is_letter(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

// Appends what `reference`, the inside of ${...}, stands for; returns what is wrong, or "".
std::string Append(std::string_view reference, const EnvLookup& env, std::string& out) {
  const size_t separator = reference.find(":-");
  const std::string name(reference.substr(0, separator));
  if (!IsVariableName(name)) {
    return StrCat({Quoted(name), " is no name of a variable; write $${ for the characters ${"});
  }
  const auto value = env(name);
  if (separator == std::string_view::npos) {
    if (!value) {
      return StrCat({"the environment variable ", name, " is not set; ${", name,
                     ":-default} would give a default"});
    }
    out += *value;
  } else {
    out += value && !value->empty() ? *value : reference.substr(separator + 2);
  }
  return "";
}

std::string Substitute(std::string_view text, const EnvLookup& env, std::string& out) {
  while (true) {
    const size_t at = text.find("${");
    out += text.substr(0, at);
    if (at == std::string_view::npos) return "";
    const bool escaped = at > 0 && text[at - 1] == '$';
    text.remove_prefix(at);
    if (escaped) {
      out += '{';  // one of the two "$" is in `out` already
      text.remove_prefix(2);
      continue;
    }
    const size_t end = text.find('}');
    if (end == std::string_view::npos) return "\"${\" without \"}\"";
    std::string fault = Append(text.substr(2, end - 2), env, out);
    if (!fault.empty()) return fault;
    text.remove_prefix(end + 1);
  }
}

void Visit(Node& node, const FieldPath& path, const EnvLookup& env, ConfigProblems& problems) {
  if (node.kind == Node::Kind::kScalar && node.text.find("${") != std::string::npos) {
    std::string text;
    const std::string fault = Substitute(node.text, env, text);
    if (!fault.empty()) problems.Add(node.mark, path.Text(), fault);
    node.broken = !fault.empty();
    node.text = std::move(text);
  }
  for (size_t i = 0; i < node.items.size(); ++i) {
    const bool map = node.kind == Node::Kind::kMap;
    Visit(node.items[i], map ? FieldPath{&path, node.keys[i].name} : FieldPath{&path, "", i}, env,
          problems);
  }
}

}  // namespace

std::optional<std::string> ProcessEnv(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

void SubstituteEnv(Node& root, const EnvLookup& env, ConfigProblems& problems) {
  Visit(root, FieldPath{}, env, problems);
}

}  // namespace sluice
