// The layout of the stats segment, as it lies in shared memory: a header, a bounded directory
// (families, series, text) and a row of cells for each (bank, row). Offsets only, no pointers: it
// may be mapped anywhere, by several processes. For this room only.
//
// Threads: the header and the directory are written by the main thread alone, a row by its owner
// alone. Rows begin on a page and fill whole pages, and every cell of a thread (counters, gauges,
// histogram heads, octaves, the pool's cursor, the scratch cells) lies in its own row: that is why
// no cache line, nor a pair that the prefetcher fetches together, is written by two workers.
//
// Publication: an entry is written whole before the count that covers it is stored with release; it
// never changes afterwards. A reader loads the count with acquire.
#ifndef SLUICE_CORE_STATS_LAYOUT_H_
#define SLUICE_CORE_STATS_LAYOUT_H_

#include <type_traits>

#include "core/stats/cell.h"
#include "core/stats/histogram.h"
#include "core/stats/metric.h"

namespace sluice {

inline constexpr uint64_t kStatsMagic = 0x53544543'49554c53;  // "SLUICETS", little-endian
inline constexpr uint32_t kStatsLayoutVersion = 1;
inline constexpr uint64_t kStatsPage = 4096;

// A process counts in one bank; its successor takes the other.
inline constexpr uint32_t kStatsBanks = 2;

struct StatsText {
  uint32_t offset;  // in the text area
  uint32_t length;
};

struct StatsFamilyEntry {
  StatsText name;
  StatsText help;
  MetricKind kind;
  MetricUnit unit;
};

struct StatsSeriesEntry {
  StatsText labels;  // canonical: sorted by name, escaped, `a="x",b="y"`
  uint32_t family;
  uint32_t cell;  // index among the row's scalars, or among its histograms
};

struct StatsBank {
  std::atomic<uint32_t> rows_used;  // rows ever used; 0: the bank was never taken
  std::atomic<uint32_t> owned;      // 1 while its process lives: its gauges count
};

struct StatsSegmentHeader {
  uint64_t magic;
  uint32_t layout_version;
  uint32_t rows;  // in each bank: the main thread's, then the workers'
  uint64_t size;  // of the whole segment
  uint32_t max_families;
  uint32_t max_series;
  uint32_t max_histograms;
  uint32_t text_size;

  // From the segment's begin.
  uint64_t families_offset;
  uint64_t series_offset;
  uint64_t text_offset;
  uint64_t rows_offset;
  uint64_t row_size;

  // From a row's begin.
  uint64_t scalars_offset;
  uint64_t histograms_offset;
  uint64_t octaves_offset;

  std::atomic<uint32_t> family_count;  // published
  std::atomic<uint32_t> series_count;  // published
  uint32_t text_used;                  // these three are the main thread's
  uint32_t scalars_used;
  uint32_t histograms_used;

  StatsBank banks[kStatsBanks];
};
static_assert(sizeof(StatsSegmentHeader) <= kStatsPage);

// The begin of a row.
struct StatsRowHeader {
  uint32_t octaves_begin;  // where the pool of octaves begins, in words from the row's begin
  uint32_t octaves_end;
  StatsCell octaves_used;  // words taken from it
  StatsCell scratch;       // what counters and gauges of dropped series write to
  uint64_t unused[13];
  StatsHistogramCells scratch_histogram;
};
static_assert(sizeof(StatsRowHeader) == 256);

// Where things are. A const header gives memory for reading.
template <typename T, typename Header>
auto* StatsAt(Header& header, uint64_t offset) {
  if constexpr (std::is_const_v<Header>) {
    return reinterpret_cast<const T*>(reinterpret_cast<const char*>(&header) + offset);
  } else {
    return reinterpret_cast<T*>(reinterpret_cast<char*>(&header) + offset);
  }
}
template <typename Header>
auto* FamiliesOf(Header& header) {
  return StatsAt<StatsFamilyEntry>(header, header.families_offset);
}
template <typename Header>
auto* SeriesOf(Header& header) {
  return StatsAt<StatsSeriesEntry>(header, header.series_offset);
}
template <typename Header>
auto* RowOf(Header& header, uint32_t bank, uint32_t row) {
  return StatsAt<StatsRowHeader>(
      header, header.rows_offset + (uint64_t{bank} * header.rows + row) * header.row_size);
}
template <typename Row>
auto* ScalarsOf(const StatsSegmentHeader& header, Row* row) {
  return StatsAt<StatsCell>(*row, header.scalars_offset);
}
template <typename Row>
auto* HistogramsOf(const StatsSegmentHeader& header, Row* row) {
  return StatsAt<StatsHistogramCells>(*row, header.histograms_offset);
}

}  // namespace sluice

#endif  // SLUICE_CORE_STATS_LAYOUT_H_
