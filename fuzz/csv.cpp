// CSV records, whole in memory and one at a time from a file. What is read must survive being written again.
#include "fuzz/reader.hpp"
#include "imaging/csv_records.hpp"

using namespace medretrieval;
using namespace medretrieval::fuzz;

namespace {

void check_round_trip(const imaging::CsvRecord& record) {
  std::string text;
  for (std::size_t i = 0; i < record.fields.size(); ++i) {
    text += (i > 0 ? "," : "") + imaging::csv_field(record.fields[i]);
  }
  const auto again = imaging::read_csv_records(text + "\n");
  const bool is_blank_line = record.fields.size() == 1 && record.fields[0].empty();
  if (!is_blank_line && (again.size() != 1 || again[0].fields != record.fields)) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Folder folder;
  expect_read_or_refused([&] {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    for (const auto& record : imaging::read_csv_records(text)) check_round_trip(record);
  });
  const auto file = folder.write("table.csv", Bytes(data, size));
  expect_read_or_refused([&] {
    imaging::CsvFile table(file);
    while (const auto record = table.next()) check_round_trip(*record);
  });
  return 0;
}
