#!/usr/bin/env python3
"""Layer check: who may include whom, and what the core may not touch (docs/architecture.md).

    layers.py [ROOT]     check the tree at ROOT (default: this project); exit 1 on a violation
    layers.py --self-test   show that each kind of violation is caught

The linker enforces the arrows between libraries; this catches what headers alone would let through.
"""
import pathlib
import re
import sys
import tempfile

# Each room with the rooms that it may include, beside itself.
BASE = {"base"}
CRYPTO = BASE | {"crypto"}
VALUES = CRYPTO | {"impair"}
WIRE = VALUES | {"wire"}
CORE = WIRE | {"model", "session"}
PEER = WIRE | {"session", "hop", "group", "nat", "punch", "path", "stream", "peer"}
UPLINK = {"congestion", "shaper"}
OUTER = CORE | PEER | UPLINK | {"client", "server", "config", "state"}
ROOMS = {
    "base": set(),
    "crypto": BASE,
    "impair": BASE,
    "wire": VALUES,
    "model": VALUES,
    "session": WIRE,
    "hop": WIRE | {"session"},
    "group": WIRE | {"session", "congestion"},
    "nat": WIRE,
    "punch": WIRE | {"nat"},
    "path": WIRE,
    "stream": BASE,
    "congestion": WIRE,
    "shaper": WIRE | {"congestion"},
    "peer": WIRE | {"session", "hop", "nat", "punch", "path", "stream", "congestion"},
    "client": CORE | PEER | UPLINK,
    "server": CORE | {"congestion"},
    "config": VALUES | {"model"},
    "state": CORE | {"client", "server", "config"},
    "asio": set(),
    "shell": OUTER,
    "api": OUTER | {"shell"},
    "app": OUTER | {"shell", "api"},
}
CORE_ROOMS = CORE | PEER | UPLINK | {"client", "server"}
ASIO_ROOMS = {"asio", "shell", "api", "app"}

# Outside headers that only some rooms may name: (pattern, rooms, why).
OUTSIDE = [
    (r"boost/(asio|beast)\b.*", ASIO_ROOMS, "only shell, api and app do input and output"),
    (r"sodium.*", {"crypto", "shell"}, "libsodium stays in crypto (and shell's SystemRng)"),
    (r"ngtcp2/.*", {"stream"}, "libngtcp2 stays in stream"),
    (r"yaml-cpp/.*", {"config"}, "YAML stays in config"),
    (r"boost/json.*", {"config", "state", "shell", "api", "app"}, "the core knows no JSON"),
    (r"spdlog/.*", {"shell", "api", "app"}, "the core does not log"),
    (r"CLI/.*", {"app"}, "the command line stays in app"),
]
# Headers that no core room may include.
CORE_HEADERS = re.compile(
    r"(thread|stop_token|mutex|shared_mutex|condition_variable|future|atomic|fstream|iostream|filesystem|ctime|"
    r"time\.h|csignal|signal\.h|unistd\.h|fcntl\.h|poll\.h|pthread\.h|netdb\.h|dirent\.h|ifaddrs\.h|"
    r"(sys|net|netinet|arpa|linux)/.*)")
# Names that no core room may use.
CORE_NAMES = [
    (r"::\s*now\s*\(", "a clock: the core gets `now` as an argument"),
    (r"\bclock_gettime\b|\bgettimeofday\b|\btime\s*\(\s*(nullptr|NULL|0)\s*\)", "a clock"),
    (r"\brandom_device\b|\bgetrandom\b|\brandombytes_|\bs?rand\s*\(", "OS random: the core gets an Rng&"),
    (r"(?<!\w)::open\s*\(|\bfopen\b|\bstd::(if|of|f)stream\b", "a file"),
    (r"\b(socket|sendto|recvfrom|sendmsg|recvmsg|sendmmsg|recvmmsg)\s*\(", "a socket"),
    (r"\bgetenv\b", "the environment"),
]
# Names that nobody may use: one owner tree, one thread.
EVERYWHERE_NAMES = [
    (r"\bshared_from_this\b", "lifetime belongs to an owner, not to a count"),
    (r"\bstd::(recursive_|shared_|timed_)?mutex\b", "one thread, no mutex"),
]
MAX_LINES = 600  # above that a file holds more than one thing

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def strip(text):
    """The code without comments and literals, line by line as before."""
    keep_lines = lambda m: "\n" * m[0].count("\n")
    text = re.sub(r'R"(\w*)\((?:.|\n)*?\)\1"', keep_lines, text)
    return re.sub(r'//[^\n]*|/\*(?:.|\n)*?\*/|"(?:\\.|[^"\\\n])*"', keep_lines, text)


def room_of(path, root):
    parts = path.relative_to(root).parts
    return parts[2] if parts[:2] == ("include", "wormhole") else parts[1]


def check_include(room, path, root, quote, name):
    """Why this include may not be, or None."""
    if ".." in name.split("/"):
        return "relative paths hide which room is meant"
    public = re.match(r"wormhole/([^/]+)/", name)
    private = re.match(r"([^/]+)/", name)
    target = None
    if public:
        target = public[1]
    elif quote == '"' and (root / "src" / name).is_file():
        target = private[1] if private else None
        if target != room and not (target == "asio" and room in ASIO_ROOMS):
            return f"a private header of {target}"
        return None
    elif quote == '"' and not (path.parent / name).is_file():
        return "no such header"
    if target is not None:
        if target not in ROOMS:
            return f"there is no room {target}"
        if target != room and target not in ROOMS[room]:
            return f"{room} may not know {target}"
        return None
    for pattern, rooms, why in OUTSIDE:
        if re.fullmatch(pattern, name) and room not in rooms:
            return why
    if room in CORE_ROOMS and CORE_HEADERS.fullmatch(name):
        return "the core touches no socket, clock, file or thread"
    return None


def check_file(path, root):
    room = room_of(path, root)
    where = path.relative_to(root)
    text = path.read_text(encoding="utf-8")
    if room not in ROOMS:
        return [f"{where}: there is no room {room}"]
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        include = INCLUDE.match(line)
        why = include and check_include(room, path, root, include[1], include[2])
        if why:
            found.append(f"{where}:{number}: {include[2]}: {why}")
    names = EVERYWHERE_NAMES + (CORE_NAMES if room in CORE_ROOMS else [])
    for number, line in enumerate(strip(text).splitlines(), 1):
        for pattern, why in names:
            hit = re.search(pattern, line)
            if hit:
                found.append(f"{where}:{number}: {hit[0]}: {why}")
    return found


def types_of(path, root):
    """(qualified name, place) of each type defined at namespace scope, anonymous namespaces apart."""
    spaces = []
    for number, line in enumerate(strip(path.read_text(encoding="utf-8")).splitlines(), 1):
        opened = re.match(r"namespace\s*([\w:]*)\s*\{\s*$", line)
        if opened:
            spaces.append(opened[1])
        elif spaces and re.match(r"\}\s*$", line):
            spaces.pop()  # the format has no other bare brace in the first column
        defined = re.match(r"(?:struct|class|enum class|union) (\w+)(?: final)?(?: : [^;]*)?\s*\{", line)
        if defined and "" not in spaces:
            yield "::".join([*spaces, defined[1]]), f"{path.relative_to(root)}:{number}"


def check_types(paths, root):
    """One name, one type in the whole program: the linker takes either definition and says nothing."""
    places = {}
    for path in paths:
        for name, place in types_of(path, root):
            places.setdefault(name, []).append(place)
    return [f"{at[1]}: {name} is also defined at {at[0]}" for name, at in places.items() if len(at) > 1]


def check_length(path, root):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    return [f"{path.relative_to(root)}: {lines} lines, at most {MAX_LINES}"] if lines > MAX_LINES else []


def files(root, folders, suffixes):
    return sorted(p for f in folders for p in (root / f).rglob("*") if p.suffix in suffixes and p.is_file())


def check_tree(root):
    sources = files(root, ["include", "src"], {".hpp", ".cpp"})
    found = [violation for path in sources for violation in check_file(path, root)] + check_types(sources, root)
    for path in files(root, ["include", "src", "tests", "bench", "scripts"], {".hpp", ".cpp", ".py", ".sh"}):
        if "node_modules" not in path.parts:
            found += check_length(path, root)
    return found


# One made-up violation of each kind: (file, text, what the message must say; None: must be clean).
SELF_TEST = [
    ("src/client/a.cpp", '#include "wormhole/server/server.hpp"', "client may not know server"),
    ("src/server/a.cpp", '#include "wormhole/client/client.hpp"', "server may not know client"),
    ("include/wormhole/wire/a.hpp", '#include "wormhole/session/s.hpp"', "wire may not know session"),
    ("src/model/a.cpp", '#include "wormhole/wire/w.hpp"', "model may not know wire"),
    ("src/base/a.cpp", '#include "wormhole/crypto/keys.hpp"', "base may not know crypto"),
    ("src/config/a.cpp", '#include "wormhole/shell/s.hpp"', "config may not know shell"),
    ("src/client/a.cpp", '#include "wormhole/nowhere/x.hpp"', "no room nowhere"),
    ("src/client/a.cpp", '#include "server/secret.hpp"', "private header"),
    ("src/client/a.cpp", '#include "../server/secret.hpp"', "relative"),
    ("src/client/a.cpp", "#include <boost/asio.hpp>", "input and output"),
    ("src/config/a.cpp", "#include <boost/beast/http.hpp>", "input and output"),
    ("src/session/a.cpp", "#include <sodium.h>", "libsodium"),
    ("src/peer/a.cpp", "#include <ngtcp2/ngtcp2.h>", "libngtcp2"),
    ("src/api/a.cpp", "#include <yaml-cpp/yaml.h>", "YAML"),
    ("src/server/a.cpp", "#include <spdlog/spdlog.h>", "log"),
    ("src/wire/a.cpp", "#include <thread>", "core touches"),
    ("src/wire/a.cpp", "  #  include <sys/socket.h>", "core touches"),
    ("src/base/a.cpp", "#include <fstream>", "core touches"),
    ("src/base/a.cpp", "auto t = std::chrono::steady_clock::now();", "a clock"),
    ("src/base/a.cpp", "auto t = std::time(nullptr);", "a clock"),
    ("src/crypto/a.cpp", "randombytes_buf(p, n);", "OS random"),
    ("src/base/a.cpp", "std::random_device d;", "OS random"),
    ("src/client/a.cpp", "int fd = socket(AF_INET, 0, 0);", "a socket"),
    ("src/client/a.cpp", "FILE* f = fopen(p, m);", "a file"),
    ("src/shell/a.cpp", "struct A : std::enable_shared_from_this<A> {}; shared_from_this();", "owner"),
    ("src/shell/a.cpp", "std::mutex m;", "no mutex"),
    ("src/cellar/a.cpp", "", "no room cellar"),
    ("src/client/own.hpp", "namespace wormhole {\nstruct Secret {\n};\n}  // namespace wormhole\n", "also defined"),
    ("src/client/own.hpp", "namespace wormhole {\nnamespace {\nstruct Secret {\n};\n}\n}\n", None),
    ("src/client/own.hpp", "namespace wormhole::own {\nclass Secret : Base {\n};\n}\n", None),
    ("src/base/a.cpp", "\n" * (MAX_LINES + 1), "at most"),
    ("src/base/a.cpp", '// steady_clock::now() in a comment\nauto s = "std::mutex";\n#include <chrono>', None),
    ("src/shell/a.cpp", '#include <sodium.h>\n#include <boost/asio.hpp>\nauto t = Clock::now();', None),
    ("src/client/a.cpp", '#include "wormhole/model/m.hpp"\n#include "client/own.hpp"', None),
]


def self_test():
    bad = 0
    for name, text, want in SELF_TEST:
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for path, content in (("src/server/secret.hpp", "namespace wormhole {\nstruct Secret {};\n}\n"), ("src/client/own.hpp", ""), (name, text)):
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(content)
            found = check_tree(root)
        ok = not found if want is None else len(found) >= 1 and want in "\n".join(found)
        if not ok:
            bad += 1
            print(f"self-test: {name}: {text[:60]!r}: expected {want!r}, got {found}")
    print(f"layers: self-test, {len(SELF_TEST) - bad} of {len(SELF_TEST)} as expected")
    return 1 if bad else 0


def main(argv):
    if argv[:1] == ["--self-test"]:
        return self_test()
    root = pathlib.Path(argv[0] if argv else pathlib.Path(__file__).resolve().parent.parent)
    found = check_tree(root)
    print("\n".join(found + [f"layers: {len(found)} violations"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
