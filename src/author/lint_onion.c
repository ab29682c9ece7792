/* Onion services: what they may publish, and whose may be deleted (control-protocol 6).
 *
 * A pattern is asked whether it lets certain requests through that no author means: another
 * machine's port, a socket, the ports of services that have nothing to do with the application, a
 * service that outlives the connection. */
#include <stdint.h>
#include <string.h>

#include "ascii.h"
#include "lint_parts.h"

/* Behind the key, which is the first word. */
#define LATER "[!-~]+ (?:.* )?"
#define PORT LATER "[Pp][Oo][Rr][Tt]=[0-9]+,"
#define TAIL "(?: .*)?"
#define USE_ONIONS "use 'onions', which judges targets by address and port"

/* More ports than an application has of its own. */
#define MANY_PORTS 60000
#define SYSTEM_PORTS 1024

static bool lets_port_through(const struct language *sent, const char *port)
{
    struct buf probe;

    buf_init(&probe, 512);
    buf_printf(&probe, LATER "[Pp][Oo][Rr][Tt]=(?:%s|[0-9]+,(?:127\\.0\\.0\\.1:)?%s)" TAIL, port,
               port);
    buf_append_char(&probe, '\0');
    bool is_met = language_meets(sent, buf_span(&probe).data, NULL);
    buf_clear(&probe);
    return is_met;
}

/* Ports of services that nobody runs for an onion service of an application. */
static bool lets_any_port_through(const struct language *sent)
{
    static const char *const ports[] = {"22", "631", "9050", "5432"};

    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++)
        if (!lets_port_through(sent, ports[i]))
            return false;
    return true;
}

/* What the target may be that it should not, or NULL. */
static const char *free_target(const struct language *sent)
{
    if (language_meets(sent, PORT "10\\.9\\.8\\.7:[0-9]+" TAIL, NULL))
        return "ports of other machines, such as 10.9.8.7:22";
    if (language_meets(sent, PORT "unix:/[a-z]*probe" TAIL, NULL))
        return "any socket of this machine";
    return lets_any_port_through(sent) ? "any port of this machine, such as 22" : NULL;
}

static bool holds_nocase(const char *text, struct span word)
{
    for (; *text; text++)
        if (span_equals_nocase(span_first(span_from_string(text), word.len), word))
            return true;
    return false;
}

static void lint_flags(struct lint *lint, const struct lint_rule *rule)
{
    const char *text = language_text(rule->asked);

    if (!language_meets(rule->sent,
                        LATER "[Ff][Ll][Aa][Gg][Ss]=(?:[!-~]*,)?[Dd][Ee][Tt][Aa][Cc][Hh]"
                              "(?:,[!-~]*)?" TAIL,
                        NULL))
        return;
    if (holds_nocase(text, SPAN("Detach")))
        lint_note(lint, rule->rule->where, "grants-detach",
                  "with Detach a service goes on when the application is gone, and whoever may use "
                  "DEL_ONION can end it");
    else
        lint_warning(lint, rule->rule->where, "free-flags",
                     "'%s' also lets through Flags=Detach, with which a service goes on when the "
                     "application is gone; name the flags, or use 'onions'",
                     lint_quote(lint, span_from_string(text)));
}

void lint_add_onion(struct lint *lint, const struct lint_rule *rule)
{
    const char *target = free_target(rule->sent);

    if (target)
        lint_warning(lint, rule->rule->where, "free-target",
                     "'%s' lets the client publish %s; " USE_ONIONS,
                     lint_quote(lint, span_from_string(language_text(rule->asked))), target);
    else
        lint_note(lint, rule->rule->where, "use-onions",
                  "this takes the arguments in one order and one spelling only; 'onions' judges "
                  "what they mean");
    lint_flags(lint, rule);
}

void lint_del_onion(struct lint *lint, const struct lint_rule *rule)
{
    if (!language_spans(rule->sent, "[a-z2-7]{56}"))
        return;
    if (language_is_within(rule->sent, "[A-Za-z2-7]{56}"))
        lint_note(lint, rule->rule->where, "free-deletion",
                  "this deletes every detached service, whoever made it; 'delete: own' under "
                  "'onions' knows the client's own");
    else
        lint_warning(lint, rule->rule->where, "free-deletion",
                     "'%s' deletes every detached service, whoever made it; write 'delete: own' "
                     "under 'onions', or the address as '[a-z2-7]{56}'",
                     lint_quote(lint, span_from_string(language_text(rule->asked))));
}

/* --- `onions` --- */

static bool is_free_target(const struct onion_target *target)
{
    unsigned ports = (unsigned)target->ports.last - target->ports.first + 1;
    bool is_local =
        target->is_port_only || (!target->is_client && target->address.kind != TARGET_UNIX);

    return is_local &&
           (ports >= MANY_PORTS || (target->ports.first < SYSTEM_PORTS && ports > SYSTEM_PORTS));
}

bool lint_onion_is_free(const struct onion_create *create)
{
    for (size_t i = 0; i < create->target_count; i++)
        if (is_free_target(&create->targets[i]))
            return true;
    return false;
}

static void lint_create(struct lint *lint, const struct onion_create *create)
{
    for (size_t i = 0; i < create->target_count; i++) {
        const struct onion_target *target = &create->targets[i];
        if (is_free_target(target))
            lint_warning(lint, target->where, "free-target",
                         "%u-%u lets the client publish services of this machine that are not its "
                         "own, such as port %u; name the ports that it listens on, or 32768-60999 "
                         "if the system chooses them",
                         (unsigned)target->ports.first, (unsigned)target->ports.last,
                         target->ports.first <= 22 ? 22u : (unsigned)target->ports.first);
    }
    if (create->flags & ~create->drop_flags & ADD_ONION_DETACH)
        lint_note(lint, create->where, "grants-detach",
                  "with Detach a service goes on when the application is gone");
}

void lint_onions(struct lint *lint, const struct onion_rules *onions)
{
    for (size_t i = 0; i < onions->create_count; i++)
        lint_create(lint, &onions->creates[i]);
    if (onions->fetch)
        lint_note(lint, onions->fetch_where, "grants-command",
                  "HSFETCH makes tor fetch any onion service's descriptor");
}
