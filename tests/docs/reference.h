// conf/REFERENCE.md: every option of the configuration, from the comments and options of the
// protos.
#ifndef SLUICE_TESTS_DOCS_REFERENCE_H_
#define SLUICE_TESTS_DOCS_REFERENCE_H_

#include <string>

namespace sluice::test {

// The page's text, of the protos below `root`, the repository. Fails the test when one cannot be
// read.
std::string RenderReference(const std::string& root);

}  // namespace sluice::test

#endif  // SLUICE_TESTS_DOCS_REFERENCE_H_
