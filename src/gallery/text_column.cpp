#include <algorithm>

#include "base/concat.hpp"
#include "gallery/segment.hpp"
#include "gallery/segment_format.hpp"

namespace medretrieval::gallery {

TextColumn::TextColumn(const std::shared_ptr<const io::SectionFile>& file, std::uint32_t column,
                       std::size_t rows)
    : starts_(file, {kTextStarts, column}),
      bytes_(file, {kTextBytes, column}),
      codes_(file, {kTextCodes, column}, rows),
      row_starts_(file, {kTextRowStarts, column}, starts_.size()),
      rows_(file, {kTextRows, column}, rows) {
  if (starts_.size() == 0) file->corrupt(detail::concat("text column ", column, " has no starts"));
}

std::string_view TextColumn::entry(std::size_t number) const {
  const auto bounds = starts_.range(number, 2);
  const auto text = bytes_.range(bounds[0], bounds[1] - bounds[0]);
  return {text.data(), text.size()};
}

std::optional<std::size_t> TextColumn::find(std::string_view text) const {
  std::size_t low = 0;
  std::size_t high = entries();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (entry(middle) < text) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == entries() || entry(low) != text) return std::nullopt;
  return low;
}

std::span<const std::uint32_t> TextColumn::rows_of(std::size_t entry) const {
  const auto bounds = row_starts_.range(entry, 2);
  return rows_.range(bounds[0], bounds[1] - bounds[0]);
}

void TextColumn::verify(const io::SectionFile& file) const {
  std::vector<std::uint32_t> expected_codes(codes_.size(), ~std::uint32_t{0});
  for (std::size_t e = 0; e < entries(); ++e) {
    if (e > 0 && !(entry(e - 1) < entry(e))) file.corrupt("the texts of a column are not in ascending order");
    for (const auto row : rows_of(e)) {
      if (row >= codes_.size())
        file.corrupt(detail::concat("a text column names row ", row, " of ", codes_.size()));
      expected_codes[row] = static_cast<std::uint32_t>(e);
    }
  }
  const auto codes = codes_.all();
  if (!std::equal(codes.begin(), codes.end(), expected_codes.begin())) {
    file.corrupt("the rows of a text column do not match its row lists");
  }
}

}  // namespace medretrieval::gallery
