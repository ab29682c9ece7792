/* Tables of facts for lint. */
#include "lint_facts.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct info_fact info_facts[] = {
    {"address", "the address of this machine", false},
    {"address/", "the address of this machine", false},
    {"dir/server/authority", "the address of this machine", false},
    {"status/fresh-relay-descs", "the address of this machine, if it is a relay", false},
    {"exit-policy/full", "addresses of this machine, if it is a relay", false},
    {"exit-policy/reject-private/relay", "addresses of this machine, if it is a relay", false},
    {"config-text", "the whole configuration with bridges and hashed passwords", false},
    {"config-file", "where the configuration is kept", false},
    {"net/listeners/control", "where tor's control port is", false},
    {"entry-guards", "the guards of this machine", false},
    {"helper-nodes", "the guards of this machine", false},
    {"orconn-status", "guards and bridges with their addresses", false},
    {"circuit-status", "guards, and the onion sites and SOCKS credentials of all applications",
     true},
    {"stream-status", "where all applications connect to", true},
    {"address-mappings/", "names that other applications look up", false},
    {"hs/client/desc/id/", "which onion sites anybody here visits", false},
    {"hs/service/desc/id/", "which onion services run here", false},
    {"onions/detached", "detached onion services of all applications", false},
    {"downloads/bridge/", "the bridges in use", false},
    {"desc-annotations/id/", "the bridges in use", false},
    {"ns/purpose/bridge", "the bridges in use", false},
    {"status/bootstrap-phase", "the guard or bridge with its address while tor cannot reach it",
     false},
    {"current-time/local", "the time zone of this machine", false},
    {NULL, NULL, false},
};

const struct info_fact *info_fact_at(size_t index)
{
    return index < COUNT(info_facts) - 1 ? &info_facts[index] : NULL;
}

static const struct better_key {
    const char *prefix;
    const char *rule;
} better_keys[] = {
    {"ns/id/", "ns/id/\\$?[0-9A-Fa-f]{40}"},
    {"desc/id/", "desc/id/\\$?[0-9A-Fa-f]{40}"},
    {"md/id/", "md/id/\\$?[0-9A-Fa-f]{40}"},
    {"ns/name/", "ns/name/[A-Za-z0-9]{1,19}"},
    {"desc/name/", "desc/name/[A-Za-z0-9]{1,19}"},
    {"md/name/", "md/name/[A-Za-z0-9]{1,19}"},
    {"extra-info/digest/", "extra-info/digest/[0-9A-Fa-f]{40}"},
    {"ip-to-country/", "ip-to-country/[0-9A-Fa-f.:]{2,45}"},
    {"net/listeners/", "net/listeners/socks"},
    {"traffic/", "traffic/(?:read|written)"},
    {"onions/", "onions/current"},
    {"consensus/", "consensus/(?:valid-after|fresh-until|valid-until)"},
    {"hs/client/desc/id/", "hs/client/desc/id/[a-z2-7]{56}"},
    {"hs/service/desc/id/", "hs/service/desc/id/[a-z2-7]{56}"},
};

const char *info_better_rule(struct span prefix)
{
    for (size_t i = 0; i < COUNT(better_keys); i++)
        if (span_starts_with(prefix, span_from_string(better_keys[i].prefix)))
            return better_keys[i].rule;
    return NULL;
}

static const struct command_fact command_facts[] = {
    {KEYWORD_ADD_ONION, NULL, "a further Port= with any target, or Flags=Detach",
     "use 'onions', which judges each argument"},
    {KEYWORD_ATTACHSTREAM, "moves any application's stream to another circuit",
     "HOP=", "write '[0-9]+ [0-9]+'"},
    {KEYWORD_CLOSECIRCUIT, "closes any application's circuit", "more than the circuit",
     "write '[0-9]+(?: IfUnused)?'"},
    {KEYWORD_CLOSESTREAM, "closes any application's stream", "more than stream and reason",
     "write '[0-9]+ [0-9]+'"},
    {KEYWORD_DROPGUARDS, "makes tor choose new guards, which weakens everybody's anonymity", NULL,
     NULL},
    {KEYWORD_DROPTIMEOUTS, "makes tor forget how long circuits take", NULL, NULL},
    {KEYWORD_EXTENDCIRCUIT, "makes circuits", "a path of relays that the client chooses",
     "write '0(?: purpose=general)?'"},
    {KEYWORD_GETCONF, NULL, "a further option, such as 'Bridge' or 'HashedControlPassword'",
     "list the options under 'confs'"},
    {KEYWORD_GETINFO, NULL, "a further key, such as 'address'", "write a rule for each key"},
    {KEYWORD_HSFETCH, "makes tor fetch any onion service's descriptor", "SERVER= with a relay",
     "write '[a-z2-7]{56}', or 'fetch: true' under 'onions'"},
    {KEYWORD_HSPOST, "publishes any onion service's descriptor",
     "another HSADDRESS=", "write '(?:SERVER=\\$?[0-9A-Fa-f]{40} )*HSADDRESS=[a-z2-7]{56}'"},
    {KEYWORD_LOADCONF, "replaces tor's configuration, files and programs included", NULL, NULL},
    {KEYWORD_MAPADDRESS, "redirects connections of all applications", "a further mapping",
     "name both addresses of each pair"},
    {KEYWORD_ONION_CLIENT_AUTH_ADD,
     "replaces the key that another application has stored for an onion site",
     "Flags=Permanent, which writes a file",
     "use 'client-auth-keys: own' under 'onions', or write "
     "'[a-z2-7]{56} x25519:[A-Za-z0-9+/]{43}=?'"},
    {KEYWORD_ONION_CLIENT_AUTH_REMOVE,
     "removes keys for onion sites that other applications have stored", NULL, NULL},
    {KEYWORD_ONION_CLIENT_AUTH_VIEW, "shows the private keys for onion sites of all applications",
     NULL, NULL},
    {KEYWORD_POSTDESCRIPTOR, "puts relays into tor's list", "cache= and purpose=", NULL},
    {KEYWORD_REDIRECTSTREAM, "sends any application's stream elsewhere", "another address",
     "write '[0-9]+ ' and the address"},
    {KEYWORD_RESETCONF, NULL, "a further option with its value",
     "list the options under 'confs', where a pattern never leaves its own value"},
    {KEYWORD_RESOLVE, "looks up names", "more than one name", "write '[A-Za-z0-9.-]+'"},
    {KEYWORD_SAVECONF, "makes what SETCONF changed last beyond the next start of tor",
     "FORCE, which overwrites a configuration of several files", "write ''"},
    {KEYWORD_SETCIRCUITPURPOSE, "changes what any application's circuit is for",
     "more than the purpose", "write '[0-9]+ purpose=[a-z_]+'"},
    {KEYWORD_SETCONF, NULL, "a further option with its value",
     "list the options under 'confs', where a pattern never leaves its own value"},
    {KEYWORD_TAKEOWNERSHIP, "makes tor exit as soon as this client goes away", NULL, NULL},
};

const struct command_fact *command_fact_find(enum keyword_id id)
{
    for (size_t i = 0; i < COUNT(command_facts); i++)
        if (command_facts[i].id == id)
            return &command_facts[i];
    return NULL;
}

static const struct signal_row {
    struct span name;
    const char *does;
} signal_rows[] = {
    {SPAN("HALT"), "stops tor for everybody"},
    {SPAN("TERM"), "stops tor for everybody"},
    {SPAN("INT"), "stops tor for everybody"},
    {SPAN("SHUTDOWN"), "stops tor for everybody"},
    {SPAN("RELOAD"), "makes tor read its configuration again"},
    {SPAN("HUP"), "makes tor read its configuration again"},
    {SPAN("DEBUG"), "makes tor log everything, addresses of all applications included"},
    {SPAN("USR2"), "makes tor log everything, addresses of all applications included"},
    {SPAN("DUMP"), "makes tor log its connections and circuits"},
    {SPAN("USR1"), "makes tor log its connections and circuits"},
    {SPAN("DORMANT"), "puts tor to sleep for everybody"},
};

const char *signal_fact(struct span name)
{
    for (size_t i = 0; i < COUNT(signal_rows); i++)
        if (span_equals_nocase(name, signal_rows[i].name))
            return signal_rows[i].does;
    return NULL;
}

#define RUNS "lets the client choose a program that tor runs"
#define WRITES "lets the client choose where tor writes files"
#define READS "lets the client choose a file that tor reads"
#define LISTENS "lets the client open ports of tor"
#define PATHS "lets the client choose the relays of everybody's circuits"
#define PROXIES "lets the client choose through which machine all traffic leaves"
#define CONTROLS "opens tor's control port past onion-grater"
#define NETWORK "lets the client replace the network that tor believes in"
#define SERVICES "lets the client publish any port of this machine, for good"
#define STREAMS "makes the streams of all applications wait for this client"
#define BRIDGES "the bridges in use"
#define OWN_ADDRESS "the address of this machine"
#define SECRETS "a password, or its hash"
#define SERVICE_LIST "the onion services of this machine"

static const struct option_fact option_facts[] = {
    {"__LeaveStreamsUnattached", OPTION_SWITCH, STREAMS, NULL},
    {"__OwningControllerProcess", OPTION_NUMBER, "makes tor exit with a process", NULL},
    {"__ControlPort", OPTION_PORT, CONTROLS, NULL},
    {"__SocksPort", OPTION_PORT, LISTENS, NULL},
    {"Address", OPTION_TEXT, NULL, OWN_ADDRESS},
    {"AlternateBridgeAuthority", OPTION_PLAIN, NETWORK, NULL},
    {"AlternateDirAuthority", OPTION_PLAIN, NETWORK, NULL},
    {"Bridge", OPTION_BRIDGE, "lets the client choose everybody's bridge", BRIDGES},
    {"CacheDirectory", OPTION_PATH, WRITES, NULL},
    {"ClientOnionAuthDir", OPTION_PATH, READS, NULL},
    {"ClientTransportPlugin", OPTION_PROGRAM, RUNS, NULL},
    {"ConnectionPadding", OPTION_SWITCH, NULL, NULL},
    {"ContactInfo", OPTION_TEXT, NULL, NULL},
    {"ControlPort", OPTION_PORT, CONTROLS, NULL},
    {"ControlPortWriteToFile", OPTION_PATH, WRITES, NULL},
    {"ControlSocket", OPTION_PATH, CONTROLS, NULL},
    {"CookieAuthFile", OPTION_PATH, WRITES, NULL},
    {"CookieAuthentication", OPTION_SWITCH, CONTROLS, NULL},
    {"DNSPort", OPTION_PORT, LISTENS, NULL},
    {"DataDirectory", OPTION_PATH, WRITES, NULL},
    {"DirAuthority", OPTION_PLAIN, NETWORK, NULL},
    {"DirPortFrontPage", OPTION_PATH, READS, NULL},
    {"DisableNetwork", OPTION_SWITCH, "switches tor off for everybody", NULL},
    {"EntryNodes", OPTION_RELAYS, PATHS, "the guards of this machine"},
    {"ExcludeExitNodes", OPTION_RELAYS, PATHS, NULL},
    {"ExcludeNodes", OPTION_RELAYS, PATHS, NULL},
    {"ExitNodes", OPTION_RELAYS, PATHS, NULL},
    {"FallbackDir", OPTION_PLAIN, NETWORK, NULL},
    {"GeoIPFile", OPTION_PATH, READS, NULL},
    {"GeoIPv6File", OPTION_PATH, READS, NULL},
    {"HSLayer2Nodes", OPTION_RELAYS, PATHS, "guards of this machine"},
    {"HSLayer3Nodes", OPTION_RELAYS, PATHS, "guards of this machine"},
    {"HTTPProxy", OPTION_ADDRESS, PROXIES, NULL},
    {"HTTPProxyAuthenticator", OPTION_TEXT, NULL, SECRETS},
    {"HTTPSProxy", OPTION_ADDRESS, PROXIES, NULL},
    {"HTTPSProxyAuthenticator", OPTION_TEXT, NULL, SECRETS},
    {"HTTPTunnelPort", OPTION_PORT, LISTENS, NULL},
    {"HashedControlPassword", OPTION_PLAIN, CONTROLS, SECRETS},
    {"HiddenServiceDir", OPTION_PATH, SERVICES, SERVICE_LIST},
    {"HiddenServiceNonAnonymousMode", OPTION_SWITCH,
     "makes onion services show where this machine is", NULL},
    {"HiddenServiceOptions", OPTION_PLAIN, SERVICES, SERVICE_LIST},
    {"HiddenServicePort", OPTION_PLAIN, SERVICES, SERVICE_LIST},
    {"HiddenServiceSingleHopMode", OPTION_SWITCH, "makes onion services show where this machine is",
     NULL},
    {"KeyDirectory", OPTION_PATH, WRITES, NULL},
    {"Log", OPTION_PATH, WRITES, NULL},
    {"MapAddress", OPTION_PLAIN, "redirects connections of all applications", NULL},
    {"MaxCircuitDirtiness", OPTION_NUMBER, NULL, NULL},
    {"MiddleNodes", OPTION_RELAYS, PATHS, NULL},
    {"Nickname", OPTION_TEXT, NULL, NULL},
    {"NumEntryGuards", OPTION_NUMBER, NULL, NULL},
    {"NumPrimaryGuards", OPTION_NUMBER, NULL, NULL},
    {"ORPort", OPTION_PORT, LISTENS, NULL},
    {"OutboundBindAddress", OPTION_TEXT, PROXIES, OWN_ADDRESS},
    {"PidFile", OPTION_PATH, WRITES, NULL},
    {"SafeLogging", OPTION_PLAIN, "makes tor log addresses", NULL},
    {"Sandbox", OPTION_SWITCH, NULL, NULL},
    {"ServerTransportPlugin", OPTION_PROGRAM, RUNS, NULL},
    {"Socks4Proxy", OPTION_ADDRESS, PROXIES, NULL},
    {"Socks5Proxy", OPTION_ADDRESS, PROXIES, NULL},
    {"Socks5ProxyPassword", OPTION_TEXT, NULL, SECRETS},
    {"Socks5ProxyUsername", OPTION_TEXT, NULL, NULL},
    {"SocksPort", OPTION_PORT, LISTENS, NULL},
    {"StrictNodes", OPTION_SWITCH, PATHS, NULL},
    {"TestingTorNetwork", OPTION_SWITCH, NETWORK, NULL},
    {"TransPort", OPTION_PORT, LISTENS, NULL},
    {"UseBridges", OPTION_SWITCH, NULL, NULL},
    {"UseEntryGuards", OPTION_SWITCH, PATHS, NULL},
    {"User", OPTION_TEXT, NULL, NULL},
};

const struct option_fact *option_fact_find(const char *name)
{
    for (size_t i = 0; i < COUNT(option_facts); i++)
        if (span_equals_nocase(span_from_string(option_facts[i].name), span_from_string(name)))
            return &option_facts[i];
    return NULL;
}

const char *option_better_value(enum option_kind kind)
{
    switch (kind) {
    case OPTION_SWITCH:
        return "[01]";
    case OPTION_NUMBER:
        return "[0-9]{1,9}";
    case OPTION_ADDRESS:
        return "(?:[A-Za-z0-9.-]+|\\[[0-9A-Fa-f:.]+\\]):[0-9]+";
    case OPTION_PORT:
        return "127\\.0\\.0\\.1:[0-9]+";
    case OPTION_RELAYS:
        return "\\$?[0-9A-Fa-f]{40}(?:,\\$?[0-9A-Fa-f]{40})*";
    case OPTION_BRIDGE:
        return "(?:[A-Za-z0-9_]+ )?(?:[0-9.]+|\\[[0-9A-Fa-f:.]+\\]):[0-9]+(?: [0-9A-Fa-f]{40})?"
               "(?: [A-Za-z0-9_-]+=[!-~]+)*";
    case OPTION_PLAIN:
    case OPTION_TEXT:
    case OPTION_PATH:
    case OPTION_PROGRAM:
        break;
    }
    return NULL;
}

#define SUPPRESS "if the application can do without, write 'suppress: true'"
#define REBUILD "rebuild what it needs with 'response' and 'unmatched-response: drop'"
#define NEVER "write 'suppress: true': no pattern can be sure of such text"

static const struct event_fact event_facts[] = {
    {"ADDRMAP", "the names that all applications look up", SUPPRESS, false},
    {"CIRC", "guards, and the onion sites and SOCKS credentials of all applications",
     "use tor-browser-mode, or " REBUILD, true},
    {"CIRC_MINOR", "guards, and the onion sites of all applications", SUPPRESS, true},
    {"CONF_CHANGED", "every option that anybody changes, with bridges and services", SUPPRESS,
     false},
    {"DEBUG", "everything", NEVER, false},
    {"ERR", "the log of tor, where addresses may stand", NEVER, false},
    {"GUARD", "the guards of this machine", SUPPRESS, false},
    {"HS_DESC", "the onion sites that others visit and the services that others run",
     "write 'events: own' under 'onions'", false},
    {"HS_DESC_CONTENT", "the onion sites that others visit and the services that others run",
     "write 'events: own' under 'onions'", false},
    {"INFO", "everything", NEVER, false},
    {"NEWDESC", "which relays this tor asks about", SUPPRESS, false},
    {"NOTICE", "the log of tor, where addresses may stand", NEVER, false},
    {"ORCONN", "guards and bridges with their addresses", SUPPRESS, false},
    {"SIGNAL", "what other controllers do", SUPPRESS, false},
    {"STATUS_CLIENT", "the guard or bridge while tor cannot reach it, and where others connect to",
     REBUILD, false},
    {"STATUS_GENERAL", "addresses of guards", REBUILD, false},
    {"STATUS_SERVER", "the address of this machine, if it is a relay", SUPPRESS, false},
    {"STREAM", "where all applications connect to, and their SOCKS credentials",
     "use tor-browser-mode, or " REBUILD, true},
    {"TRANSPORT_LAUNCHED", "the transports in use with their addresses", SUPPRESS, false},
    {"WARN", "the log of tor, where addresses may stand", NEVER, false},
};

const struct event_fact *event_fact_find(const char *name)
{
    for (size_t i = 0; i < COUNT(event_facts); i++)
        if (strcmp(event_facts[i].name, name) == 0)
            return &event_facts[i];
    return NULL;
}
