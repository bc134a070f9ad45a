#include "core/filter/response_flags.h"

namespace sluice {
namespace {

struct Row {
  std::string_view name;
  std::string_view long_name;
};
constexpr Row kRows[] = {{"-", "-"},
#define SLUICE_FLAG_ROW(id, name, long_name) {name, long_name},
                         SLUICE_RESPONSE_FLAGS(SLUICE_FLAG_ROW)
#undef SLUICE_FLAG_ROW
};

std::string Join(uint32_t bits, std::string_view Row::*name) {
  if (bits == 0) return "-";
  std::string text;
  for (uint32_t i = 1; i < static_cast<uint32_t>(ResponseFlag::kCount); ++i) {
    if ((bits & (uint32_t{1} << i)) == 0) continue;
    if (!text.empty()) text += ',';
    text += kRows[i].*name;
  }
  return text;
}

}  // namespace

std::string ResponseFlags::ToString() const { return Join(bits_, &Row::name); }
std::string ResponseFlags::ToLongString() const { return Join(bits_, &Row::long_name); }

ResponseFlag FindResponseFlag(std::string_view short_name) {
  for (uint32_t i = 1; i < static_cast<uint32_t>(ResponseFlag::kCount); ++i) {
    if (kRows[i].name == short_name) return static_cast<ResponseFlag>(i);
  }
  return ResponseFlag::kNone;
}

std::string_view ResponseFlagName(ResponseFlag flag) {
  return kRows[static_cast<size_t>(flag)].name;
}

}  // namespace sluice
