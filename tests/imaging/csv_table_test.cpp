#include "imaging/csv_table.hpp"

#include <gtest/gtest.h>

#include "imaging/dataset_support.hpp"

namespace medretrieval::imaging {
namespace {

class Table : public ::testing::Test {
 protected:
  CsvTable open(const std::string& text) {
    write_text(file_, text);
    return CsvTable(file_);
  }
  /// All rows' fields, in one text.
  std::string rows(const std::string& text) {
    CsvTable table = open(text);
    std::string all;
    while (table.next()) {
      all += table.text(table.column("a")) + "/" + table.text(table.column("b")) + ";";
    }
    return all;
  }

  testing::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "table.csv";
};

TEST_F(Table, AnyLineEndByteOrderMarkAndQuotes) {
  EXPECT_EQ(rows("a,b\n1,2\n3,4\n"), "1/2;3/4;");
  EXPECT_EQ(rows("a,b\n1,2\n3,4"), "1/2;3/4;");
  EXPECT_EQ(rows("a,b\r\n1,2\r\n\r\n3,4\r\n"), "1/2;3/4;");
  EXPECT_EQ(rows("a,b\r1,2\r3,4\r"), "1/2;3/4;");
  EXPECT_EQ(rows("\xEF\xBB\xBF"
                 "a,b\n1,2\n"),
            "1/2;");
  EXPECT_EQ(rows("\"a\",b\n\"1,\n5\",\"2\"\"\"\n"), "1,\n5/2\";");
  EXPECT_EQ(rows("b,a\n1,2\n"), "2/1;") << "columns are found by name";
  EXPECT_EQ(rows("a,b\n"), "");
}

TEST_F(Table, NamesFileLineColumnAndWhatCame) {
  CsvTable table = open("a,b\n1,2\nx,1.5\n\"1, -2.5\",3\n");
  ASSERT_TRUE(table.next());
  EXPECT_EQ(table.number(0, 0, 5), 1);
  EXPECT_EQ(table.whole_number(1, 0, 5), 2);
  EXPECT_ERROR(table.number(0, 2, 5), corrupt, "table.csv line 2: expected a number from 2 to 5 in column");
  ASSERT_TRUE(table.next());
  EXPECT_ERROR(table.number(0, 0, 5), corrupt, "line 3");
  EXPECT_ERROR(table.whole_number(1, 0, 5), corrupt, "\"b\", got \"1.5\"");
  ASSERT_TRUE(table.next());
  EXPECT_EQ(table.numbers(0, 2), (std::vector<double>{1, -2.5}));
  EXPECT_ERROR(table.numbers(0, 3), corrupt, "3 numbers");
  EXPECT_ERROR(table.numbers(0, 1), corrupt, "1 numbers");
  EXPECT_ERROR(table.numbers(1, 2), corrupt, "got \"3\"");
}

TEST_F(Table, NumbersThatAreNone) {
  for (const char* text : {"", " ", "nan", "inf", "1e999", "1,2", "0x10", "--1", "1 "}) {
    EXPECT_FALSE(parse_number(text).has_value()) << text;
  }
  EXPECT_EQ(parse_number("-1e2"), -100);
}

TEST_F(Table, HostileTablesAreRefused) {
  EXPECT_ERROR(open(""), corrupt, "no header line");
  EXPECT_ERROR(open("a,b\n").column("c"), not_found, "no column \"c\"; the columns are a, b");
  EXPECT_ERROR(open("a,a\n").column("a"), corrupt, "twice");
  EXPECT_ERROR(rows("a,b\n1\n"), corrupt, "line 2: expected 2 fields as in the header, got 1");
  EXPECT_ERROR(rows("a,b\n1,2,3\n"), corrupt, "got 3");
  EXPECT_ERROR(rows("a,b\n1,\"2\n"), corrupt, "line 2");
  EXPECT_ERROR(rows("a,b\n1,2\"x\n"), corrupt, "line 2");
  EXPECT_ERROR(rows("a,b\n1,\xFF\n"), corrupt, "line 2: not UTF-8");
  EXPECT_ERROR(rows(std::string("a,b\n1,\0\n", 8)), corrupt, "not UTF-8");
  EXPECT_ERROR(rows("a,b\n1,\"" + std::string(2 << 20, 'x')), limit_exceeded, "1048576");
  EXPECT_ERROR(rows("a,b\n" + std::string(2 << 20, 'x')), limit_exceeded, "1048576");
  EXPECT_ERROR(CsvTable(folder_ / "absent.csv"), not_found, "absent.csv");
  EXPECT_ERROR(CsvTable(folder_.path()), io, "regular file");
}

TEST_F(Table, BlankColumnsAtTheEndMayBeMissing) {
  EXPECT_EQ(rows("a,b,,\n1,2\n3,4,\n5,6,,\n"), "1/2;3/4;5/6;");
  EXPECT_ERROR(rows("a,b,,\n1,2,3,4,5\n"), corrupt, "got 5");
}

TEST_F(Table, ATableOfABillionRowsIsRefusedBeforeItIsRead) {
  open("a,b\n");
  std::filesystem::resize_file(file_, std::uintmax_t{4} << 30);
  EXPECT_ERROR(CsvTable{file_}, limit_exceeded, "4294967296 bytes");
}

}  // namespace
}  // namespace medretrieval::imaging
