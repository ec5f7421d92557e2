// XML from files that are not trusted: a checked tree, and values with the line they stand in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <pugixml.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace medretrieval::imaging {

/// A parsed document. Nodes are pugixml's; pugixml expands no entities but the five of XML and opens nothing.
class XmlText {
 public:
  /// At most 4 GiB - 1.
  /// \throws Error corrupt (not UTF-8, not well-formed, a document type declaration: the message gives the
  ///        line), limit_exceeded (elements nested deeper than `max_depth`).
  XmlText(std::span<const std::uint8_t> bytes, int max_depth);

  /// The outermost element.
  pugi::xml_node root() const { return document_.document_element(); }
  /// The line that `node` begins in, from 1.
  std::size_t line_of(pugi::xml_node node) const;

  /// The first child element of that name.
  /// \throws Error (corrupt) with the line of the parent.
  pugi::xml_node need(pugi::xml_node parent, const char* name) const;
  /// The text of a child element without blanks at its ends; empty when there is no such child.
  static std::string_view text(pugi::xml_node parent, const char* name);
  /// The text of a child that must be there and say something.
  /// \throws Error (corrupt) with the line.
  std::string needed_text(pugi::xml_node parent, const char* name) const;
  /// \throws Error (corrupt) with the line: no whole number, or outside of low..high.
  int integer(pugi::xml_node node, int low, int high) const;
  /// \throws Error (corrupt) with the line: no finite number.
  double number(pugi::xml_node node) const;

 private:
  std::size_t line_at(std::ptrdiff_t offset) const;
  void require_shallow(int max_depth) const;

  std::vector<std::uint32_t> line_ends_;  ///< where the line feeds are
  pugi::xml_document document_;
};

}  // namespace medretrieval::imaging
