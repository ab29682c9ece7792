/* The profiles of the session fuzzer: built-in ones, one or two of them, changed line by line as the
 * input says, or the input's own file. */
#include <stdio.h>
#include <stdlib.h>

#include "complain.h"
#include "mem.h"
#include "profile_load.h"
#include "session_harness.h"
#include "session_reference.h"

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

static struct profile_file *load(const char *text, bool may_fail)
{
    static const struct name_resolver resolver = {no_user, no_group, NULL};
    struct diag_list diags;
    struct buf message;

    diag_list_init(&diags);
    buf_init(&message, 4096);
    struct profile_file *file = profile_load("p.yml", span_from_string(text), &resolver, &diags);
    for (size_t i = 0; i < diags.count && !file && !may_fail; i++)
        diag_format(&message, &diags.items[i]);
    if (message.len > 0)
        fprintf(stderr, "%.*s\n", (int)message.len, message.data);
    ORACLE(file || may_fail, "a profile of the harness does not load");
    diag_list_clear(&diags);
    buf_clear(&message);
    return file;
}

static char *complete(const char *body, size_t number)
{
    return mem_printf("name: p%zu\napparmor-profiles: ['*']\nusers: ['*']\n%s", number, body);
}

static struct policy *new_policy(void)
{
    struct policy *policy = policy_new();

    policy_set_complain(policy, complain_file_new());
    return policy;
}

static struct policy *builtin_policy(void)
{
    static struct policy *policy;

    if (policy)
        return policy;
    policy = new_policy();
    for (size_t i = 0; i < PROFILE_COUNT; i++) {
        char *text = complete(profile_texts[i], i);
        policy_add_file(policy, load(text, false));
        free(text);
    }
    return policy;
}

/* --- what the input makes of a built-in one --- */

/* The text of the edit for that line: "Lnew text" among the edits, L a character from space on. */
static bool find_edit(struct span edits, size_t line, struct span *edit_out)
{
    while (edits.len > 0) {
        struct span edit = span_first(edits, span_find(edits, '\n'));
        edits = span_from(edits, edit.len + 1);
        if (edit.len > 0 && (size_t)(unsigned char)edit.data[0] == line + ' ') {
            *edit_out = span_from(edit, 1);
            return true;
        }
    }
    return false;
}

/* Each line that has an edit is replaced behind its spaces; by nothing: it goes. */
static char *change_lines(const char *body, struct span edits)
{
    struct span rest = span_from_string(body), edit;
    struct buf out;

    buf_init(&out, 64 * 1024);
    for (size_t line = 0; rest.len > 0; line++) {
        struct span old = span_first(rest, span_find(rest, '\n'));
        rest = span_from(rest, old.len + 1);
        if (find_edit(edits, line, &edit)) {
            size_t spaces = 0;
            while (edit.len > 0 && spaces < old.len && old.data[spaces] == ' ')
                spaces++;
            buf_append(&out, span_first(old, spaces));
            old = edit;
        }
        buf_append(&out, old);
        buf_append_char(&out, '\n');
    }
    char *text = mem_copy_string(buf_span(&out));
    buf_clear(&out);
    return text;
}

static struct profile_file *load_changed(struct span record)
{
    size_t number = record.len > 0 ? (uint8_t)(record.data[0] - '0') % PROFILE_COUNT : 0;
    char *body = change_lines(profile_texts[number], span_from(record, 1));
    char *text = complete(body, number);
    struct profile_file *file = load(text, true);

    free(body);
    free(text);
    return file;
}

static struct profile_file *load_own(struct span record)
{
    char *text = mem_copy_string(record);
    struct profile_file *file = load(text, true);

    free(text);
    return file;
}

/* --- the client's profiles --- */

static void use_file(struct harness *h, const struct profile_file *file)
{
    for (size_t i = 0; i < file->count && h->view.count < PROFILES_MAX; i++)
        h->profiles[h->view.count++] = &file->profiles[i];
}

static bool use_input(struct harness *h, struct profile_file *file)
{
    if (!file)
        return false;
    h->is_own_policy = true;
    h->policy = new_policy();
    policy_add_file(h->policy, file);
    use_file(h, file);
    return true;
}

bool profiles_open(struct harness *h, char selector, struct span *rest)
{
    size_t first = (uint8_t)(selector - '0') % PROFILE_COUNT;
    bool is_own = selector == 'P' || selector == 'M';
    struct span record = span_first(*rest, span_find(*rest, (char)0xff));

    h->view = (struct policy_view){.profiles = h->profiles};
    if (is_own) {
        *rest = span_from(*rest, record.len + 1);
        return use_input(h, selector == 'P' ? load_own(record) : load_changed(record));
    }
    h->policy = builtin_policy();
    if (selector >= 'a' && selector <= 'z') {
        first = (size_t)(selector - 'a') % PROFILE_COUNT;
        size_t second = (first + 1 + (size_t)(selector - 'a') / PROFILE_COUNT) % PROFILE_COUNT;
        use_file(h, h->policy->files[first]);
        first = second;
    }
    use_file(h, h->policy->files[first]);
    return true;
}

void profiles_close(struct harness *h)
{
    if (!h->is_own_policy)
        return;
    reference_forget();
    policy_unref(h->policy);
}
