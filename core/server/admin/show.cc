#include "core/server/admin/show.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "core/base/strings.h"

namespace sluice {
namespace {

using Json = nlohmann::ordered_json;

bool IsFlat(const Json& value) { return !value.is_structured(); }

std::string Cell(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_null()) return "-";
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// A list of plain values is one too: "a, b".
bool IsLine(const Json& value) {
  return IsFlat(value) || (value.is_array() && std::all_of(value.begin(), value.end(), IsFlat));
}

std::string Line(const Json& value) {
  if (IsFlat(value)) return Cell(value);
  std::string line;
  for (const Json& each : value) line += StrCat({line.empty() ? "" : ", ", Cell(each)});
  return line.empty() ? "-" : line;
}

class Writer {
 public:
  void Write(const Json& value, size_t indent) {
    if (value.is_object()) return WriteObject(value, indent);
    if (IsLine(value)) {
      text_ += StrCat({std::string(indent, ' '), Line(value), "\n"});
      return;
    }
    const bool table = std::all_of(value.begin(), value.end(), [](const Json& each) {
      return each.is_object() && std::all_of(each.begin(), each.end(), IsLine);
    });
    if (table) return WriteTable(value, indent);
    for (const Json& each : value) {
      if (&each != &value.front()) text_ += '\n';
      Write(each, indent);
    }
  }

  std::string Take() { return std::move(text_); }

 private:
  void WriteObject(const Json& object, size_t indent) {
    size_t widest = 0;
    for (const auto& [name, value] : object.items()) {
      if (IsLine(value)) widest = std::max(widest, name.size());
    }
    for (const auto& [name, value] : object.items()) {
      text_ += StrCat({std::string(indent, ' '), name});
      if (IsLine(value)) {
        text_ += StrCat({std::string(widest + 2 - name.size(), ' '), Line(value), "\n"});
      } else {
        text_ += '\n';
        Write(value, indent + 2);
      }
    }
  }

  void WriteTable(const Json& rows, size_t indent) {
    std::vector<std::vector<std::string>> cells(1);
    for (const auto& [name, value] : rows.front().items()) cells[0].push_back(name);
    for (const Json& row : rows) {
      std::vector<std::string>& line = cells.emplace_back();
      for (const std::string& name : cells[0]) {
        line.push_back(row.contains(name) ? Line(row[name]) : "-");
      }
    }
    std::vector<size_t> widths(cells[0].size());
    for (const auto& line : cells) {
      for (size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
    }
    for (const auto& line : cells) {
      text_.append(indent, ' ');
      for (size_t i = 0; i < line.size(); ++i) {
        text_ += line[i];
        if (i + 1 < line.size()) text_.append(widths[i] + 2 - line[i].size(), ' ');
      }
      text_ += '\n';
    }
  }

  std::string text_;
};

}  // namespace

std::string TextOf(const Json& json) {
  Writer writer;
  writer.Write(json, 0);
  return writer.Take();
}

AdminReply AdminShow(const AdminRequest& request, const Json& json) {
  if (request.wants_json()) return AdminJson(json);
  AdminReply reply;
  reply.body = TextOf(json);
  return reply;
}

}  // namespace sluice
