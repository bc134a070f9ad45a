// The repository's prose, read for tests: its Markdown files, their fenced blocks and links.
#ifndef SLUICE_TESTS_DOCS_DOCUMENTS_H_
#define SLUICE_TESTS_DOCS_DOCUMENTS_H_

#include <string>
#include <vector>

namespace sluice::test {

struct Block {
  int line = 0;          // of its opening fence
  std::string language;  // yaml, sh, cpp, ...; empty: none
  std::string shown;     // FILE of a line <!-- FILE --> right before it
  std::string text;
};

struct Document {
  std::string path;  // from the root
  std::string text;
  std::vector<Block> blocks;
};

// Every .md file of the tree at `root`, but those of build/, in the order of their paths.
std::vector<Document> ReadDocuments(const std::string& root);

// The targets of the document's links that are neither addresses nor places in itself, without
// their #fragment.
std::vector<std::string> LinksOf(const Document& document);

// The words of `text` that match the regular expression, each once.
std::vector<std::string> WordsOf(const std::string& text, const std::string& regex);

std::vector<std::string> LinesOf(const std::string& text);

}  // namespace sluice::test

#endif  // SLUICE_TESTS_DOCS_DOCUMENTS_H_
