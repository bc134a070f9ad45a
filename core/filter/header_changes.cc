#include "core/filter/header_changes.h"

#include <algorithm>
#include <utility>

#include "core/base/strings.h"
#include "core/config/header_changes.pb.h"

namespace sluice {
namespace {

// Who changes these changes where a message ends or whom it is for.
constexpr HeaderId kProtected[] = {
    HeaderId::kHost,
    HeaderId::kContentLength,
    HeaderId::kTransferEncoding,
    HeaderId::kConnection,
    HeaderId::kKeepAlive,
    HeaderId::kProxyConnection,
    HeaderId::kUpgrade,
    HeaderId::kTe,
    HeaderId::kTrailer,
    HeaderId::kExpect,
};

Result<void> CheckName(std::string_view name) {
  if (name.empty()) return Fail(Code::kInvalidArgument, "a header field needs a name");
  if (name.front() == ':') {
    return Fail(Code::kInvalidArgument, StrCat({name, " is no header field: routes change it"}));
  }
  if (std::find(std::begin(kProtected), std::end(kProtected), FindHeaderId(name)) !=
      std::end(kProtected)) {
    return Fail(Code::kInvalidArgument,
                StrCat({name, " cannot be changed: ",
                        EqualsIgnoreCase(name, "host")
                            ? "a route's rewrite does"
                            : "it says how messages are delimited or connections kept"}));
  }
  return {};
}

bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

// Some values (a local reply's body, metadata) may hold line ends, which would be fields of their
// own on the wire.
std::string_view WithoutControls(std::string_view value, Arena& arena) {
  if (std::none_of(value.begin(), value.end(), IsControl)) return value;
  char* const copy = static_cast<char*>(arena.Allocate(value.size(), 1));
  std::replace_copy_if(value.begin(), value.end(), copy, IsControl, ' ');
  return {copy, value.size()};
}

}  // namespace

struct HeaderChanges::Field {
  std::string name;
  HeaderId id;
  VariableText value;

  std::string_view Render(Arena& arena, const StreamInfo& info) const {
    if (value.is_constant()) return value.constant();
    return WithoutControls(value.Render(info, arena), arena);
  }
};

HeaderChanges::HeaderChanges() = default;
HeaderChanges::HeaderChanges(HeaderChanges&&) noexcept = default;
HeaderChanges& HeaderChanges::operator=(HeaderChanges&&) noexcept = default;
HeaderChanges::~HeaderChanges() = default;

Result<HeaderChanges> HeaderChanges::Compile(const config::HeaderChanges& changes) {
  HeaderChanges compiled;
  for (const std::string& name : changes.remove()) {
    SLUICE_TRY(CheckName(name));
    compiled.remove_.push_back(LowerAscii(name));
  }
  const auto compile = [](const auto& fields, std::vector<Field>& out) -> Result<void> {
    for (const config::HeaderValue& field : fields) {
      SLUICE_TRY(CheckName(field.name()));
      auto value = VariableText::Compile(field.value());
      if (!value) {
        return Fail(Code::kInvalidArgument, StrCat({field.name(), ": ", value.error().detail}));
      }
      if (std::any_of(field.value().begin(), field.value().end(), IsControl)) {
        return Fail(Code::kInvalidArgument, StrCat({field.name(), ": a control character"}));
      }
      out.push_back({LowerAscii(field.name()), FindHeaderId(field.name()), std::move(*value)});
    }
    return {};
  };
  SLUICE_TRY(compile(changes.set(), compiled.set_));
  SLUICE_TRY(compile(changes.add(), compiled.add_));
  return compiled;
}

bool HeaderChanges::empty() const { return remove_.empty() && set_.empty() && add_.empty(); }

void HeaderChanges::Apply(Headers& headers, const StreamInfo& info) const {
  Arena& arena = headers.arena();
  for (const std::string& name : remove_) headers.Remove(name);
  for (const Field& field : set_) {
    const std::string_view value = field.Render(arena, info);
    if (value.empty()) {
      headers.Remove(field.name);
    } else if (field.id != HeaderId::kOther) {
      headers.SetView(field.id, value);
    } else {
      headers.Set(field.name, value);
    }
  }
  for (const Field& field : add_) {
    const std::string_view value = field.Render(arena, info);
    if (!value.empty()) headers.AddView(field.name, value, field.id);
  }
}

void HeaderChanges::RenderTo(std::vector<std::pair<std::string, std::string>>& out,
                             const StreamInfo& info) const {
  for (const std::vector<Field>* fields : {&set_, &add_}) {
    for (const Field& field : *fields) {
      const std::string_view value = field.Render(info.arena(), info);
      if (!value.empty()) out.emplace_back(field.name, value);
    }
  }
}

}  // namespace sluice
