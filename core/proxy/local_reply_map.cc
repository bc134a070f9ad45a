#include "core/proxy/local_reply_map.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "core/base/strings.h"
#include "core/config/header_changes.pb.h"
#include "core/config/listener.pb.h"
#include "core/filter/variables.h"

namespace sluice {
namespace {

// For the inside of a JSON string (RFC 8259 7).
void AppendJsonEscaped(std::string& out, std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += "\\u00";
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    } else {
      out += c;
    }
  }
}

}  // namespace

struct LocalReplyMap::Entry {
  std::vector<ResponseFlag> flags;
  std::vector<uint16_t> statuses;
  uint16_t status = 0;
  bool json = false;
  // The body in pieces of constant text and variables, so that JSON escapes the latter alone.
  std::optional<std::vector<VariableText>> body;
  HeaderChanges changes;

  bool Fits(const LocalReply& reply, const StreamInfo& info) const {
    const bool flag_fits =
        flags.empty() || std::any_of(flags.begin(), flags.end(),
                                     [&](ResponseFlag flag) { return info.flags.Has(flag); });
    const bool status_fits = statuses.empty() || std::find(statuses.begin(), statuses.end(),
                                                           reply.status) != statuses.end();
    return flag_fits && status_fits;
  }
};

LocalReplyMap::LocalReplyMap() = default;
LocalReplyMap::LocalReplyMap(LocalReplyMap&&) noexcept = default;
LocalReplyMap& LocalReplyMap::operator=(LocalReplyMap&&) noexcept = default;
LocalReplyMap::~LocalReplyMap() = default;

namespace {

// Splits a template so that each variable stands alone.
Result<std::vector<VariableText>> CompileBody(std::string_view text) {
  std::vector<VariableText> parts;
  size_t begin = 0;
  while (begin < text.size()) {
    size_t end = text.find('%', begin);
    if (end == begin) {
      const size_t close = text.find('%', begin + 1);
      end = close == std::string_view::npos ? text.size() : close + 1;
    } else if (end == std::string_view::npos) {
      end = text.size();
    }
    Result<VariableText> part = VariableText::Compile(text.substr(begin, end - begin));
    if (!part) return Fail(std::move(part).error());
    parts.push_back(std::move(*part));
    begin = end;
  }
  return parts;
}

}  // namespace

Result<LocalReplyMap> LocalReplyMap::Compile(const config::Listener& listener) {
  LocalReplyMap map;
  int at = 0;
  for (const config::LocalReply& config : listener.local_reply()) {
    const std::string place = StrCat({"listeners.", listener.name(), ".local_reply[",
                                      Decimal(static_cast<uint64_t>(at++)), "]"});
    Entry entry;
    for (const std::string& name : config.flags()) {
      const ResponseFlag flag = FindResponseFlag(name);
      if (flag == ResponseFlag::kNone) {
        return Fail(Code::kInvalidArgument,
                    StrCat({place, ".flags: there is no response flag \"", name, "\""}));
      }
      entry.flags.push_back(flag);
    }
    for (const uint32_t status : config.statuses()) {
      entry.statuses.push_back(static_cast<uint16_t>(status));
    }
    entry.status = static_cast<uint16_t>(config.status());
    entry.json = config.format() == config::LocalReply::JSON;
    if (config.has_body()) {
      Result<std::vector<VariableText>> body = CompileBody(config.body());
      if (!body) {
        return Fail(Code::kInvalidArgument, StrCat({place, ".body: ", body.error().detail}));
      }
      entry.body = std::move(*body);
    }
    Result<HeaderChanges> changes = HeaderChanges::Compile(config.headers());
    if (!changes) {
      return Fail(Code::kInvalidArgument, StrCat({place, ".headers: ", changes.error().detail}));
    }
    entry.changes = std::move(*changes);
    map.entries_.push_back(std::move(entry));
  }
  return map;
}

const HeaderChanges* LocalReplyMap::Apply(LocalReply& reply, const StreamInfo& info) const {
  for (const Entry& entry : entries_) {
    if (!entry.Fits(reply, info)) continue;
    if (entry.status != 0) reply.status = entry.status;
    if (entry.body) {
      std::string body;
      std::string value;
      for (const VariableText& part : *entry.body) {
        if (part.is_constant()) {
          body += part.constant();
          continue;
        }
        value.clear();
        part.AppendTo(value, info);
        if (entry.json) {
          AppendJsonEscaped(body, value);
        } else {
          body += value;
        }
      }
      reply.body = std::move(body);
      reply.content_type = entry.json ? "application/json" : "text/plain";
    }
    return entry.changes.empty() ? nullptr : &entry.changes;
  }
  return nullptr;
}

}  // namespace sluice
