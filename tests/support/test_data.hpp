// Where tests find real data and a folder to write in.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace medretrieval::testing {

/// The real-data folder: MEDRETRIEVAL_DATA, or ../shared/data beside the checkout.
inline std::filesystem::path data_folder() {
  const char* set = std::getenv("MEDRETRIEVAL_DATA");
  return set != nullptr && *set != '\0' ? set : MEDRETRIEVAL_DATA_DEFAULT;
}

/// An empty folder of this test's own, or of all tests where none runs, removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    std::string name =
        info == nullptr ? "medretrieval" : std::string(info->test_suite_name()) + "." + info->name();
    for (char& c : name) {
      if (c == '/') c = '_';
    }
    std::string pattern = (std::filesystem::temp_directory_path() / (name + ".XXXXXX")).string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed for " + pattern);
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace medretrieval::testing

/// Skips the test, saying what is missing, when the real data is not on this machine.
#define REQUIRE_DATA(relative)                                                                      \
  do {                                                                                              \
    if (!std::filesystem::exists(::medretrieval::testing::data_folder() / (relative))) {            \
      GTEST_SKIP() << "real data absent: " << (::medretrieval::testing::data_folder() / (relative)) \
                   << " (set MEDRETRIEVAL_DATA to the folder that holds it)";                       \
    }                                                                                               \
  } while (false)
