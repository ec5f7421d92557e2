#include "gallery/removals.hpp"

#include <algorithm>
#include <medretrieval/bytes.hpp>

#include "base/concat.hpp"

namespace medretrieval::gallery {

namespace {
constexpr std::uint32_t kVersion = 1;
}

std::vector<std::byte> Removals::to_bytes() const {
  ByteWriter writer;
  writer.text("MRREMOVE");
  writer.number(kVersion);
  std::vector<ItemId> bounds;
  for (const auto& [first, last] : ids.ranges()) {
    bounds.push_back(first);
    bounds.push_back(last);
  }
  writer.array(std::span<const ItemId>(bounds));
  writer.number<std::uint64_t>(rows.size());
  for (const auto& segment : rows) writer.array(std::span<const std::uint32_t>(segment));
  return writer.take();
}

Removals Removals::from_bytes(std::span<const std::byte> bytes, const std::string& name,
                              const std::vector<std::uint64_t>& segment_rows) {
  ByteReader reader(bytes, name);
  if (reader.text() != "MRREMOVE") reader.corrupt("it does not begin with the mark of removals");
  const auto version = reader.number<std::uint32_t>();
  if (version != kVersion) {
    detail::fail(ErrorCode::unsupported, name, ": this build reads version ", kVersion, ", got ", version);
  }
  const auto bounds = reader.array<ItemId>();
  std::vector<IdSet::Range> ranges;
  for (std::size_t i = 0; i + 1 < bounds.size(); i += 2) {
    if (bounds[i] > bounds[i + 1] || (i > 0 && bounds[i] <= bounds[i - 1]))
      reader.corrupt("id ranges do not ascend");
    ranges.emplace_back(bounds[i], bounds[i + 1]);
  }
  const auto segments = reader.number<std::uint64_t>();
  if (bounds.size() % 2 != 0 || segments != segment_rows.size()) {
    reader.corrupt(detail::concat("expected rows of ", segment_rows.size(), " segments, got ", segments));
  }
  Removals removals;
  removals.ids = IdSet(std::move(ranges));
  for (const auto rows : segment_rows) {
    removals.rows.push_back(reader.array<std::uint32_t>());
    const auto& removed = removals.rows.back();
    const bool ascending =
        std::adjacent_find(removed.begin(), removed.end(), std::greater_equal<>()) == removed.end();
    if (!ascending || (!removed.empty() && removed.back() >= rows)) {
      reader.corrupt(detail::concat("removed rows do not ascend or exceed the ", rows, " of their segment"));
    }
  }
  reader.expect_end();
  return removals;
}

}  // namespace medretrieval::gallery
