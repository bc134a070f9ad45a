// What `sluice top` shows, as lines of text that fit a window, and what its keys do. Pure
// functions: no terminal, no time of their own.
#ifndef SLUICE_CORE_SERVER_STATS_TOP_FRAME_H_
#define SLUICE_CORE_SERVER_STATS_TOP_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/server/stats/top_model.h"

namespace sluice {

enum class TopSort : uint8_t { kName, kRequests, kErrors, kLatency, kConnections };
inline constexpr size_t kTopSorts = 5;

// How the user wants to see it.
struct TopView {
  size_t width = 80;
  size_t height = 24;
  std::optional<TopTable> table;  // none: all, each as far as there is room
  TopSort sort = TopSort::kRequests;
  bool reversed = false;
  bool totals = false;  // not rates
  size_t scroll = 0;    // lines of the one table
  bool keys = true;     // the last line says them
  std::string name;     // of the instance
  int64_t wall = 0;     // seconds since the epoch
};

enum class TopKey : uint8_t { kCharacter, kUp, kDown, kPageUp, kPageDown };

// What a key does to the view. False: it ends the program.
bool HandleTopKey(TopKey key, char character, TopView& view);

enum class TopStyle : uint8_t { kPlain, kBold, kHeading, kBad };

struct TopText {
  std::string text;  // printable ASCII, at most view.width
  TopStyle style = TopStyle::kPlain;
};

// At most view.height lines; scroll is brought into its bounds.
std::vector<TopText> RenderTop(const TopModel& model, TopView& view);

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_STATS_TOP_FRAME_H_
