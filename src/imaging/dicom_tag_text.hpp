// Values of the main data set as text.
#pragma once

#include <string>

class DcmItem;

namespace medretrieval::imaging {

/// As DicomFile::tag(), without the file's name in the messages.
/// \throws Error not_found, unsupported, corrupt.
std::string tag_text(DcmItem& dataset, const std::string& keyword);

}  // namespace medretrieval::imaging
