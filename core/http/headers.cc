#include "core/http/headers.h"

#include "core/base/check.h"
#include "core/base/strings.h"

namespace sluice {
namespace {
constexpr uint32_t kFirstCapacity = 24;
}  // namespace

std::optional<std::string_view> Headers::Get(std::string_view name) const {
  const HeaderId id = FindHeaderId(name);
  if (id != HeaderId::kOther) return Get(id);
  for (uint32_t i = 0; i < count_; ++i) {
    if (entries_[i].id == id && EqualsIgnoreCase(entries_[i].name, name)) return entries_[i].value;
  }
  return {};
}

size_t Headers::Count(HeaderId id) const {
  size_t count = 0;
  ForEachValue(id, [&](std::string_view) { ++count; });
  return count;
}

size_t Headers::Count(std::string_view name) const {
  size_t count = 0;
  ForEach([&](const Entry& entry) { count += EqualsIgnoreCase(entry.name, name) ? 1 : 0; });
  return count;
}

std::optional<std::string_view> Headers::GetJoined(std::string_view name) const {
  std::optional<std::string_view> joined;
  ForEach([&](const Entry& entry) {
    if (!EqualsIgnoreCase(entry.name, name)) return;
    joined = joined ? arena_->Join({*joined, ", ", entry.value}) : entry.value;
  });
  return joined;
}

void Headers::Add(std::string_view name, std::string_view value) {
  const HeaderId id = FindHeaderId(name);
  AddView(id == HeaderId::kOther ? arena_->Copy(name) : HeaderName(id), arena_->Copy(value), id);
}

void Headers::Set(std::string_view name, std::string_view value) {
  const HeaderId id = FindHeaderId(name);
  if (id != HeaderId::kOther) return Set(id, value);
  for (uint32_t i = 0; i < count_; ++i) {
    if (entries_[i].id != id || !EqualsIgnoreCase(entries_[i].name, name)) continue;
    entries_[i].value = arena_->Copy(value);
    for (uint32_t j = i + 1; j < count_; ++j) {
      if (entries_[j].id == id && EqualsIgnoreCase(entries_[j].name, name)) RemoveAt(j);
    }
    return;
  }
  Add(name, value);
}

void Headers::SetView(HeaderId id, std::string_view value) {
  const uint32_t first = FirstIndex(id);
  if (first == count_) return AddView(id, value);
  entries_[first].value = value;
  for (uint32_t i = first + 1; i < count_; ++i) {
    if (entries_[i].id == id) RemoveAt(i);
  }
}

size_t Headers::Remove(HeaderId id) {
  if (!Has(id)) return 0;
  return RemoveIf([id](const Entry& entry) { return entry.id == id; });
}

size_t Headers::Remove(std::string_view name) {
  const HeaderId id = FindHeaderId(name);
  if (id != HeaderId::kOther) return Remove(id);
  return RemoveIf([&](const Entry& entry) {
    return entry.id == HeaderId::kOther && EqualsIgnoreCase(entry.name, name);
  });
}

void Headers::Clear() {
  count_ = live_ = 0;
  std::memset(first_, 0, sizeof(first_));
}

void Headers::RemoveAt(uint32_t index) {
  Entry& gone = entries_[index];
  if (gone.name.empty()) return;
  const HeaderId id = gone.id;
  gone = Entry{{}, {}, HeaderId::kOther};
  --live_;
  uint16_t& first = first_[static_cast<size_t>(id)];
  if (id == HeaderId::kOther || first != index + 1) return;
  first = 0;
  for (uint32_t i = index + 1; i < count_; ++i) {
    if (entries_[i].id == id) {
      first = static_cast<uint16_t>(i + 1);
      return;
    }
  }
}

void Headers::Grow() {
  CHECK(count_ < UINT16_MAX);
  const uint32_t capacity = capacity_ == 0 ? kFirstCapacity : capacity_ * 2;
  Entry* bigger = arena_->AllocateArray<Entry>(capacity);
  if (count_ > 0) std::memcpy(bigger, entries_, sizeof(Entry) * count_);
  entries_ = bigger;
  capacity_ = capacity;
}

}  // namespace sluice
