/* The facts about a peer: storage, and the reading of an AppArmor label. Gathering is io's work,
 * judging is policy_match's.
 *
 * The kernel writes a label as "NAME (MODE)", and as "unconfined" alone for a task that no profile
 * confines. A name may hold spaces, parentheses and any printable or non-ASCII byte, so only the
 * last " (MODE)" is the mode, and only if it is a mode of the kernel's: a name that happens to look
 * like one more mode stays a name. Whatever else comes is no label. The name alone says nothing
 * about the mode: a profile that complains, or is in mode "unconfined", restricts little or
 * nothing, and is known by its name like the others. */
#include "identity.h"

#include <stdlib.h>

#include "mem.h"
#include "span.h"

void identity_clear(struct identity *identity)
{
    free(identity->groups);
    free(identity->label);
    free(identity->executable);
    free(identity->unit);
    *identity = (struct identity){0};
}

/* "mixed" is what a stack of profiles in different modes shows. */
static bool is_mode(struct span text)
{
    static const char *const modes[] = {"enforce",    "complain", "mixed", "kill",
                                        "unconfined", "prompt",   "user"};

    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (span_equals(text, span_from_string(modes[i])))
            return true;
    return false;
}

static bool has_control_character(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
            return true;
    return false;
}

/* Length of the name in front of the last " (MODE)"; text.len if there is none. */
static size_t find_mode(struct span text)
{
    static const struct span opening = SPAN(" (");
    size_t at = text.len;

    if (text.len == 0 || text.data[text.len - 1] != ')')
        return text.len;
    while (at > 0)
        if (span_starts_with(span_from(text, --at), opening))
            return is_mode(span_first(span_from(text, at + 2), text.len - at - 3)) ? at : text.len;
    return text.len;
}

/* NULL, or why the text is no label. */
static const char *find_doubt(struct span text, size_t name_len)
{
    if (text.len == 0)
        return "the AppArmor label is empty";
    if (has_control_character(text))
        return "the AppArmor label has a control character";
    if (name_len == text.len)
        return "the AppArmor label has no mode that is known";
    if (name_len == 0)
        return "the AppArmor label has no name";
    /* Nobody could tell it from the state of the same name. */
    if (span_equals(span_first(text, name_len), SPAN("unconfined")))
        return "the AppArmor label is of a profile named unconfined";
    return NULL;
}

static void forget_label(struct identity *identity)
{
    free(identity->label);
    identity->label = NULL;
    identity->label_state = IDENTITY_LABEL_UNKNOWN;
    identity->label_evidence = EVIDENCE_NONE;
    identity->label_doubt = NULL;
}

void identity_set_label(struct identity *identity, const char *text, size_t len,
                        enum identity_evidence evidence)
{
    struct span label = span_make(text, len);

    forget_label(identity);
    if (len > 0 && text[len - 1] == '\n')
        label.len--;
    if (span_equals(label, SPAN("unconfined"))) {
        identity->label_state = IDENTITY_UNCONFINED;
        identity->label_evidence = evidence;
        return;
    }
    size_t name_len = find_mode(label);
    identity->label_doubt = find_doubt(label, name_len);
    if (identity->label_doubt)
        return;
    identity->label_state = IDENTITY_CONFINED;
    identity->label = mem_copy_string(span_first(label, name_len));
    identity->label_evidence = evidence;
}

const char *identity_label_name(const struct identity *identity)
{
    switch (identity->label_state) {
    case IDENTITY_LABEL_UNKNOWN:
        return NULL;
    case IDENTITY_UNCONFINED:
        return "unconfined";
    case IDENTITY_CONFINED:
        return identity->label;
    }
    return NULL;
}

static bool is_link_local(const struct identity *identity)
{
    return identity->is_ipv6 && identity->address[0] == 0xfe &&
           (identity->address[1] & 0xc0) == 0x80;
}

bool identity_stream_source(const struct identity *identity, struct stream_source *source_out)
{
    *source_out = (struct stream_source){0};
    if (identity->transport != IDENTITY_TCP_REMOTE)
        return false;
    source_out->is_known = !is_link_local(identity);
    source_out->is_ipv6 = identity->is_ipv6;
    memcpy(source_out->address, identity->address, sizeof source_out->address);
    return true;
}

const char *identity_evidence_text(enum identity_evidence evidence)
{
    switch (evidence) {
    case EVIDENCE_NONE:
        return "no";
    case EVIDENCE_HOLDERS:
        return "holders";
    case EVIDENCE_PROC:
        return "proc";
    case EVIDENCE_KERNEL:
        return "kernel";
    }
    return "no";
}
