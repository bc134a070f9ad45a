// What a configuration says, for people: its text with what is secret left out, so that it can be
// shown and compared. Any thread.
#ifndef SLUICE_CORE_CONFIG_REDACTION_H_
#define SLUICE_CORE_CONFIG_REDACTION_H_

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/config/filter_schemas.h"
#include "core/config/history.h"
#include "core/config/loader.h"

namespace sluice {

// `text` with kHidden in place of each value that the schemas call secret; ${...} stays, unless it
// has a default. Where it is not clear where such a value ends, more is left out than that.
// Variables and secret files need not be there. Errors: what is secret cannot be told, since the
// schemas do not take it (any more).
Result<std::string> RedactedText(std::string_view text, ConfigFormat format,
                                 const FilterSchemas& schemas);

// As ConfigDiff, of the redacted texts. Errors as above.
Result<std::string> RedactedDiff(const ConfigVersion& before, const ConfigVersion& after,
                                 const FilterSchemas& schemas);

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_REDACTION_H_
