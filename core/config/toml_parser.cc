#include "core/config/toml_parser.h"

#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <exception>
#include <sstream>
#include <tuple>
#include <utility>

#include "core/base/strings.h"

namespace sluice {
namespace {

struct Stop {
  ParseProblem problem;
};

// Tables that only dotted keys imply have no place of their own.
Mark MarkOf(const toml::source_region& region, Mark otherwise) {
  if (!region.begin) return otherwise;
  return Mark{static_cast<int>(region.begin.line), static_cast<int>(region.begin.column)};
}

template <typename T>
std::string Written(const T& value) {
  std::ostringstream stream;
  stream << value;
  return stream.str();
}

std::string Scalar(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  if (const auto* number = node.as_integer()) {
    char digits[24];
    if ((number->flags() & toml::value_flags::format_as_octal) == toml::value_flags::none) {
      return Written(number->get());
    }
    // File modes are told apart by their base.
    const auto [end, error] = std::to_chars(digits, digits + sizeof(digits), number->get(), 8);
    return "0o" + std::string(digits, end);
  }
  if (const auto* number = node.as_floating_point()) {
    char digits[32];
    const auto [end, error] = std::to_chars(digits, digits + sizeof(digits), number->get());
    return std::string(digits, end);
  }
  if (const auto* date = node.as_date()) return Written(date->get());
  if (const auto* time = node.as_time()) return Written(time->get());
  if (const auto* stamp = node.as_date_time()) return Written(stamp->get());
  return "";
}

class Builder {
 public:
  Node Build(const toml::node& source, Mark otherwise, size_t depth) {
    Node node;
    node.mark = MarkOf(source.source(), otherwise);
    if (depth > kMaxConfigDepth) {
      throw Stop{ParseProblem{
          node.mark, StrCat({"nested deeper than ", Decimal(kMaxConfigDepth), " levels"})}};
    }
    if (++count_ > kMaxConfigNodes) {
      throw Stop{
          ParseProblem{node.mark, StrCat({"more than ", Decimal(kMaxConfigNodes), " values"})}};
    }
    if (const toml::table* table = source.as_table()) {
      node.kind = Node::Kind::kMap;
      BuildMap(*table, node, depth);
    } else if (const toml::array* array = source.as_array()) {
      node.kind = Node::Kind::kList;
      for (const toml::node& item : *array) {
        node.items.push_back(Build(item, node.mark, depth + 1));
      }
    } else {
      node.kind = Node::Kind::kScalar;
      node.text = Scalar(source);
    }
    return node;
  }

 private:
  void BuildMap(const toml::table& table, Node& node, size_t depth) {
    std::vector<std::pair<Node::Key, const toml::node*>> entries;
    for (const auto& [key, value] : table) {
      entries.emplace_back(Node::Key{std::string(key.str()), MarkOf(key.source(), node.mark)},
                           &value);
    }
    // toml++ sorts them by name.
    std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
      return std::tie(a.first.mark.line, a.first.mark.column) <
             std::tie(b.first.mark.line, b.first.mark.column);
    });
    for (auto& [key, value] : entries) {
      node.items.push_back(Build(*value, key.mark, depth + 1));
      node.keys.push_back(std::move(key));
    }
  }

  size_t count_ = 0;
};

}  // namespace

ParseResult ParseToml(std::string_view text) {
  const auto problem = [](Mark mark, std::string message) {
    return tl::unexpected<ParseProblem>(ParseProblem{mark, std::move(message)});
  };
  try {
    const toml::table table = toml::parse(text);
    return Builder().Build(table, Mark(), 1);
  } catch (const Stop& stop) {
    return problem(stop.problem.mark, stop.problem.message);
  } catch (const toml::parse_error& error) {
    return problem(MarkOf(error.source(), Mark()), std::string(error.description()));
  } catch (const std::exception& error) {
    return problem(Mark(), error.what());
  }
}

}  // namespace sluice
