#include "filters/access_log/line_format.h"

#include <algorithm>
#include <set>

#include "core/base/strings.h"
#include "filters/access_log/access_log.pb.h"

namespace sluice::access_log {
namespace {

// Envoy's default, in our words.
constexpr std::string_view kDefaultText =
    "[%start_time%] \"%method% %original_path% %protocol%\" %status% %response_flags% "
    "%bytes_received% %bytes_sent% %duration% %upstream_time% \"%forwarded_for%\" "
    "\"%user_agent%\" \"%request_id%\" \"%host%\" \"%upstream%\"";

constexpr std::pair<std::string_view, std::string_view> kDefaultJson[] = {
    {"time", "%start_time%"},
    {"client_ip", "%client_ip%"},
    {"method", "%method%"},
    {"host", "%host%"},
    {"path", "%original_path%"},
    {"protocol", "%protocol%"},
    {"status", "%status%"},
    {"response_flags", "%response_flags%"},
    {"response_code_details", "%response_code_details%"},
    {"bytes_received", "%bytes_received%"},
    {"bytes_sent", "%bytes_sent%"},
    {"duration", "%duration%"},
    {"upstream_time", "%upstream_time%"},
    {"route", "%route%"},
    {"cluster", "%cluster%"},
    {"upstream", "%upstream%"},
    {"user_agent", "%user_agent%"},
    {"request_id", "%request_id%"},
};

Result<VariableText> CompileValue(std::string_view field, std::string_view text,
                                  VariableEscape literals) {
  auto compiled = VariableText::Compile(text, literals);
  if (!compiled) {
    return Fail(Code::kInvalidArgument, StrCat({field, ": ", compiled.error().detail}));
  }
  return compiled;
}

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\t'; }

}  // namespace

Result<LineFormat> LineFormat::Compile(const AccessLogConfig& config) {
  const bool custom_text = !config.text().empty();
  const bool custom_json = config.json_size() > 0;
  if (custom_text && custom_json) {
    return Fail(Code::kInvalidArgument, "text and json exclude each other: write only one");
  }
  if (config.has_format() && (custom_text || custom_json)) {
    return Fail(Code::kInvalidArgument,
                StrCat({"format is for the standard formats: leave it out beside ",
                        custom_text ? "text" : "json"}));
  }
  const bool json = custom_json || config.format() == AccessLogConfig::JSON;
  if (config.omit_empty() && !json) {
    return Fail(Code::kInvalidArgument, "omit_empty: only for JSON");
  }
  if (!json) return CompileText(custom_text ? std::string_view(config.text()) : kDefaultText);
  Fields fields;
  if (custom_json) {
    for (const JsonField& field : config.json()) fields.emplace_back(field.name(), field.value());
  } else {
    fields.assign(std::begin(kDefaultJson), std::end(kDefaultJson));
  }
  auto format = CompileJson(fields);
  if (format) format->omit_empty_ = config.omit_empty();
  return format;
}

Result<LineFormat> LineFormat::CompileText(std::string_view text) {
  if (std::any_of(text.begin(), text.end(), IsControl)) {
    return Fail(Code::kInvalidArgument, "text: a control character; the line's end is added");
  }
  auto compiled = CompileValue("text", text, VariableEscape::kNone);
  if (!compiled) return Fail(std::move(compiled).error());
  LineFormat format;
  format.text_.push_back(std::move(*compiled));
  return format;
}

Result<LineFormat> LineFormat::CompileJson(const Fields& fields) {
  LineFormat format;
  std::set<std::string_view> names;
  for (const auto& [name, value] : fields) {
    if (!names.insert(name).second) {
      return Fail(Code::kInvalidArgument, StrCat({"json: \"", name, "\" stands twice"}));
    }
    auto compiled = CompileValue(StrCat({"json.", name}), value, VariableEscape::kJson);
    if (!compiled) return Fail(std::move(compiled).error());
    VariableWriter key;
    key.Append(",\"");
    key.AppendEscaped(name, VariableEscape::kJson);
    key.Append("\":");
    format.members_.push_back({std::string(key.view()), std::move(*compiled)});
  }
  return format;
}

void LineFormat::Write(VariableWriter& out, const StreamInfo& info) const {
  if (text_.empty()) {
    WriteJson(out, info);
  } else {
    text_.front().WriteTo(out, info, VariableEscape::kText);
  }
  out.Append('\n');
}

void LineFormat::WriteJson(VariableWriter& out, const StreamInfo& info) const {
  const size_t begin = out.size();
  for (const Member& member : members_) {
    const size_t before = out.size();
    out.Append(member.key);
    const size_t value = out.size();
    bool there = true;
    if (member.value.is_single() && member.value.type() == VariableType::kNumber) {
      there = member.value.WriteValue(out, info, VariableEscape::kJson);
    } else {
      out.Append('"');
      if (member.value.is_single()) {
        there = member.value.WriteValue(out, info, VariableEscape::kJson);
      } else {
        member.value.WriteTo(out, info, VariableEscape::kJson);
      }
      if (omit_empty_ && out.size() == value + 1) there = false;
      out.Append('"');
    }
    if (there) continue;
    out.Truncate(omit_empty_ ? before : value);
    if (!omit_empty_) out.Append("null");
  }
  // The first member's comma is where the object begins.
  if (out.size() == begin) out.Append('{');
  out.At(begin) = '{';
  out.Append('}');
}

}  // namespace sluice::access_log
