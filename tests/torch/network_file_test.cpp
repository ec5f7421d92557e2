// Network files that are cut, changed, forged, of a newer version or of another network.
#include <medretrieval/network_file.hpp>
#include <nlohmann/json.hpp>

#include "base/random.hpp"
#include "forged_network_file.hpp"
#include "network_testing.hpp"
#include "support/damage.hpp"
#include "support/expect_error.hpp"

namespace medretrieval::deep {
namespace {

namespace fs = std::filesystem;
using detail::NetworkSection;
using Json = nlohmann::ordered_json;
using medretrieval::testing::ByteVector;
using medretrieval::testing::read_bytes;
using testing::Replacements;
using testing::rewrite;
using testing::section_text;

class NetworkFile : public ::testing::Test {
 protected:
  NetworkFile() {
    testing::tiny_model(1).save(file_);
    whole_ = read_bytes(file_);
  }

  /// Both readers refuse the file with these sections.
  void expect_refusal(const Replacements& replacements, const char* part) {
    expect_refusal_by_torch(replacements, part);
    EXPECT_ERROR(read_network_head(file_), corrupt, part);
  }
  void expect_refusal_by_torch(const Replacements& replacements, const char* part) {
    medretrieval::testing::write_bytes(file_, whole_);
    rewrite(file_, replacements);
    EXPECT_ERROR(DeepModel::load(file_), corrupt, part);
    EXPECT_ERROR(DeepModel::load(file_), corrupt, file_.string());
  }

  /// The file's description with one member exchanged.
  Replacements described(const char* member, const Json& value) const {
    medretrieval::testing::write_bytes(file_, whole_);
    auto description = Json::parse(section_text(file_, NetworkSection::description));
    description[member] = value;
    return {{NetworkSection::description, description.dump()}};
  }

  /// The index of tensors, changed.
  template <class Change>
  Replacements indexed(const Change& change) const {
    medretrieval::testing::write_bytes(file_, whole_);
    auto index = Json::parse(section_text(file_, NetworkSection::tensor_index));
    change(index);
    return {{NetworkSection::tensor_index, index.dump()}};
  }

  testing::TemporaryFolder folder_;
  fs::path file_ = folder_ / "model";
  ByteVector whole_;
};

TEST_F(NetworkFile, ComesBackWhole) {
  const DeepModel loaded = DeepModel::load(file_);
  EXPECT_EQ(loaded.fingerprint(), testing::tiny_model(1).fingerprint());
  EXPECT_NE(loaded.fingerprint(), testing::tiny_model(2).fingerprint());
  rewrite(file_, {});
  EXPECT_EQ(read_bytes(file_), whole_) << "what rewrite() leaves alone stays as it was";
}

TEST_F(NetworkFile, TensorsThatShareBytesAreRefused) {
  expect_refusal_by_torch(indexed([](Json& index) {
                            Json again = index;
                            for (auto& entry : again) {
                              entry["name"] = entry["name"].get<std::string>() + "-again";
                              index.push_back(entry);
                            }
                          }),
                          "claim more than");
}

TEST_F(NetworkFile, AKindThatIsNoTextIsRefused) {
  expect_refusal(described("kind", 5), "expected the description of a network");
}

TEST_F(NetworkFile, AModuleFromOutsideIsNotLookedForInOtherFiles) {
  auto replaced = described("network", "scripted");
  auto description = Json::parse(*replaced.at(NetworkSection::description));
  description["options"] = {{"file", testing::example_script_module().string()}};
  expect_refusal_by_torch({{NetworkSection::description, description.dump()}}, "lacks the module");
}

TEST_F(NetworkFile, EveryCutIsRefused) {
  const auto read = [](const fs::path& file) {
    EXPECT_ERROR(read_network_head(file), corrupt, file.string());
    DeepModel::load(file);
  };
  medretrieval::testing::expect_every_cut_is_refused(folder_ / "cut", whole_, read, 487);
  medretrieval::testing::expect_every_cut_is_refused(folder_ / "cut", std::span(whole_).first(1024), read);
}

TEST_F(NetworkFile, EveryChangedByteIsRefused) {
  detail::Random random(3);
  for (int round = 0; round < 200; ++round) {
    ByteVector changed = whole_;
    // The first kilobyte holds the header and the table of sections.
    const auto place = random.below(round % 2 == 0 ? 1024 : changed.size());
    changed[place] ^= static_cast<std::uint8_t>(1U << random.below(8));
    medretrieval::testing::write_bytes(file_, changed);
    EXPECT_THROW(DeepModel::load(file_), Error) << "byte " << place;
  }
}

TEST_F(NetworkFile, NewerVersionsAreNamed) {
  ByteVector changed = whole_;
  changed[8] = 2;
  medretrieval::testing::write_bytes(file_, changed);
  EXPECT_ERROR(DeepModel::load(file_), unsupported, "container version 1, got 2");
  rewrite(file_, described("version", 2));
  EXPECT_ERROR(DeepModel::load(file_), unsupported, "network files of version 1, got 2");
  EXPECT_ERROR(read_network_head(file_), unsupported, "network files of version 1, got 2");
  rewrite(file_, described("version", "new"));
  EXPECT_ERROR(DeepModel::load(file_), corrupt, "description");
}

TEST_F(NetworkFile, OtherFilesAreRefused) {
  medretrieval::testing::write_bytes(file_, ByteVector(5000, 'x'));
  EXPECT_ERROR(DeepModel::load(file_), corrupt, "expected a section file");
  EXPECT_ERROR(DeepModel::load(folder_ / "none"), not_found, "none");
  EXPECT_ERROR(DeepModel::load(folder_ / ""), io, "regular file");
  medretrieval::testing::write_bytes(file_, whole_);
  EXPECT_ERROR(DeepModel::load(file_, "toaster"), invalid_argument, "'toaster'");
}

TEST_F(NetworkFile, ForgedDescriptionsAreRefused) {
  expect_refusal({{NetworkSection::description, "{"}}, "description of a network");
  expect_refusal({{NetworkSection::description, std::nullopt}}, "section 1");
  expect_refusal(described("kind", "gallery"), "description of a network");
  expect_refusal(described("side", 0), "a side of 0");
  expect_refusal(described("bits", 1 << 20), "bits cannot be");
  expect_refusal(described("labels", "disc"), "description");
  expect_refusal(described("options", {{"width", Json::array()}}), "description");
  expect_refusal_by_torch(described("side", 65), "multiple of 64");
  expect_refusal_by_torch(described("bits", 9), "expected the shape");
  expect_refusal_by_torch(described("labels", {"disc"}), "expected the shape");
  expect_refusal_by_torch(described("labels", Json::array()), "classes");
  expect_refusal_by_torch(described("options", {{"width", 100'000}}), "width");
  expect_refusal_by_torch(described("options", {{"depth", 3}}), "'depth'");
  rewrite(file_, described("network", "transformer"));
  EXPECT_ERROR(DeepModel::load(file_), not_found, "'transformer'");
}

TEST_F(NetworkFile, ForgedTensorsAreRefused) {
  const auto refuse = [&](const auto& change, const char* part) {
    expect_refusal_by_torch(indexed(change), part);
  };
  refuse([](Json& index) { index.erase(index.begin()); }, "lack the tensor");
  refuse([](Json& index) { index[0]["name"] = "other"; }, "lack the tensor");
  refuse([](Json& index) { index.push_back(index[0]); }, "twice");
  refuse(
      [](Json& index) {
        index.push_back(index[0]);
        index.back()["name"] = "more";
        index.back()["shape"] = {0};
      },
      "no tensor 'more'");
  refuse([](Json& index) { index[0]["type"] = "float64"; }, "float64");
  refuse([](Json& index) { index[0]["offset"] = std::uint64_t{1} << 40; }, "cannot be");
  refuse([](Json& index) { index[0]["offset"] = -4; }, "cannot be");
  refuse([](Json& index) { index[0]["shape"] = {1 << 30, 1 << 30, 1 << 30}; }, "beyond");
  refuse([](Json& index) { index[0]["shape"] = {-1}; }, "beyond");
  refuse([](Json& index) { index[0]["shape"] = {0}; }, "expected the shape");
  refuse([](Json& index) { index[0]["shape"] = std::vector<int>(9, 1); }, "cannot be");
  refuse([](Json& index) { index[0].erase("shape"); }, "index of tensors");
  refuse([](Json& index) { index = Json::object(); }, "an index of at most");
  expect_refusal_by_torch({{NetworkSection::tensor_data, ""}}, "tensor");
  expect_refusal_by_torch({{NetworkSection::tensor_data, std::nullopt}}, "section 5");
}

TEST_F(NetworkFile, HeadsOfAnotherNetworkAreRefused) {
  const auto other = folder_ / "other";
  testing::tiny_model(2).save(other);
  expect_refusal_by_torch({{NetworkSection::encoder, section_text(other, NetworkSection::encoder)}},
                          "hash layer and its encoder differ");
  expect_refusal({{NetworkSection::encoder, "no encoder"}}, "encoder");
  expect_refusal({{NetworkSection::encoder, std::nullopt}}, "section 2");
  expect_refusal({{NetworkSection::gate, "no gate"}}, file_.c_str());
}

}  // namespace
}  // namespace medretrieval::deep
