// Stored samples to values with a meaning, as the data set's rules say (PS3.3 C.7.6.3, C.11.1, C.11.2).
#pragma once

#include <cstddef>
#include <medretrieval/imaging/dicom.hpp>
#include <optional>

#include "imaging/dicom_layout.hpp"

class DcmItem;

namespace medretrieval::imaging {

/// The first grey transformation of the VOI LUT module or macro.
struct StatedWindow {
  enum class Function { linear, linear_exact, sigmoid };
  Window window;
  Function function = Function::linear;
};

/// Monochrome: modality rescale or modality LUT. Others: BT.601 luminance in display units.
Image to_modality_image(DcmItem& dataset, const PixelLayout& layout, const StoredSamples& samples,
                        std::size_t frame);

/// Nothing when the file states no window, or one whose width is not positive.
std::optional<StatedWindow> find_stated_window(DcmItem& dataset, std::size_t frame);

/// A monochrome modality image as the data set wants it shown: its window, else its VOI LUT, else kCtWindow
/// for Hounsfield units, else from minimum to maximum.
Image show_as_stated(DcmItem& dataset, const PixelLayout& layout, const Image& modality, std::size_t frame);

}  // namespace medretrieval::imaging
