#include "imaging/dicom_grey.hpp"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/concat.hpp"
#include "base/portable_math.hpp"
#include "imaging/dicom_lookup_table.hpp"
#include "imaging/display.hpp"
#include "imaging/raster.hpp"

namespace medretrieval::imaging {

using detail::fail;

namespace {

/// Reads samples as numbers: only the stored bits, the sign extended. Overlays may lie in the other bits.
class SampleReader {
 public:
  SampleReader(const PixelLayout& layout, const StoredSamples& samples)
      : bytes_(samples.bytes.data()),
        size_(layout.sample_bytes()),
        shift_(layout.bits_allocated == 1 ? 0 : layout.high_bit + 1 - layout.bits_stored),
        mask_((std::uint64_t{1} << layout.bits_stored) - 1),
        sign_(layout.is_signed ? std::uint64_t{1} << (layout.bits_stored - 1) : 0) {}

  double operator[](std::size_t index) const {
    const std::uint8_t* at = bytes_ + index * size_;
    std::uint64_t raw = 0;
    for (std::size_t byte = 0; byte < size_; ++byte) raw |= std::uint64_t{at[byte]} << 8 * byte;
    const std::uint64_t value = raw >> shift_ & mask_;
    return static_cast<double>(static_cast<std::int64_t>((value ^ sign_) - sign_));
  }
  double white() const { return static_cast<double>(mask_); }

 private:
  const std::uint8_t* bytes_;
  std::size_t size_;
  int shift_;
  std::uint64_t mask_;
  std::uint64_t sign_;
};

/// The item that holds a rule for `frame`: the data set itself or, in enhanced multi-frame objects, the macro
/// `sequence` in the functional groups of the frame or of all frames (PS3.3 C.7.6.16).
DcmItem& rules_for(DcmItem& dataset, std::size_t frame, const DcmTagKey& sequence) {
  DcmItem* groups = nullptr;
  DcmItem* macro = nullptr;
  const auto number = static_cast<signed long>(frame);
  if (dataset.findAndGetSequenceItem(DCM_PerFrameFunctionalGroupsSequence, groups, number).good() &&
      groups->findAndGetSequenceItem(sequence, macro).good()) {
    return *macro;
  }
  if (dataset.findAndGetSequenceItem(DCM_SharedFunctionalGroupsSequence, groups).good() &&
      groups->findAndGetSequenceItem(sequence, macro).good()) {
    return *macro;
  }
  return dataset;
}

std::optional<double> find_number(DcmItem& item, const DcmTagKey& tag) {
  if (!item.tagExistsWithValue(tag)) return std::nullopt;
  Float64 value = 0;
  if (item.findAndGetFloat64(tag, value).bad() || !std::isfinite(value)) {
    fail(ErrorCode::corrupt, DcmTag(tag).getTagName(), " is not a number");
  }
  return value;
}

bool has_text(DcmItem& item, const DcmTagKey& tag, const char* expected) {
  OFString text;
  return item.findAndGetOFString(tag, text).good() && text == expected;
}

/// `value(i)` for every pixel i.
template <class Value>
Image image_of(const PixelLayout& layout, PixelUnit unit, const Value& value) {
  Image image(layout.columns, layout.rows, unit);
  const auto pixels = image.pixels();
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<float>(value(i));
  return image;
}

Image rescaled(DcmItem& dataset, const PixelLayout& layout, const SampleReader& samples, std::size_t frame) {
  DcmItem& rules = rules_for(dataset, frame, DCM_PixelValueTransformationSequence);
  const std::optional<double> slope = find_number(rules, DCM_RescaleSlope);
  const std::optional<double> intercept = find_number(rules, DCM_RescaleIntercept);
  const bool other_unit =
      rules.tagExistsWithValue(DCM_RescaleType) && !has_text(rules, DCM_RescaleType, "HU");
  const bool hounsfield = has_text(dataset, DCM_Modality, "CT") && slope && intercept && !other_unit;
  return image_of(layout, hounsfield ? PixelUnit::hounsfield : PixelUnit::stored,
                  [&](std::size_t i) { return slope.value_or(1) * samples[i] + intercept.value_or(0); });
}

Image palette_luminance(DcmItem& dataset, const PixelLayout& layout, const SampleReader& samples) {
  if (dataset.tagExistsWithValue(DCM_SegmentedRedPaletteColorLookupTableData)) {
    fail(ErrorCode::unsupported, "a segmented palette");
  }
  const std::array<LookupTable, 3> palette = {
      read_lookup_table(dataset, DCM_RedPaletteColorLookupTableDescriptor, DCM_RedPaletteColorLookupTableData,
                        layout.is_signed),
      read_lookup_table(dataset, DCM_GreenPaletteColorLookupTableDescriptor,
                        DCM_GreenPaletteColorLookupTableData, layout.is_signed),
      read_lookup_table(dataset, DCM_BluePaletteColorLookupTableDescriptor,
                        DCM_BluePaletteColorLookupTableData, layout.is_signed)};
  const auto channel = [&](std::size_t colour, std::size_t i) {
    return static_cast<float>(palette[colour].at(samples[i]) / palette[colour].white());
  };
  return image_of(layout, PixelUnit::display,
                  [&](std::size_t i) { return luminance(channel(0, i), channel(1, i), channel(2, i)); });
}

/// The JPEG 2000 decoder has already turned YBR_ICT and YBR_RCT into RGB. In YBR_FULL and YBR_FULL_422 the
/// first sample is the BT.601 luminance (PS3.3 C.7.6.3.1.2).
Image colour_luminance(const PixelLayout& layout, const SampleReader& samples) {
  const double white = samples.white();
  const auto channel = [&](std::size_t i, std::size_t colour) {
    return static_cast<float>(samples[3 * i + colour] / white);
  };
  if (layout.photometric == Photometric::ybr_full || layout.photometric == Photometric::ybr_full_422) {
    return image_of(layout, PixelUnit::display, [&](std::size_t i) { return channel(i, 0); });
  }
  return image_of(layout, PixelUnit::display,
                  [&](std::size_t i) { return luminance(channel(i, 0), channel(i, 1), channel(i, 2)); });
}

/// The three functions of PS3.3 C.11.2.1.2 and C.11.2.1.3.
Image apply_stated_window(const Image& modality, const StatedWindow& stated) {
  const Window window = stated.window;
  switch (stated.function) {
    case StatedWindow::Function::linear:
      // Width 1 is a step; a narrow ramp stands for it.
      return apply_window(modality, {window.center - 0.5, std::max(window.width - 1, 1e-6)});
    case StatedWindow::Function::linear_exact:
      return apply_window(modality, window);
    case StatedWindow::Function::sigmoid:
      break;
  }
  Image display(modality.width(), modality.height(), PixelUnit::display);
  std::transform(
      modality.pixels().begin(), modality.pixels().end(), display.pixels().begin(), [&](float value) {
        return static_cast<float>(detail::portable_sigmoid(4 * (value - window.center) / window.width));
      });
  return display;
}

Image apply_table(const Image& modality, const LookupTable& table) {
  Image display(modality.width(), modality.height(), PixelUnit::display);
  std::transform(modality.pixels().begin(), modality.pixels().end(), display.pixels().begin(),
                 [&](float value) { return static_cast<float>(table.at(value) / table.white()); });
  return display;
}

}  // namespace

Image to_modality_image(DcmItem& dataset, const PixelLayout& layout, const StoredSamples& stored,
                        std::size_t frame) {
  const SampleReader samples(layout, stored);
  if (layout.photometric == Photometric::palette) return palette_luminance(dataset, layout, samples);
  if (layout.samples == 3) return colour_luminance(layout, samples);
  DcmItem* item = nullptr;
  if (dataset.findAndGetSequenceItem(DCM_ModalityLUTSequence, item).bad()) {
    return rescaled(dataset, layout, samples, frame);
  }
  const LookupTable table = read_lookup_table(*item, DCM_LUTDescriptor, DCM_LUTData, layout.is_signed);
  return image_of(layout, PixelUnit::stored, [&](std::size_t i) { return table.at(samples[i]); });
}

std::optional<StatedWindow> find_stated_window(DcmItem& dataset, std::size_t frame) {
  DcmItem& rules = rules_for(dataset, frame, DCM_FrameVOILUTSequence);
  const std::optional<double> center = find_number(rules, DCM_WindowCenter);
  const std::optional<double> width = find_number(rules, DCM_WindowWidth);
  if (!center || !width || *width <= 0) return std::nullopt;
  StatedWindow stated{{*center, *width}};
  const auto has_function = [&](const char* name) { return has_text(rules, DCM_VOILUTFunction, name); };
  if (has_function("SIGMOID")) stated.function = StatedWindow::Function::sigmoid;
  if (has_function("LINEAR_EXACT")) stated.function = StatedWindow::Function::linear_exact;
  return stated;
}

Image show_as_stated(DcmItem& dataset, const PixelLayout& layout, const Image& modality, std::size_t frame) {
  if (const auto stated = find_stated_window(dataset, frame)) return apply_stated_window(modality, *stated);
  DcmItem* item = nullptr;
  if (dataset.findAndGetSequenceItem(DCM_VOILUTSequence, item).good()) {
    const bool signed_values = layout.is_signed || modality.unit() == PixelUnit::hounsfield;
    return apply_table(modality, read_lookup_table(*item, DCM_LUTDescriptor, DCM_LUTData, signed_values));
  }
  return modality.unit() == PixelUnit::hounsfield ? apply_window(modality, kCtWindow)
                                                  : stretch_to_display(modality);
}

}  // namespace medretrieval::imaging
