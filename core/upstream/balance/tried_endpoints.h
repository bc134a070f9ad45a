// TriedEndpoints: the endpoints that a request was sent to already, for its next try to avoid. A
// small value; a request is tried few times. Beyond the room for them the oldest are forgotten.
#ifndef SLUICE_CORE_UPSTREAM_BALANCE_TRIED_ENDPOINTS_H_
#define SLUICE_CORE_UPSTREAM_BALANCE_TRIED_ENDPOINTS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace sluice {

class TriedEndpoints {
 public:
  static constexpr size_t kRoom = 12;

  void Add(uint32_t id) {
    if (!Has(id)) ids_[count_++ % kRoom] = id;
  }
  bool Has(uint32_t id) const {
    const uint32_t* const end = ids_ + std::min<size_t>(count_, kRoom);
    return std::find(ids_, end, id) != end;
  }
  bool empty() const { return count_ == 0; }

 private:
  uint32_t ids_[kRoom] = {};
  uint32_t count_ = 0;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BALANCE_TRIED_ENDPOINTS_H_
