// The closed lists of terms that may stand in a manifest. Text that is in none of them could be anybody's name.
#pragma once

#include <string_view>

namespace medretrieval::imaging::datasets {

/// A defined term of Modality (PS3.3 C.7.3.1.1.1), current or retired.
bool is_modality(std::string_view text) noexcept;
/// A code string of Body Part Examined (PS3.16 Annex L), or one that scanners write for it.
bool is_body_part(std::string_view text) noexcept;
/// Of Laterality and Image Laterality.
bool is_laterality(std::string_view text) noexcept;
/// Of View Position: CR and DX (PS3.3 C.8.7.1, C.8.11.5), mammography, and the usual words for the side.
bool is_view_position(std::string_view text) noexcept;

}  // namespace medretrieval::imaging::datasets
