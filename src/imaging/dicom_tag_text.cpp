#include "imaging/dicom_tag_text.hpp"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcspchrs.h>
#include <dcmtk/dcmdata/dctk.h>

#include <algorithm>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "base/concat.hpp"
#include "imaging/dicom_parse.hpp"

namespace medretrieval::imaging {

using detail::fail;

namespace {

/// DCMTK looks through its whole dictionary for a keyword; those that were found are kept.
DcmTag tag_of(const std::string& keyword) {
  static std::shared_mutex mutex;
  static std::unordered_map<std::string, DcmTag> known;
  {
    const std::shared_lock lock(mutex);
    if (const auto found = known.find(keyword); found != known.end()) return found->second;
  }
  DcmTag tag;
  if (DcmTag::findTagFromName(keyword.c_str(), tag).bad()) {
    fail(ErrorCode::not_found, "\"", keyword, "\" is no keyword of the DICOM dictionary");
  }
  const std::unique_lock lock(mutex);
  return known.try_emplace(keyword, tag).first->second;
}

// True when `text` means the same in every character set of DICOM: ASCII without escapes.
bool is_plain(const OFString& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0 && c != '\x1B'; });
}

std::string to_utf8(DcmItem& dataset, const OFString& text) {
  if (is_plain(text)) return {text.data(), text.size()};
  DcmSpecificCharacterSet converter;
  OFString converted;
  // Backslash separates values and, in names, '^' and '=' components: code extensions end there.
  OFCondition result = converter.selectCharacterSet(dataset);
  if (result.good()) result = converter.convertString(text, converted, "\\^=");
  if (result.bad()) fail(ErrorCode::corrupt, "text that is not in its stated character set: ", result.text());
  return {converted.data(), converted.size()};
}

}  // namespace

std::string tag_text(DcmItem& dataset, const std::string& keyword) {
  const DcmTag tag = tag_of(keyword);
  DcmElement* element = nullptr;
  if (dataset.findAndGetElement(tag, element).bad()) return {};
  // DCMTK shows bytes as hexadecimal digits: they would pass for a value.
  if (DcmVR(tag.getEVR()).isaString() && !DcmVR(element->getVR()).isaString()) {
    fail(ErrorCode::unsupported, keyword, " is stored as ", DcmVR(element->getVR()).getVRName(),
         ", which is no text");
  }
  const bool is_long = element->isLeaf() && element->getLengthField() > kMaxHeaderValueBytes;
  if (!is_long && element->isEmpty()) return {};
  OFString text;
  if (is_long || !element->isLeaf() || element->getOFStringArray(text).bad()) {
    fail(ErrorCode::unsupported, keyword, " is a sequence or bulk data and has no text");
  }
  return to_utf8(dataset, text);
}

}  // namespace medretrieval::imaging
