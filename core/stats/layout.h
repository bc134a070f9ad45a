// The layout of the stats segment, as it lies in shared memory. Offsets only, no pointers: it may
// be mapped anywhere, by several processes. For this room only.
//
//   header | bank 0 | bank 1 | families | series | text | words | pages ...
//
// The directory (families, series, text, words) is bounded by the limits; the rest of the segment
// is pages, taken one by one (StatsPages) and never given back. A row is a header page, which holds
// a table of the pages that the row took: of scalars, of histogram heads; octaves are found through
// the heads. No byte of a region is touched before it is reserved in the file system.
//
// Writers: a row and its pages have one, the thread that owns the row. The directory is changed
// under its lock, by main threads. pages_used is anybody's, by compare and swap. So no cache line,
// nor a pair that the prefetcher fetches together, is written by two workers when they count.
//
// Publication: what is new is written whole before the count, the page number or the generation
// that leads to it is stored with release. A reader loads those with acquire. What a killed process
// leaves is at most text, cells and pages that nothing leads to.
//
// These never change, whatever the version, so that any two versions understand each other this
// far: the place of magic and layout_version, and the bytes that are locked (memory.h).
#ifndef SLUICE_CORE_STATS_LAYOUT_H_
#define SLUICE_CORE_STATS_LAYOUT_H_

#include <type_traits>

#include "core/stats/cell.h"
#include "core/stats/histogram.h"
#include "core/stats/limits.h"
#include "core/stats/metric.h"

// Raises the version and moves the directory by so many pages: for tests of an old process and a
// new one (the option of the same name in CMakeLists.txt).
#ifndef SLUICE_STATS_LAYOUT_BUMP
#define SLUICE_STATS_LAYOUT_BUMP 0
#endif

namespace sluice {

inline constexpr uint64_t kStatsMagic = 0x53544543'49554c53;  // "SLUICETS", little-endian
inline constexpr uint32_t kStatsLayoutVersion = 2 + SLUICE_STATS_LAYOUT_BUMP;
inline constexpr uint64_t kStatsPage = 4096;

// A process counts in one bank; its successor takes the other.
inline constexpr uint32_t kStatsBanks = 2;
inline constexpr uint32_t kStatsMaxRows = 1000;  // of a bank: the main thread's, then the workers'

inline constexpr uint32_t kScalarsPerPage = kStatsPage / sizeof(StatsCell);
inline constexpr uint32_t kHistogramsPerPage = kStatsPage / sizeof(StatsHistogramCells);
inline constexpr uint32_t kOctavesPerPage = kStatsPage / (kHistogramSubBuckets * sizeof(StatsCell));
inline constexpr uint32_t kStatsMaxScalars = 384 * kScalarsPerPage;
inline constexpr uint32_t kStatsMaxHistograms = 512 * kHistogramsPerPage;
inline constexpr uint32_t kStatsMaxWords = 1 << 20;
inline constexpr uint32_t kStatsMaxFamilies = 1 << 16;
inline constexpr uint32_t kStatsMaxText = 1 << 30;

using StatsIndex = std::atomic<uint32_t>;
static_assert(StatsIndex::is_always_lock_free && sizeof(StatsIndex) == 4);

// Written before it is published, and never again.
struct StatsFamilyEntry {
  uint32_t name_offset;  // in cells from the text area's begin
  uint32_t name_length;  // in bytes
  uint32_t help_offset;
  uint32_t help_length;
  uint8_t kind;  // MetricKind, or kStatsWordKind
  uint8_t unit;
  uint8_t gauge_of;
  uint8_t unused[5];
};

// The kind of a family of shared words, which readers do not show.
inline constexpr uint8_t kStatsWordKind = 3;
inline constexpr uint8_t kStatsKinds = 4;
inline constexpr uint8_t kStatsUnits = 3;

// An entry keeps its kind of cell for ever; its name may change, when it is recycled.
struct StatsSeriesEntry {
  // Even: valid, of the ids that carry it. Odd: being written (by one that was killed, if nobody
  // holds the lock).
  StatsIndex generation;
  StatsIndex family;
  StatsIndex cell;           // among the scalars, the histograms or the words
  StatsIndex text_offset;    // of the labels, canonical: sorted by name, escaped, `a="x",b="y"`
  StatsIndex text_length;    // in bytes
  StatsIndex text_capacity;  // in cells
  StatsIndex users;          // a bit per bank: its process uses this series
  uint32_t unused;
};
static_assert(sizeof(StatsSeriesEntry) == 32);

// The words of one name (SharedWords), with their own lines.
struct alignas(128) StatsWord {
  StatsCell cells[16];
};
static_assert(sizeof(StatsWord) == 128);

struct alignas(kStatsPage) StatsBank {
  StatsIndex owned;      // 1 from its taking to its process' orderly end
  StatsIndex taken;      // when: StatsSegmentHeader::takings; 0: never
  StatsIndex pid;        // pid and start, in seconds since the epoch, are for people
  StatsIndex rows_used;  // rows ever used
  std::atomic<int64_t> start;
  StatsIndex rows[kStatsMaxRows];  // the page of each
};
static_assert(sizeof(StatsBank) == kStatsPage);

struct StatsSegmentHeader {
  uint64_t magic;
  uint32_t layout_version;
  uint32_t unused;
  uint64_t size;     // of the whole segment
  char boot_id[40];  // ends with a zero
  StatsLimits limits;
  std::atomic<int64_t> clock_base;  // wall clock minus monotonic clock, in ns, at the last attach

  alignas(128) StatsIndex pages_used;  // the next page to take, from the segment's begin

  // Under the directory's lock.
  alignas(128) StatsIndex family_count;  // published
  StatsIndex series_count;               // published
  StatsIndex scalars_used;
  StatsIndex histograms_used;
  StatsIndex words_used;
  StatsIndex text_used;  // in cells
  StatsIndex recycled;   // how many entries ever were
  StatsIndex takings;    // how many times a bank was taken

  StatsBank banks[kStatsBanks];
};
static_assert(sizeof(StatsSegmentHeader) == (1 + kStatsBanks) * kStatsPage);

// The first page of a row.
struct StatsRowHeader {
  StatsCell scratch;        // what counters and gauges without a cell write to
  StatsIndex octave_page;   // the page that octaves are taken from; 0: none yet
  StatsIndex octaves_used;  // of that page
  uint64_t unused[14];
  StatsHistogramCells scratch_histogram;
  StatsIndex scalar_pages[kStatsMaxScalars / kScalarsPerPage];
  StatsIndex histogram_pages[kStatsMaxHistograms / kHistogramsPerPage];
};
static_assert(sizeof(StatsRowHeader) <= kStatsPage);

// Where the regions begin, in bytes; all on pages.
struct StatsRegions {
  uint64_t families;
  uint64_t series;
  uint64_t text;
  uint64_t words;
  uint64_t pages;
};

constexpr uint64_t RoundUpToPage(uint64_t n) {
  return (n + kStatsPage - 1) / kStatsPage * kStatsPage;
}

constexpr StatsRegions RegionsOf(const StatsLimits& limits) {
  StatsRegions at{};
  at.families = sizeof(StatsSegmentHeader) + SLUICE_STATS_LAYOUT_BUMP * kStatsPage;
  at.series = RoundUpToPage(at.families + uint64_t{limits.max_families} * sizeof(StatsFamilyEntry));
  at.text = RoundUpToPage(at.series + uint64_t{limits.max_series} * sizeof(StatsSeriesEntry));
  at.words = RoundUpToPage(at.text + limits.text_size);
  at.pages = RoundUpToPage(at.words + uint64_t{limits.max_words} * sizeof(StatsWord));
  return at;
}

// Where things are. A const header gives memory for reading.
template <typename T, typename Header>
auto* StatsAt(Header& header, uint64_t offset) {
  if constexpr (std::is_const_v<Header>) {
    return reinterpret_cast<const T*>(reinterpret_cast<const char*>(&header) + offset);
  } else {
    return reinterpret_cast<T*>(reinterpret_cast<char*>(&header) + offset);
  }
}

}  // namespace sluice

#endif  // SLUICE_CORE_STATS_LAYOUT_H_
