#include "core/stats/segment.h"

#include <sys/mman.h>

#include <cerrno>

#include "core/base/check.h"
#include "core/stats/layout.h"

namespace sluice {
namespace {

constexpr uint32_t kMaxWorkers = 4096;
constexpr uint32_t kMaxSeries = 1u << 24;
constexpr uint32_t kMaxHistograms = 1u << 20;  // keeps octave positions within 32 bits
constexpr uint32_t kMaxFamilies = 1u << 16;

static_assert((uint64_t{kMaxSeries} + kMaxHistograms * 16ull +
               (kMaxHistograms + 1ull) * kHistogramBuckets + kStatsPage) < UINT32_MAX);

uint64_t RoundUp(uint64_t n, uint64_t unit) { return (n + unit - 1) / unit * unit; }

// Everything that follows from the limits; the rest of the header is zero.
void LayOut(const StatsLimits& limits, StatsSegmentHeader& header) {
  header.magic = kStatsMagic;
  header.layout_version = kStatsLayoutVersion;
  header.rows = limits.workers + 1;
  header.max_families = limits.max_families;
  header.max_series = limits.max_series;
  header.max_histograms = limits.max_histograms;
  header.text_size = limits.text_size;

  header.families_offset = kStatsPage;
  header.series_offset =
      RoundUp(header.families_offset + uint64_t{limits.max_families} * sizeof(StatsFamilyEntry),
              kStatsPage);
  header.text_offset = RoundUp(
      header.series_offset + uint64_t{limits.max_series} * sizeof(StatsSeriesEntry), kStatsPage);
  header.rows_offset = RoundUp(header.text_offset + limits.text_size, kStatsPage);

  // Histogram heads and octaves begin on cache lines: a Record touches two or three.
  header.scalars_offset = sizeof(StatsRowHeader);
  header.histograms_offset =
      RoundUp(header.scalars_offset + uint64_t{limits.max_series} * sizeof(StatsCell), 128);
  header.octaves_offset =
      header.histograms_offset + uint64_t{limits.max_histograms} * sizeof(StatsHistogramCells);
  // Room for every octave of every histogram, and of the scratch one: it cannot run out.
  header.row_size = RoundUp(header.octaves_offset + (uint64_t{limits.max_histograms} + 1) *
                                                        kHistogramBuckets * sizeof(StatsCell),
                            kStatsPage);
  header.size = header.rows_offset + uint64_t{kStatsBanks} * header.rows * header.row_size;
}

}  // namespace

Result<std::unique_ptr<StatsSegment>> StatsSegment::Create(const StatsLimits& limits) {
  if (limits.workers > kMaxWorkers || limits.max_series > kMaxSeries ||
      limits.max_histograms > kMaxHistograms || limits.max_families > kMaxFamilies) {
    return Fail(Code::kInvalidArgument, "stats limits are out of range");
  }
  StatsSegmentHeader layout{};
  LayOut(limits, layout);

  void* memory = mmap(nullptr, layout.size, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return Fail(SystemError("mmap of the stats segment", errno));

  // Fresh pages are zero: all counts, and every cell.
  auto* header = static_cast<StatsSegmentHeader*>(memory);
  LayOut(limits, *header);
  const uint32_t bank = 0;
  for (uint32_t i = 0; i < header->rows; ++i) {
    StatsRowHeader* row = RowOf(*header, bank, i);
    row->octaves_begin = static_cast<uint32_t>(header->octaves_offset / sizeof(StatsCell));
    row->octaves_end = row->octaves_begin + (limits.max_histograms + 1) * kHistogramBuckets;
  }
  header->banks[bank].rows_used.store(header->rows, std::memory_order_release);
  header->banks[bank].owned.store(1, std::memory_order_release);
  return std::unique_ptr<StatsSegment>(new StatsSegment(header, bank));
}

StatsSegment::StatsSegment(StatsSegmentHeader* header, uint32_t bank)
    : header_(header), bank_(bank) {}

StatsSegment::~StatsSegment() { munmap(header_, header_->size); }

uint32_t StatsSegment::workers() const { return header_->rows - 1; }

StatsRow StatsSegment::main_row() { return StatsRow(header_, RowOf(*header_, bank_, 0)); }

StatsRow StatsSegment::worker_row(uint32_t worker) {
  CHECK(worker < workers());
  return StatsRow(header_, RowOf(*header_, bank_, worker + 1));
}

}  // namespace sluice
