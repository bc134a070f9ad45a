// What the repository's prose says is so: configurations are taken by `sluice check`, code is that
// of compiled files, links lead somewhere, commands, flags and metrics exist.
#include "tests/docs/documents.h"

#include <gmock/gmock.h>
#include <re2/re2.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "core/base/strings.h"
#include "tests/support/raw_client.h"
#include "tests/support/sluice_process.h"
#include "tests/support/temp_folder.h"

namespace sluice::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const std::string& Root() {
  static const auto* const root = new std::string(SLUICE_SOURCE_DIR);
  return *root;
}

const std::vector<Document>& Documents() {
  static const auto* const documents = new std::vector<Document>(ReadDocuments(Root()));
  return *documents;
}

std::string Where(const Document& document, const Block& block) {
  return document.path + ":" + std::to_string(block.line);
}

bool IsConfigLanguage(const std::string& language) {
  return language == "yaml" || language == "json" || language == "toml";
}

// What `sluice` says, both outputs; fails the test if it fails.
std::string Sluice(const std::vector<std::string>& arguments) {
  Driver driver;
  SluiceProcess sluice(driver, arguments);
  EXPECT_EQ(sluice.WaitForExit(), 0) << sluice.err();
  return sluice.out() + sluice.err();
}

void ExpectGoodConfig(const std::string& file) {
  EXPECT_THAT(Sluice({"check", "-c", file}), Not(HasSubstr("warning"))) << file;
}

// A part of a configuration, completed.
std::string WholeConfig(const std::string& text) {
  if (!text.starts_with("filters:")) return text;
  std::string whole = "listeners:\n  - name: web\n    listen: 127.0.0.1:0\n";
  for (const std::string& line : LinesOf(text)) whole += "    " + line + "\n";
  return whole + "    routes: [{ match: { prefix: / }, respond: 200 }]\n";
}

std::vector<std::string> Words(const std::string& line) {
  std::vector<std::string> words;
  std::istringstream in(line);
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

TEST(DocumentsTest, ConfigurationsAreGood) {
  TempFolder folder;
  int count = 0;
  for (const Document& document : Documents()) {
    // The example filter is not in the binary.
    if (document.path.starts_with("tests/example/")) continue;
    for (const Block& block : document.blocks) {
      if (!IsConfigLanguage(block.language)) continue;
      SCOPED_TRACE(Where(document, block));
      const std::string name = "block" + std::to_string(count++) + "." + block.language;
      std::string text = WholeConfig(block.text);
      re2::RE2::GlobalReplace(&text, "/var/log/sluice", folder.path());  // check wants it to exist
      ExpectGoodConfig(folder.Write(name, text));
    }
  }
  EXPECT_GE(count, 7);
}

TEST(DocumentsTest, ExamplesAreGood) {
  for (const auto& entry : fs::directory_iterator(Root() + "/conf")) {
    if (!entry.is_directory() && IsConfigLanguage(entry.path().extension().string().substr(1))) {
      ExpectGoodConfig(entry.path());
    }
  }
}

TEST(DocumentsTest, EveryExampleIsListedAndSaysHowToRunIt) {
  const std::string list = ReadWholeFile(Root() + "/conf/README.md");
  for (const auto& entry : fs::directory_iterator(Root() + "/conf")) {
    const std::string name = entry.path().filename();
    if (name.ends_with(".md") || entry.is_directory()) continue;
    EXPECT_THAT(list, HasSubstr("](" + name + ")"));
    for (const std::string& file : WordsOf(ReadWholeFile(entry.path()), "conf/[a-z_]+\\.[a-z]+")) {
      EXPECT_EQ(file, "conf/" + name);
    }
  }
}

// A block after <!-- FILE --> is that file; of the example filter, as it stands in filters/.
TEST(DocumentsTest, CodeIsThatOfFiles) {
  int count = 0;
  for (const Document& document : Documents()) {
    for (const Block& block : document.blocks) {
      if (block.shown.empty()) {
        // C++ and schemas are shown from files only.
        EXPECT_TRUE(document.path != "README.md" ||
                    (block.language != "cpp" && block.language != "proto"))
            << Where(document, block);
        continue;
      }
      std::string text = ReadWholeFile(Root() + "/" + block.shown);
      re2::RE2::GlobalReplace(&text, "tests/example/", "filters/");
      EXPECT_EQ(block.text, text) << Where(document, block) << " is not " << block.shown;
      ++count;
    }
  }
  EXPECT_GE(count, 4);
}

TEST(DocumentsTest, LinksLeadSomewhere) {
  for (const Document& document : Documents()) {
    for (const std::string& link : LinksOf(document)) {
      const fs::path target = fs::path(Root()) / fs::path(document.path).parent_path() / link;
      EXPECT_TRUE(fs::exists(target)) << document.path << " links to " << link;
    }
  }
}

TEST(DocumentsTest, RoomsAreListedOnce) {
  const std::string list = ReadWholeFile(Root() + "/core/README.md");
  for (const auto& entry : fs::directory_iterator(Root() + "/core")) {
    if (!entry.is_directory()) continue;
    const std::string row = "\n- **[" + entry.path().filename().string() + "/](";
    const size_t first = list.find(row);
    EXPECT_NE(first, std::string::npos) << row;
    EXPECT_EQ(list.find(row, first + 1), std::string::npos) << row;
  }
}

TEST(DocumentsTest, FoldersOfTestsAreListed) {
  const std::string list = ReadWholeFile(Root() + "/tests/README.md");
  for (const std::string& row : WordsOf(list, "(?m)^\\| `[a-z]+/` \\|")) {
    const std::string name = row.substr(3, row.size() - 7);
    EXPECT_TRUE(fs::is_directory(fs::path(Root()) / "tests" / name)) << name;
  }
  for (const auto& entry : fs::directory_iterator(Root() + "/tests")) {
    if (!entry.is_directory()) continue;
    EXPECT_THAT(list, HasSubstr("| `" + entry.path().filename().string() + "/` |"));
  }
}

// Metrics that a document names exist, and README.md or a filter's names each one there is.
TEST(DocumentsTest, MetricsAreThoseOfTheSources) {
  std::string sources;
  for (const char* folder : {"/core", "/filters", "/tests/example"}) {
    for (const auto& entry : fs::recursive_directory_iterator(Root() + folder)) {
      const std::string name = entry.path().filename();
      const bool source = name.ends_with(".h") || name.ends_with(".cc");
      if (source && !name.ends_with("_test.cc")) sources += ReadWholeFile(entry.path());
    }
  }
  const std::vector<std::string> metrics = WordsOf(sources, "\"sluice_[a-z0-9_]+\"");
  EXPECT_GE(metrics.size(), 50u);
  std::string documented;
  for (const Document& document : Documents()) {
    documented += document.text;
    for (const std::string& word : WordsOf(document.text, "\\bsluice_[a-z0-9_]+")) {
      EXPECT_THAT(metrics, testing::Contains("\"" + word + "\"")) << document.path;
    }
  }
  const std::vector<std::string> words = WordsOf(documented, "\\bsluice_[a-z0-9_]+");
  for (const std::string& metric : metrics) {
    EXPECT_THAT(words, testing::Contains(metric.substr(1, metric.size() - 2)));
  }
}

TEST(DocumentsTest, EveryPackageIsListed) {
  const std::string readme = ReadWholeFile(Root() + "/README.md");
  for (const std::string& line : LinesOf(ReadWholeFile(Root() + "/.packages"))) {
    if (line.empty() || line.starts_with('#') || line.starts_with('[')) continue;
    EXPECT_THAT(readme, HasSubstr("`" + line + "`"));
  }
}

// "?a=X, ?b" as the page writes it: "`?a=X`, `?b`".
std::string Quoted(std::string_view list) {
  std::string quoted;
  ForEachListElement(list, [&](std::string_view element) {
    quoted += StrCat({quoted.empty() ? "`" : ", `", element, "`"});
    return true;
  });
  return quoted;
}

TEST(DocumentsTest, TheAdminTableIsDocumentedRowByRow) {
  Driver driver;
  TempFolder folder;
  const std::string config =
      folder.Write("admin.yaml",
                   "admin: 127.0.0.1:0\n"
                   "stats: " +
                       folder.Path("stats") + "\nstate: { path: " + folder.Path("state") +
                       " }\n"
                       "listeners:\n"
                       "  - name: web\n"
                       "    listen: 127.0.0.1:0\n"
                       "    routes: [{ match: /, respond: 200 }]\n");
  SluiceProcess sluice(driver, {"run", "-c", config});
  ASSERT_TRUE(sluice.WaitUntilReady());
  RawClient client(driver, sluice.Where("admin"));
  client.Send("GET /?format=json HTTP/1.1\r\nHost: admin\r\n\r\n");
  const nlohmann::json index = nlohmann::json::parse(client.ReadResponse().body);
  std::vector<std::string> rows;
  for (const nlohmann::json& row : index["endpoints"]) {
    const std::string parameters = Quoted(row["parameters"].get<std::string>());
    rows.push_back(StrCat({"| ", row["method"].get<std::string>(), " | `",
                           row["path"].get<std::string>(), "` | ", row["about"].get<std::string>(),
                           " |", parameters.empty() ? "" : " ", parameters, " |"}));
  }
  std::vector<std::string> documented;
  for (std::string& line : LinesOf(ReadWholeFile(Root() + "/core/server/admin/README.md"))) {
    if (line.starts_with("| GET") || line.starts_with("| POST")) {
      documented.push_back(std::move(line));
    }
  }
  EXPECT_THAT(documented, testing::ElementsAreArray(rows));
}

TEST(DocumentsTest, EchoPathsAreListed) {
  const std::string readme = ReadWholeFile(Root() + "/README.md");
  const std::vector<std::string> paths =
      WordsOf(ReadWholeFile(Root() + "/core/server/echo_target.h"), "//   /[a-z]*");
  EXPECT_GE(paths.size(), 7u);
  for (const std::string& path : paths) {
    EXPECT_THAT(readme, HasSubstr("| `" + path.substr(path.find(" /") + 1)));
  }
}

std::string DevHelp() {
  FILE* const pipe = popen((Root() + "/dev help").c_str(), "r");
  std::string help;
  char piece[512];
  for (size_t size; (size = fread(piece, 1, sizeof(piece), pipe)) > 0;) help.append(piece, size);
  EXPECT_EQ(pclose(pipe), 0);
  return help;
}

// Its flags exist; what can be run without a proxy is run.
void ExpectGoodCommand(const std::string& command, const std::string& rest) {
  std::vector<std::string> arguments = {command};
  const std::vector<std::string> words = Words(rest);
  // Of `config`, each part has its own options.
  const bool config = command == "config" && !words.empty();
  const std::string options =
      config ? Sluice({command, words[0], "--help"}) : Sluice({command, "--help"});
  for (std::string word : words) {
    if (word.starts_with("-")) {
      EXPECT_THAT(options, HasSubstr(word));
    }
    if (word.starts_with("conf/")) {
      word = Root() + "/" + word;
      EXPECT_TRUE(fs::exists(word));
    }
    arguments.push_back(std::move(word));
  }
  if (command == "run" || command == "echo") return;
  // What is said to a running process, or asked about it, has its tests in tests/blackbox.
  if (command == "reload" || command == "restart" || command == "stop" || command == "stats" ||
      command == "top" || (config && words[0] != "dump")) {
    arguments.push_back("--help");
  }
  Sluice(arguments);
}

// The commands that sh blocks and the examples' comments show.
TEST(DocumentsTest, CommandsAreRight) {
  std::vector<std::pair<std::string, std::string>> texts;  // where, text
  for (const Document& document : Documents()) {
    for (const Block& block : document.blocks) {
      if (block.language == "sh") texts.emplace_back(Where(document, block), block.text);
    }
  }
  for (const auto& entry : fs::directory_iterator(Root() + "/conf")) {
    texts.emplace_back(entry.path(), ReadWholeFile(entry.path()));
  }
  const std::string help = DevHelp();
  const re2::RE2 shown(
      "(?:#   )?(?:[A-Z_]+=\\S+ )?(?:build/release/)?(sluice|\\./dev) ([a-z]+)([^#&|]*).*");
  int count = 0;
  for (const auto& text : texts) {
    for (const std::string& line : LinesOf(text.second)) {
      SCOPED_TRACE(text.first + ": " + line);
      std::string program;
      std::string command;
      std::string rest;
      if (!re2::RE2::FullMatch(line, shown, &program, &command, &rest)) continue;
      ++count;
      if (program == "sluice") {
        ExpectGoodCommand(command, rest);
      } else {
        EXPECT_THAT(help, HasSubstr("./dev " + command));
      }
    }
  }
  EXPECT_GE(count, 20);
}

}  // namespace
}  // namespace sluice::test
