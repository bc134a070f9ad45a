#include "core/proxy/local_reply_map.h"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>

#include "core/base/strings.h"
#include "core/config/header_changes.pb.h"
#include "core/config/listener.pb.h"
#include "core/filter/variable_writer.h"
#include "core/filter/variables.h"

namespace sluice {

struct LocalReplyMap::Entry {
  std::vector<ResponseFlag> flags;
  std::vector<uint16_t> statuses;
  uint16_t status = 0;
  std::optional<VariableText> body;
  VariableEscape escape = VariableEscape::kNone;  // of the variables in it
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

struct LocalReplyMap::Compiler {
  // All that is wrong goes to `errors`, each with its field in front.
  static Entry Run(const config::LocalReply& config, std::vector<Error>& errors) {
    const auto fault = [&errors](std::initializer_list<std::string_view> text) {
      errors.push_back(Error{.code = Code::kInvalidArgument, .detail = StrCat(text)});
    };
    Entry entry;
    for (int i = 0; i < config.flags_size(); ++i) {
      const ResponseFlag flag = FindResponseFlag(config.flags(i));
      if (flag == ResponseFlag::kNone) {
        fault({"flags[", Decimal(static_cast<uint64_t>(i)), "]: there is no response flag \"",
               config.flags(i), "\""});
      }
      entry.flags.push_back(flag);
    }
    for (const uint32_t status : config.statuses()) {
      entry.statuses.push_back(static_cast<uint16_t>(status));
    }
    entry.status = static_cast<uint16_t>(config.status());
    if (config.format() == config::LocalReply::JSON) entry.escape = VariableEscape::kJson;
    if (config.has_body()) {
      Result<VariableText> body = VariableText::Compile(config.body());
      if (body) {
        entry.body = std::move(*body);
      } else {
        fault({"body: ", body.error().detail});
      }
    }
    return entry;
  }
};

Result<LocalReplyMap> LocalReplyMap::Compile(const config::Listener& listener) {
  LocalReplyMap map;
  int at = 0;
  for (const config::LocalReply& config : listener.local_reply()) {
    const std::string place = StrCat({"listeners.", listener.name(), ".local_reply[",
                                      Decimal(static_cast<uint64_t>(at++)), "]."});
    std::vector<Error> errors;
    Entry entry = Compiler::Run(config, errors);
    if (!errors.empty()) {
      return Fail(Code::kInvalidArgument, StrCat({place, errors.front().detail}));
    }
    Result<HeaderChanges> changes = HeaderChanges::Compile(config.headers());
    if (!changes) {
      return Fail(Code::kInvalidArgument, StrCat({place, "headers: ", changes.error().detail}));
    }
    entry.changes = std::move(*changes);
    map.entries_.push_back(std::move(entry));
  }
  return map;
}

std::vector<Error> LocalReplyMap::FindFaults(const config::LocalReply& config) {
  std::vector<Error> errors;
  (void)Compiler::Run(config, errors);
  return errors;
}

const HeaderChanges* LocalReplyMap::Apply(LocalReply& reply, const StreamInfo& info) const {
  for (const Entry& entry : entries_) {
    if (!entry.Fits(reply, info)) continue;
    if (entry.status != 0) reply.status = entry.status;
    if (entry.body) {
      VariableWriter body;
      entry.body->WriteTo(body, info, entry.escape);
      reply.body = body.view();
      reply.content_type =
          entry.escape == VariableEscape::kJson ? "application/json" : "text/plain";
    }
    return entry.changes.empty() ? nullptr : &entry.changes;
  }
  return nullptr;
}

}  // namespace sluice
