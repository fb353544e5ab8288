// What is known of links, as text for programs (docs/congestion.md).
#pragma once

#include <string>
#include <vector>

#include "wormhole/client/link_change.hpp"
#include "wormhole/server/server.hpp"

namespace wormhole {

/// One line of JSON without its end:
/// {"event":"link","peer":"gcs4","way":"relay","state":"limit",…},
/// {"event":"flow","flow":"video","state":…} or {"event":"path","peer":"gcs4","path":"direct",
/// "before":"relay"}.
std::string change_json(const LinkChange& change);
/// The same as a server-sent event.
std::string event_text(const LinkChange& change);
/// The same for a program that is run: "WORMHOLE_EVENT=link", "WORMHOLE_PEER=gcs4", ….
std::vector<std::string> change_environment(const LinkChange& change);
/// Changes with the same text are about the same thing: a newer one takes an older one's place.
std::string change_subject(const LinkChange& change);

/// Each link and flow of a client as if it had changed just now.
std::vector<LinkChange> changes_of(const ClientStatus& status);
/// {"links":[…],"flows":[…]} of them.
std::string congestion_json(const ClientStatus& status);
/// {"clients":[{"id","online","links":[…]}]}; a link with "ago_s" and, if there is one, "history".
std::string congestion_json(const std::vector<ClientLinks>& clients, bool history);

}  // namespace wormhole
