#include "core/server/stats/top_frame.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "core/base/strings.h"
#include "core/server/stats/top_format.h"

namespace sluice {
namespace {

constexpr size_t kNameWidth = 14;  // at least, if other columns can go
constexpr std::string_view kTableNames[] = {"LISTENER", "CLUSTER", "ENDPOINT", "WORKER"};
constexpr std::string_view kSortNames[] = {"name", "requests", "errors", "p99", "connections"};

std::string Left(std::string_view text, size_t width) {
  if (text.size() > width) {
    return width == 0 ? "" : StrCat({text.substr(0, width - 1), "~"});
  }
  return StrCat({text, std::string(width - text.size(), ' ')});
}

std::string Right(std::string_view text, size_t width) {
  if (text.size() > width) return std::string(text.substr(0, width));
  return StrCat({std::string(width - text.size(), ' '), text});
}

// A column after the name. Those that do not fit are left out, the last first.
struct Column {
  std::string_view heading;
  std::string_view totals_heading;
  size_t width;
  std::string (*text)(const TopLine& line, const TopModel& model);
};

std::string Level(int64_t value, const TopModel& model) {
  return model.live ? ShortNumber(static_cast<double>(value)) : "-";
}
std::string Quantile(const TopLine& line, double TopLine::Latency::*quantile) {
  return line.latency ? ShortTime((*line.latency).*quantile) : "-";
}

constexpr Column kRequests = {"REQ/S", "REQS", 8, [](const TopLine& line, const TopModel&) {
                                return ShortNumber(line.requests);
                              }};
constexpr Column kErrors = {"ERR", "ERR", 8, [](const TopLine& line, const TopModel&) {
                              return line.errors ? ShortShare(*line.errors) : std::string("-");
                            }};
constexpr Column kP50 = {"P50", "P50", 8, [](const TopLine& line, const TopModel&) {
                           return Quantile(line, &TopLine::Latency::p50);
                         }};
constexpr Column kP90 = {"P90", "P90", 8, [](const TopLine& line, const TopModel&) {
                           return Quantile(line, &TopLine::Latency::p90);
                         }};
constexpr Column kP99 = {"P99", "P99", 8, [](const TopLine& line, const TopModel&) {
                           return Quantile(line, &TopLine::Latency::p99);
                         }};
constexpr Column kConnections = {
    "CONNS", "CONNS", 7,
    [](const TopLine& line, const TopModel& model) { return Level(line.connections, model); }};
constexpr Column kActive = {"ACTIVE", "ACTIVE", 7, [](const TopLine& line, const TopModel& model) {
                              return Level(line.active, model);
                            }};
constexpr Column kReceived = {"IN B/S", "IN B", 8, [](const TopLine& line, const TopModel&) {
                                return ShortNumber(line.received);
                              }};
constexpr Column kSent = {"OUT B/S", "OUT B", 8, [](const TopLine& line, const TopModel&) {
                            return ShortNumber(line.sent);
                          }};
constexpr Column kCpu = {"CPU", "CPU", 8, [](const TopLine& line, const TopModel&) {
                           return line.cpu ? ShortShare(*line.cpu) : std::string("-");
                         }};
constexpr Column kLag50 = {"LAG P50", "LAG P50", 8, kP50.text};
constexpr Column kLag99 = {"LAG P99", "LAG P99", 8, kP99.text};
constexpr Column kTurn99 = {"TURN P99", "TURN P99", 9, [](const TopLine& line, const TopModel&) {
                              return line.turns ? ShortTime(line.turns->p99) : std::string("-");
                            }};

std::vector<Column> ColumnsOf(TopTable table, size_t width) {
  std::vector<Column> columns = {kRequests,    kErrors, kP50,      kP90, kP99,
                                 kConnections, kActive, kReceived, kSent};
  if (table == TopTable::kEndpoints) columns = {kRequests, kErrors};
  if (table == TopTable::kWorkers) columns = {kCpu, kLag50, kLag99, kTurn99, kConnections};
  const auto taken = [&columns] {
    size_t sum = 0;
    for (const Column& column : columns) sum += column.width;
    return sum;
  };
  while (columns.size() > 1 && taken() + kNameWidth > width) columns.pop_back();
  return columns;
}

// What lines are ordered by, the largest first.
double SortValue(const TopLine& line, TopTable table, TopSort sort) {
  switch (sort) {
    case TopSort::kName:
      break;
    case TopSort::kRequests:
      return table == TopTable::kWorkers ? line.cpu.value_or(0) : line.requests;
    case TopSort::kErrors:
      return line.errors.value_or(-1);
    case TopSort::kLatency:
      return line.latency ? line.latency->p99 : -1;
    case TopSort::kConnections:
      return static_cast<double>(line.connections);
  }
  return 0;
}

class Frame {
 public:
  Frame(const TopModel& model, TopView& view) : model_(model), view_(view) {}

  std::vector<TopText> Render() {
    AddHead();
    const size_t foot = view_.keys ? 1 : 0;
    const size_t room =
        view_.height > lines_.size() + foot ? view_.height - lines_.size() - foot : 0;
    if (view_.table) {
      AddTable(*view_.table, room, true);
    } else {
      AddTables(room);
    }
    if (view_.keys && view_.height > foot) AddFoot();
    if (lines_.size() > view_.height) lines_.resize(view_.height);
    return std::move(lines_);
  }

 private:
  const std::vector<TopLine>& Lines(TopTable table) const {
    return model_.tables[static_cast<size_t>(table)];
  }

  void Add(std::string text, TopStyle style = TopStyle::kPlain) {
    if (text.size() > view_.width) text.resize(view_.width);
    lines_.push_back({std::move(text), style});
  }

  void AddHead() {
    std::string state;
    if (!model_.live) {
      state = "no process: numbers as they were left";
    } else {
      state = model_.ready ? "live" : model_.draining ? "draining" : "not ready";
      for (const StatsFile::Process& process : model_.processes) {
        if (!process.live) continue;
        state +=
            StrCat({", pid ", Decimal(process.pid), " for ", ShortAge(view_.wall - process.start)});
      }
    }
    Add(StrCat({"sluice ", Printable(view_.name), ": ", state}),
        model_.live ? TopStyle::kBold : TopStyle::kBad);
    const TopLine& all = model_.all;
    const bool totals = model_.totals;
    std::string line = StrCat({totals ? "reqs " : "req/s ", ShortNumber(all.requests), "  err ",
                               all.errors ? ShortShare(*all.errors) : "-"});
    if (all.latency) {
      line += StrCat({"  p50 ", ShortTime(all.latency->p50), "  p90 ", ShortTime(all.latency->p90),
                      "  p99 ", ShortTime(all.latency->p99)});
    }
    Add(line + StrCat({"  conns ", Level(all.connections, model_), "  active ",
                       Level(all.active, model_)}));
    const TopLine& worker = model_.worker;
    Add(StrCat({"workers ", Decimal(Lines(TopTable::kWorkers).size()), "  cpu ",
                worker.cpu ? ShortShare(*worker.cpu) : "-", "  lag p99 ",
                Quantile(worker, &TopLine::Latency::p99), totals ? "  in B " : "  in B/s ",
                ShortNumber(all.received), totals ? "  out B " : "  out B/s ",
                ShortNumber(all.sent), totals ? "  lua errors " : "  lua errors/s ",
                ShortNumber(model_.lua_errors)}));
  }

  // All that have lines, each as many as there is room for: what one does not need, others get.
  void AddTables(size_t room) {
    std::array<size_t, kTopTables> shown{};
    size_t tables = 0;
    for (const auto& table : model_.tables) tables += table.empty() ? 0 : 1;
    if (room < 2 * tables) {  // a heading and a line each is too much
      for (size_t i = 0; i < kTopTables && room >= 2; ++i) {
        const auto table = static_cast<TopTable>(i);
        if (Lines(table).empty()) continue;
        const size_t before = lines_.size();
        AddTable(table, std::min<size_t>(room, 1 + Lines(table).size()), false);
        room -= lines_.size() - before;
      }
      return;
    }
    room -= tables;
    for (bool more = true; more && room > 0;) {
      more = false;
      for (size_t i = 0; i < kTopTables && room > 0; ++i) {
        if (shown[i] == model_.tables[i].size()) continue;
        ++shown[i];
        --room;
        more = true;
      }
    }
    for (size_t i = 0; i < kTopTables; ++i) {
      if (shown[i] > 0) AddTable(static_cast<TopTable>(i), 1 + shown[i], false);
    }
  }

  // The heading, and lines in what is left of `room`.
  void AddTable(TopTable table, size_t room, bool scrolled) {
    if (room == 0) return;
    const std::vector<Column> columns = ColumnsOf(table, view_.width);
    size_t name_width = view_.width;
    for (const Column& column : columns) name_width -= std::min(name_width, column.width);
    const std::vector<const TopLine*> lines = Sorted(table);
    const size_t fit = std::min(lines.size(), room - 1);
    if (scrolled) view_.scroll = std::min(view_.scroll, lines.size() - fit);
    const size_t begin = scrolled ? view_.scroll : 0;

    std::string title(kTableNames[static_cast<size_t>(table)]);
    if (fit < lines.size()) {
      title += scrolled ? StrCat({" ", Decimal(begin + 1), "-", Decimal(begin + fit), "/",
                                  Decimal(lines.size())})
                        : StrCat({" ", Decimal(fit), "/", Decimal(lines.size())});
    }
    std::string heading = Left(title, name_width);
    for (const Column& column : columns) {
      heading += Right(model_.totals ? column.totals_heading : column.heading, column.width);
    }
    Add(std::move(heading), TopStyle::kHeading);
    for (size_t i = begin; i < begin + fit; ++i) {
      std::string text = Left(Printable(lines[i]->name), name_width);
      for (const Column& column : columns) {
        // One blank between columns, whatever a value takes.
        text += StrCat({" ", Right(column.text(*lines[i], model_), column.width - 1)});
      }
      Add(std::move(text));
    }
  }

  std::vector<const TopLine*> Sorted(TopTable table) const {
    std::vector<const TopLine*> lines;
    for (const TopLine& line : Lines(table)) lines.push_back(&line);
    std::stable_sort(lines.begin(), lines.end(), [&](const TopLine* a, const TopLine* b) {
      return SortValue(*a, table, view_.sort) > SortValue(*b, table, view_.sort);
    });
    if (view_.reversed) std::reverse(lines.begin(), lines.end());
    return lines;
  }

  void AddFoot() {
    while (lines_.size() + 1 < view_.height) Add("");
    Add(Left(StrCat({"q quit  a l c e w Tab table  1-5 s sort: ",
                     kSortNames[static_cast<size_t>(view_.sort)], view_.reversed ? " up" : "",
                     "  r reverse  t ", view_.totals ? "rates" : "totals", "  up down"}),
             view_.width),
        TopStyle::kHeading);
  }

  const TopModel& model_;
  TopView& view_;
  std::vector<TopText> lines_;
};

void ShowTable(TopView& view, std::optional<TopTable> table) {
  view.table = table;
  view.scroll = 0;
}

void ShowNextTable(TopView& view) {
  if (!view.table) return ShowTable(view, TopTable::kListeners);
  const size_t next = static_cast<size_t>(*view.table) + 1;
  ShowTable(view, next == kTopTables ? std::nullopt
                                     : std::optional<TopTable>(static_cast<TopTable>(next)));
}

}  // namespace

bool HandleTopKey(TopKey key, char character, TopView& view) {
  const size_t page = std::max<size_t>(view.height, 10) - 6;
  switch (key) {
    case TopKey::kUp:
      view.scroll -= std::min<size_t>(view.scroll, 1);
      return true;
    case TopKey::kDown:
      ++view.scroll;
      return true;
    case TopKey::kPageUp:
      view.scroll -= std::min(view.scroll, page);
      return true;
    case TopKey::kPageDown:
      view.scroll += page;
      return true;
    case TopKey::kCharacter:
      break;
  }
  switch (character) {
    case 'q':
      return false;
    case 'a':
      ShowTable(view, std::nullopt);
      break;
    case 'l':
      ShowTable(view, TopTable::kListeners);
      break;
    case 'c':
      ShowTable(view, TopTable::kClusters);
      break;
    case 'e':
      ShowTable(view, TopTable::kEndpoints);
      break;
    case 'w':
      ShowTable(view, TopTable::kWorkers);
      break;
    case '\t':
      ShowNextTable(view);
      break;
    case 's':
      view.sort = static_cast<TopSort>((static_cast<size_t>(view.sort) + 1) % kTopSorts);
      break;
    case 'r':
      view.reversed = !view.reversed;
      break;
    case 't':
      view.totals = !view.totals;
      break;
    case 'j':
      ++view.scroll;
      break;
    case 'k':
      view.scroll -= std::min<size_t>(view.scroll, 1);
      break;
    default:
      if (character >= '1' && character <= '5') view.sort = static_cast<TopSort>(character - '1');
      break;
  }
  return true;
}

std::vector<TopText> RenderTop(const TopModel& model, TopView& view) {
  return Frame(model, view).Render();
}

}  // namespace sluice
