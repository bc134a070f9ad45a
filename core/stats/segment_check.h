// Whether bytes are a stats segment that this binary understands, and if not, what exactly differs.
// Everything that is followed later is looked at here: nothing in a file is believed. For this room
// and its fuzz target. Pure functions, any thread.
#ifndef SLUICE_CORE_STATS_SEGMENT_CHECK_H_
#define SLUICE_CORE_STATS_SEGMENT_CHECK_H_

#include <cstdint>
#include <string>

#include "core/base/result.h"

namespace sluice {

struct StatsLimits;
struct StatsSegmentHeader;

// The id of this boot of the machine, as the header keeps it.
std::string StatsBootId();

// The header alone, of a file of `file_size` bytes: all that says where things are.
// Errors: kInvalidArgument with what differs, such as "layout version 2, expected 1".
Result<void> CheckStatsHeader(const StatsSegmentHeader& header, uint64_t file_size);

// The directory and the rows. The segment may be in use: what is published meanwhile is fine.
// REQUIRES: a header with these limits and this size has passed, and the segment is whole in
// memory.
Result<void> CheckStatsContents(const StatsSegmentHeader& header, const StatsLimits& limits,
                                uint64_t size);

}  // namespace sluice

#endif  // SLUICE_CORE_STATS_SEGMENT_CHECK_H_
