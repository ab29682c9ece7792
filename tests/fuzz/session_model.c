/* The profiles of the session fuzzer, and a tor that answers every command exactly once.
 *
 * The shapes are those of control-protocol 2; a value that a rule of the profile hides is
 * "sekrit". */
#include <stdio.h>
#include <stdlib.h>

#include "hex.h"
#include "hmac.h"
#include "mem.h"
#include "profile_load.h"
#include "session_harness.h"
#include "words.h"

static const char *const profile_texts[] = {
    /* 0: rewriting */
    "commands:\n"
    "  GETINFO:\n"
    "  - 'version'\n"
    "  - 'ns/all'\n"
    "  - pattern: 'address'\n"
    "    response: [{pattern: '250-address=.*', replacement: '250-address=10.0.0.1'}]\n"
    "  - pattern: 'config-text'\n"
    "    response:\n"
    "    - {pattern: '250\\+config-text=', replacement: '250+config-text='}\n"
    "    - {pattern: '(SocksPort .*)', replacement: '{}'}\n"
    "    unmatched-response: drop\n"
    "  ADD_ONION:\n"
    "  - pattern: '(NEW:\\S+|ED25519-V3:\\S+) (Flags=\\S+ )?Port=([0-9]+),([0-9]+)'\n"
    "    replacement: '{} {}Port={},{client-address}:{}'\n"
    "    response: [{pattern: '250-PrivateKey=.*', replacement: '250-PrivateKey=none'}]\n"
    "  - pattern: 'NEW:BEST Port=(.*)'\n"
    "    response: [{pattern: '250-PrivateKey=.*', replacement: ''}]\n"
    "  DEL_ONION: ['[a-z2-7]{56}']\n"
    "  SIGNAL: ['NEWNYM']\n"
    "  TAKEOWNERSHIP: ['']\n"
    "  DROPOWNERSHIP: ['']\n",
    /* 1: events */
    "commands:\n"
    "  GETINFO: ['version', 'ns/all', 'events/names']\n"
    "events:\n"
    "  BW:\n"
    "  NS:\n"
    "  NOTICE:\n"
    "  CIRC: {suppress: true}\n"
    "  STREAM:\n"
    "    response:\n"
    "    - {pattern: '650 STREAM ([0-9]+) ([A-Z]+) .*', replacement: '650 STREAM {} {}'}\n"
    "  CONF_CHANGED:\n"
    "    response: [{pattern: '650-CONF_CHANGED', replacement: '650-CONF_CHANGED'}]\n"
    "  HS_DESC:\n"
    "    response: [{pattern: '650 HS_DESC CREATED .*', replacement: '650 HS_DESC CREATED x'}]\n"
    "    unmatched-response: drop\n",
    /* 2: confs */
    "commands:\n"
    "  SAVECONF: ['']\n"
    "confs:\n"
    "  DisableNetwork: ['', '[01]']\n"
    "  SocksPort: ['.*']\n"
    "  Nickname:\n"
    "  ClientOnionAuthDir: ['', '/[a-z/]*']\n",
    /* 3: several keys, some answered by the profile */
    "commands:\n"
    "  GETINFO:\n"
    "  - 'version'\n"
    "  - 'ns/id/[0-9A-F]{1,40}'\n"
    "  - {pattern: 'status/bootstrap-phase', reply: ['250-status/bootstrap-phase=x', '250 OK']}\n"
    "  - {pattern: 'config-text', reply: ['250+config-text=', '..a', '.', '250 OK']}\n"
    "  - {pattern: 'process/pid', reply: ['551 no']}\n"
    "  - pattern: 'net/listeners/(socks|dns)'\n"
    "    replacement: 'net/listeners/{}'\n"
    "    response:\n"
    "    - {pattern: '250-net/listeners/([a-z]+)=.*', replacement: '250-net/listeners/{}=x'}\n"
    "  GETCONF:\n"
    "  - {pattern: 'SocksPort', reply: ['250 SocksPort=1']}\n"
    "  MAPADDRESS: ['.*']\n"
    "  ONION_CLIENT_AUTH_ADD: ['.*']\n"
    "  ONION_CLIENT_AUTH_VIEW: ['.*']\n"
    "  PROTOCOLINFO: ['.*']\n"
    "  QUIT: []\n"
    "confs:\n"
    "  Nickname:\n"
    "  SocksPort:\n",
    /* 4: everything that patterns can let through */
    "commands:\n"
    "  GETINFO: ['.*']\n"
    "  GETCONF: ['.*']\n"
    "  SETCONF: ['.*']\n"
    "  RESETCONF: ['.*']\n"
    "  +LOADCONF: ['.*']\n"
    "  +POSTDESCRIPTOR: ['.*']\n"
    "  +HSPOST: ['.*']\n"
    "  ADD_ONION: ['.*']\n"
    "  SETCIRCUITPURPOSE: ['.*']\n"
    "  EXTENDCIRCUIT: ['.*']\n"
    "  HSFETCH: ['.*']\n"
    "  RESOLVE: ['.*']\n"
    "  ONION_CLIENT_AUTH_ADD: ['.*']\n"
    "events:\n"
    "  BW:\n",
    /* 5: streams and circuits of its own */
    "tor-browser-mode: true\n"
    "commands:\n"
    "  GETINFO: ['version', '(circuit|stream)-status', 'circuit-status stream-status version']\n"
    "events:\n"
    "  BW:\n"
    "  STREAM:\n"
    "  STREAM_BW:\n"
    "  CIRC:\n"
    "  CIRC_BW:\n"
    "  CIRC_MINOR: {suppress: true}\n",
    /* 6: onion services and keys of its own */
    "commands:\n"
    "  GETINFO: ['version']\n"
    "onions:\n"
    "  create: {virtual-ports: [80], targets: [1-65535], flags: [Detach], max-services: 3}\n"
    "  delete: own\n"
    "  events: own\n"
    "  fetch: true\n"
    "  client-auth-keys: own\n",
};

#define PROFILE_COUNT (sizeof profile_texts / sizeof profile_texts[0])

#define SERVICE "bcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrstuvwx"

static const char *const model_events[] = {
    "650 BW 1 2\r\n",
    "650 STREAM 5 NEW 0 sekrit:80 SOURCE_ADDR=1.2.3.4:5\r\n",
    "650+NS\r\nr a b\r\n..s Fast\r\n.\r\n650 OK\r\n",
    "650-CONF_CHANGED\r\n650-Nickname=sekrit\r\n650 OK\r\n",
    "650 CIRC 1 BUILT sekrit\r\n",
    "650 HS_DESC REQUESTED sekrit NO_AUTH x\r\n",
    "650 HS_DESC CREATED sekrit UNKNOWN x\r\n",
    "650 NOTICE a\rsekrit\r\n",
    "650 STATUS_CLIENT NOTICE BOOTSTRAP SUMMARY=\"sekrit\"\r\n",
    "650 STREAM 7 NEW 0 own:80 SOURCE_ADDR=10.0.0.5:5 SOCKS_USERNAME=\"SOURCE_ADDR=10.0.0.6:5\"\r\n",
    "650 STREAM 7 SENTCONNECT 17 own:80\r\n",
    "650 STREAM 7 CLOSED 17 own:80\r\n",
    "650 STREAM 8 NEW 0 own:80 SOURCE_ADDR=::ffff:10.0.0.5:5\r\n",
    "650 STREAM 8 SENTCONNECT 18 own:80\r\n",
    "650 STREAM 8 NEW 0 sekrit:80 SOURCE_ADDR=10.0.0.6:5\r\n",
    "650 STREAM 9 NEW 0 sekrit:80 SOURCE_ADDR=10.0.0.6:5 SOCKS_USERNAME=\"SOURCE_ADDR=10.0.0.5:5\"\r\n",
    "650 STREAM 9 NEWRESOLVE 0 sekrit SOURCE_ADDR=10.0.0.5:5 a=:0 SOURCE_ADDR=10.0.0.6:5\r\n",
    "650 STREAM 9 SENTCONNECT 19 sekrit:80\r\n",
    "650 STREAM_BW 9 1 2 sekrit\r\n",
    "650 STREAM_BW 7 1 2 own\r\n",
    "650 CIRC 17 CLOSED sekrit\r\n",
    "650 CIRC 19 CLOSED sekrit\r\n",
    "650 CIRC_BW ID=17 sekrit\r\n",
    "650 CIRC_MINOR 17 PURPOSE_CHANGED sekrit\r\n",
    "650 HS_DESC UPLOADED a" SERVICE " UNKNOWN x\r\n",
    "650 HS_DESC RECEIVED b" SERVICE " NO_AUTH x\r\n",
    "650+HS_DESC_CONTENT b" SERVICE " x y\r\nown\r\n.\r\n650 OK\r\n",
    "650+HS_DESC_CONTENT sekrit x y\r\nsekrit\r\n.\r\n650 OK\r\n",
};

static bool no_user(void *context, const char *name, uid_t *uid_out)
{
    (void)context;
    (void)name;
    (void)uid_out;
    return false;
}

static bool no_group(void *context, const char *name, gid_t *gid_out)
{
    (void)context;
    (void)name;
    (void)gid_out;
    return false;
}

struct policy *model_policy(void)
{
    static const struct name_resolver resolver = {no_user, no_group, NULL};
    struct policy *policy = policy_new();

    for (size_t i = 0; i < PROFILE_COUNT; i++) {
        struct diag_list diags;
        struct buf message;
        diag_list_init(&diags);
        buf_init(&message, 4096);
        char *text = mem_printf("name: p%zu\napparmor-profiles: ['*']\nusers: ['*']\n%s", i,
                                profile_texts[i]);
        struct profile_file *file =
            profile_load("p.yml", span_from_string(text), &resolver, &diags);
        for (size_t j = 0; j < diags.count && !file; j++)
            diag_format(&message, &diags.items[j]);
        if (!file)
            fprintf(stderr, "%.*s\n", (int)message.len, message.data);
        ORACLE(file, "a profile of the harness does not load");
        policy_add_file(policy, file);
        diag_list_clear(&diags);
        buf_clear(&message);
        free(text);
    }
    return policy;
}

/* --- the model tor --- */

static void model_write_hmac(struct harness *h, const char *key, struct buf *out)
{
    static const char cookie[] = "ZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZ";
    static const char nonce[] = "22222222222222222222222222222222";
    const struct span parts[] = {
        {cookie, 32}, {(const char *)h->client_nonce, 32}, {nonce, 32}};
    uint8_t digest[HMAC_SIZE];

    hmac_sha256(span_from_string(key), parts, 3, digest);
    hex_append(out, digest, sizeof digest);
}

void model_protocolinfo(struct harness *h)
{
    static const char *const methods[] = {"NULL", "COOKIE,SAFECOOKIE", "COOKIE",
                                          "HASHEDPASSWORD,COOKIE"};

    buf_printf(&h->tor_out,
               "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=%s%s\r\n"
               "250-VERSION Tor=\"0.4.9.11\"\r\n250 OK\r\n",
               methods[h->mood % 4], h->mood % 4 ? " COOKIEFILE=\"/sekrit\"" : "");
}

void model_challenge(struct harness *h, const struct command *command)
{
    struct span nonce = span_from(command->arguments, strlen("SAFECOOKIE "));

    ORACLE(hex_decode(nonce, h->client_nonce, sizeof h->client_nonce), "a nonce that is no nonce");
    buf_append_string(&h->tor_out, "250 AUTHCHALLENGE SERVERHASH=");
    model_write_hmac(h, "Tor safe cookie authentication server-to-controller hash", &h->tor_out);
    buf_append_string(&h->tor_out, " SERVERNONCE=");
    for (int i = 0; i < 32; i++)
        buf_append_string(&h->tor_out, "32");
    buf_append_string(&h->tor_out, "\r\n");
}

void model_authenticate(struct harness *h, const struct command *command)
{
    struct buf proof;

    buf_init(&proof, 128);
    if (h->raw_tor) {
        /* It may have been offered another way to log in than the model's. */
    } else if (h->mood % 4 == 1) {
        model_write_hmac(h, "Tor safe cookie authentication controller-to-server hash", &proof);
        ORACLE(span_equals(buf_span(&proof), command->arguments), "a proof that proves nothing");
    } else if (h->mood % 4 != 0) {
        ORACLE(command->arguments.len == 64, "a cookie of the wrong size");
    }
    buf_append_string(&h->tor_out, h->mood % 4 == 3 ? "515 no\r\n" : "250 OK\r\n");
    buf_clear(&proof);
}

/* The last profile lets everything through: nothing that it gets is hidden. */
static const char *secret(const struct harness *h)
{
    return strcmp(h->view.profiles[0]->name, "p4") == 0 ? "open" : "sekrit";
}

static void model_info(struct harness *h, struct span key)
{
    int len = (int)key.len;

    if (span_equals(key, SPAN("ns/all"))) {
        buf_printf(&h->tor_out, "250+ns/all=\r\n");
        for (int i = 0; i < 600; i++)
            buf_append_string(&h->tor_out, "r relay digest 2038-01-01 10.0.0.1 9001 0\r\n");
        buf_append_string(&h->tor_out, ".\r\n");
    } else if (span_equals(key, SPAN("circuit-status"))) {
        buf_printf(&h->tor_out,
                   "250+circuit-status=\r\n19 BUILT %s\r\n17 BUILT own\r\n18 BUILT own\r\n.\r\n",
                   secret(h));
    } else if (span_equals(key, SPAN("stream-status"))) {
        buf_printf(&h->tor_out, "250-stream-status=9 SUCCEEDED 19 %s:80\r\n", secret(h));
    } else if (span_equals(key, SPAN("config-text"))) {
        buf_printf(&h->tor_out,
                   "250+config-text=\r\nSocksPort 0\r\n..%s\r\n250 OK %s\r\n.\r\n",
                   secret(h), secret(h));
    } else if (span_starts_with(key, SPAN("ns/id/")) && key.len % 2) {
        buf_printf(&h->tor_out, "250+%.*s=\r\nr a\r\n..\r\n.\r\n", len, key.data);
    } else {
        bool hidden = span_equals(key, SPAN("address")) ||
                      span_starts_with(key, SPAN("net/listeners/"));
        buf_printf(&h->tor_out, "250-%.*s=%s\r\n", len, key.data, hidden ? secret(h) : "1=2");
    }
}

static void model_keys(struct harness *h, const struct command *command)
{
    struct span rest = command->arguments, word;
    size_t left = words_count(rest);

    if (command->keyword->id == KEYWORD_GETINFO) {
        while (words_next(&rest, &word))
            model_info(h, word);
        left = 0;
    }
    while (left > 0 && words_next(&rest, &word))
        buf_printf(&h->tor_out, "250%c%.*s=1\r\n", --left ? '-' : ' ', (int)word.len, word.data);
    if (command->keyword->id == KEYWORD_GETINFO || words_count(command->arguments) == 0)
        buf_append_string(&h->tor_out, "250 OK\r\n");
}

/* --- onion services: sixteen addresses, which differ in their first letter --- */

#define SERVICES 16

static bool has_onions(const struct harness *h)
{
    return h->view.profiles[0]->onions.create_count > 0;
}

int model_find_service(struct span address)
{
    int service = address.len > 0 ? address.data[0] - 'a' : -1;

    if (service < 0 || service >= SERVICES || !span_equals(span_from(address, 1), SPAN(SERVICE)))
        return -1;
    return service;
}

static void model_add_onion(struct harness *h, const struct command *command)
{
    unsigned service = has_onions(h) ? h->next_service++ % SERVICES : 0;
    bool is_detached = memmem(command->arguments.data, command->arguments.len, "Detach", 6);
    const char *key = has_onions(h) ? "own" : secret(h);

    if (has_onions(h) && (h->services & 1u << service)) {
        buf_append_string(&h->tor_out, "550 Onion address collision\r\n");
        return;
    }
    h->services |= 1u << service;
    h->detached &= ~(1u << service);
    h->detached |= (unsigned)is_detached << service;
    buf_printf(&h->tor_out,
               "250-ServiceID=%c%s\r\n250-PrivateKey=ED25519-V3:%s\r\n250 OK\r\n",
               'a' + (int)service, SERVICE, key);
}

static void model_del_onion(struct harness *h, const struct command *command)
{
    int service = model_find_service(command->arguments);
    bool is_there = service >= 0 && (h->services & 1u << service);

    if (is_there)
        h->services &= ~(1u << service);
    buf_append_string(&h->tor_out, is_there ? "250 OK\r\n" : "552 Unknown Onion Service id\r\n");
}

/* In the moods with errors: those that a tor gives which cannot say. */
void model_detached(struct harness *h)
{
    if (h->mood >= 4) {
        buf_append_string(&h->tor_out, "552 Unrecognized key \"onions/detached\"\r\n");
        return;
    }
    buf_append_string(&h->tor_out, "250+onions/detached=\r\n");
    for (int i = 0; i < SERVICES; i++)
        if (h->services & h->detached & 1u << i)
            buf_printf(&h->tor_out, "%c%s\r\n", 'a' + i, SERVICE);
    buf_append_string(&h->tor_out, ".\r\n250 OK\r\n");
}

void model_answer(struct harness *h, const struct command *command)
{
    enum keyword_id id = command->keyword->id;

    if (h->mood >= 4 && h->next_sent % 3 == 2)
        buf_append_string(&h->tor_out, id == KEYWORD_GETINFO ? "552-Unrecognized key \"x\"\r\n"
                                                               "552 Unrecognized key \"y\"\r\n"
                                                             : "552 no\r\n");
    else if (id == KEYWORD_GETINFO || id == KEYWORD_GETCONF)
        model_keys(h, command);
    else if (id == KEYWORD_ADD_ONION)
        model_add_onion(h, command);
    else if (id == KEYWORD_DEL_ONION && has_onions(h))
        model_del_onion(h, command);
    else if (id == KEYWORD_ONION_CLIENT_AUTH_VIEW && has_onions(h))
        buf_append_string(&h->tor_out, "250-ONION_CLIENT_AUTH_VIEW\r\n"
                                       "250-CLIENT a" SERVICE " x25519:own\r\n"
                                       "250-CLIENT sekrit x25519:sekrit\r\n250 OK\r\n");
    else if (command->keyword->reply == REPLY_SHAPE_LINES)
        buf_append_string(&h->tor_out, "250-a=b\r\n250 OK\r\n");
    else
        buf_append_string(&h->tor_out, "250 OK\r\n");
}

void model_listeners(struct harness *h)
{
    buf_append_string(&h->tor_out, "250-net/listeners/control=\"unix:/run/tor/control\" "
                                   "\"127.0.0.1:9051\"\r\n250 OK\r\n");
}

void model_event(struct harness *h, size_t index)
{
    buf_append_string(&h->tor_out,
                      model_events[index % (sizeof model_events / sizeof *model_events)]);
}
