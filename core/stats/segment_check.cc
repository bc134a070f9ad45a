#include "core/stats/segment_check.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <fstream>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/strings.h"
#include "core/stats/labels.h"
#include "core/stats/layout.h"
#include "core/stats/text.h"

namespace sluice {
namespace {

tl::unexpected<Error> Differs(std::initializer_list<std::string_view> parts) {
  return Fail(Code::kInvalidArgument, StrCat(parts));
}

Result<void> CheckEqual(std::string_view what, uint64_t found, uint64_t expected) {
  if (found == expected) return {};
  return Differs({what, " ", Decimal(found), ", expected ", Decimal(expected)});
}

Result<void> CheckAtMost(std::string_view what, uint64_t found, uint64_t most) {
  if (found <= most) return {};
  return Differs({what, " ", Decimal(found), ", at most ", Decimal(most), " possible"});
}

// The id as it may be shown: anything may stand in a header.
std::string BootIdOf(const StatsSegmentHeader& header) {
  std::string id(header.boot_id, strnlen(header.boot_id, sizeof(header.boot_id)));
  for (char& c : id) {
    if (c <= ' ' || c > '~') c = '?';
  }
  return id;
}

uint32_t Load(const StatsIndex& index) { return index.load(std::memory_order_acquire); }

// The contents of one segment. Each table is followed once; each cell and page has one owner.
class ContentsCheck {
 public:
  ContentsCheck(const StatsSegmentHeader& header, const StatsLimits& limits, uint64_t size)
      : header_(header),
        limits_(limits),
        regions_(RegionsOf(limits)),
        text_(StatsAt<StatsCell>(header, regions_.text)),
        page_owners_(size / kStatsPage) {}

  Result<void> Run() {
    SLUICE_TRY(CheckSeries());
    // Tables first, then the octaves: those may only be where no table leads.
    for (uint32_t bank = 0; bank < kStatsBanks; ++bank) {
      const uint32_t rows = std::min(Load(header_.banks[bank].rows_used), kStatsMaxRows);
      for (uint32_t i = 0; i < rows; ++i) SLUICE_TRY(CheckTables(bank, i));
    }
    for (const Row& row : rows_) SLUICE_TRY(CheckOctavesOf(row));
    return {};
  }

 private:
  bool HasText(uint64_t offset, uint64_t length) const {
    const uint64_t end = offset + StatsTextCells(length);
    return end <= Load(header_.text_used) && end <= limits_.text_size / sizeof(StatsCell);
  }
  std::string Text(uint32_t offset, uint32_t length) const {
    std::string text;
    LoadStatsText(text_ + offset, length, text);
    return text;
  }

  // Those that were not looked at yet.
  Result<void> CheckFamilies() {
    const auto* families = StatsAt<StatsFamilyEntry>(header_, regions_.families);
    const uint32_t count = std::min(Load(header_.family_count), limits_.max_families);
    for (auto i = static_cast<uint32_t>(kinds_.size()); i < count; ++i) {
      StatsFamilyEntry family;  // a copy: what is checked is what is used
      std::memcpy(&family, &families[i], sizeof(family));
      const bool fits = HasText(family.name_offset, family.name_length) &&
                        HasText(family.help_offset, family.help_length);
      if (!fits) return Differs({"the text of family ", Decimal(i), " is out of bounds"});
      if (!IsMetricName(Text(family.name_offset, family.name_length))) {
        return Differs({"the name of family ", Decimal(i), " is none"});
      }
      if (family.kind >= kStatsKinds || family.unit >= kStatsUnits) {
        return Differs({"the kind of family ", Decimal(i), " is unknown"});
      }
      kinds_.push_back(family.kind);
    }
    return {};
  }

  // Families first: of a published series the family is published. Series may be added meanwhile,
  // of new families; and recycled, for new families.
  Result<void> CheckSeries() {
    SLUICE_TRY(CheckFamilies());
    const uint32_t count = std::min(Load(header_.series_count), limits_.max_series);
    SLUICE_TRY(CheckFamilies());
    const auto* all = StatsAt<StatsSeriesEntry>(header_, regions_.series);
    for (uint32_t i = 0; i < count; ++i) SLUICE_TRY(CheckEntry(all[i], i));
    return {};
  }

  Result<void> CheckEntry(const StatsSeriesEntry& series, uint32_t index) {
    const Decimal number(index);
    const uint32_t generation = Load(series.generation);
    const uint32_t family = Load(series.family);
    if (family >= kinds_.size()) SLUICE_TRY(CheckFamilies());
    if (family >= kinds_.size()) {
      return Differs({"the family of series ", number, " is unknown"});
    }
    if (!TakeCell(kinds_[family], Load(series.cell))) {
      return Differs({"the cell of series ", number, " is out of bounds or another's"});
    }
    if (Load(series.users) >> kStatsBanks != 0) {
      return Differs({"the users of series ", number, " are unknown"});
    }
    // The capacity first: a recycling changes it last, when the place has the room. Also of an
    // entry that is being written, by one who was killed perhaps: who takes it writes there.
    const uint64_t capacity = Load(series.text_capacity);
    const uint32_t offset = Load(series.text_offset);
    if (!HasText(offset, capacity * sizeof(StatsCell))) {
      return Differs({"the labels of series ", number, " are out of bounds"});
    }
    if (generation % 2 != 0) return {};
    const uint32_t length = Load(series.text_length);
    const bool fits = StatsTextCells(length) <= capacity;
    const bool good = fits && IsLabelText(Text(offset, length));
    std::atomic_thread_fence(std::memory_order_acquire);
    if (!good && Load(series.generation) == generation) {
      return Differs({"the labels of series ", number, fits ? " are none" : " are out of bounds"});
    }
    return {};
  }

  bool TakeCell(uint8_t kind, uint32_t cell) {
    const bool word = kind == kStatsWordKind;
    const bool histogram = kind == static_cast<uint8_t>(MetricKind::kHistogram);
    std::vector<bool>& taken = word ? words_ : histogram ? histograms_ : scalars_;
    const uint32_t used = Load(word        ? header_.words_used
                               : histogram ? header_.histograms_used
                                           : header_.scalars_used);
    const uint32_t most = word        ? limits_.max_words
                          : histogram ? limits_.max_histograms
                                      : kStatsMaxScalars;
    if (cell >= used || used > most) return false;
    if (taken.size() < used) taken.resize(used);
    if (taken[cell]) return false;
    taken[cell] = true;
    return true;
  }

  // `owner` is of a row; a page of tables has one, once; a page of octaves is found many times.
  bool TakePage(uint64_t page, uint32_t owner, bool again) {
    if (page * kStatsPage < regions_.pages || page >= page_owners_.size() ||
        page >= Load(header_.pages_used)) {
      return false;
    }
    uint32_t& taken = page_owners_[page];
    if (taken != 0 && (!again || taken != owner)) return false;
    taken = owner;
    return true;
  }

  // A row, with the pages that its tables led to when they were checked.
  struct Row {
    uint32_t bank;
    uint32_t index;
    uint32_t page;
    std::vector<uint32_t> histogram_pages;

    // Plus 1: of a page of its octaves.
    uint32_t owner() const { return 2 * (1 + bank * kStatsMaxRows + index); }
  };

  static tl::unexpected<Error> Wrong(std::string_view what, const Row& row) {
    return Differs({what, " of row ", Decimal(row.index), " in bank ", Decimal(row.bank),
                    " is out of bounds or another's"});
  }

  Result<void> CheckTables(uint32_t bank, uint32_t index) {
    Row row = {bank, index, Load(header_.banks[bank].rows[index]), {}};
    if (row.page == 0) return {};
    if (!TakePage(row.page, row.owner(), false)) return Wrong("the page", row);
    const auto& header = *StatsAt<StatsRowHeader>(header_, row.page * kStatsPage);
    for (const StatsIndex& entry : header.scalar_pages) {
      const uint32_t page = Load(entry);
      if (page != 0 && !TakePage(page, row.owner(), false)) return Wrong("a page of scalars", row);
    }
    for (const StatsIndex& entry : header.histogram_pages) {
      const uint32_t page = Load(entry);
      if (page == 0) continue;
      if (!TakePage(page, row.owner(), false)) return Wrong("a page of histograms", row);
      row.histogram_pages.push_back(page);
    }
    rows_.push_back(std::move(row));
    return {};
  }

  Result<void> CheckOctavesOf(const Row& row) {
    const auto& header = *StatsAt<StatsRowHeader>(header_, row.page * kStatsPage);
    const uint32_t owner = row.owner() + 1;
    const uint32_t pool = Load(header.octave_page);
    if (pool != 0 && !TakePage(pool, owner, true)) return Wrong("the page of octaves", row);
    if (Load(header.octaves_used) > kOctavesPerPage) return Wrong("the use of octaves", row);
    if (!CheckOctaves(header.scratch_histogram, owner)) return Wrong("an octave", row);
    for (const uint32_t page : row.histogram_pages) {
      const auto* histograms = StatsAt<StatsHistogramCells>(header_, page * kStatsPage);
      for (uint32_t i = 0; i < kHistogramsPerPage; ++i) {
        if (!CheckOctaves(histograms[i], owner)) return Wrong("an octave", row);
      }
    }
    return {};
  }

  bool CheckOctaves(const StatsHistogramCells& histogram, uint32_t owner) {
    return std::all_of(std::begin(histogram.octaves), std::end(histogram.octaves),
                       [this, owner](const StatsIndex& octave) {
                         const uint32_t cells = Load(octave);
                         return cells == 0 || (cells % kHistogramSubBuckets == 0 &&
                                               TakePage(cells / kScalarsPerPage, owner, true));
                       });
  }

  const StatsSegmentHeader& header_;
  const StatsLimits limits_;
  const StatsRegions regions_;
  const StatsCell* const text_;
  std::vector<uint8_t> kinds_;  // of the families
  std::vector<bool> scalars_;   // which cells are a series'
  std::vector<bool> histograms_;
  std::vector<bool> words_;
  std::vector<uint32_t> page_owners_;  // 0: none
  std::vector<Row> rows_;
};

Result<void> CheckLimits(const StatsSegmentHeader& header) {
  const StatsLimits& limits = header.limits;
  SLUICE_TRY(CheckAtMost("limit of families", limits.max_families, kStatsMaxFamilies));
  SLUICE_TRY(CheckAtMost("limit of series", limits.max_series,
                         kStatsMaxScalars + kStatsMaxHistograms + kStatsMaxWords));
  SLUICE_TRY(CheckAtMost("limit of histograms", limits.max_histograms, kStatsMaxHistograms));
  SLUICE_TRY(CheckAtMost("limit of words", limits.max_words, kStatsMaxWords));
  SLUICE_TRY(CheckAtMost("size of the text", limits.text_size, kStatsMaxText));
  return CheckAtMost("end of the directory", RegionsOf(limits).pages, header.size);
}

}  // namespace

std::string StatsBootId() {
  std::string id;
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::getline(file, id);
  if (id.empty()) id = "unknown";
  return id.substr(0, sizeof(StatsSegmentHeader::boot_id) - 1);
}

Result<void> CheckStatsHeader(const StatsSegmentHeader& header, uint64_t file_size) {
  if (header.magic != kStatsMagic) return Differs({"it does not begin as a stats segment does"});
  SLUICE_TRY(CheckEqual("layout version", header.layout_version, kStatsLayoutVersion));
  SLUICE_TRY(CheckEqual("size in the header", header.size, file_size));
  SLUICE_TRY(CheckAtMost("size", header.size, kStatsMaxSize));
  if (BootIdOf(header) != StatsBootId()) {
    return Differs({"boot id ", BootIdOf(header), ", expected ", StatsBootId()});
  }
  SLUICE_TRY(CheckLimits(header));
  const StatsLimits& limits = header.limits;
  const StatsRegions regions = RegionsOf(limits);
  const uint32_t pages = Load(header.pages_used);
  SLUICE_TRY(CheckAtMost("count of pages", pages, header.size / kStatsPage));
  SLUICE_TRY(CheckAtMost("first page of the rows", regions.pages / kStatsPage, pages));
  SLUICE_TRY(CheckAtMost("count of families", Load(header.family_count), limits.max_families));
  SLUICE_TRY(CheckAtMost("count of series", Load(header.series_count), limits.max_series));
  SLUICE_TRY(CheckAtMost("count of scalars", Load(header.scalars_used), kStatsMaxScalars));
  SLUICE_TRY(
      CheckAtMost("count of histograms", Load(header.histograms_used), limits.max_histograms));
  SLUICE_TRY(CheckAtMost("count of words", Load(header.words_used), limits.max_words));
  SLUICE_TRY(
      CheckAtMost("used text", Load(header.text_used), limits.text_size / sizeof(StatsCell)));
  // It must not wrap around at the next.
  SLUICE_TRY(CheckAtMost("count of takings", Load(header.takings), UINT32_MAX / 2));
  for (const StatsBank& bank : header.banks) {
    SLUICE_TRY(CheckAtMost("count of rows", Load(bank.rows_used), kStatsMaxRows));
    SLUICE_TRY(CheckAtMost("owner's mark", Load(bank.owned), 1));
    SLUICE_TRY(CheckAtMost("order of a bank's taking", Load(bank.taken), Load(header.takings)));
  }
  return {};
}

Result<void> CheckStatsContents(const StatsSegmentHeader& header, const StatsLimits& limits,
                                uint64_t size) {
  return ContentsCheck(header, limits, size).Run();
}

}  // namespace sluice
