// Edits of the file's JSON: what the file should say afterwards.
#pragma once

#include <boost/json/value.hpp>
#include <boost/system/result.hpp>
#include <string>

#include "wormhole/config/routes_document.hpp"

namespace wormhole {

using JsonEdit = boost::system::result<boost::json::value, EditRefusal>;

/// Refuses what there is no place for. Maps on the way to the path are made where they are missing,
/// except clients, groups and flows that nobody has defined.
JsonEdit edit_value(const RoutesDocument& before, const EditValue& edit);
JsonEdit edit_member(const RoutesDocument& before, const EditMember& edit);

EditRefusal refuse(EditRefusal::Why why, std::string message);
/// kInvalid because of one field, which is also the sentence.
EditRefusal refuse_field(std::string path, std::string message);

/// `no flow "vidoe" (did you mean video?)`.
std::string no_such(std::string_view kind, std::string_view name,
                    const boost::json::object& section);

}  // namespace wormhole
