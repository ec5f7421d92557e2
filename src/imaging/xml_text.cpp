#include "imaging/xml_text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <medretrieval/error.hpp>

#include "base/concat.hpp"
#include "base/utf8.hpp"

namespace medretrieval::imaging {

using detail::fail;

namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

/// The whole of `text` as a number; a plus sign is not taken.
template <class Number>
bool parse(std::string_view text, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

/// Refuses to go deeper than allowed; pugixml walks without recursion.
class DepthWalker : public pugi::xml_tree_walker {
 public:
  explicit DepthWalker(int max_depth) : max_depth_(max_depth) {}
  bool for_each(pugi::xml_node& node) override {
    if (depth() < max_depth_) return true;
    too_deep = node;
    return false;
  }
  pugi::xml_node too_deep;

 private:
  int max_depth_;
};

}  // namespace

XmlText::XmlText(std::span<const std::uint8_t> bytes, int max_depth) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!detail::is_utf8(text)) fail(ErrorCode::corrupt, "not UTF-8 text");
  for (std::size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) {
    line_ends_.push_back(static_cast<std::uint32_t>(at));
  }
  const pugi::xml_parse_result result = document_.load_buffer(
      bytes.data(), bytes.size(), pugi::parse_default | pugi::parse_doctype, pugi::encoding_utf8);
  if (result.status == pugi::status_out_of_memory) throw std::bad_alloc();
  if (!result) {
    fail(ErrorCode::corrupt, "line ", line_at(result.offset),
         ": not a whole XML document: ", result.description());
  }
  for (const pugi::xml_node node : document_.children()) {
    if (node.type() == pugi::node_doctype) {
      fail(ErrorCode::corrupt, "line ", line_of(node), ": a document type declaration, expected none");
    }
  }
  require_shallow(max_depth);
}

void XmlText::require_shallow(int max_depth) const {
  DepthWalker walker(max_depth);
  root().traverse(walker);
  if (walker.too_deep) {
    fail(ErrorCode::limit_exceeded, "line ", line_of(walker.too_deep), ": elements are nested deeper than ",
         max_depth);
  }
}

std::size_t XmlText::line_at(std::ptrdiff_t offset) const {
  const auto end = std::lower_bound(line_ends_.begin(), line_ends_.end(), offset);
  return 1 + static_cast<std::size_t>(end - line_ends_.begin());
}

std::size_t XmlText::line_of(pugi::xml_node node) const {
  return line_at(node.offset_debug());
}

pugi::xml_node XmlText::need(pugi::xml_node parent, const char* name) const {
  const pugi::xml_node child = parent.child(name);
  if (!child) {
    fail(ErrorCode::corrupt, "line ", line_of(parent), ": <", parent.name(), "> without <", name, ">");
  }
  return child;
}

std::string_view XmlText::text(pugi::xml_node parent, const char* name) {
  return trimmed(parent.child(name).text().get());
}

std::string XmlText::needed_text(pugi::xml_node parent, const char* name) const {
  const std::string_view value = text(parent, name);
  if (value.empty()) {
    fail(ErrorCode::corrupt, "line ", line_of(parent), ": <", parent.name(), "> without text in <", name,
         ">");
  }
  return std::string(value);
}

int XmlText::integer(pugi::xml_node node, int low, int high) const {
  const std::string_view written = trimmed(node.text().get());
  int value = 0;
  if (!parse(written, value) || value < low || value > high) {
    fail(ErrorCode::corrupt, "line ", line_of(node), ": <", node.name(), "> is \"", written.substr(0, 40),
         "\", expected a whole number from ", low, " to ", high);
  }
  return value;
}

double XmlText::number(pugi::xml_node node) const {
  const std::string_view written = trimmed(node.text().get());
  double value = 0;
  if (!parse(written, value) || !std::isfinite(value)) {
    fail(ErrorCode::corrupt, "line ", line_of(node), ": <", node.name(), "> is \"", written.substr(0, 40),
         "\", expected a finite number");
  }
  return value;
}

}  // namespace medretrieval::imaging
