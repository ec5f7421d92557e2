#include <medretrieval/bytes.hpp>

#include "base/concat.hpp"
#include "base/reading.hpp"
#include "base/storage_version.hpp"
#include "gallery/segment.hpp"
#include "gallery/segment_format.hpp"

namespace medretrieval::gallery {

std::vector<std::byte> SegmentMeta::to_bytes() const {
  ByteWriter writer;
  writer.text("MRSEGMENT");
  const std::uint32_t version = detail::storage_version(has_lists, stored_features);
  writer.number(version);
  if (version > 1) {
    writer.number(static_cast<std::uint8_t>(has_lists));
    writer.number(static_cast<std::uint8_t>(stored_features));
  }
  writer.number(rows);
  writer.number(dimension);
  writer.number(classes);
  writer.number(model.high);
  writer.number(model.low);
  writer.number(layout ? static_cast<std::uint32_t>(layout->kind()) : 0U);
  writer.number<std::uint64_t>(!layout                              ? 0
                               : layout->kind() == CodeKind::binary ? layout->bits()
                                                                    : layout->subspaces());
  writer.number<std::uint64_t>(layout ? layout->bits_per_entry() : 0);
  writer.number<std::uint64_t>(columns.size());
  for (const auto& column : columns) {
    writer.text(column.name);
    writer.number(static_cast<std::uint8_t>(column.type));
  }
  return writer.take();
}

SegmentMeta SegmentMeta::from_bytes(std::span<const std::byte> bytes, const std::string& name) {
  ByteReader reader(bytes, name + ": meta section");
  if (reader.text() != "MRSEGMENT") reader.corrupt("it does not begin with the mark of a segment");
  const auto version = reader.number<std::uint32_t>();
  if (version == 0 || version > kSegmentVersion) {
    detail::fail(ErrorCode::unsupported, name, ": this build reads segment versions 1 to ", kSegmentVersion,
                 ", got ", version);
  }
  SegmentMeta meta;
  if (version > 1) {
    meta.has_lists = reader.number<std::uint8_t>() != 0;
    meta.stored_features = detail::read_feature_type(reader, version);
  }
  meta.rows = reader.number<std::uint64_t>();
  meta.dimension = reader.number<std::uint64_t>();
  meta.classes = reader.number<std::uint64_t>();
  meta.model.high = reader.number<std::uint64_t>();
  meta.model.low = reader.number<std::uint64_t>();
  const auto kind = reader.number<std::uint32_t>();
  const auto entries = reader.number<std::uint64_t>();
  const auto entry_bits = reader.number<std::uint64_t>();
  detail::reading(name, [&] {
    if (kind == static_cast<std::uint32_t>(CodeKind::binary)) {
      meta.layout = CodeLayout::binary(entries);
    } else if (kind == static_cast<std::uint32_t>(CodeKind::product)) {
      meta.layout = CodeLayout::product(entries, entry_bits);
    } else if (kind != 0) {
      reader.corrupt(detail::concat("code kind ", kind));
    }
  });
  const auto count = reader.number<std::uint64_t>();
  if (meta.rows > Codes::kMaxRows || meta.dimension == 0 || meta.dimension > kMaxDimension ||
      meta.classes > LabelVocabulary::kMaxLabels || count > kMaxAttributes + 16) {
    reader.corrupt("a number is outside its range");
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    std::string column = reader.text();
    const auto type = reader.number<std::uint8_t>();
    if (type < 1 || type > 3) reader.corrupt(detail::concat("column '", column, "' has type ", int{type}));
    meta.columns.push_back({std::move(column), static_cast<ColumnType>(type)});
  }
  reader.expect_end();
  return meta;
}

}  // namespace medretrieval::gallery
