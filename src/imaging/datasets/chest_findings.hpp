// The labels of ChestX-ray14.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace medretrieval::imaging::datasets {

inline constexpr std::array<std::string_view, 15> kChestFindings = {
    "Atelectasis", "Cardiomegaly",       "Consolidation", "Edema",
    "Effusion",    "Emphysema",          "Fibrosis",      "Hernia",
    "Mass",        "Infiltration",       "No Finding",    "Nodule",
    "Pneumonia",   "Pleural_Thickening", "Pneumothorax"};

inline bool is_chest_finding(std::string_view text) {
  return std::find(kChestFindings.begin(), kChestFindings.end(), text) != kChestFindings.end();
}

}  // namespace medretrieval::imaging::datasets
