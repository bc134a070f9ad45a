#include "core/server/stats/stats_listing.h"

#include <gmock/gmock.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "core/stats/directory.h"
#include "core/stats/segment.h"

namespace sluice {
namespace {

using ::testing::HasSubstr;

class StatsListingTest : public testing::Test {
 protected:
  std::string Render(const ListingOptions& options, uint32_t at_once = 1) {
    StatsListing listing(StatsReader(*segment_), options);
    std::string out;
    while (listing.RenderSome(at_once, out)) {
    }
    return out;
  }

  std::unique_ptr<StatsSegment> segment_ = StatsSegment::Create(StatsOptions{}).value();
  StatsDirectory directory_{*segment_};
  StatsRow row_ = directory_.main_row();
  SeriesFilter filter_ = SeriesFilter::Parse("sluice_[abh]").value();
};

TEST_F(StatsListingTest, CountersAndHistogramsHaveRatesFromTheSecondLookOn) {
  Counter a = row_.counter(directory_.Counter({"sluice_a_total", "A."}));
  row_.gauge(directory_.Gauge({"sluice_b", "B."})).Set(5);
  Histogram h = row_.histogram(directory_.Histogram({"sluice_h_seconds", "H."}));
  StatsRates rates;
  ListingOptions options;
  options.filter = &filter_;
  options.rates = &rates;
  a.Inc(4);
  rates.Begin(10 * kSecond);
  EXPECT_EQ(Render(options),
            "sluice_a_total: 4\nsluice_b: 5\n"
            "sluice_h_seconds: {\"count\":0,\"p50\":0.0,\"p90\":0.0,\"p99\":0.0,\"sum\":0}\n");
  a.Inc(3);
  h.Record(20);
  rates.Begin(12 * kSecond);
  EXPECT_EQ(Render(options),
            "sluice_a_total: 7 (1.5/s)\nsluice_b: 5\n"
            "sluice_h_seconds: {\"count\":1,\"p50\":20.0,\"p90\":20.0,\"p99\":20.0,\"sum\":20} "
            "(0.5/s)\n");
  rates.Forget();
  rates.Begin(13 * kSecond);
  EXPECT_THAT(Render(options), HasSubstr("sluice_a_total: 7\n"));
}

// What is seen for the first time has no rate: it may have counted long before.
TEST_F(StatsListingTest, ASeriesThatAppearsHasNoRateYet) {
  StatsRates rates;
  ListingOptions options;
  options.filter = &filter_;
  options.rates = &rates;
  rates.Begin(kSecond);
  EXPECT_EQ(Render(options), "");
  row_.counter(directory_.Counter({"sluice_a_total", "A."})).Inc(9);
  rates.Begin(2 * kSecond);
  EXPECT_EQ(Render(options), "sluice_a_total: 9\n");
  rates.Begin(3 * kSecond);
  EXPECT_EQ(Render(options), "sluice_a_total: 9 (0.0/s)\n");
}

TEST_F(StatsListingTest, AJsonLineIsALookWithItsTime) {
  row_.counter(directory_.Counter({"sluice_a_total", "A."}, {{"x", "1"}})).Inc(2);
  row_.counter(directory_.Counter({"sluice_a_total", "A."}, {{"x", "2"}})).Inc(3);
  StatsRates rates;
  ListingOptions options;
  options.format = ListingFormat::kJsonLine;
  options.filter = &filter_;
  options.rates = &rates;
  options.wall = 1'700'000'000'250 * kMillisecond;
  rates.Begin(kSecond);
  Render(options);
  rates.Begin(2 * kSecond);
  const std::string line = Render(options);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const nlohmann::json json = nlohmann::json::parse(line);
  EXPECT_EQ(json["time"], 1'700'000'000.25);
  ASSERT_EQ(json["series"].size(), 2u);
  EXPECT_EQ(json["series"][1]["labels"]["x"], "2");
  EXPECT_EQ(json["series"][1]["value"], 3);
  EXPECT_EQ(json["series"][1]["rate"], 0.0);
}

TEST_F(StatsListingTest, TextCannotCommandATerminal) {
  directory_.Counter({"sluice_a_total", "A."}, {{"x", "\x1b[2J\x7f"}});
  ListingOptions options;
  options.filter = &filter_;
  EXPECT_EQ(Render(options), "sluice_a_total{x=\"?[2J?\"}: 0\n");
}

TEST_F(StatsListingTest, ABadFilterSaysWhatIsWrong) {
  const auto bad = SeriesFilter::Parse("(");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().detail, "filter: missing ): (");
  EXPECT_TRUE(SeriesFilter::Parse("").value().all());
}

}  // namespace
}  // namespace sluice
