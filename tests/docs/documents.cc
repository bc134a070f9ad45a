#include "tests/docs/documents.h"

#include <re2/re2.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>
#include <utility>

#include "tests/support/temp_folder.h"

namespace sluice::test {
namespace {

namespace fs = std::filesystem;

std::vector<Block> BlocksOf(const std::string& text) {
  std::vector<Block> blocks;
  std::string fence;  // of the block that is open
  int number = 0;
  std::string before;
  for (const std::string& line : LinesOf(text)) {
    ++number;
    if (!fence.empty()) {
      if (line == fence) {
        fence.clear();
      } else {
        blocks.back().text += line + "\n";
      }
    } else if (line.starts_with("```")) {
      Block& block = blocks.emplace_back();
      fence = line.substr(0, line.find_first_not_of('`'));
      block.line = number;
      block.language = line.substr(fence.size());
      re2::RE2::FullMatch(before, "<!-- (\\S+) -->", &block.shown);
    }
    before = line;
  }
  return blocks;
}

}  // namespace

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::vector<Document> ReadDocuments(const std::string& root) {
  std::vector<Document> documents;
  for (auto entry = fs::recursive_directory_iterator(root); entry != fs::end(entry); ++entry) {
    const std::string name = entry->path().filename();
    if (entry->is_directory() && (name == "build" || name.starts_with('.'))) {
      entry.disable_recursion_pending();
      continue;
    }
    if (entry->path().extension() != ".md") continue;
    Document document{fs::relative(entry->path(), root), ReadWholeFile(entry->path()), {}};
    document.blocks = BlocksOf(document.text);
    documents.push_back(std::move(document));
  }
  std::sort(documents.begin(), documents.end(),
            [](const Document& a, const Document& b) { return a.path < b.path; });
  return documents;
}

std::vector<std::string> WordsOf(const std::string& text, const std::string& regex) {
  const re2::RE2 compiled("(" + regex + ")");
  std::set<std::string> words;
  std::string word;
  for (re2::StringPiece rest(text); re2::RE2::FindAndConsume(&rest, compiled, &word);) {
    words.insert(word);
  }
  return {words.begin(), words.end()};
}

std::vector<std::string> LinksOf(const Document& document) {
  std::vector<std::string> links;
  for (const std::string& found : WordsOf(document.text, "\\]\\([^)\\s]+\\)")) {
    std::string target = found.substr(2, found.size() - 3);
    target = target.substr(0, target.find('#'));
    if (!target.empty() && target.find("://") == std::string::npos) links.push_back(target);
  }
  return links;
}

}  // namespace sluice::test
