#include "config/yaml_tree.hpp"

#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <exception>
#include <istream>
#include <streambuf>

#include "config/yaml_builder.hpp"

namespace wormhole {
namespace {

/// Hands the text to yaml-cpp in pieces, and ends it early when yaml-cpp has read too far without
/// giving a value.
class BoundedText final : public std::streambuf {
 public:
  BoundedText(std::string_view text, const YamlBuilder& builder) : text_(text), builder_(builder) {}

  bool cut() const { return cut_; }

 protected:
  int_type underflow() override {
    if (builder_.nodes() != nodes_) {
      nodes_ = builder_.nodes();
      since_value_ = 0;
    }
    cut_ = cut_ || since_value_ > kMaxYamlLookahead;
    if (cut_ || text_.empty()) return traits_type::eof();
    // What yaml-cpp fetches at a time.
    constexpr std::size_t kPiece = 2048;
    const auto piece = text_.substr(0, kPiece);
    text_.remove_prefix(piece.size());
    since_value_ += piece.size();
    // streambuf's interface wants a pointer to non-const; nothing is ever put back into it.
    char* start = const_cast<char*>(piece.data());
    setg(start, start, start + piece.size());
    return traits_type::to_int_type(*start);
  }

 private:
  std::string_view text_;
  const YamlBuilder& builder_;
  std::size_t since_value_ = 0;
  std::size_t nodes_ = 0;
  bool cut_ = false;
};

/// What yaml-cpp says, without what only its newer versions add after a colon (0.8: the anchor's
/// name).
std::string reason_of(const YAML::Exception& problem) {
  return problem.msg.substr(0, problem.msg.find(": "));
}

void add_syntax_error(const YAML::Exception& problem, const YamlBuilder& builder,
                      ErrorList& errors) {
  Place place = builder.place();
  if (!problem.mark.is_null()) {
    place = {static_cast<std::size_t>(problem.mark.line) + 1,
             static_cast<std::size_t>(problem.mark.column) + 1};
  }
  errors.add(place, builder.path(),
             "not YAML here (" + reason_of(problem) +
                 "); expected \"key: value\" lines indented with spaces, brackets and quotes "
                 "closed");
}

void read_documents(BoundedText& source, YamlBuilder& builder, ErrorList& errors) {
  std::istream stream(&source);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const StopParsing&) {
    // The builder has said why.
  } catch (const YAML::Exception& problem) {
    add_syntax_error(problem, builder, errors);
  }
}

}  // namespace

std::optional<YamlNode> parse_yaml(std::string_view text, ErrorList& errors) {
  ErrorList found = errors;
  YamlBuilder builder(found);
  BoundedText source(text, builder);
  read_documents(source, builder, found);
  if (source.cut()) {
    // What else was found may come from the cut.
    errors.add(builder.place(), builder.path(),
               "more than 256 KiB in one pair of brackets, value or comment; expected a list or "
               "map with one entry a line, indented");
    return std::nullopt;
  }
  errors = std::move(found);
  if (!errors.empty()) return std::nullopt;
  auto root = builder.take_root();
  return root ? std::move(root) : YamlNode{YamlNode::Kind::kNull, false, {1, 1}, "", {}};
}

}  // namespace wormhole
