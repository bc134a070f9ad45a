#include "core/config/env.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "core/base/strings.h"
#include "core/config/message_reader.h"
#include "core/config/secrets.h"
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

constexpr std::string_view kFile = "file:";

class Substituter {
 public:
  Substituter(const EnvLookup& env, ConfigProblems& problems) : env_(env), problems_(problems) {}

  void Visit(Node& node, const FieldPath& path) {
    if (node.kind == Node::Kind::kScalar && node.text.find("${") != std::string::npos) {
      SubstituteIn(node, path);
    }
    for (size_t i = 0; i < node.items.size(); ++i) {
      const bool map = node.kind == Node::Kind::kMap;
      Visit(node.items[i], map ? FieldPath{&path, node.keys[i].name} : FieldPath{&path, "", i});
    }
  }

  References Take() { return std::move(references_); }

 private:
  void SubstituteIn(Node& node, const FieldPath& path) {
    Reference reference{node.mark, node.text, {}, {}};
    std::string text;
    const std::string fault = Expand(node.text, reference, text);
    if (!fault.empty()) problems_.Add(node.mark, path.Text(), fault);
    node.broken = !fault.empty();
    node.secret = !reference.files.empty();
    node.text = std::move(text);
    if (node.secret) problems_.HideSecret(node.text);
    if (reference.variables.empty() && !node.secret) return;  // only "$${"
    references_.values += node.text;
    references_.values += '\0';
    references_.all.push_back(std::move(reference));
  }

  // Appends what `text` stands for to `out`; returns what is wrong, or "".
  std::string Expand(std::string_view text, Reference& reference, std::string& out) {
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
      const std::string_view inside = text.substr(2, end - 2);
      std::string fault = inside.starts_with(kFile)
                              ? AppendFile(inside.substr(kFile.size()), reference, out)
                              : AppendVariable(inside, reference, out);
      if (!fault.empty()) return fault;
      text.remove_prefix(end + 1);
    }
  }

  std::string AppendFile(std::string_view path, Reference& reference, std::string& out) {
    if (path.empty()) return "${file:} names no file: write ${file:/run/secrets/NAME}";
    reference.files.emplace_back(path);
    Result<std::string> secret = ReadSecretFile(reference.files.back());
    if (!secret) return secret.error().detail;
    out += *secret;
    problems_.HideSecret(std::move(*secret));
    return "";
  }

  std::string AppendVariable(std::string_view inside, Reference& reference, std::string& out) {
    const size_t separator = inside.find(":-");
    const std::string name(inside.substr(0, separator));
    if (!IsVariableName(name)) {
      return StrCat({Quoted(name), " is no name of a variable; write $${ for the characters ${"});
    }
    reference.variables.push_back(name);
    const auto value = env_(name);
    if (separator == std::string_view::npos) {
      if (!value) {
        return StrCat({"the environment variable ", name, " is not set; ${", name,
                       ":-default} would give a default"});
      }
      out += *value;
    } else {
      out += value && !value->empty() ? *value : inside.substr(separator + 2);
    }
    return "";
  }

  const EnvLookup& env_;
  ConfigProblems& problems_;
  References references_;
};

}  // namespace

std::optional<std::string> ProcessEnv(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

References Substitute(Node& root, const EnvLookup& env, ConfigProblems& problems) {
  Substituter substituter(env, problems);
  substituter.Visit(root, FieldPath{});
  return substituter.Take();
}

}  // namespace sluice
