#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <medretrieval/imaging/dicom.hpp>
#include <mutex>

#include "base/concat.hpp"
#include "imaging/dicom_grey.hpp"
#include "imaging/dicom_parse.hpp"
#include "imaging/dicom_pixel_data.hpp"
#include "imaging/dicom_tag_text.hpp"
#include "imaging/file_bytes.hpp"
#include "imaging/unfolding.hpp"

namespace medretrieval::imaging {

using detail::fail;

struct DicomFile::Impl {
  std::filesystem::path file;
  std::unique_ptr<DcmFileFormat> content;
  std::optional<DicomPixelData> pixels;
  std::mutex mutex;  // DCMTK moves a cursor in the data set even when it only searches

  DcmDataset& dataset() const { return *content->getDataset(); }

  const DicomPixelData& need_pixels(std::size_t frame) const {
    if (!pixels) fail(ErrorCode::not_found, "a DICOM file without pixel data");
    if (frame >= pixels->layout().frames) {
      fail(ErrorCode::invalid_argument, "no frame ", frame, "; there are ", pixels->layout().frames);
    }
    return *pixels;
  }

  StoredSamples decode(std::size_t frame) const {
    const DicomPixelData& data = need_pixels(frame);
    const PixelLayout& layout = data.layout();
    return {layout.columns,   layout.rows,       layout.samples, static_cast<int>(layout.sample_bytes() * 8),
            layout.is_signed, data.decode(frame)};
  }

  Image modality_image(std::size_t frame) {
    const StoredSamples samples = decode(frame);
    const std::lock_guard lock(mutex);
    return to_modality_image(dataset(), pixels->layout(), samples, frame);
  }

  Image display_image(std::size_t frame, const std::optional<Window>& window) {
    Image modality = modality_image(frame);
    if (modality.unit() == PixelUnit::display) {
      if (window) fail(ErrorCode::invalid_argument, "a window for a colour image");
      return modality;
    }
    Image display = window ? apply_window(modality, *window) : show(modality, frame);
    if (pixels->layout().photometric == Photometric::monochrome1) {
      for (float& value : display.pixels()) value = 1 - value;
    }
    return display;
  }

  Image show(const Image& modality, std::size_t frame) {
    const std::lock_guard lock(mutex);
    return show_as_stated(dataset(), pixels->layout(), modality, frame);
  }
};

DicomFile::DicomFile(const std::filesystem::path& file) : impl_(std::make_unique<Impl>()) {
  impl_->file = file;
  naming_file(file, [&] {
    const std::vector<std::uint8_t> bytes = read_file(file);
    impl_->content = parse_dicom(bytes);
    if (!impl_->dataset().tagExistsWithValue(DCM_PixelData)) return;
    impl_->pixels.emplace(impl_->dataset());
    require_plausible_pixels(impl_->pixels->layout().pixels(), bytes.size());
  });
}

DicomFile::~DicomFile() = default;
DicomFile::DicomFile(DicomFile&&) noexcept = default;
DicomFile& DicomFile::operator=(DicomFile&&) noexcept = default;

bool DicomFile::has_pixels() const noexcept {
  return impl_->pixels.has_value();
}

std::size_t DicomFile::frame_count() const noexcept {
  return has_pixels() ? impl_->pixels->layout().frames : 0;
}

std::string DicomFile::transfer_syntax_uid() const {
  return DcmXfer(impl_->dataset().getOriginalXfer()).getXferID();
}

std::string DicomFile::photometric_interpretation() const {
  return tag("PhotometricInterpretation");
}

StoredSamples DicomFile::stored_samples(std::size_t frame) const {
  return naming_file(impl_->file, [&] { return impl_->decode(frame); });
}

Image DicomFile::modality_image(std::size_t frame) const {
  return naming_file(impl_->file, [&] { return impl_->modality_image(frame); });
}

Image DicomFile::display_image(std::size_t frame, const std::optional<Window>& window) const {
  return naming_file(impl_->file, [&] { return impl_->display_image(frame, window); });
}

std::optional<Window> DicomFile::stated_window(std::size_t frame) const {
  const std::lock_guard lock(impl_->mutex);
  const auto stated = naming_file(impl_->file, [&] { return find_stated_window(impl_->dataset(), frame); });
  return stated ? std::optional(stated->window) : std::nullopt;
}

std::string DicomFile::tag(const std::string& keyword) const {
  return naming_file(impl_->file, [&] {
    const std::lock_guard lock(impl_->mutex);
    return tag_text(impl_->dataset(), keyword);
  });
}

}  // namespace medretrieval::imaging
