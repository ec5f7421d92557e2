#include "imaging/dicom_header.hpp"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include "imaging/dicom_layout.hpp"
#include "imaging/dicom_parse.hpp"
#include "imaging/dicom_tag_text.hpp"

namespace medretrieval::imaging {

DicomHeader::DicomHeader(const std::filesystem::path& file) : file_(file) {
  naming_file(file, [&] {
    ParsedHeader parsed = parse_dicom_header(FileReader(file));
    content_ = std::move(parsed.content);
    if (parsed.has_pixels) frames_ = read_pixel_layout(*content_->getDataset()).frames;
  });
}

DicomHeader::~DicomHeader() = default;

std::string DicomHeader::tag(const std::string& keyword) const {
  return naming_file(file_, [&] { return tag_text(*content_->getDataset(), keyword); });
}

}  // namespace medretrieval::imaging
